// The tablet's own database. Each function is one transaction; when its promise resolves, the bytes are on the disk.
import Dexie from "dexie";
import { gather, newsOf } from "./news.js";
import { firstWhole, KEPT_DAYS, mayForget, nextBatch, openEdit, renumber, sendAgain, settle } from "./outbox.js";
import { uuid7 } from "./uuid.js";

/** @typedef {import("./types.js").Document} Document */
/** @typedef {import("./types.js").OutboxEntry} OutboxEntry */
/** @typedef {import("./types.js").Photo} Photo */
/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {{id: string, title: string, reason: string | null, at: string}} Gone a visit that was taken from this tablet */
/** @typedef {{collection: string, id: string, document: Document, generation: number}} Kept */
/** @typedef {{token: string, device_id: string, device_name: string, technician: {id: string, name: string, locale: string}, company: Record<string, any>}} Device */
/** @typedef {{collection: string, id: string, op: "put" | "drop", version: number, reason?: string | null, document?: Document | null}} Change */

/**
 * @typedef {Dexie & {
 *   documents: import("dexie").Table<Kept, [string, string]>,
 *   outbox: import("dexie").Table<OutboxEntry, number>,
 *   photos: import("dexie").Table<Photo, string>,
 *   meta: import("dexie").Table<{key: string, value: any}, string>,
 *   drafts: import("dexie").Table<Draft, string>,
 *   gone: import("dexie").Table<Gone, string>,
 *   conflicts: import("dexie").Table<import("./conflicts.js").Conflict, string>,
 * }} Database
 */

/** @param {string} [name] @returns {Database} */
export function openDatabase(name = "rounds") {
  // Browsers acknowledge writes before they are on the disk unless asked not to: a power cut then takes "saved" work.
  const db = new Dexie(name, { chromeTransactionDurability: "strict" });
  db.version(1).stores({
    documents: "[collection+id], collection, generation",
    outbox: "++seq, &id, state, mutation.document_id",
    photos: "sha256, state, visit_id",
    meta: "key",
  });
  db.version(2).stores({ drafts: "key, author", gone: "id, at" });
  db.version(3).stores({ conflicts: "id" });
  return /** @type {Database} */ (db);
}

/** @param {Database} db @param {string} key */
export const readMeta = async (db, key) => (await db.meta.get(key))?.value;

/** @param {Database} db @param {string} key @param {any} value */
export const writeMeta = (db, key, value) => db.meta.put({ key, value });

/**
 * Keep an edit: its numbered outbox entry and, with it, the photo that it refers to. The outbox is the overlay, so
 * one write is both "shown" and "will be sent". What was typed for it is no draft any more.
 * @param {Database} db
 * @param {{author: string, title: string, mutations: OutboxEntry["mutation"][], photo?: Photo, coalesce?: string, drafts?: string[]}} edit
 *   `coalesce`: the field of a text still being typed, to be written into its open entry; `drafts`: keys of what it was made of
 * @returns {Promise<void>} resolved once the transaction is complete
 */
export function saveEdit(db, { author, title, mutations, photo, coalesce, drafts = [] }) {
  return db.transaction("rw", db.outbox, db.photos, db.meta, db.drafts, async () => {
    await db.drafts.bulkDelete(drafts);
    if (photo && !(await db.photos.get(photo.sha256))) await db.photos.add(photo);
    if (coalesce && mutations.length === 1) {
      const [edit] = mutations;
      const entries = await db.outbox.where("mutation.document_id").equals(edit.document_id).toArray();
      const open = openEdit(entries, { author, documentId: edit.document_id, field: coalesce });
      if (open) {
        await db.outbox.put({ ...open, mutation: { ...open.mutation, set: edit.set, made_at: edit.made_at } });
        return;
      }
    }
    let n = (await readMeta(db, "nextN")) ?? 1;
    for (const mutation of mutations) {
      await db.outbox.add({ id: mutation.id, n: n++, author, mutation, state: "saved", title, tries: 0 });
    }
    await writeMeta(db, "nextN", n);
  });
}

/**
 * This tablet now works for a technician. Unsent work of the same person goes out under the new registration; work of
 * somebody else stays, unsent, under its author's name.
 * @param {Database} db @param {Device} device
 */
export function register(db, device) {
  return db.transaction("rw", db.documents, db.outbox, db.meta, db.gone, db.conflicts, async () => {
    const before = await readMeta(db, "device");
    if (before?.technician.id !== device.technician.id) {
      await db.documents.clear();
      await db.gone.clear();
      await db.conflicts.clear();
      await db.meta.bulkDelete(["cursor", "news", "firstSync", "firstToday", "conflictsAt", "readThrough", "package"]);
    }
    if (before?.device_id !== device.device_id) {
      const { entries, nextN } = renumber(await db.outbox.toArray(), device.technician.id);
      await db.outbox.bulkPut(entries);
      await writeMeta(db, "nextN", nextN);
      await db.meta.bulkDelete(["cursor", "readThrough", "filesMade", "fileTaken"]);
    }
    await writeMeta(db, "device", device);
    await db.meta.delete("signedOut");
  });
}

