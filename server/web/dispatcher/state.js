// What a visit looks like and says: one state, one shape, one word, one tone. Pure.
import { longTime, ms } from "./time.js";

/** @typedef {import("./types.js").Visit} Visit */
/** @typedef {"plain" | "draft" | "way" | "working" | "paused" | "past" | "unknown" | "risk" | "late" | "broken"} Look */

/**
 * @typedef {object} Shown
 * @property {Look} look how the bar is drawn
 * @property {string | null} icon name of the shape
 * @property {string} key word in the catalogue (`state.*`)
 * @property {Record<string, string | number>} params
 */

/**
 * @typedef {object} Promise_ the promise to the customer against what is expected now
 * @property {number} by the instant promised
 * @property {number} eta expected arrival
 * @property {number} left seconds between arrival and promise; negative when late
 * @property {"calm" | "risk" | "late" | "kept" | "broken"} level
 * @property {boolean} estimated arrival comes from the plan, not from the site
 */

const OVER = new Set(["done", "partly_done", "no_access", "refused", "reviewed", "closed"]);
const ON_SITE = new Set(["on_site", "working", "paused"]);
const PREVENTIVE = new Set(["plan", "proactive"]);
const QUARTER = 15 * 60;
const GENERIC = /^(hotel|hôtel|aparthotel|hostal|restaurant|bar|residència|residencial|apartaments|гостиница|отель|ресторан|кафе|бар|магазин)\s+(?=\S)/i;

/** @param {Visit} visit @returns {boolean} */
export function isOver(visit) {
  return OVER.has(visit.exec_state);
}

/** @param {Visit} visit @returns {boolean} */
export function isOnSite(visit) {
  return ON_SITE.has(visit.exec_state);
}

/** Made by the company's own plans rather than called for. @param {Visit} visit @returns {boolean} */
export function isPreventive(visit) {
  return PREVENTIVE.has(visit.origin);
}

/** A site's name on a bar: the generic first word says nothing there. @param {string} name @returns {string} */
export function barName(name) {
  return name.replace(GENERIC, "");
}

/**
 * How long the bar is, in milliseconds.
 * @param {Visit} visit
 * @returns {number}
 */
export function lengthMs(visit) {
  if (visit.planned_start && visit.planned_end) return ms(visit.planned_end) - ms(visit.planned_start);
  return (visit.service_minutes || 30) * 60_000;
}

/**
 * The promise against what is expected: the deadline given to the customer or the end of the promised window, the earlier.
 * @param {Visit} visit
 * @param {number} now
 * @returns {Promise_ | null} null when nothing was promised or nothing is planned
 */
export function promiseOf(visit, now) {
  const limits = [visit.promised_by, visit.window_end].filter((one) => one !== null && one !== undefined).map(ms);
  if (!limits.length) return null;
  const by = Math.min(...limits);
  if (visit.started_at || isOver(visit) || isOnSite(visit)) {
    const eta = ms(visit.started_at ?? visit.planned_start ?? by);
    return { by, eta, left: (by - eta) / 1000, level: eta <= by ? "kept" : "broken", estimated: !visit.started_at };
  }
  if (!visit.planned_start) return null;
  const eta = Math.max(ms(visit.planned_start), now);
  const left = (by - eta) / 1000;
  const remaining = (by - now) / 1000;
  const level = left < 0 ? "late" : visit.at_risk || remaining < (visit.travel_s ?? 0) + QUARTER ? "risk" : "calm";
  return { by, eta, left, level, estimated: true };
}

/**
 * @param {Visit} visit
 * @param {number} now
 * @returns {Shown}
 */
export function shownState(visit, now) {
  switch (visit.exec_state) {
    case "done":
      return { look: "past", icon: "check", key: "state.done", params: {} };
    case "reviewed":
    case "closed":
      return { look: "past", icon: "check", key: `state.${visit.exec_state}`, params: {} };
    case "partly_done":
      return { look: "past", icon: "half-check", key: "state.partly_done", params: {} };
    case "no_access":
      return { look: "past", icon: "door", key: "state.no_access", params: {} };
    case "refused":
      return { look: "past", icon: "door", key: "state.refused", params: {} };
    case "working":
      return { look: "working", icon: "half", key: "state.working", params: {} };
    case "on_site":
      return { look: "working", icon: "half", key: "state.on_site", params: {} };
    case "paused":
      return { look: "paused", icon: "pause", key: "state.paused", params: {} };
  }
  const broken = visit.broken ?? [];
  if (broken.length > 0 && !isOver(visit)) {
    const more = broken.length > 1 ? ` +${broken.length - 1}` : "";
    return { look: "broken", icon: "alert", key: "board.state.broken", params: { what: `${/** @type {any} */ (broken[0]).short}${more}` } };
  }
  if (visit.may_have_started) return { look: "unknown", icon: "maybe", key: "board.state.may_have_started", params: {} };
  const promise = promiseOf(visit, now);
  if (promise?.level === "late") {
    return { look: "late", icon: "alert", key: "board.state.late", params: { time: longTime(Math.max(60, -promise.left)) } };
  }
  if (promise?.level === "risk") {
    return { look: "risk", icon: "warn", key: "board.state.risk", params: { n: Math.floor(promise.left / 60) } };
  }
  if (visit.exec_state === "en_route") return { look: "way", icon: "arrow", key: "state.en_route", params: {} };
  if (!visit.planned_start) return { look: "plain", icon: null, key: "board.state.unscheduled", params: {} };
  if (visit.draft) return { look: "draft", icon: null, key: "board.state.draft", params: {} };
  return { look: "plain", icon: null, key: visit.plan_state === "published" ? "board.state.planned" : "board.state.draft", params: {} };
}
