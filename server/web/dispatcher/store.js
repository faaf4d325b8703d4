// What the board knows: one day of one branch, one selection, and how to undo.
import { computed, signal } from "@preact/signals";
import { request as send } from "../shared/api.js";
import { listen } from "../shared/stream.js";
import { addDays, isDate, localAt, ms } from "./time.js";
import { routeOf } from "./consequence.js";
import { focusedVisit, keepFocus } from "./focus.js";

/** @typedef {import("./types.js").Board} Board */
/** @typedef {import("./types.js").Visit} Visit */

const POLL_MS = 15_000;
/** While the office's line is open, every so many of the looks are enough. */
const LOOKS_LEFT_OUT = 4;

/**
 * @param {string} method
 * @param {string} path below `/api/v1`
 * @param {any} [body]
 * @param {{timeoutMs?: number}} [options]
 * @returns {Promise<any>}
 */
export function api(method, path, body, options = {}) {
  return send(method, `/api/v1${path}`, { body, ...options });
}

/** @type {import("@preact/signals").Signal<any>} */
export const me = signal(null);
/** @type {import("@preact/signals").Signal<Array<{id: string, name: string, tz: string, city?: string}>>} */
export const branches = signal([]);
/** @type {import("@preact/signals").Signal<Board | null>} */
export const board = signal(null);
/** A newer board that would move what is selected; it waits until asked for. @type {import("@preact/signals").Signal<Board | null>} */
export const waiting = signal(null);
/** @type {import("@preact/signals").Signal<any>} */
export const fault = signal(null);
export const selected = signal(/** @type {string | null} */ (null));
/** The selected visit has the room of the panes beside it, to be read whole. */
export const enlarged = signal(false);
export const day = signal(/** @type {string | null} */ (null));
export const branchId = signal(/** @type {string | null} */ (null));
/** What is being computed, by name, so that its button can say so. */
export const busy = signal(/** @type {"plan" | "publish" | null} */ (null));
/** While true, a refresh waits: something is under the finger. */
export const held = signal(false);
export const openConflicts = signal(/** @type {number | null} */ (null));
export const undoStack = signal(/** @type {Array<{text: string, undo: () => Promise<void>}>} */ ([]));

/** Milliseconds the server's clock is ahead of this one. */
let clockAhead = 0;
export const now = signal(Date.now());

export const allVisits = computed(() => (board.value ? [...board.value.visits, ...board.value.unscheduled] : []));
export const selectedVisit = computed(() => allVisits.value.find(({ id }) => id === selected.value) ?? null);

/** Every visit in reading order: routes from the top, each in time, then what is not scheduled. */
export const reading = computed(() => {
  const shown = board.value;
  if (!shown) return [];
  return [...shown.technicians.flatMap(({ id }) => routeOf(shown, id)), ...shown.unscheduled];
});

/** How many visits differ between the shown board and the one that waits. */
export const waitingChanges = computed(() => {
  if (!board.value || !waiting.value) return 0;
  return countChanges(board.value, waiting.value);
});

/**
 * @param {Board} before
 * @param {Board} after
 * @returns {number}
 */
export function countChanges(before, after) {
  const seen = new Map([...before.visits, ...before.unscheduled].map((visit) => [visit.id, placeKey(visit)]));
  let changes = 0;
  for (const visit of [...after.visits, ...after.unscheduled]) {
    if (seen.get(visit.id) !== placeKey(visit)) changes += 1;
    seen.delete(visit.id);
  }
  return changes + seen.size;
}

/** @param {Visit} visit */
function placeKey(visit) {
  return [visit.assignee_id, visit.planned_start, visit.planned_end, visit.exec_state, visit.plan_state].join("|");
}

/**
 * Whether taking the newer board would move the selected visit from under the eye.
 * @param {Board} before
 * @param {Board} after
 * @param {string | null} id
 * @returns {boolean}
 */
export function movesSelection(before, after, id) {
  if (!id || before.date !== after.date || before.branch.id !== after.branch.id) return false;
  const find = (/** @type {Board} */ source) => [...source.visits, ...source.unscheduled].find((visit) => visit.id === id);
  const [old, next] = [find(before), find(after)];
  if (!old) return false;
  return !next || old.assignee_id !== next.assignee_id || old.planned_start !== next.planned_start;
}

/** @param {Board} next */
function take(next) {
  keepFocus(focusedVisit());
  board.value = next;
  waiting.value = null;
  clockAhead = ms(next.now) - Date.now();
  now.value = ms(next.now);
}