/**
 * Take in one page of the feed. An older version never replaces a newer one.
 * @param {Database} db
 * @param {{changes: Change[], cursor: string, more: boolean, first_sync_complete?: boolean, today_complete?: boolean, epoch?: string, seq?: number}} page
 * @param {{at: string, fresh: boolean}} options `fresh`: this page starts a first or a new baseline
 */
export function takePage(db, page, { at, fresh }) {
  return db.transaction("rw", db.documents, db.meta, db.gone, async () => {
    let generation = (await readMeta(db, "generation")) ?? 1;
    if (fresh) {
      await writeMeta(db, "generation", ++generation);
      await writeMeta(db, "rebasing", true);
    }
    const complete = Boolean(await readMeta(db, "firstSync"));
    /** @type {import("./news.js").News[]} */ const news = [];
    const titles = await titlesOf(db, page.changes.filter(({ collection, op }) => collection === "visit" && op === "drop"));
    for (const change of page.changes) {
      const known = await db.documents.get([change.collection, change.id]);
      if (change.op === "drop") {
        if (known) await db.documents.delete([change.collection, change.id]);
        if (known && change.collection === "visit") {
          push(news, newsOf(known.document, undefined, at, change.reason));
          await db.gone.put({ id: change.id, title: titles.get(change.id) ?? "", reason: change.reason ?? null, at });
        }
        continue;
      }
      const document = { ...change.document, id: change.id, version: change.version };
      // After a restore the server's versions may be lower than ours: a new baseline takes its word.
      const rebasing = known && known.generation < generation;
      if (known && !rebasing && known.document.version > document.version) continue;
      await db.documents.put({ collection: change.collection, id: change.id, document, generation });
      if (change.collection === "visit") {
        push(news, newsOf(known?.document, document, at));
        await db.gone.delete(change.id);
      }
    }
    await writeMeta(db, "cursor", page.cursor);
    if (page.today_complete && !(await readMeta(db, "firstToday"))) await writeMeta(db, "firstToday", at);
    if (page.epoch) await writeMeta(db, "epoch", page.epoch);
    if (!page.more && page.seq) await writeMeta(db, "readThrough", page.seq);
    if (!page.more) {
      if (await readMeta(db, "rebasing")) await sweep(db, generation, at, news);
      await db.meta.delete("rebasing");
      if (page.first_sync_complete !== false && !(await readMeta(db, "firstSync"))) await writeMeta(db, "firstSync", at);
    }
    if (complete && news.length) await writeMeta(db, "news", gather((await readMeta(db, "news")) ?? [], news));
  });
}

/** What a whole new baseline did not name is gone. @param {Database} db @param {number} generation @param {string} at @param {import("./news.js").News[]} news */
async function sweep(db, generation, at, news) {
  const stale = await db.documents.where("generation").below(generation).toArray();
  const titles = await titlesOf(db, stale.filter(({ collection }) => collection === "visit"));
  for (const kept of stale) {
    await db.documents.delete([kept.collection, kept.id]);
    if (kept.collection === "visit") {
      push(news, newsOf(kept.document, undefined, at));
      await db.gone.put({ id: kept.id, title: titles.get(kept.id) ?? "", reason: null, at });
    }
  }
}

/** What visits that leave are called, read before their sites leave too. @param {Database} db @param {{id: string}[]} visits */
async function titlesOf(db, visits) {
  /** @type {Map<string, string>} */ const titles = new Map();
  for (const { id } of visits) {
    const visit = (await db.documents.get(["visit", id]))?.document;
    const site = visit && (await db.documents.get(["site", visit.site_id]));
    titles.set(id, site?.document.name ?? visit?.title ?? "");
  }
  return titles;
}

/** @template T @param {T[]} list @param {T | null} line */
function push(list, line) {
  if (line) list.push(line);
}

/**
 * The next entries to hand to the network, marked as sent in the same transaction that read them: what is typed from
 * here on is an edit of its own.
 * @param {Database} db @param {string} author @param {number} limit @param {number} [budget] bytes, about
 * @returns {Promise<{batch: OutboxEntry[], waiting: number}>} `waiting`: how many are unsent, the batch included
 */
export function takeBatch(db, author, limit, budget) {
  return db.transaction("rw", db.outbox, async () => {
    const entries = await db.outbox.where("state").anyOf("saved", "sent").toArray();
    const batch = nextBatch(entries, author, limit, budget).map((entry) => ({ ...entry, state: /** @type {const} */ ("sent") }));
    await db.outbox.bulkPut(batch);
    return { batch, waiting: entries.filter((entry) => entry.author === author && entry.n !== null).length };
  });
}

