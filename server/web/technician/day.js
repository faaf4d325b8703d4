// The technician's day out of the documents on the tablet. Pure: `now` and the zone are arguments.
import { FINISHED, inOrder } from "./states.js";

/** @typedef {import("./types.js").Document} Document */

const OVER = [...FINISHED, "reviewed", "closed"];
const UNDER_WAY = ["en_route", "on_site", "working", "paused"];
const ROAD_PER_CROW = 1.35;
const METRES_PER_SECOND = 12.5;
const SLACK_S = 15 * 60;

/** @param {Document} visit */
export const isOver = (visit) => OVER.includes(visit.exec_state ?? "not_started");

/**
 * With what the office sent a visit back, until the work is finished again.
 * @param {Document} visit @returns {any} the event, or null
 */
export function returned(visit) {
  if (isOver(visit)) return null;
  return inOrder(visit.events ?? []).filter((event) => event.type === "returned").at(-1) ?? null;
}

/**
 * The visits that one person works at in this moment: those that a colleague works at are not theirs.
 * @param {Document[]} visits @param {string | undefined} me
 */
export const workedAtBy = (visits, me) =>
  visits.filter((visit) => {
    if (visit.exec_state !== "working") return false;
    /** @type {any} */ const last = inOrder(visit.events ?? []).filter((event) => ["started", "resumed"].includes(event.type)).at(-1);
    return !last?.by || last.by === me;
  });

/**
 * Visits by day. `earlier` holds what was planned before today and never ended; it comes first because it is owed. What
 * is done today belongs to today, whenever it was planned for.
 * @param {Document[]} visits @param {string} today @param {(visit: Document) => string} dayOf local planned day, "" if none
 * @param {(visit: Document) => string} [endedOn] local day on which it was finished, "" if it was not
 */
export function byDay(visits, today, dayOf, endedOn = () => "") {
  /** @type {Document[]} */ const earlier = [];
  /** @type {Document[]} */ const current = [];
  /** @type {Map<string, Document[]>} */ const later = new Map();
  const start = (/** @type {Document} */ visit) => (dayOf(visit) === today ? visit.planned_start : (visit.started_at ?? visit.planned_start));
  for (const visit of [...visits].sort((a, b) => inPlannedOrder({ ...a, planned_start: start(a) }, { ...b, planned_start: start(b) }))) {
    const day = dayOf(visit);
    const ahead = !day || day > today;
    if (day === today || (isOver(visit) ? endedOn(visit) === today : ahead && UNDER_WAY.includes(visit.exec_state))) current.push(visit);
    else if (!ahead) (isOver(visit) ? [] : earlier).push(visit);
    else later.set(day, [...(later.get(day) ?? []), visit]);
  }
  return { earlier, current, later: [...later].sort(([a], [b]) => (a || "9") < (b || "9") ? -1 : 1) };
}

/** @param {Document} a @param {Document} b */
function inPlannedOrder(a, b) {
  const key = (/** @type {Document} */ visit) => `${visit.planned_start ?? "9"}|${String(visit.route_position ?? 0).padStart(4, "0")}|${visit.id}`;
  return key(a) < key(b) ? -1 : 1;
}

/** The visit the big button is about: the one under way, else the first that is not over. @param {Document[]} visits */
export function nextVisit(visits) {
  const underWay = visits.find((visit) => UNDER_WAY.includes(visit.exec_state));
  return underWay ?? visits.find((visit) => !isOver(visit)) ?? null;
}

/** How full each segment of the day's bar is: 1 over, ½ under way, 0 to come. @param {Document[]} visits */
export function dayProgress(visits) {
  const full = visits.map((visit) => (isOver(visit) ? 1 : ["on_site", "working", "paused"].includes(visit.exec_state) ? 0.5 : visit.exec_state === "en_route" ? 0.25 : 0));
  return { segments: full, done: full.filter((part) => part === 1).length, total: visits.length };
}

/**
 * A guess at the drive, for want of roads on the tablet: great circle × 1.35 at 45 km/h.
 * @param {{lat: number, lon: number} | null | undefined} from @param {{lat: number, lon: number} | null | undefined} to
 */
export function drive(from, to) {
  if (typeof from?.lat !== "number" || typeof to?.lat !== "number") return null;
  const rad = Math.PI / 180;
  const a = Math.sin(((to.lat - from.lat) * rad) / 2) ** 2 + Math.cos(from.lat * rad) * Math.cos(to.lat * rad) * Math.sin(((to.lon - from.lon) * rad) / 2) ** 2;
  const metres = 2 * 6_371_009 * Math.asin(Math.sqrt(a)) * ROAD_PER_CROW;
  return { metres, seconds: metres / METRES_PER_SECOND };
}

/**
 * The promise to the customer and how it stands. It is kept once somebody is on site in time.
 * @param {Document} visit @param {number} now ms, corrected @param {number} driveS
 * @returns {{by: string, kind: "promise" | "window", leftS: number, state: "kept" | "missed" | "in_time" | "at_risk" | "late"} | null}
 */
export function promise(visit, now, driveS) {
  const by = visit.promised_by ?? visit.window_end;
  if (!by) return null;
  const kind = visit.promised_by ? "promise" : "window";
  const arrival = arrivedAt(visit);
  const leftS = (Date.parse(by) - (arrival ? Date.parse(arrival) : now)) / 1000;
  if (arrival) return { by, kind, leftS, state: leftS >= 0 ? "kept" : "missed" };
  if (leftS < 0) return { by, kind, leftS, state: "late" };
  return { by, kind, leftS, state: leftS < driveS + SLACK_S ? "at_risk" : "in_time" };
}

/** When somebody came, by the events that count. @param {Document} visit @returns {string | null} */
export function arrivedAt(visit) {
  const undone = new Set((visit.events ?? []).map((/** @type {any} */ event) => event.undoes).filter(Boolean));
  const times = (visit.events ?? [])
    .filter((/** @type {any} */ event) => ["arrived", "started"].includes(event.type) && !undone.has(event.id))
    .map((/** @type {any} */ event) => event.at_corrected ?? event.at);
  return times.sort()[0] ?? null;
}

/** The name as it is said: a generic first word tells nothing in a list of hotels. @param {string} name */
export function shortName(name) {
  const rest = name.replace(/^(hotel|apartaments|aparthotel|отель|гостиница)\s+/i, "");
  return rest.length > 2 ? rest : name;
}
