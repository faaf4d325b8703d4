// Once a day, after an update of the app, and when somebody asks: is all here as the office has it?
import { readMeta, writeMeta } from "./db.js";
import { verify } from "./digest.js";

/** @typedef {import("./db.js").Database} Database */
/** @typedef {import("./db.js").Change} Change */
/** @typedef {{at: string, whole: boolean, repaired: number, schema: number}} LastCheck */

const EVERY_MS = 86_400_000;

/**
 * @param {Database} db
 * @param {object} parts
 * @param {(path: string) => Promise<any>} parts.get
 * @param {() => Promise<void>} parts.pull to the end
 * @param {number} parts.now ms
 * @param {number} parts.schema the version of documents that this app knows
 */
export async function checkNowAndThen(db, { get, pull, now, schema }) {
  /** @type {LastCheck | undefined} */ const last = await readMeta(db, "checked");
  const due = !last || !last.whole || last.schema !== schema || Math.abs(now - Date.parse(last.at)) > EVERY_MS;
  if (!due || !(await readMeta(db, "firstSync"))) return;
  try {
    const found = await verify({ read: () => heldDocuments(db), pull, repair: (changes) => repairDocuments(db, changes), get });
    if (found.behind) return;
    await writeMeta(db, "checked", { at: new Date(now).toISOString(), whole: found.whole, repaired: found.repaired + found.strangers, schema });
  } catch (error) {
    // An older server has no checksums: then there is nothing to check by.
    if (![404, 405].includes(/** @type {any} */ (error).status)) throw error;
  }
}

/** All documents as the office sent them, and up to where. @param {Database} db */
async function heldDocuments(db) {
  return db.transaction("r", db.documents, db.meta, async () => ({
    cursor: await readMeta(db, "cursor"),
    held: (await db.documents.toArray()).map(({ collection, id, document }) => {
      const { version, ...body } = document;
      return { collection, id, version, body };
    }),
  }));
}

/**
 * Take these documents as they are, whatever is here under their ids. Edits that wait are elsewhere and stay.
 * @param {Database} db @param {Change[]} changes
 */
export function repairDocuments(db, changes) {
  return db.transaction("rw", db.documents, db.meta, async () => {
    const generation = (await readMeta(db, "generation")) ?? 1;
    const ids = new Set(changes.map((change) => change.id));
    await db.documents.filter((kept) => ids.has(kept.id)).delete();
    await db.documents.bulkPut(changes.filter((change) => change.op === "put").map(({ collection, id, version, document }) => ({ collection, id, document: { ...document, id, version }, generation })));
  });
}
