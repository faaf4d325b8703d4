// Technicians down, hours across.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { locale, t } from "../shared/i18n.js";
import { Bar } from "./bar.js";
import { costText, firstText, LEVEL_ICONS } from "./cost.js";
import { routeOf } from "./consequence.js";
import { carried, lanes } from "./drag.js";
import { bracketPath, dayRange, hourTicks, scaleOf } from "./geometry.js";
import { DeviceLine, DeviceMark, Letter } from "./people.js";
import { Shape } from "./shapes.js";
import { lengthMs } from "./state.js";
import { now, selected } from "./store.js";
import { clock, hoursMinutes, localAt, ms } from "./time.js";

/** @typedef {import("./types.js").Board} Board */
/** @typedef {import("./types.js").Visit} Visit */
/** @typedef {import("./types.js").Technician} Technician */
/** @typedef {import("./geometry.js").Scale} Scale */

export const ROW = { comfortable: 52, dense: 36 };
const DENSE_FROM = 20;
const MINUTES_PX = 13;

/** @param {{technician: Technician, index: number, tz: string, dense: boolean}} props */
function RowLabel({ technician, index, tz, dense }) {
  locale.value;
  const consequence = carried.value?.consequences.get(technician.id);
  if (consequence) {
    const best = carried.value?.best === technician.id;
    const passable = consequence.level === "fits" || consequence.level === "costs";
    const [minutes, km] = costText(consequence).split(" · ");
    const first = best ? t("drag.best") : firstText(consequence, tz);
    const word = passable ? minutes : dense ? first : t(`drag.level.${consequence.level}`);
    return html`<div class=${`tl-label is-${consequence.level}`} role="rowheader">
      <${Letter} technician=${technician} index=${index} />
      <span class="tl-name"><b>${technician.name.split(" ")[0]}</b> <em title=${first}>${word}</em></span>
      <span class="tl-device"><${Shape} name=${LEVEL_ICONS[consequence.level]} /><span>${passable ? `${km} · ${first}` : first}</span></span>
    </div>`;
  }
  return html`<div class="tl-label" role="rowheader">
    <${Letter} technician=${technician} index=${index} />
    <span class="tl-name"><b title=${technician.name}>${technician.name}</b><${DeviceMark} technician=${technician} /><span class="tl-worked" title=${t("board.worked")}>${hoursMinutes(technician.worked_minutes)}</span></span>
    <${DeviceLine} technician=${technician} tz=${tz} />
  </div>`;
}

/**
 * Everything of a row that is not a visit: off shift, break, driving, windows, what really happened.
 * @param {{technician: Technician, visits: Visit[], scale: Scale, height: number}} props
 */
function Ground({ technician, visits, scale, height }) {
  const { shift } = technician;
  const at = now.value;
  const dense = height < 48;
  const bottom = height - (dense ? 1 : 6);
  const middle = dense ? height / 2 : 22;
  const rect = (/** @type {number} */ from, /** @type {number} */ to, /** @type {string} */ kind) => {
    const left = Math.max(0, scale.x(from));
    const right = Math.min(scale.width, scale.x(to));
    return right > left ? html`<rect class=${kind} x=${left.toFixed(1)} y="0" width=${(right - left).toFixed(1)} height=${height} />` : null;
  };
  let free = shift ? ms(shift.start) - 3_600_000 : scale.start;
  return html`<svg class="tl-ground" width=${scale.width} height=${height} aria-hidden="true">
    ${!shift && rect(scale.start, scale.end, "off-shift")}
    ${shift && rect(scale.start, ms(shift.start), "off-shift")}
    ${shift && rect(ms(shift.end), scale.end, "off-shift")}
    ${shift?.break_start && shift.break_end && rect(ms(shift.break_start), ms(shift.break_end), "break")}
    ${visits.map((visit) => {
      const start = ms(/** @type {string} */ (visit.planned_start));
      const end = start + lengthMs(visit);
      const setOff = Math.max(free, start - (visit.travel_s ?? 0) * 1000);
      const [left, right] = [scale.x(setOff), scale.x(start)];
      const minutes = Math.round((visit.travel_s ?? 0) / 60);
      free = end;
      return html`<g key=${visit.id}>
        ${right - left > 2 && html`<path class="travel" d=${`M${left.toFixed(1)} ${middle}H${right.toFixed(1)}`} />`}
        ${right - left >= MINUTES_PX && minutes > 0 && !dense && html`<text class="travel-minutes" x=${((left + right) / 2).toFixed(1)} y=${middle - 7}>${minutes}</text>`}
        ${visit.window_start && visit.window_end && ms(visit.window_end) > scale.start && ms(visit.window_start) < scale.end &&
        html`<path class=${visit.promised_by || visit.hard_due ? "window hard" : "window"} d=${bracketPath(scale, ms(visit.window_start), ms(visit.window_end), bottom - 5, bottom)} />`}
        ${!visit.window_start && visit.promised_by && html`<path class="window hard" d=${`M${Math.max(scale.x(start), scale.x(ms(visit.promised_by)) - 40).toFixed(1)} ${bottom}H${scale.x(ms(visit.promised_by)).toFixed(1)}V${bottom - 5}`} />`}
        ${visit.started_at && html`<path class="actual" d=${`M${scale.x(ms(visit.started_at)).toFixed(1)} ${bottom - 5.5}H${scale.x(visit.finished_at ? ms(visit.finished_at) : Math.max(at, ms(visit.started_at))).toFixed(1)}`} />`}
      </g>`;
    })}
  </svg>`;
}

