// Picking a visit up, carrying it over the rows and putting it down. The drop goes to the draft and can be undone.
import { effect, signal } from "@preact/signals";
import { t } from "../shared/i18n.js";
import { bestOf, bestPlace, consequenceOf, paceOf } from "./consequence.js";
import { lengthMs } from "./state.js";
import { moveInDraft } from "./changes.js";
import { board, held, now, select } from "./store.js";
import { clock, iso, ms, snap } from "./time.js";

/** @typedef {import("./types.js").Visit} Visit */
/** @typedef {import("./consequence.js").Consequence} Consequence */
/** @typedef {import("./geometry.js").Scale} Scale */

/**
 * @typedef {object} Carried
 * @property {Visit} visit
 * @property {string | null} technicianId the row under the pointer
 * @property {number} start milliseconds, on five minutes
 * @property {Map<string, Consequence>} consequences under the pointer for that row, at the best place for every other
 * @property {string | null} best
 * @property {boolean} [byKeys] it is the keyboard that carries it
 */

const THRESHOLD_PX = 5;
const STEP_MINUTES = 5;

/** @type {import("@preact/signals").Signal<Carried | null>} */
export const carried = signal(null);
/** Where the pointer is; apart from `carried`, so that only the card follows each movement. */
export const pointer = signal({ x: 0, y: 0 });
/** @type {{scale: Scale | null}} the timeline says how to read a position */
export const lanes = { scale: null };

effect(() => {
  held.value = carried.value !== null;
});

/**
 * What the visit would do in every row, were it to start at `start`.
 * @param {Visit} visit
 * @param {number} start
 * @returns {{consequences: Map<string, Consequence>, best: string | null}}
 */
export function consequencesAt(visit, start) {
  const shown = board.value;
  if (!shown) return { consequences: new Map(), best: null };
  const pace = paceOf(shown);
  const all = shown.technicians.map((technician) => consequenceOf(shown, visit, technician, start, pace, now.value));
  return { consequences: new Map(all.map((one) => [one.technicianId, one])), best: bestOf(all) };
}

/**
 * The best place for the visit in every row, whatever the hour.
 * @param {Visit} visit
 * @returns {Map<string, Consequence>}
 */
export function bestPlaces(visit) {
  const shown = board.value;
  if (!shown) return new Map();
  const pace = paceOf(shown);
  return new Map(shown.technicians.map((technician) => [technician.id, bestPlace(shown, visit, technician, pace, now.value)]));
}

/**
 * What it would do under the pointer.
 * @param {Visit} visit
 * @param {string} technicianId
 * @param {number} start
 * @returns {Consequence | null}
 */
export function consequenceUnder(visit, technicianId, start) {
  const shown = board.value;
  const technician = shown?.technicians.find(({ id }) => id === technicianId);
  return shown && technician ? consequenceOf(shown, visit, technician, start, paceOf(shown), now.value) : null;
}

/**
 * Put a visit into a row: the visit itself and every later one that has to give way, undone as one.
 * @param {Visit} visit
 * @param {Consequence} consequence
 */
export function place(visit, consequence) {
  const shown = board.value;
  const technician = shown?.technicians.find(({ id }) => id === consequence.technicianId);
  if (!shown || !technician || staysPut(visit, consequence)) return Promise.resolve(false);
  const text = t("board.done.placed", {
    name: visit.site.name,
    technician: technician.name,
    time: clock(consequence.start, shown.branch.tz),
  });
  return moveInDraft(movesOf(visit, consequence), text);
}

/**
 * What is sent: the visit itself, and every later one that gives way.
 * @param {Visit} visit
 * @param {Consequence} consequence
 * @returns {import("./changes.js").Move[]}
 */
export function movesOf(visit, consequence) {
  const { technicianId } = consequence;
  const first = { visit_id: visit.id, technician_id: technicianId, start_at: iso(consequence.start), end_at: iso(consequence.end) };
  return [first, ...consequence.moves.map((move) => ({ visit_id: move.visit.id, technician_id: technicianId, start_at: iso(move.to), end_at: iso(move.to + lengthMs(move.visit)) }))];
}

/** Put down where it was: nothing changes. @param {Visit} visit @param {Consequence} consequence */
function staysPut(visit, consequence) {
  return visit.assignee_id === consequence.technicianId && visit.planned_start !== null && Math.abs(ms(visit.planned_start) - consequence.start) < 60_000 && !consequence.moves.length;
}

/**
 * Begin to carry on a press; becomes a drag only after the pointer has gone a few pixels, so that a press still selects.
 * @param {PointerEvent} event
 * @param {Visit} visit
 */
export function pickUp(event, visit) {
  if (event.button !== 0 || carried.value || event.pointerType === "touch" || !canMove(visit)) return;
  const from = { x: event.clientX, y: event.clientY };
  const bar = /** @type {HTMLElement} */ (event.currentTarget).closest("[data-bar]");
  const grabMs = bar && lanes.scale ? lanes.scale.at(from.x - bar.getBoundingClientRect().left) - lanes.scale.start : 0;
  let key = "";
  /** @type {Map<string, Consequence> | null} */
  let places = null;

  const move = (/** @type {PointerEvent} */ at) => {
    if (!carried.value && Math.hypot(at.clientX - from.x, at.clientY - from.y) < THRESHOLD_PX) return;
    at.preventDefault();
    pointer.value = { x: at.clientX, y: at.clientY };
    const lane = document.elementFromPoint(at.clientX, at.clientY)?.closest("[data-lane]");
    const scale = lanes.scale;
    const left = (lane ?? document.querySelector("[data-lane]"))?.getBoundingClientRect().left ?? 0;
    const start = scale ? snap(scale.at(at.clientX - left) - grabMs, STEP_MINUTES) : 0;
    const technicianId = lane?.getAttribute("data-lane") ?? null;
    const next = `${technicianId}|${start}`;
    if (next === key) return;
    key = next;
    if (!carried.value) document.documentElement.classList.add("is-carrying");
    places ??= bestPlaces(visit);
    const consequences = new Map(places);
    const under = technicianId && consequenceUnder(visit, technicianId, start);
    if (technicianId && under) consequences.set(technicianId, under);
    carried.value = { visit, technicianId, start, consequences, best: bestOf([...places.values()]) };
  };
  const stop = () => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", drop);
    removeEventListener("pointercancel", stop);
    removeEventListener("keydown", escape, true);
    document.documentElement.classList.remove("is-carrying");
    carried.value = null;
  };
  const drop = () => {
    const what = carried.value;
    stop();
    if (!what) return;
    addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, true));
    const consequence = what.technicianId ? what.consequences.get(what.technicianId) : null;
    if (!consequence) return;
    select(visit.id);
    place(visit, consequence);
  };
  const swallow = (/** @type {Event} */ click) => {
    click.stopPropagation();
    click.preventDefault();
  };
  const escape = (/** @type {KeyboardEvent} */ press) => {
    if (press.key !== "Escape") return;
    press.stopPropagation();
    stop();
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", drop);
  addEventListener("pointercancel", stop);
  addEventListener("keydown", escape, true);
}

/**
 * Work that has begun or is over stays where it happened.
 * @param {Visit} visit
 * @returns {boolean}
 */
export function canMove(visit) {
  return !visit.locked && !visit.started_at && ["not_started", "accepted", "en_route"].includes(visit.exec_state);
}
