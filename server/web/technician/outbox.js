// What waits to be sent and what became of it. Pure: the database and the network are elsewhere.

/** @typedef {import("./types.js").Mutation} Mutation */
/** @typedef {import("./types.js").OutboxEntry} OutboxEntry */
/** @typedef {import("./types.js").OutboxState} OutboxState */

export const MOST_AT_ONCE = 200;
const MOST_BYTES = 700_000;
const KEPT_DAYS = 14;

/**
 * @param {object} edit
 * @param {string} edit.id
 * @param {string} edit.collection
 * @param {string} edit.documentId
 * @param {number | null} edit.baseVersion
 * @param {string} edit.madeAt
 * @param {"create" | "update"} [edit.op]
 * @param {Record<string, any>} [edit.set]
 * @param {Record<string, any[]>} [edit.add]
 * @param {Record<string, any[]>} [edit.remove]
 * @param {string | null} [edit.group]
 * @returns {Omit<Mutation, "n">}
 */
export function mutation({ id, collection, documentId, baseVersion, madeAt, op = "update", set = {}, add = {}, remove = {}, group = null }) {
  return { id, collection, document_id: documentId, op, base_version: baseVersion, set, add, remove, made_at: madeAt, group };
}

/** @param {OutboxEntry} entry @param {string} author */
const toSend = (entry, author) => entry.author === author && (entry.state === "saved" || entry.state === "sent");

/**
 * The next entries to push, in order of `n`, within the limits of one push. A group is not cut in two.
 * @param {OutboxEntry[]} entries @param {string} author @param {number} [limit]
 * @returns {OutboxEntry[]}
 */
export function nextBatch(entries, author, limit = MOST_AT_ONCE) {
  const queue = entries.filter((entry) => toSend(entry, author) && entry.n !== null).sort((a, b) => Number(a.n) - Number(b.n));
  /** @type {OutboxEntry[]} */ const batch = [];
  let bytes = 0;
  for (const entry of queue) {
    bytes += JSON.stringify(entry.mutation).length;
    const joins = entry.mutation.group !== null && entry.mutation.group === batch.at(-1)?.mutation.group;
    if (batch.length > 0 && !joins && (batch.length >= limit || bytes > MOST_BYTES)) break;
    batch.push(entry);
  }
  return batch;
}

/** @param {OutboxEntry} entry @returns {Mutation} */
export const wire = (entry) => ({ ...entry.mutation, n: Number(entry.n) });

/** The server's status → where the entry is now. @type {Record<string, OutboxState>} */
const STATE_OF = { applied: "accepted", merged: "accepted", overridden: "accepted", duplicate: "accepted", held: "waiting", rejected: "needs" };

/**
 * An entry after the server's word on it. Without a word it stays as it was: no answer is no reason to forget.
 * @param {OutboxEntry} entry
 * @param {{status: string, version?: number | null, conflicts?: any[], problem?: any} | undefined} result
 * @param {string} now
 * @returns {OutboxEntry}
 */
export function settle(entry, result, now) {
  const state = result && STATE_OF[result.status];
  if (!result || !state) return entry;
  return {
    ...entry, state, result: result.status, version: result.version ?? null, conflicts: result.conflicts ?? [],
    problem: result.problem ?? null, settled_at: now, tries: 0,
  };
}

/**
 * Entries that must wait for another registration of this tablet, or go out under the new one: those of `author`
 * which no server has accepted get the numbers 1, 2, ... in their old order; the others none.
 * @param {OutboxEntry[]} entries @param {string} author
 * @returns {{entries: OutboxEntry[], nextN: number}}
 */
export function renumber(entries, author) {
  let n = 0;
  const renumbered = [...entries]
    .sort((a, b) => Number(a.seq) - Number(b.seq))
    .map((entry) => (toSend(entry, author) ? { ...entry, state: /** @type {OutboxState} */ ("saved"), n: ++n } : { ...entry, n: null }));
  return { entries: renumbered, nextN: n + 1 };
}

/**
 * A server that was restored to an earlier time may have lost what it had accepted: it gets all of it once more.
 * Ids make that harmless where it did not.
 * @param {OutboxEntry} entry @returns {OutboxEntry}
 */
export function sendAgain(entry) {
  return entry.state === "accepted" || entry.state === "waiting" ? { ...entry, state: "saved", settled_at: null } : entry;
}

/** Accepted long enough ago that a verified backup must hold it. @param {OutboxEntry | {settled_at?: string | null, state: string}} entry @param {Date} now */
export function mayForget(entry, now) {
  return (entry.state === "accepted" || entry.state === "verified") && Boolean(entry.settled_at) && now.getTime() - Date.parse(String(entry.settled_at)) > KEPT_DAYS * 86_400_000;
}

/**
 * Whether a text typed on can still be written into the entry that carries its last state: the same person's,
 * never handed to the network, and the last word on that field.
 * @param {OutboxEntry[]} entries @param {{author: string, documentId: string, field: string}} edit
 * @returns {OutboxEntry | null}
 */
export function openEdit(entries, { author, documentId, field }) {
  const last = entries.filter((entry) => entry.mutation.document_id === documentId).sort((a, b) => Number(a.seq) - Number(b.seq)).at(-1);
  const fields = last ? Object.keys(last.mutation.set) : [];
  const plain = last && Object.keys(last.mutation.add).length === 0 && last.mutation.op === "update" && last.mutation.group === null;
  return last && plain && last.state === "saved" && last.author === author && fields.length === 1 && fields[0] === field ? last : null;
}

/**
 * What is only here, at a glance.
 * @param {OutboxEntry[]} entries @param {{state: string, size: number}[]} photos @param {string} day local date of today @param {(moment: string) => string} dayOf
 */
export function counts(entries, photos, day, dayOf) {
  const waiting = entries.filter((entry) => entry.state === "saved" || entry.state === "sent").length;
  const atOffice = entries.filter((entry) => entry.state === "waiting").length;
  const needs = entries.filter((entry) => entry.state === "needs").length + photos.filter((photo) => photo.state === "needs").length;
  const unsent = photos.filter((photo) => photo.state !== "verified" && photo.state !== "needs");
  const sentToday = entries.filter((entry) => entry.state === "accepted" && entry.settled_at && dayOf(entry.settled_at) === day).length;
  return { waiting, atOffice, needs, photos: unsent.length, photoBytes: unsent.reduce((sum, photo) => sum + photo.size, 0), sentToday };
}

/**
 * May this person sign out without leaving work behind? Only when nothing is here that the office does not have.
 * @param {{waiting: number, needs: number, photos: number}} count
 */
export const safeToSignOut = (count) => count.waiting === 0 && count.photos === 0 && count.needs === 0;
