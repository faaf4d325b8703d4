// What waits to be sent and what became of it. Pure: the database and the network are elsewhere.

/** @typedef {import("./types.js").Mutation} Mutation */
/** @typedef {import("./types.js").OutboxEntry} OutboxEntry */
/** @typedef {import("./types.js").OutboxState} OutboxState */

export const MOST_AT_ONCE = 200;
export const KEPT_DAYS = 14;

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
 * @param {string} [edit.resolves] the conflict that a person settles by it
 * @returns {Omit<Mutation, "n">}
 */
export function mutation({ id, collection, documentId, baseVersion, madeAt, op = "update", set = {}, add = {}, remove = {}, group = null, resolves }) {
  return { id, collection, document_id: documentId, op, base_version: baseVersion, set, add, remove, made_at: madeAt, group, ...(resolves ? { resolves } : {}) };
}

/** @param {OutboxEntry} entry @param {string} author */
const toSend = (entry, author) => entry.author === author && (entry.state === "saved" || entry.state === "sent");

/** Bytes of JSON that go in one push whatever is in them: compressed about a second at 32 kbit/s. */
export const SMALL_BYTES = 16_000;
export const MOST_BYTES = 700_000;
const STATE = 0;
const SIGNATURE = 1;
const FORMS = 2;

/** @typedef {Omit<Mutation, "n">} Edit */

/**
 * In which lane an edit goes by itself: the state of the work, a signature, all else.
 * @param {Edit} edit
 */
export const laneOf = (edit) => (edit.op === "create" || edit.add.events?.length ? STATE : edit.set.signature ? SIGNATURE : FORMS);

/**
 * What to push next, in the order of `n`: all that is left when that is little, else the first lane of it. The same
 * as `sync/lanes.py`; `tests/vectors/lanes.json` holds both to it.
 * @param {OutboxEntry[]} entries @param {string} author @param {number} [limit] most edits; a group is not cut in two
 * @param {number} [budget] about so many bytes of JSON
 * @returns {OutboxEntry[]}
 */
export function nextBatch(entries, author, limit = MOST_AT_ONCE, budget = MOST_BYTES) {
  const queue = entries.filter((entry) => toSend(entry, author) && entry.n !== null).sort((a, b) => Number(a.n) - Number(b.n));
  const lanes = lanesOf(queue.map((entry) => entry.mutation));
  const sizes = queue.map((entry) => bytesOf(wire(entry)));
  const little = sizes.reduce((sum, size) => sum + size, 0) <= SMALL_BYTES;
  const first = Math.min(...lanes);
  const kept = queue.map((_, index) => index).filter((index) => little || lanes[index] === first);
  /** @type {number[]} */ const batch = [];
  let bytes = 0;
  for (const members of whole(queue.map((entry) => entry.mutation), kept)) {
    bytes += members.reduce((sum, index) => sum + sizes[index], 0);
    if (batch.length > 0 && (batch.length + members.length > limit || bytes > budget)) break;
    batch.push(...members);
  }
  return batch.sort((a, b) => a - b).map((index) => queue[index]);
}

const encoder = new TextEncoder();
const bytesOf = (/** @type {any} */ value) => encoder.encode(JSON.stringify(value)).length;

/** The group of an edit; one by itself is its own. @param {Edit[]} queue @param {number} index */
const groupOf = (queue, index) => queue[index].group ?? index;

/**
 * Indexes in order, in parts that may not be cut: a group with all that stands between its first and its last.
 * @param {Edit[]} queue @param {number[]} kept @returns {number[][]}
 */
function whole(queue, kept) {
  const last = new Map(kept.map((index) => [groupOf(queue, index), index]));
  /** @type {number[][]} */ const parts = [];
  let end = -1;
  for (const index of kept) {
    if (index > end) parts.push([]);
    parts[parts.length - 1].push(index);
    end = Math.max(end, Number(last.get(groupOf(queue, index))));
  }
  return parts;
}

