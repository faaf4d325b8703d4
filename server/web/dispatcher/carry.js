// Carrying a visit by keys: M picks it up, arrows take it along its row and across rows, Enter puts it down, Esc puts it back.
import { signal } from "@preact/signals";
import { t } from "../shared/i18n.js";
import { costText, firstText } from "./cost.js";
import { bestOf } from "./consequence.js";
import { bestPlaces, canMove, carried, consequenceUnder, lanes, place, pointer } from "./drag.js";
import { focusVisit } from "./focus.js";
import { board, now, select } from "./store.js";
import { clock, ms, snap } from "./time.js";

/** @typedef {import("./types.js").Visit} Visit */

const STEP_MINUTES = 5;
const STRIDE_MINUTES = 30;

/** What is heard while a visit is carried. */
export const spokenCarry = signal("");

/** The places that are best for the visit, worked out once. @type {Map<string, import("./consequence.js").Consequence>} */
let places = new Map();

/** @param {Visit} visit @returns {boolean} whether it is carried now */
export function pickUpByKeys(visit) {
  const shown = board.value;
  if (!shown?.technicians.length || !lanes.scale || !canMove(visit)) return false;
  places = bestPlaces(visit);
  const best = bestOf([...places.values()]);
  const own = shown.technicians.find(({ id }) => id === visit.assignee_id)?.id;
  const technicianId = own ?? best ?? /** @type {any} */ (shown.technicians[0]).id;
  const start = own && visit.planned_start ? ms(visit.planned_start) : (places.get(technicianId)?.start ?? now.value);
  carry(visit, technicianId, start);
  return true;
}

/** @param {Visit} visit @param {string} technicianId @param {number} start */
function carry(visit, technicianId, start) {
  const consequences = new Map(places);
  const under = consequenceUnder(visit, technicianId, start);
  if (under) consequences.set(technicianId, under);
  carried.value = { visit, technicianId, start, consequences, best: bestOf([...places.values()]), byKeys: true };
  const lane = document.querySelector(`[data-lane="${CSS.escape(technicianId)}"]`);
  lane?.scrollIntoView({ block: "nearest" });
  const box = lane?.getBoundingClientRect();
  if (box && lanes.scale) pointer.value = { x: box.left + lanes.scale.x(start), y: box.bottom };
  const shown = board.value;
  const technician = shown?.technicians.find(({ id }) => id === technicianId);
  if (!under || !technician || !shown) return;
  const { tz } = shown.branch;
  spokenCarry.value = [technician.name, clock(under.start, tz), costText(under), firstText(under, tz)].join(", ");
}

/**
 * A key while something is carried by keys; all others are not for the board then.
 * @param {KeyboardEvent} event
 * @returns {boolean} whether it was taken
 */
export function carryKey(event) {
  const what = carried.value;
  if (!what?.byKeys) return false;
  const shown = board.value;
  const step = (event.shiftKey ? STRIDE_MINUTES : STEP_MINUTES) * 60_000;
  const row = shown?.technicians.findIndex(({ id }) => id === what.technicianId) ?? -1;
  const along = (/** @type {number} */ by) => carry(what.visit, /** @type {string} */ (what.technicianId), snap(what.start, STEP_MINUTES) + by);
  const across = (/** @type {number} */ by) => {
    const next = shown?.technicians[row + by];
    if (next) carry(what.visit, next.id, what.start);
  };
  switch (event.key) {
    case "ArrowLeft":
      along(-step);
      break;
    case "ArrowRight":
      along(step);
      break;
    case "ArrowUp":
      across(-1);
      break;
    case "ArrowDown":
      across(1);
      break;
    case "Enter":
    case " ":
      drop();
      break;
    case "Escape":
      putBack();
      break;
    case "Tab":
      break;
    default:
      return !event.ctrlKey && !event.metaKey && !event.altKey && event.key.length === 1;
  }
  return true;
}

async function drop() {
  const what = carried.value;
  const consequence = what?.technicianId ? what.consequences.get(what.technicianId) : null;
  end();
  if (!what || !consequence) return;
  select(what.visit.id);
  await place(what.visit, consequence);
  focusVisit(what.visit.id);
}

function putBack() {
  const id = carried.value?.visit.id ?? null;
  end();
  spokenCarry.value = t("drag.put_back");
  focusVisit(id);
}

function end() {
  carried.value = null;
  spokenCarry.value = "";
}