export function showWaiting() {
  if (waiting.value) take(waiting.value);
}

/** Milliseconds by the server's clock. */
export function serverNow() {
  return Date.now() + clockAhead;
}

/** Only the newest answer counts: an older one may arrive later. */
let asked = 0;
/** A change made here is to be shown at once, by whichever answer is taken next: news of it may ask again meanwhile. */
let ownUnseen = false;

/** The newest asking. @type {Promise<void>} */
let newest = Promise.resolve();

/**
 * Ask for the day again; done when what was asked last is there, which may be news that asked meanwhile.
 * @param {{own?: boolean}} [options] own: the change was made here, so it is shown at once
 */
export function refresh({ own = false } = {}) {
  ownUnseen ||= own;
  newest = ask(++asked);
  return newest;
}

/** @param {number} turn @returns {Promise<void>} */
async function ask(turn) {
  const query = new URLSearchParams({ date: day.value ?? localAt(serverNow(), "UTC").date });
  if (branchId.value) query.set("branch_id", branchId.value);
  try {
    const next = /** @type {Board} */ (await api("GET", `/board?${query}`));
    if (turn !== asked) return await newest;
    fault.value = null;
    day.value ??= next.date;
    branchId.value ??= next.branch.id;
    const shown = board.value;
    const wanted = ownUnseen;
    ownUnseen = false;
    if (!wanted && shown && (held.value || movesSelection(shown, next, selected.value))) waiting.value = next;
    else take(next);
  } catch (error) {
    if (turn !== asked) return await newest;
    fault.value = error;
  }
}

export async function refreshConflictCount() {
  const answer = await api("GET", "/conflicts?state=open&limit=200").catch(() => null);
  if (answer) openConflicts.value = new Set(answer.items.map((/** @type {any} */ item) => item.visit_id ?? item.document_id)).size;
}

/** Begin: my branch, the day in the address or today there; then look again on news, without a line every 15 seconds. */
export async function start() {
  const address = new URLSearchParams(location.search);
  const wanted = address.get("date");
  branchId.value = address.get("branch") ?? me.value?.branch_id ?? null;
  selected.value = address.get("visit");
  try {
    branches.value = (await api("GET", "/branches?limit=200")).items;
  } catch (error) {
    fault.value = error;
  }
  const own = branches.value.find(({ id }) => id === branchId.value) ?? branches.value[0];
  branchId.value ??= own?.id ?? null;
  day.value = wanted && isDate(wanted) ? wanted : localAt(serverNow(), own?.tz ?? "UTC").date;
  if (selected.value && !wanted) await goToDayOf(selected.value, own?.tz ?? "UTC");
  await refresh({ own: true });
  refreshConflictCount();
  const look = () => {
    refresh();
    refreshConflictCount();
  };
  const line = listen({
    where: async () => ({ path: "/api/v1/stream" }),
    onNews: look,
    page: { visible: () => document.visibilityState === "visible", addEventListener: (type, listener) => document.addEventListener(type, listener) },
  });
  let looks = 0;
  setInterval(() => {
    now.value = serverNow();
    if (document.visibilityState !== "visible" || (line.isOpen() && ++looks % LOOKS_LEFT_OUT)) return;
    look();
  }, POLL_MS);
}

/**
 * A link may name a visit alone: show the day it is planned for.
 * @param {string} id
 * @param {string} tz
 */
async function goToDayOf(id, tz) {
  const visit = await api("GET", `/visits/${id}`).catch(() => null);
  if (visit?.planned_start) day.value = localAt(ms(visit.planned_start), tz).date;
}

function remember() {
  const address = new URLSearchParams();
  if (day.value) address.set("date", day.value);
  if (branchId.value) address.set("branch", branchId.value);
  if (selected.value) address.set("visit", selected.value);
  history.replaceState(null, "", `/board?${address}`);
}

/** @param {string | null} id */
export function select(id) {
  selected.value = id;
  remember();
}

/** @param {string} date */
export async function goToDay(date) {
  if (date === day.value) return;
  day.value = date;
  undoStack.value = [];
  remember();
  await refresh({ own: true });
}

/** @param {number} days */
export function stepDay(days) {
  if (day.value) goToDay(addDays(day.value, days));
}

export function goToToday() {
  const tz = board.value?.branch.tz ?? "UTC";
  return goToDay(localAt(serverNow(), tz).date);
}

/** @param {string} id */
export async function goToBranch(id) {
  branchId.value = id;
  selected.value = null;
  undoStack.value = [];
  remember();
  await refresh({ own: true });
}
