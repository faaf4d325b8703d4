// What is being entered and was not added yet. It is on the disk a moment after each key and goes only when it is added.

/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {import("./db.js").Database} Database */
/** @typedef {{author: string, collection: "visit" | "site", documentId: string, field: string}} Place */

/** Between two writes of a text that is typed on; the first key of all is written at once. */
const PAUSE_MS = 100;
/** A full disk is asked again so often. */
const RETRY_MS = 2_000;

/** @param {{author: string, documentId: string, field: string}} place */
export const keyOf = ({ author, documentId, field }) => `${author}|${documentId}|${field}`;

/** Nothing that anybody would miss. @param {any} value */
const isEmpty = (value) => value === null || value === undefined || (typeof value === "string" ? !value.trim() : Array.isArray(value) && !value.length);

/**
 * @param {object} parts
 * @param {Database} parts.db
 * @param {(drafts: ReadonlyMap<string, Draft>) => void} [parts.onChange] told when a draft comes or goes, not of each key
 * @param {(trouble: boolean) => void} [parts.onTrouble] whether the last write failed: then the draft is not on the disk, and is tried again
 * @param {() => string} [parts.now]
 */
export function keepDrafts({ db, onChange = () => {}, onTrouble = () => {}, now = () => new Date().toISOString() }) {
  /** @type {Map<string, Draft>} */ const held = new Map();
  /** @type {Map<string, Draft | null>} null: to be removed */ let dirty = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
  /** @type {Set<Promise<void>>} under way */ const writes = new Set();

  const tell = () => onChange(new Map(held));

  /** Write what is not on the disk yet; resolved when that was tried with all there is. @returns {Promise<void>} */
  function flush() {
    clearTimeout(timer);
    timer = undefined;
    if (dirty.size) {
      const batch = dirty;
      dirty = new Map();
      // Also while another write is on its way: transactions over one table keep their order.
      const one = write(batch).then((wait) => {
        writes.delete(one);
        if (dirty.size) timer ??= setTimeout(flush, wait);
      });
      writes.add(one);
    }
    return Promise.all(writes).then(() => {});
  }

  /** @param {Map<string, Draft | null>} batch @returns {Promise<number>} how long to wait with what is to be written next, ms */
  async function write(batch) {
    try {
      await db.transaction("rw", db.drafts, async () => {
        for (const [key, draft] of batch) await (draft ? db.drafts.put(draft) : db.drafts.delete(key));
      });
      onTrouble(false);
      return PAUSE_MS;
    } catch {
      // What was added or typed on since is no longer what should be written.
      for (const [key, draft] of batch) if (!dirty.has(key) && (held.get(key) ?? null) === draft) dirty.set(key, draft);
      onTrouble(true);
      return RETRY_MS;
    }
  }

  /** @param {string} key @param {Draft | null} draft */
  function mark(key, draft) {
    dirty.set(key, draft);
    if (!writes.size && !timer) void flush();
  }

  return {
    flush,

    /** Read what is on the disk; before this, nothing is known. */
    async load() {
      const kept = await db.drafts.toArray();
      for (const draft of kept) if (!dirty.has(draft.key)) held.set(draft.key, draft);
      tell();
    },

    /** @param {Place} place @returns {any} undefined when there is none */
    read: (place) => held.get(keyOf(place))?.value,

    /**
     * Keep what the field holds now; the same as what was there before anybody typed, or nothing, is no draft.
     * @param {Place} place @param {any} value @param {{title: string, label: string, before?: any}} more
     */
    put(place, value, { title, label, before }) {
      const key = keyOf(place);
      const known = held.has(key);
      if (isEmpty(value) ? isEmpty(before) : value === before) {
        if (!known) return;
        held.delete(key);
        mark(key, null);
        tell();
        return;
      }
      const draft = { key, author: place.author, collection: place.collection, document_id: place.documentId, field: place.field, value, title, label, at: now() };
      held.set(key, draft);
      mark(key, draft);
      if (!known) tell();
    },

    /** Throw away, because a person says so. @param {string[]} keys */
    discard(keys) {
      for (const key of keys) {
        if (!held.delete(key)) continue;
        mark(key, null);
      }
      tell();
    },

    /**
     * Hand drafts over to an edit that removes them in its own transaction; when that fails they are drafts again.
     * What is typed meanwhile is a draft of its own.
     * @param {string[]} keys @returns {() => void} to be called when it failed
     */
    take(keys) {
      const taken = keys.flatMap((key) => held.get(key) ?? []);
      for (const key of keys) {
        held.delete(key);
        dirty.delete(key);
      }
      if (taken.length) tell();
      return () => {
        for (const draft of taken) {
          const since = held.get(draft.key);
          const value = since && typeof since.value === "string" && typeof draft.value === "string" ? draft.value + since.value : (since?.value ?? draft.value);
          held.set(draft.key, { ...draft, value });
          mark(draft.key, { ...draft, value });
        }
        tell();
      };
    },
  };
}