/** @param {{technician: Technician, scale: Scale}} props */
function Ghost({ technician, scale }) {
  const what = carried.value;
  if (!what || what.technicianId !== technician.id) return null;
  const consequence = /** @type {import("./consequence.js").Consequence} */ (what.consequences.get(technician.id));
  const [left, right] = [scale.x(consequence.start), scale.x(consequence.end)];
  return html`<div class=${`tl-ghost is-${consequence.level}`} style=${{ transform: `translateX(${left.toFixed(1)}px)`, width: `${(right - left).toFixed(1)}px` }}></div>`;
}

/**
 * @param {{technician: Technician, index: number, visits: Visit[], scale: Scale, height: number, tz: string, first: string | null}} props
 */
function Row({ technician, index, visits, scale, height, tz, first }) {
  const level = carried.value?.consequences.get(technician.id)?.level ?? "";
  const target = carried.value?.technicianId === technician.id;
  return html`<div class=${`tl-row ${level ? `is-${level}` : ""} ${target ? "is-target" : ""}`} role="row" style=${{ height: `${height}px` }}>
    <${RowLabel} technician=${technician} index=${index} tz=${tz} dense=${height < ROW.comfortable} />
    <div class="tl-lane" data-lane=${technician.id} role="presentation">
      <${Ground} technician=${technician} visits=${visits} scale=${scale} height=${height} />
      ${visits.map((visit) => {
        const left = scale.x(ms(/** @type {string} */ (visit.planned_start)));
        const width = scale.x(ms(/** @type {string} */ (visit.planned_start)) + lengthMs(visit)) - left;
        return html`<${Bar} key=${visit.id} visit=${visit} left=${left} width=${width - 1} technician=${technician.name} tabbable=${visit.id === first} dense=${height < ROW.comfortable} />`;
      })}
      <${Ghost} technician=${technician} scale=${scale} />
    </div>
  </div>`;
}

/** The head of the hours with the time it is. @param {{scale: Scale, tz: string, today: boolean}} props */
function Hours({ scale, tz, today }) {
  const ticks = hourTicks(scale, tz);
  const nowX = scale.x(now.value);
  const inside = today && nowX > 0 && nowX < scale.width;
  return html`<div class="tl-hours" role="presentation">
    ${ticks.map((at) => {
      const x = scale.x(at);
      const covered = inside && Math.abs(x - nowX) < 44;
      const fits = x > 18 && x < scale.width - 18;
      return html`<span class="tl-hour" role="columnheader" key=${at} style=${{ transform: `translateX(${x.toFixed(1)}px)` }}>
        <span class=${covered || !fits ? "visually-hidden" : ""}>${clock(at, tz)}</span></span>`;
    })}
    ${inside && html`<span class="tl-now-time" style=${{ transform: `translateX(${nowX.toFixed(1)}px)` }}>${clock(now.value, tz)}</span>`}
  </div>`;
}

