// Where things are on the timeline. Pure.
import { ms, localAt } from "./time.js";

/** @typedef {import("./types.js").Board} Board */
/** @typedef {{start: number, end: number, width: number, x: (at: number) => number, at: (x: number) => number}} Scale */

const HOUR = 3_600_000;
const MARGIN = HOUR / 2;

/**
 * The stretch of the day to show: every shift and every visit, with half an hour around, on whole half hours.
 * @param {Board} board
 * @returns {{start: number, end: number}}
 */
export function dayRange(board) {
  const times = board.technicians.flatMap(({ shift }) => (shift ? [ms(shift.start), ms(shift.end)] : []));
  for (const visit of board.visits) {
    for (const at of [visit.planned_start, visit.planned_end, visit.started_at]) if (at) times.push(ms(at));
  }
  if (!times.length) {
    const noon = Date.parse(`${board.date}T12:00:00Z`);
    return { start: noon - 4 * HOUR, end: noon + 5 * HOUR };
  }
  const earliest = times.reduce((a, b) => Math.min(a, b));
  const latest = times.reduce((a, b) => Math.max(a, b));
  const start = Math.floor((earliest - MARGIN) / MARGIN) * MARGIN;
  return { start, end: Math.ceil((Math.min(latest, earliest + 16 * HOUR) + MARGIN) / MARGIN) * MARGIN };
}

/**
 * @param {{start: number, end: number}} range
 * @param {number} width pixels
 * @returns {Scale}
 */
export function scaleOf({ start, end }, width) {
  const perMs = width / (end - start);
  return { start, end, width, x: (at) => (at - start) * perMs, at: (x) => start + x / perMs };
}

/**
 * Whole hours at the branch inside the range; also right where the zone is off by half an hour.
 * @param {{start: number, end: number}} range
 * @param {string} tz
 * @returns {number[]}
 */
export function hourTicks({ start, end }, tz) {
  const past = localAt(start, tz).minutes % 60;
  const first = start + (past ? (60 - past) * 60_000 : 0);
  const ticks = [];
  for (let at = first; at <= end; at += HOUR) ticks.push(at);
  return ticks;
}

/**
 * The window bracket under a bar as an SVG path. An end outside the shown day stays open.
 * @param {Scale} scale
 * @param {number} from
 * @param {number} to
 * @param {number} top
 * @param {number} bottom
 * @returns {string}
 */
export function bracketPath(scale, from, to, top, bottom) {
  const left = scale.x(Math.max(from, scale.start));
  const right = scale.x(Math.min(to, scale.end));
  const open = from >= scale.start ? `M${left.toFixed(1)} ${top}V${bottom}` : `M${left.toFixed(1)} ${bottom}`;
  const close = to <= scale.end ? `V${top}` : "";
  return `${open}H${right.toFixed(1)}${close}`;
}
