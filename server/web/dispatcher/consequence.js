// What putting a visit somewhere would do to that technician's day: estimated on the spot, before anything is sent. Pure.
import { isOnSite, isOver, lengthMs } from "./state.js";
import { ms } from "./time.js";

/** @typedef {import("./types.js").Board} Board */
/** @typedef {import("./types.js").Visit} Visit */
/** @typedef {import("./types.js").Technician} Technician */
/** @typedef {{lat: number, lon: number}} Place */

/**
 * @typedef {object} Pace how long a drive takes here, learned from the legs the server has computed for this day
 * @property {number} detour metres by road for each metre by air
 * @property {number} speed metres by road a second
 */

/**
 * @typedef {object} Consequence
 * @property {string} technicianId
 * @property {"fits" | "costs" | "breaks" | "unknown"} level
 * @property {number} start where the visit would start, milliseconds
 * @property {number} end
 * @property {number} extraS driving added, seconds
 * @property {number} extraM
 * @property {{key: string, params: Record<string, any>} | null} first what breaks or costs first
 * @property {Array<{visit: Visit, from: number, to: number, late: boolean}>} moves visits that have to give way
 * @property {Visit | null} after the visit it follows
 */

const USUAL_PACE = { detour: 1.4, speed: 9 };
const DOOR_TO_DOOR_S = 120;
const MINUTE = 60_000;

/**
 * Metres by air; good to 0.5 % at these distances.
 * @param {Place} a
 * @param {Place} b
 * @returns {number}
 */
export function metres(a, b) {
  const rad = Math.PI / 180;
  const x = (b.lon - a.lon) * rad * Math.cos(((a.lat + b.lat) / 2) * rad);
  const y = (b.lat - a.lat) * rad;
  return Math.hypot(x, y) * 6_371_000;
}

/**
 * A technician's visits of the day in order of time.
 * @param {Board} board
 * @param {string} technicianId
 * @returns {Visit[]}
 */
export function routeOf(board, technicianId) {
  return board.visits
    .filter((visit) => visit.assignee_id === technicianId && visit.planned_start)
    .sort((a, b) => ms(/** @type {string} */ (a.planned_start)) - ms(/** @type {string} */ (b.planned_start)));
}

/**
 * @param {Board} board
 * @returns {Pace}
 */
export function paceOf(board) {
  let air = 0;
  let road = 0;
  let seconds = 0;
  for (const technician of board.technicians) {
    const route = routeOf(board, technician.id);
    for (let i = 1; i < route.length; i += 1) {
      const [from, to] = [/** @type {Visit} */ (route[i - 1]), /** @type {Visit} */ (route[i])];
      if (!to.travel_s || !to.travel_m) continue;
      air += metres(from.site, to.site);
      road += to.travel_m;
      seconds += to.travel_s;
    }
  }
  if (air < 1000 || seconds < 600) return USUAL_PACE;
  return { detour: Math.min(4, Math.max(1, road / air)), speed: Math.min(25, Math.max(2, road / seconds)) };
}

/**
 * @param {Place} a
 * @param {Place} b
 * @param {Pace} pace
 * @returns {{s: number, m: number}}
 */
export function drive(a, b, pace) {
  const m = metres(a, b) * pace.detour;
  return { s: m < 50 ? 0 : m / pace.speed + DOOR_TO_DOOR_S, m };
}

/**
 * @param {Technician} technician
 * @param {Visit} visit
 * @param {string} date
 * @returns {{key: string, params: Record<string, any>} | null}
 */
function missingSkill(technician, visit, date) {
  for (const code of visit.skills ?? []) {
    const held = technician.skills.find((skill) => skill.code === code);
    if (!held) return { key: "drag.no_skill", params: { skill: code } };
    if (held.expires_on && held.expires_on < date) return { key: "drag.skill_expired", params: { skill: code, date: held.expires_on } };
  }
  return null;
}

/**
 * When a technician can be at the next place after a visit, on five minutes; work that overruns counts as ending now.
 * @param {Visit} visit
 * @param {number} travelS
 * @param {number} now
 */
function reachable(visit, travelS, now) {
  const planned = ms(/** @type {string} */ (visit.planned_end ?? visit.planned_start));
  const free = visit.finished_at ? ms(visit.finished_at) : isOver(visit) ? Math.min(planned, now) : isOnSite(visit) ? Math.max(planned, now) : planned;
  return Math.ceil((free + travelS * 1000) / (5 * MINUTE)) * 5 * MINUTE;
}

/**
 * Put `visit` into `technician`'s day at `wanted`, or as soon after as the visit before it lets the technician come;
 * later unlocked visits give way as far as they must.
 *
 * @param {Board} board
 * @param {Visit} visit
 * @param {Technician} technician
 * @param {number} wanted milliseconds
 * @param {Pace} pace
 * @param {number} now milliseconds
 * @returns {Consequence}
 */
