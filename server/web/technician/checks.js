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
 * Where things stand on the scale under a measured value, as fractions 0..1 of its length.
 * The limits take the middle half; the ends stretch so that every value given is on it.
 * @param {Item} item @param {(number | null | undefined)[]} values
 */
export function scale(item, values) {
  const known = values.filter((value) => typeof value === "number");
  const low = item.min ?? Math.min(item.max ?? 0, 0, ...known);
  const high = item.max ?? Math.max(item.min ?? 1, ...known, low + 1);
  const margin = (high - low || 1) / 2;
  const from = Math.min(low - (item.min === null || item.min === undefined ? 0 : margin), ...known);
  const to = Math.max(high + (item.max === null || item.max === undefined ? 0 : margin), ...known);
  const place = (/** @type {number} */ value) => (value - from) / (to - from || 1);
  return { box: [place(low), place(high)], place };
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