/**
 * What goes into a file for the office: the edits that wait, marked as sent, and where this tablet stands.
 * @param {Database} db @param {string} author @param {number} most edits; a group is not cut in two
 */
export function takeForFile(db, author, most) {
  return db.transaction("rw", db.outbox, db.meta, async () => {
    const mine = (await db.outbox.where("state").anyOf("saved", "sent", "waiting").toArray())
      .filter((entry) => entry.author === author && entry.n !== null)
      .sort((a, b) => Number(a.n) - Number(b.n));
    const unsent = mine.filter(({ state }) => state !== "waiting");
    const batch = firstWhole(unsent, most).map((entry) => ({ ...entry, state: /** @type {const} */ ("sent") }));
    await db.outbox.bulkPut(batch);
    const [made = 0, next = 1, epoch = null, cursor = null, heard = null] = await Promise.all(["filesMade", "nextN", "epoch", "cursor", "heard"].map((key) => readMeta(db, key)));
    await writeMeta(db, "filesMade", made + 1);
    const left = unsent.slice(batch.length);
    const told = { epoch, next_n: next, first_unsent: left[0]?.n ?? null, unsent: left.length, unsent_since: left[0]?.mutation.made_at ?? null };
    return { n: made + 1, batch, told: { epoch, cursor, heard, first_unanswered: mine[0]?.n ?? next, told } };
  });
}

/** @param {Database} db @param {any[]} results as pushed or as asked for later @param {string} now */
export function takeResults(db, results, now) {
  return db.transaction("rw", db.outbox, db.meta, async () => {
    for (const result of results) {
      const entry = await db.outbox.where("id").equals(result.id).first();
      if (entry) await db.outbox.put(settle(entry, result, now));
      if (result.conflicts?.length || entry?.mutation.resolves) await db.meta.delete("conflictsAt");
    }
  });
}

/** What the office knows of this person's conflicts, in place of what was known before. @param {Database} db @param {import("./conflicts.js").Conflict[]} conflicts @param {string} now */
export function takeConflicts(db, conflicts, now) {
  return db.transaction("rw", db.conflicts, db.meta, async () => {
    await db.conflicts.clear();
    await db.conflicts.bulkPut(conflicts);
    await writeMeta(db, "conflictsAt", now);
  });
}

/** The server could not take this one entry, and said so or fell over it: a person has to look. @param {Database} db @param {OutboxEntry} entry @param {any} problem @param {string} now */
export async function setAside(db, entry, problem, now) {
  await db.outbox.update(Number(entry.seq), { state: "needs", result: null, problem, settled_at: now });
}

/** Back into the queue, as a new edit with the next number: its old number was spent on the refused one. @param {Database} db @param {number} seq */
export function sendOnceMore(db, seq) {
  return db.transaction("rw", db.outbox, db.meta, async () => {
    const entry = await db.outbox.get(seq);
    if (!entry || entry.state !== "needs") return;
    const n = (await readMeta(db, "nextN")) ?? 1;
    const mutation = entry.result === "rejected" ? { ...entry.mutation, id: uuid7() } : entry.mutation;
    await db.outbox.put({ ...entry, id: mutation.id, mutation, n: entry.result === "rejected" ? n : entry.n, state: "saved", problem: null, result: null, tries: 0 });
    if (entry.result === "rejected") await writeMeta(db, "nextN", n + 1);
  });
}

/** The server's history is another one (restored from a backup): take everything anew and offer it all that was sent. @param {Database} db */
export function startOver(db) {
  return db.transaction("rw", db.outbox, db.photos, db.meta, async () => {
    await db.meta.bulkDelete(["cursor", "readThrough", "epoch"]);
    // A server that went back may not know these keys any more.
    await writeMeta(db, "keysToShow", true);
    await db.outbox.bulkPut((await db.outbox.toArray()).map(sendAgain));
    // Photos that it may have lost are asked for once more; what it does not know goes again.
    await db.photos.where("state").anyOf("verified", "held").modify({ state: "sent", settled_at: null });
  });
}

/** Let go of what a verified backup must hold by now. @param {Database} db @param {Date} now */
export function forgetOld(db, now) {
  return db.transaction("rw", db.outbox, db.photos, db.gone, async () => {
    await db.gone.where("at").below(new Date(now.getTime() - KEPT_DAYS * 86_400_000).toISOString()).delete();
    const entries = (await db.outbox.toArray()).filter((entry) => mayForget(entry, now));
    await db.outbox.bulkDelete(entries.map((entry) => Number(entry.seq)));
    const photos = (await db.photos.toArray()).filter((photo) => mayForget(photo, now));
    await db.photos.bulkDelete(photos.map((photo) => photo.sha256));
  });
}
