// The checklist: which answer counts, what is in limits, what is left. Pure.
import { inOrder } from "./states.js";

/** @typedef {import("./types.js").Item} Item */
/** @typedef {import("./types.js").Answer} Answer */

/** The answers that count: for each item the last by time. @param {Answer[]} answers @returns {Map<string, Answer>} */
export function latest(answers) {
  return new Map(inOrder(/** @type {any[]} */ (answers ?? [])).map((answer) => [answer.item, answer]));
}

/** @typedef {{state: "in" | "above" | "below" | "open", distance: number}} Verdict */

/** A measured value against its limits, which are included. @param {Item} item @param {unknown} value @returns {Verdict} */
export function verdict(item, value) {
  if (typeof value !== "number") return { state: "open", distance: 0 };
  if (typeof item.max === "number" && value > item.max) return { state: "above", distance: tidy(value - item.max) };
  if (typeof item.min === "number" && value < item.min) return { state: "below", distance: tidy(item.min - value) };
  return { state: "in", distance: 0 };
}

/** Binary fractions would show 3.9999999: six digits are more than any gauge has. @param {number} value */
const tidy = (value) => Math.round(value * 1e6) / 1e6;

/** Does this answer say that something is wrong? @param {Item} item @param {Answer | undefined} answer */
export function isFault(item, answer) {
  if (!answer) return false;
  if (item.kind === "check") return answer.value === false;
  const { state } = verdict(item, answer.value);
  return state === "above" || state === "below";
}

/** @param {Item[]} items @param {Answer[]} answers @param {{item?: string | null}[]} [photos] */
export function progress(items, answers, photos = []) {
  const answered = latest(answers);
  const isDone = (/** @type {Item} */ item) => answered.has(item.key) || (item.kind === "photo" && photos.some((photo) => photo.item === item.key));
  const open = items.filter((item) => !isDone(item));
  return { done: items.length - open.length, total: items.length, open, mandatoryOpen: open.filter((item) => item.mandatory) };
}

/** The items that "the rest is OK" may answer: plain checks that nobody has answered. @param {Item[]} items @param {Answer[]} answers */
export function restIsOk(items, answers) {
  const answered = latest(answers);
  return items.filter((item) => item.kind === "check" && !answered.has(item.key));
}

/**
 * Where things stand on the scale under a measured value, as fractions 0..1 of its length. The limits always take the
 * middle half, or all but a quarter where there is one limit: a value that is far off is at the end, and `beyond` says so.
 * @param {Item} item at least one of its limits is a number
 * @returns {{box: [number, number], place: (value: number) => number, beyond: (value: number) => -1 | 0 | 1}}
 */
export function scale({ min, max }) {
  const [low, high] = [typeof min === "number" ? min : null, typeof max === "number" ? max : null];
  const one = Math.abs(Number(high ?? low)) || 1;
  const span = low !== null && high !== null ? high - low || one : one;
  // With one limit only, the good side begins or ends at nought where that makes sense, else as far away as the limit is large.
  const from = low !== null ? low - span / (high === null ? 3 : 2) : Math.min(0, Number(high) - span);
  const to = high !== null ? high + (low === null ? (high - from) / 3 : span / 2) : Number(low) + span;
  const part = (/** @type {number} */ value) => (value - from) / (to - from);
  return {
    box: [low === null ? 0 : part(low), high === null ? 1 : part(high)],
    place: (value) => Math.min(1, Math.max(0, part(value))),
    beyond: (value) => (part(value) < 0 ? -1 : part(value) > 1 ? 1 : 0),
  };
}

/**
 * What a key of the keypad makes of the text typed so far. The mark may be comma or point; one of them, once.
 * @param {string} text @param {string} key a digit, `.`/`,`, `-` or `back`
 */
export function type(text, key) {
  if (key === "back") return text.slice(0, -1);
  if (key === "-") return text.startsWith("-") ? text.slice(1) : `-${text}`;
  if (key === "." || key === ",") return /[.,]/.test(text) ? text : `${text === "" || text === "-" ? `${text}0` : text}${key}`;
  return text.replace("-", "").length >= 9 ? text : text + key;
}
