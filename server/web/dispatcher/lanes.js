// Two lanes of time: what the office did and what was done on site while neither knew of the other.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { formatTime, locale, t } from "../shared/i18n.js";
import { fieldName, lanesOf, spread } from "./clashes.js";
import { shortDay, localAt } from "./time.js";

const LABEL = 128;
const HEIGHT = 100;
const OFFICE_Y = 42;
const SITE_Y = 74;
const GAP = 118;
/** Width of a letter at 12 px, on the safe side for Cyrillic. */
const LETTER = 7.2;

/**
 * @param {{one: import("./clashes.js").Case, tz: string}} props
 */
export function Lanes({ one, tz }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(/** @type {ResizeObserverEntry} */ (entry).contentRect.width)));
    observer.observe(/** @type {HTMLDivElement} */ (box.current));
    return () => observer.disconnect();
  }, []);
  const { knew, apart, met, office, site } = lanesOf(one);
  const times = [...new Set([...(knew === null ? [] : [knew]), ...(apart === null ? [] : [apart]), ...office.map(({ at }) => at), ...site.map(({ at }) => at), met])].sort((a, b) => a - b);
  const line = Math.max(200, width - LABEL - 24);
  const places = spread(times, line - 96, GAP);
  const x = (/** @type {number} */ at) => LABEL + 8 + /** @type {number} */ (places[times.indexOf(at)]);
  const manyDays = times.length > 1 && localAt(/** @type {number} */ (times[0]), tz).date !== localAt(met, tz).date;
  const when = (/** @type {number} */ at) => (manyDays ? `${shortDay(localAt(at, tz).date, locale.value)} ${formatTime(at, tz)}` : formatTime(at, tz));
  const names = (/** @type {string[]} */ fields) => fields.map((field) => fieldName(field).toLowerCase());
  /** As many names as there is room for before the next mark of the lane; the rest as a number. */
  const words = (/** @type {number} */ at, /** @type {string[]} */ fields, /** @type {Array<{at: number}>} */ lane) => {
    const next = lane.find((other) => other.at > at);
    const room = (next ? x(next.at) - 12 : width) - x(at) - 14;
    const all = names(fields);
    for (let shown = all.length; shown > 0; shown -= 1) {
      const text = all.slice(0, shown).join(", ") + (shown < all.length ? ` +${all.length - shown}` : "");
      if ((when(at).length + 1 + text.length) * LETTER <= room) return text;
    }
    return "";
  };
  const end = width - 4;
  /** Where both moments stand side by side, each word has its own side. */
  const close = knew !== null && x(met) - x(knew) < 230 && x(knew) > LABEL + 120;
  const start = apart === null ? LABEL : x(apart);
  const spoken = [
    knew === null ? "" : t("conflicts.both_knew_at", { time: when(knew) }),
    ...office.map(({ at, fields }) => `${t("conflicts.office")} ${when(at)}: ${names(fields).join(", ")}`),
    ...site.map(({ at, fields }) => `${t("conflicts.site")} ${when(at)}: ${names(fields).join(", ")}`),
    apart === null ? "" : t("conflicts.no_contact", { from: when(apart), to: when(met) }),
    t("conflicts.met_again", { time: when(met) }),
  ];
  return html`<div class="lanes" ref=${box}>
    ${width > 480 &&
    html`<svg width=${width} height=${HEIGHT} role="img" aria-label=${`${t("conflicts.lanes")}. ${spoken.filter(Boolean).join("; ")}`}>
      <text class="lane-name" x="0" y=${OFFICE_Y + 4}>${t("conflicts.office")}</text>
      <text class="lane-name" x="0" y=${SITE_Y + 4}>${t("conflicts.site")}</text>
      <path class="lane" d=${`M${LABEL - 20} ${OFFICE_Y}H${end}`} />
      <path class="lane" d=${`M${LABEL - 20} ${SITE_Y}H${start + 18}M${x(met) - 18} ${SITE_Y}H${end}`} />
      <path class="lane-apart" d=${`M${start + 18} ${SITE_Y}H${x(met) - 18}`} />
      ${knew !== null &&
      html`<path class="lane-tie" d=${`M${x(knew)} ${OFFICE_Y}L${x(knew) + 18} ${SITE_Y}`} /><circle class="lane-knot" cx=${x(knew)} cy=${OFFICE_Y} r="4" />
        <text class="lane-hint" x=${close ? x(knew) + 6 : x(knew) - 6} y=${OFFICE_Y - 26} text-anchor=${close ? "end" : "start"}>${t("conflicts.both_knew_at", { time: when(knew) })}</text>`}
      ${apart !== null && apart !== knew && html`<circle class="lane-knot is-apart" cx=${x(apart)} cy=${SITE_Y} r="4" />`}
      <path class="lane-tie" d=${`M${x(met) - 18} ${SITE_Y}L${x(met)} ${OFFICE_Y}`} /><circle class="lane-knot" cx=${x(met)} cy=${OFFICE_Y} r="4" />
      <text class="lane-hint" x=${Math.min(x(met), end)} y=${OFFICE_Y - 26} text-anchor="middle">${t("conflicts.met_again", { time: when(met) })}</text>
      ${office.map(
        ({ at, fields }) => html`<path class="lane-office" d=${`M${x(at)} ${OFFICE_Y - 6}l6 6-6 6-6-6z`} />
          <text class="lane-text" x=${x(at) + 10} y=${OFFICE_Y - 6}><tspan class="lane-time">${when(at)}</tspan> ${words(at, fields, office)}</text>`,
      )}
      ${site.map(
        ({ at, fields }) => html`<path class="lane-site" d=${`M${x(at)} ${SITE_Y - 6}l6 6-6 6-6-6z`} />
          <text class="lane-text" x=${x(at) + 10} y=${SITE_Y - 6}><tspan class="lane-time">${when(at)}</tspan> ${words(at, fields, site)}</text>`,
      )}
      <text class="lane-hint is-offline" x=${(start + x(met)) / 2} y=${SITE_Y + 19} text-anchor="middle">${t("conflicts.no_contact", { from: apart === null ? "…" : when(apart), to: when(met) })}</text>
    </svg>`}
  </div>`;
}