/** Lines at the hours and at this moment, behind the bars. @param {{scale: Scale, tz: string, today: boolean, height: number}} props */
function HourLines({ scale, tz, today, height }) {
  const nowX = scale.x(now.value);
  return html`<svg class="tl-lines" width=${scale.width} height=${height} aria-hidden="true">
    ${hourTicks(scale, tz).map((at) => html`<path class="hour" d=${`M${scale.x(at).toFixed(1)} 0V${height}`} />`)}
    ${today && nowX > 0 && nowX < scale.width && html`<path class="now" d=${`M${nowX.toFixed(1)} 0V${height}`} />`}
  </svg>`;
}

/** @param {{shown: Board}} props */
function summary({ shown }) {
  const parts = [t("board.technicians", { n: shown.technicians.length })];
  const quiet = shown.technicians.filter(({ device }) => device.state === "quiet").length;
  const away = shown.technicians.filter(({ shift }) => !shift).length;
  if (quiet) parts.push(t("board.quiet", { n: quiet }));
  if (away) parts.push(t("board.away", { n: away }));
  return parts.join(" · ");
}

/** @param {{shown: Board}} props */
export function Timeline({ shown }) {
  locale.value;
  const lane = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const box = /** @type {HTMLDivElement} */ (lane.current);
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(/** @type {ResizeObserverEntry} */ (entry).contentRect.width)));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  const scale = useMemo(() => scaleOf(dayRange(shown), width || 900), [shown, width]);
  lanes.scale = scale;
  const { tz } = shown.branch;
  const today = localAt(now.value, tz).date === shown.date;
  const height = shown.technicians.length >= DENSE_FROM ? ROW.dense : ROW.comfortable;
  const routes = useMemo(() => shown.technicians.map(({ id }) => routeOf(shown, id)), [shown]);
  const all = routes.flat();
  const first = (all.find(({ id }) => id === selected.value) ?? all[0])?.id ?? null;
  const what = carried.value;
  return html`<section class=${`timeline ${height < 48 ? "is-dense" : ""}`} aria-label=${t("board.timeline")}>
    <svg class="defs" width="0" height="0" aria-hidden="true"><defs>
      <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" class="hatch-line" /></pattern>
    </defs></svg>
    <div class="tl-grid" role="grid" aria-label=${t("board.timeline")} aria-rowcount=${shown.technicians.length + 1}>
      <div class="tl-head" role="row">
        <div class="tl-corner" role="columnheader" title=${summary({ shown })}>${what ? html`<b>${t("drag.here")}</b>` : summary({ shown })}</div>
        <div class="tl-measure" role="presentation" ref=${lane}>${width > 0 && html`<${Hours} scale=${scale} tz=${tz} today=${today} />`}</div>
      </div>
      <div class="tl-body" role="rowgroup">
        ${width > 0 &&
        html`<${HourLines} scale=${scale} tz=${tz} today=${today} height=${height * shown.technicians.length} />
          ${shown.technicians.map(
            (technician, index) =>
              html`<${Row} key=${technician.id} technician=${technician} index=${index} visits=${routes[index]} scale=${scale} height=${height} tz=${tz} first=${first} />`,
          )}`}
        ${!shown.technicians.length && html`<p class="tl-empty" role="row"><span role="gridcell">${t("board.no_technicians")}</span></p>`}
      </div>
    </div>
  </section>`;
}

/** What the shapes mean. */
export function Legend() {
  const items = [
    ["called", "board.legend.called"],
    ["preventive", "board.legend.preventive"],
    ["draft", "board.legend.draft"],
    ["hard", "board.legend.hard"],
    ["wished", "board.legend.wished"],
    ["actual", "board.legend.actual"],
    ["travel", "board.legend.travel"],
    ["break", "board.legend.break"],
  ];
  return html`<ul class="legend" aria-label=${t("board.legend")}>
    ${items.map(([kind, key]) => html`<li><i class=${`key key-${kind}`}></i>${t(/** @type {string} */ (key))}</li>`)}
  </ul>`;
}
