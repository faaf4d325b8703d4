// A field whose text outlives the app: each key is kept at once, and is there again when the form is opened next.
import { useState } from "preact/hooks";
import { device, drafts, titleOf } from "./store.js";

/** @typedef {{collection?: "visit" | "site", id: string, field: string, label: string}} Field `label`: what it is, in words */

/** @param {Field} field @returns {import("./drafts.js").Place} */
const placeOf = ({ collection = "visit", id, field }) => ({ author: device.value?.technician.id ?? "", collection, documentId: id, field });

/** What was entered there and not added; undefined when there is nothing. @param {Field} field @returns {any} */
export const drafted = (field) => drafts.read(placeOf(field));

/** @param {Field} field @param {any} value @param {any} [before] what was there before anybody typed */
export function keepDraft(field, value, before) {
  drafts.put(placeOf(field), value, { title: titleOf(field.collection ?? "visit", field.id), label: field.label, before });
}

/**
 * Like `useState`, and kept. The third function sets what is shown without making it a draft: for what was just added.
 * @template T @param {Field} field @param {T} before what the field holds when nobody has typed
 * @returns {[T, (value: T) => void, (value: T) => void]}
 */
export function useDraft(field, before) {
  const [value, show] = useState(/** @returns {T} */ () => drafted(field) ?? before);
  /** @param {T} next */
  const type = (next) => {
    show(/** @type {any} */ (next));
    keepDraft(field, next, before);
  };
  return [value, type, /** @type {(value: T) => void} */ (show)];
}
