// What · Before · Office · On site: one row for each thing that differs, the default chosen and explained.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { formatDistance, formatNumber, formatTime, hasText, locale, reasonText, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { shownTheme, theme } from "../shared/settings.js";
import { createMap } from "../map/map.js";
import { routeHue } from "../map/style.js";
import { ruleName } from "./bulk.js";
import { fieldName, lanesOf, mineAt, pinsOf, rawMineAt, rowText } from "./clashes.js";
import { metres } from "./consequence.js";
import { api } from "./store.js";

/** @typedef {import("./clashes.js").Row} Row */

/** Both pins on a map, with what lies between them. @param {{row: Row}} props */
function Pins({ row }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [site, setSite] = useState(/** @type {any} */ (null));
  const mode = (theme.value, shownTheme());
  const language = locale.value;
  const complete = row.parts.length > 1;
  useEffect(() => {
    if (!complete) api("GET", `/sites/${row.first.document_id}`).then(setSite, () => {});
  }, [row.key]);
  const pins = pinsOf(row, site);
  const key = pins ? JSON.stringify(pins) : "";
  useEffect(() => {
    if (!pins) return undefined;
    const { mine, theirs } = pins;
    const map = createMap(/** @type {HTMLDivElement} */ (box.current), {
      center: [mine.lon, mine.lat],
      zoom: 16,
      theme: mode,
      locale: language,
      interactive: false,
      label: t("conflicts.map"),
      missing: t("board.map_missing"),
    });
    map.setMarkers([
      { id: "theirs", kind: "value", lat: theirs.lat, lon: theirs.lon, letter: locale.value === "ru" ? "О" : "O", hue: mode === "dark" ? "#BCC3C6" : "#474C4F", title: t("conflicts.office") },
      { id: "mine", kind: "value", lat: mine.lat, lon: mine.lon, letter: locale.value === "ru" ? "М" : "S", hue: mode === "dark" ? "#5EC6B9" : "#0B5D5A", title: t("conflicts.site") },
    ]);
    map.setRoutes([{ id: "between", letter: "", hue: routeHue(6, mode), line: [[theirs.lon, theirs.lat], [mine.lon, mine.lat]], stops: [] }]);
    map.fitTo([[mine.lon, mine.lat], [theirs.lon, theirs.lat]], { padding: 44, maxZoom: 17 });
    return () => map.destroy();
  }, [key, mode, language]);
  if (!pins) return null;
  const apart = metres(pins.mine, pins.theirs);
  return html`<div class="pins"><div class="map-box" ref=${box}></div><p class="pins-apart">${t("conflicts.apart", { distance: apart < 950 ? `${formatNumber(Math.round(apart))} ${locale.value === "ru" ? "м" : "m"}` : formatDistance(apart) })}</p></div>`;
}

/**
 * @param {{row: Row, side: "mine" | "theirs", picked: boolean, pick: () => void, tz: string}} props
 */
function Choice({ row, side, picked, pick, tz }) {
  const { first } = row;
  const at = side === "mine" ? mineAt(row) : first.theirs_at;
  const who = side === "mine" ? first.mine_by?.name : first.theirs_by?.name;
  const raw = side === "mine" ? rawMineAt(row) : null;
  const isDefault = row.byDefault === side;
  return html`<div class="clash-cell" role="cell">
    <label class="choice">
      <input type="radio" name=${row.key} checked=${picked} onChange=${pick} />
      <span><b>${rowText(row, side, tz)}</b><span class="choice-by">${t("conflicts.by", { time: at ? formatTime(at, tz) : "–", name: who ?? "" })}${raw && html` · ${t("work.raw", { time: formatTime(raw, tz) })}`}</span></span>
    </label>
    ${isDefault && html`<p class="because"><${Icon} name="check" size=${14} /> <span>${t("conflicts.default", { why: reasonText(first.reason) })}</span></p>`}
  </div>`;
}

/** @param {{one: import("./clashes.js").Case, tz: string, pickOf: (row: Row) => "mine" | "theirs", pick: (row: Row, side: "mine" | "theirs") => void}} props */
export function ClashTable({ one, tz, pickOf, pick }) {
  const { first } = /** @type {Row} */ (one.rows[0]);
  const { knew } = lanesOf(one);
  const office = [...new Set(one.rows.map((row) => row.first.theirs_by?.name).filter(Boolean))].join(", ");
  const sure = first.uncertainty_s === null || first.uncertainty_s === undefined ? t("conflicts.clock_unknown") : t("conflicts.clock", { seconds: Math.max(1, Math.ceil(first.uncertainty_s)) });
  return html`<div class="clash-table" role="table" aria-label=${t("conflicts.needs")}>
    <div class="clash-row is-head" role="row">
      <span role="columnheader">${t("conflicts.what")}</span>
      <span role="columnheader">${t("conflicts.before")}<br /><small>${knew === null ? t("conflicts.both_knew") : t("conflicts.both_knew_at", { time: formatTime(knew, tz) })}</small></span>
      <span role="columnheader">${t("conflicts.office")}<br /><small>${office}</small></span>
      <span role="columnheader">${t("conflicts.site")}<br /><small>${[one.technician, sure].filter(Boolean).join(", ")}</small></span>
    </div>
    ${one.rows.map((row) => {
      const kind = `conflicts.collection.${row.collection}`;
      return html`<div class="clash-row" role="row" key=${row.key} data-row=${row.key}>
        <span role="rowheader"><b>${fieldName(row.field)}</b><br /><small>${hasText(kind) ? t(kind) : ""}<br />${ruleName(row.first.policy ?? "")} · ${t(`conflicts.class.${row.first.class}`)}</small></span>
        <span role="cell" class="clash-base"><span class="clash-narrow">${t("conflicts.before")}: </span>${rowText(row, "base", tz)}</span>
        <${Choice} row=${row} side="theirs" picked=${pickOf(row) === "theirs"} pick=${() => pick(row, "theirs")} tz=${tz} />
        <${Choice} row=${row} side="mine" picked=${pickOf(row) === "mine"} pick=${() => pick(row, "mine")} tz=${tz} />
        ${row.field === "pin" && html`<div class="clash-map" role="cell"><${Pins} row=${row} /></div>`}
      </div>`;
    })}
  </div>`;
}