export function consequenceOf(board, visit, technician, wanted, pace, now) {
  const others = routeOf(board, technician.id).filter(({ id }) => id !== visit.id);
  const before = others.filter((other) => ms(/** @type {string} */ (other.planned_start)) <= wanted);
  const later = others.filter((other) => ms(/** @type {string} */ (other.planned_start)) > wanted);
  const after = before.at(-1) ?? null;
  const next = later[0] ?? null;
  const origin = after?.site ?? technician.home ?? { lat: board.branch.lat, lon: board.branch.lon };

  const reach = drive(origin, visit.site, pace);
  const start = Math.max(wanted, after ? reachable(after, reach.s, now) : wanted);
  const end = start + lengthMs(visit);
  const onward = next ? drive(visit.site, next.site, pace) : { s: 0, m: 0 };
  const direct = next ? drive(origin, next.site, pace) : { s: 0, m: 0 };
  const extraS = reach.s + onward.s - direct.s;
  const extraM = reach.m + onward.m - direct.m;

  /** @type {Consequence["moves"]} */
  const moves = [];
  let free = end;
  let at = visit.site;
  let lockedHit = null;
  for (const other of later) {
    const from = ms(/** @type {string} */ (other.planned_start));
    const earliest = Math.ceil((free + drive(at, other.site, pace).s * 1000) / (5 * MINUTE)) * 5 * MINUTE;
    if (from >= free + Math.min(drive(at, other.site, pace).s * 1000, (other.travel_s ?? Infinity) * 1000)) break;
    if (other.locked || isOver(other) || isOnSite(other)) {
      lockedHit = other;
      break;
    }
    const limit = other.promised_by ?? other.window_end;
    moves.push({ visit: other, from, to: earliest, late: Boolean(limit && earliest > ms(limit)) });
    free = earliest + lengthMs(other);
    at = other.site;
  }

  const base = { technicianId: technician.id, start, end, extraS, extraM, moves, after };
  const breaks = (/** @type {string} */ key, /** @type {Record<string, any>} */ params = {}) =>
    /** @type {Consequence} */ ({ ...base, level: "breaks", first: { key, params } });
  const costs = (/** @type {string} */ key, /** @type {Record<string, any>} */ params = {}) =>
    /** @type {Consequence} */ ({ ...base, level: "costs", first: { key, params } });

  if (!technician.shift) return breaks("drag.off");
  const skill = missingSkill(technician, visit, board.date);
  if (skill) return { ...base, level: "breaks", first: skill };
  if (end <= now) return breaks("drag.past");
  const limit = visit.promised_by ?? visit.window_end;
  if (limit && start > ms(limit)) return breaks("drag.window", { n: Math.round((start - ms(limit)) / MINUTE) });
  const shiftStart = ms(technician.shift.start);
  if (start < shiftStart) return breaks("drag.before_shift", { at: shiftStart });
  const broken = moves.find(({ late }) => late);
  if (broken) return breaks("drag.breaks_visit", { name: broken.visit.site.name, at: broken.to });
  if (lockedHit) return breaks("drag.locked", { name: lockedHit.site.name });
  if (technician.device.state === "quiet" && start - now < 12 * 60 * MINUTE) {
    return { ...base, level: "unknown", first: { key: "drag.quiet", params: { since: technician.device.last_seen_at } } };
  }
  const dayEnd = Math.max(moves.length ? free : 0, end, ...later.map((other) => ms(/** @type {string} */ (other.planned_end ?? other.planned_start))));
  const over = Math.round((dayEnd - ms(technician.shift.end)) / MINUTE);
  if (over > (technician.max_overtime_minutes ?? 60)) return breaks("drag.overtime", { n: over });
  if (over > 0) return costs("drag.overtime", { n: over });
  if (visit.window_start && start < ms(visit.window_start)) return costs("drag.early", { n: Math.round((ms(visit.window_start) - start) / MINUTE) });
  const { break_start: breakStart, break_end: breakEnd } = technician.shift;
  if (breakStart && breakEnd && start < ms(breakEnd) && end > ms(breakStart)) return costs("drag.break");
  if (moves.length) return costs("drag.moves", { n: moves.length });
  return { ...base, level: "fits", first: null };
}

/**
 * Where `visit` fits into `technician`'s day with the least harm: every place in the route from now on is tried.
 *
 * @param {Board} board
 * @param {Visit} visit
 * @param {Technician} technician
 * @param {Pace} pace
 * @param {number} now milliseconds
 * @returns {Consequence}
 */
export function bestPlace(board, visit, technician, pace, now) {
  const opens = visit.window_start ? ms(visit.window_start) : 0;
  const first = Math.max(technician.shift ? ms(technician.shift.start) : 0, Math.ceil(now / (5 * MINUTE)) * 5 * MINUTE, opens);
  const starts = routeOf(board, technician.id)
    .filter(({ id }) => id !== visit.id)
    .map((other) => ms(/** @type {string} */ (other.planned_start)))
    .filter((at) => at >= first);
  const tried = [first, ...starts].map((at) => consequenceOf(board, visit, technician, at, pace, now));
  const rank = (/** @type {Consequence} */ one) => ({ fits: 0, costs: 1, unknown: 2, breaks: 3 })[one.level] * 1e9 + one.extraS;
  return tried.reduce((best, one) => (rank(one) < rank(best) ? one : best));
}

/**
 * The technician whose day takes the visit best, or null when nobody's does.
 * @param {Consequence[]} all
 * @returns {string | null}
 */
export function bestOf(all) {
  const open = all.filter(({ level }) => level === "fits" || level === "costs");
  const rank = (/** @type {Consequence} */ c) => (c.level === "fits" ? 0 : 1e6) + c.extraS;
  return open.sort((a, b) => rank(a) - rank(b))[0]?.technicianId ?? null;
}
