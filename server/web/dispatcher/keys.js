// The board by keyboard. Every drag has its keys here.
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { Dialog } from "../shared/components.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { cancelling, lock, nudge, returning, unschedule } from "./commands.js";
import { routeOf } from "./consequence.js";
import { canMove, carried } from "./drag.js";
import { carryKey, pickUpByKeys } from "./carry.js";
import { focusVisit, keepFocus } from "./focus.js";
import { moving } from "./move.js";
import { making } from "./newvisit.js";
import { openPublish, planDay, publishing } from "./publish.js";
import { undoLast } from "./changes.js";
import { board, enlarged, goToToday, reading, select, selected, selectedVisit, stepDay } from "./store.js";
import { ms } from "./time.js";

export const listed = signal(false);
const NUDGE_MINUTES = 5;

/** What the list of keys says: keys, words. */
const KEYS = [
  ["/", "keys.find"],
  ["N", "keys.new"],
  ["J K", "keys.next"],
  ["← → ↑ ↓", "keys.arrows"],
  ["M", "keys.carry"],
  ["Shift M", "keys.move"],
  ["Alt ← →", "keys.nudge"],
  ["L", "keys.lock"],
  ["U", "keys.unschedule"],
  ["T", "keys.today"],
  ["[ ]", "keys.day"],
  ["O", "keys.plan"],
  ["P", "keys.publish"],
  ["C", "keys.conflicts"],
  ["Ctrl Z", "keys.undo"],
  ["Esc", "keys.escape"],
  ["?", "keys.this"],
];

/**
 * Show the visit everywhere and bring the focus to it.
 * @param {string | null | undefined} id
 */
function goTo(id) {
  if (!id) return;
  select(id);
  focusVisit(id);
}

/** @param {number} step */
function along(step) {
  const list = reading.value;
  const at = list.findIndex(({ id }) => id === selected.value);
  goTo(list[at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + step))]?.id);
}

/** In time along the row. @param {number} step */
function inRow(step) {
  const visit = selectedVisit.value;
  if (!board.value || !visit?.assignee_id) return along(step);
  const route = routeOf(board.value, visit.assignee_id);
  goTo(route[route.findIndex(({ id }) => id === visit.id) + step]?.id);
}

/** To the visit nearest in time in the next row that has any. @param {number} step */
function acrossRows(step) {
  const visit = selectedVisit.value;
  if (!board.value || !visit?.assignee_id || !visit.planned_start) return along(step);
  const { technicians } = board.value;
  const at = ms(visit.planned_start);
  for (let row = technicians.findIndex(({ id }) => id === visit.assignee_id) + step; technicians[row]; row += step) {
    const route = routeOf(board.value, /** @type {any} */ (technicians[row]).id);
    if (!route.length) continue;
    const distance = (/** @type {import("./types.js").Visit} */ one) => Math.abs(ms(/** @type {string} */ (one.planned_start)) - at);
    return goTo(route.reduce((best, one) => (distance(one) < distance(best) ? one : best)).id);
  }
}

/** Latin letters by the key's place, so that they work on a Russian keyboard too. @param {KeyboardEvent} event */
function letterOf(event) {
  return event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.key;
}

/** @param {KeyboardEvent} event @returns {(() => unknown) | null} */
function commandFor(event) {
  const visit = selectedVisit.value;
  const letter = letterOf(event);
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) return letter === "z" ? undoLast : null;
  if (event.ctrlKey || event.metaKey) return null;
  if (event.altKey) {
    if (!visit || !["ArrowLeft", "ArrowRight"].includes(event.key)) return null;
    return () => nudge(visit, event.key === "ArrowLeft" ? -NUDGE_MINUTES : NUDGE_MINUTES);
  }
  if (event.key === "?" || (event.code === "Slash" && event.shiftKey)) return () => (listed.value = true);
  if (event.key === "/" || event.code === "Slash") return () => document.getElementById("find")?.focus();
  switch (event.key) {
    case "ArrowLeft":
      return () => inRow(-1);
    case "ArrowRight":
      return () => inRow(1);
    case "ArrowUp":
      return () => acrossRows(-1);
    case "ArrowDown":
      return () => acrossRows(1);
    case "[":
      return () => stepDay(-1);
    case "]":
      return () => stepDay(1);
    case "Escape":
      return () => (enlarged.value ? (enlarged.value = false) : select(null));
  }
  switch (letter) {
    case "j":
      return () => along(1);
    case "k":
      return () => along(-1);
    case "n":
      return () => (making.value = true);
    case "t":
      return goToToday;
    case "o":
      return planDay;
    case "p":
      return openPublish;
    case "c":
      return () => location.assign("/conflicts");
    case "l":
      return visit && (() => lock(visit));
    case "u":
      return visit && (() => unschedule(visit));
    case "m":
      if (!visit || !canMove(visit)) return null;
      return () => {
        if (event.shiftKey || !pickUpByKeys(visit)) moving.value = { visit, technicianId: null, start: null };
      };
  }
  return null;
}

export function useKeys() {
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      if (carryKey(event)) return event.preventDefault();
      if (carried.value) return;
      if (making.value || moving.value || cancelling.value || returning.value || publishing.value || listed.value) return;
      if (target.closest("input, select, textarea, dialog, .map-box, .popover")) return;
      const command = commandFor(event);
      if (!command) return;
      event.preventDefault();
      command();
    };
    // First of all: while something is carried, Enter on its bar puts it down and selects nothing.
    addEventListener("keydown", press, true);
    return () => removeEventListener("keydown", press, true);
  }, []);
}

/** A dialog that closes leaves the focus at the visit that it was about. */
export function useFocusAfterDialogs() {
  const open = Boolean(making.value || moving.value || cancelling.value || returning.value || publishing.value || listed.value);
  useEffect(() => {
    if (!open) keepFocus(selected.value);
  }, [open]);
}

export function KeyList() {
  if (!listed.value) return null;
  return html`<${Dialog} title=${t("keys.title")} onClose=${() => (listed.value = false)}>
    <dl class="key-list">
      ${KEYS.map(([keys, words]) => html`<div><dt>${/** @type {string} */ (keys).split(" ").map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${t(/** @type {string} */ (words))}</dd></div>`)}
    </dl>
  <//>`;
}
