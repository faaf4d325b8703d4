// The tablet shows what the server said last, overlaid with its own outbox. The server alone merges.
import { fold } from "./states.js";

/** @typedef {import("./types.js").Document} Document */
/** @typedef {import("./types.js").OutboxEntry} OutboxEntry */

/**
 * Does the server's copy already hold this edit? Then laying it on again could hide what somebody changed since.
 * @param {OutboxEntry} entry @param {Document | undefined} document
 */
export function isCovered(entry, document) {
  if (entry.state === "needs") return entry.result === "rejected";
  return entry.state === "accepted" && typeof entry.version === "number" && Boolean(document) && Number(document?.version) >= entry.version;
}

/**
 * The document as the technician should see it.
 * @param {Document | undefined} document the server's last word; undefined for one created here
 * @param {OutboxEntry[]} entries of this document, any order
 * @returns {Document | undefined}
 */
export function overlay(document, entries) {
  let shown = document;
  for (const entry of [...entries].sort((a, b) => Number(a.seq) - Number(b.seq))) {
    if (!isCovered(entry, document)) shown = applied(shown, entry.mutation);
  }
  return shown && shown !== document ? derived(shown) : shown;
}

/** @param {Document | undefined} document @param {OutboxEntry["mutation"]} mutation @returns {Document | undefined} */
function applied(document, mutation) {
  if (!document && mutation.op !== "create") return undefined;
  /** @type {Document} */
  const next = { ...(document ?? { id: mutation.document_id, version: 0 }), ...mutation.set };
  for (const [field, added] of Object.entries(mutation.add)) next[field] = union(next[field] ?? [], added);
  for (const [field, removed] of Object.entries(mutation.remove)) {
    next[field] = (next[field] ?? []).filter((/** @type {any} */ element) => !removed.some((gone) => gone === element));
  }
  return next;
}

/** Entries are known by their id, plain elements by themselves. @param {any[]} present @param {any[]} added */
function union(present, added) {
  const key = (/** @type {any} */ element) => element?.id ?? element;
  const known = new Set(present.map(key));
  return [...present, ...added.filter((element) => !known.has(key(element)))];
}

/** What the server would derive from the events. @param {Document} document */
function derived(document) {
  const { state, startedAt, finishedAt } = fold(document.events ?? []);
  return { ...document, exec_state: state, started_at: startedAt, finished_at: finishedAt };
}