/** @param {Edit[]} queue @returns {number[]} the lane of each, with what must go before it or together with it */
function lanesOf(queue) {
  /** @type {number[]} */ let lanes = queue.map(laneOf);
  for (;;) {
    const before = lanes.join();
    keepOrder(queue, lanes);
    /** @type {Map<string | number, number>} */ const first = new Map();
    queue.forEach((_, index) => first.set(groupOf(queue, index), Math.min(first.get(groupOf(queue, index)) ?? FORMS, lanes[index])));
    lanes = queue.map((_, index) => Number(first.get(groupOf(queue, index))));
    if (lanes.join() === before) return lanes;
  }
}

/**
 * Two edits of one field never change places, for the last one sent would be the one that stands; nothing goes before
 * the making of its document.
 * @param {Edit[]} queue @param {number[]} lanes
 */
function keepOrder(queue, lanes) {
  /** @type {Map<string, {written: Set<string>, added: Set<string>, whole: boolean}[]>} */ const later = new Map();
  for (let index = queue.length - 1; index >= 0; index--) {
    const edit = queue[index];
    const written = [...Object.keys(edit.set), ...Object.keys(edit.remove)];
    const added = Object.keys(edit.add);
    const whole = edit.op !== "update";
    const seen = later.get(edit.document_id) ?? [];
    const meets = seen.findIndex((there) => there && (whole || there.whole || written.some((name) => there.written.has(name) || there.added.has(name)) || added.some((name) => there.written.has(name))));
    if (meets >= 0) lanes[index] = Math.min(lanes[index], meets);
    const there = (seen[lanes[index]] ??= { written: new Set(), added: new Set(), whole: false });
    for (const name of written) there.written.add(name);
    for (const name of added) there.added.add(name);
    there.whole ||= whole;
    later.set(edit.document_id, seen);
  }
}

/** The first of them in their order, with no group cut in two. @param {OutboxEntry[]} entries @param {number} most */
export function firstWhole(entries, most) {
  const groups = entries.map(({ mutation }) => mutation.group);
  let end = Math.min(entries.length, most);
  while (end > 0 && end < entries.length && groups.slice(0, end).some((group) => group !== null && groups.includes(group, end))) end--;
  return entries.slice(0, end);
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

/** Accepted long enough ago, by the office's clock, that a verified backup must hold it. @param {OutboxEntry | {settled_at?: string | null, state: string}} entry @param {Date} now */
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
  const plain = last && Object.keys(last.mutation.add).length === 0 && last.mutation.op === "update" && last.mutation.group === null && !last.mutation.resolves;
  return last && plain && last.state === "saved" && last.author === author && fields.length === 1 && fields[0] === field ? last : null;
}

/**
 * What is only here, at a glance.
 * @param {OutboxEntry[]} entries @param {{state: string, size: number}[]} photos @param {string} day local date of today @param {(moment: string) => string} dayOf
 * @param {number} [drafts] how many fields hold what was not added yet
 */
export function counts(entries, photos, day, dayOf, drafts = 0) {
  const waiting = entries.filter((entry) => entry.state === "saved" || entry.state === "sent").length;
  const atOffice = entries.filter((entry) => entry.state === "waiting").length;
  const needs = entries.filter((entry) => entry.state === "needs").length + photos.filter((photo) => photo.state === "needs").length;
  const unsent = photos.filter((photo) => !["verified", "held", "needs"].includes(photo.state));
  const sentToday = entries.filter((entry) => entry.state === "accepted" && entry.settled_at && dayOf(entry.settled_at) === day).length;
  return { waiting, atOffice, needs, photos: unsent.length, photoBytes: unsent.reduce((sum, photo) => sum + photo.size, 0), sentToday, drafts };
}

/**
 * May this person sign out without leaving work behind? Only when nothing is here that the office does not have.
 * @param {{waiting: number, needs: number, photos: number, drafts: number}} count
 */
export const safeToSignOut = (count) => count.waiting === 0 && count.photos === 0 && count.needs === 0 && count.drafts === 0;
