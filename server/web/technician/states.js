// The field side of a visit's life: the fold of the events written on site. The same fold as the server's.

/** @typedef {import("./types.js").VisitEvent} VisitEvent */

/** Event type → the state it leads to. @type {Record<string, string>} */
export const LEADS_TO = {
  accepted: "accepted", en_route: "en_route", arrived: "on_site", started: "working", paused: "paused", resumed: "working",
  done: "done", partly_done: "partly_done", no_access: "no_access", refused: "refused",
  reviewed: "reviewed", closed: "closed", returned: "accepted",
};

/** Event type → the states in which it may happen. @type {Record<string, string[]>} */
export const LEGAL_FROM = {
  accepted: ["not_started"],
  en_route: ["not_started", "accepted"],
  arrived: ["not_started", "accepted", "en_route"],
  started: ["not_started", "accepted", "en_route", "on_site"],
  paused: ["working"],
  resumed: ["paused"],
  done: ["working", "paused"],
  partly_done: ["working", "paused"],
  no_access: ["not_started", "accepted", "en_route", "on_site", "working"],
  refused: ["not_started", "accepted", "en_route", "on_site", "working", "paused"],
  reviewed: ["done", "partly_done", "no_access", "refused"],
  closed: ["reviewed"],
  returned: ["done", "partly_done", "no_access", "refused", "reviewed"],
};

/** What the office makes of finished work: no tablet sends it, and no undo takes it back. */
export const OFFICE_EVENTS = ["reviewed", "closed", "returned"];

export const FINISHED = ["done", "partly_done", "no_access", "refused"];
const PERFORMED = ["done", "partly_done"];

/** The time an event counts from: corrected where the server has corrected it. @param {VisitEvent} event */
export const moment = (event) => event.at_corrected || event.at;

/** @param {string} a @param {string} b */
const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Events by time, then id: the order of arrival cannot matter. @template {VisitEvent} T @param {T[]} events @returns {T[]} */
export function inOrder(events) {
  return [...events].sort((a, b) => byText(moment(a), moment(b)) || byText(a.id, b.id));
}

/** The undos that count for nothing: of the office's word, or of what the office has judged since. @param {VisitEvent[]} ordered */
function voidUndos(ordered) {
  const judged = ordered.flatMap((event, place) => (OFFICE_EVENTS.includes(event.type) ? [place] : []));
  const places = new Map(ordered.map((event, place) => [event.id, place]));
  return new Set(
    ordered.flatMap((event, place) => {
      const target = event.type === "undo" ? places.get(event.undoes ?? "") : undefined;
      return target !== undefined && judged.some((one) => one === target || (target < one && one < place)) ? [event.id] : [];
    }),
  );
}

/** Ids of the events that an undo has taken back. @param {VisitEvent[]} ordered @param {Set<string>} voids */
const undoneBy = (ordered, voids) => new Set(ordered.filter((event) => event.type === "undo" && !voids.has(event.id)).map((event) => event.undoes));

/**
 * Fold the events of a visit. An undone event counts as never made; one that is illegal where it stands is kept,
 * listed and does not move the state.
 * @param {VisitEvent[]} events
 */
export function fold(events) {
  const ordered = inOrder(events);
  const voids = voidUndos(ordered);
  const undone = undoneBy(ordered, voids);
  let state = "not_started";
  let performedBy = /** @type {string | null} */ (null);
  let startedAt = /** @type {string | null} */ (null);
  let finishedAt = /** @type {string | null} */ (null);
  /** @type {string[]} */ const illegal = [];
  /** @type {string[]} */ const starters = [];
  for (const event of ordered) {
    if (voids.has(event.id)) illegal.push(event.id);
    if (event.type === "undo" || undone.has(event.id)) continue;
    if (event.type === "started" && event.by && !starters.includes(event.by)) starters.push(event.by);
    if (!LEGAL_FROM[event.type]?.includes(state)) {
      illegal.push(event.id);
      continue;
    }
    state = LEADS_TO[event.type];
    if (event.type === "started") startedAt ??= moment(event);
    if (event.type === "returned") finishedAt = performedBy = null;
    if (FINISHED.includes(state)) {
      finishedAt = moment(event);
      performedBy = PERFORMED.includes(state) ? (event.by ?? null) : null;
    }
  }
  return { state, performedBy, startedAt, finishedAt, illegal, starters };
}

/** Seconds of work by the steps that count: pauses and the time after a return are none of it. @param {VisitEvent[]} events @param {number} now */
export function workedSeconds(events, now) {
  const ordered = inOrder(events);
  const undone = undoneBy(ordered, voidUndos(ordered));
  const illegal = new Set(fold(events).illegal);
  let total = 0;
  let since = /** @type {number | null} */ (null);
  for (const event of ordered.filter((one) => one.type !== "undo" && !undone.has(one.id) && !illegal.has(one.id))) {
    const at = Date.parse(moment(event));
    if (since !== null) total += at - since;
    since = LEADS_TO[event.type] === "working" ? at : null;
  }
  if (since !== null) total += now - since;
  return Math.max(0, total) / 1000;
}

/** The verb that comes next, or null when the work is over. @param {string} state @returns {"en_route" | "arrived" | "started" | "resumed" | "finish" | null} */
export function nextStep(state) {
  if (state === "not_started" || state === "accepted") return "en_route";
  if (state === "en_route") return "arrived";
  if (state === "on_site") return "started";
  if (state === "paused") return "resumed";
  return state === "working" ? "finish" : null;
}

/** The last step that still counts, which an undo would take back; none after the office has judged the work. @param {VisitEvent[]} events @returns {VisitEvent | null} */
export function lastStep(events) {
  const ordered = inOrder(events);
  const undone = undoneBy(ordered, voidUndos(ordered));
  const illegal = new Set(fold(events).illegal);
  const counting = ordered.filter((event) => event.type !== "undo" && !undone.has(event.id) && !illegal.has(event.id));
  const last = counting.at(-1);
  return last && !OFFICE_EVENTS.includes(last.type) ? last : null;
}
