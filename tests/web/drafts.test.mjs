// What is entered and not added: on the disk at once, gone only when it is added, never lost by a failure.
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import * as database from "../../server/web/technician/db.js";
import { keepDrafts, keyOf } from "../../server/web/technician/drafts.js";
import { mutation } from "../../server/web/technician/outbox.js";

const place = { author: "laia", collection: "visit", documentId: "v1", field: "note" };
const about = { title: "Del Clos", label: "Note" };
let stores = 0;
const open = () => database.openDatabase(`drafts-${++stores}`);
const onDisk = async (db) => (await db.drafts.toArray()).map((draft) => draft.value);
const edit = (text) => ({ author: "laia", title: "Del Clos", drafts: [keyOf(place)], mutations: [mutation({ id: text, collection: "visit", documentId: "v1", baseVersion: 1, madeAt: "2026-11-23T09:00:00.000Z", add: { notes: [{ id: "n", text }] } })] });

test("the first key is on the disk at once, the others a moment later, the last of all when the page goes", async () => {
  const db = open();
  const drafts = keepDrafts({ db });
  await db.open();
  drafts.put(place, "s", about);
  for (let looks = 0; looks < 3 && !(await onDisk(db)).length; looks++);
  assert.deepEqual(await onDisk(db), ["s"]);
  drafts.put(place, "se", about);
  drafts.put(place, "seal", about);
  await drafts.flush();
  assert.deepEqual(await onDisk(db), ["seal"]);
});

test("a tablet that was killed has the draft again", async () => {
  const db = open();
  const before = keepDrafts({ db });
  before.put(place, "seal worn", about);
  await before.flush();
  const after = keepDrafts({ db });
  await after.load();
  assert.equal(after.read(place), "seal worn");
  assert.equal(after.read({ ...place, author: "jordi" }), undefined);
});

test("a draft goes in the transaction that adds it: both or neither", async () => {
  const db = open();
  const drafts = keepDrafts({ db });
  drafts.put(place, "seal worn", about);
  await drafts.flush();
  drafts.take([keyOf(place)]);
  await database.saveEdit(db, edit("seal worn"));
  assert.deepEqual([await onDisk(db), (await db.outbox.count())], [[], 1]);
  drafts.put(place, "again", about);
  await drafts.flush();
  db.outbox.hook("creating", () => {
    throw new Error("the disk is full");
  });
  await assert.rejects(database.saveEdit(db, edit("again")));
  assert.deepEqual([await onDisk(db), (await db.outbox.count())], [["again"], 1]);
});

test("what is typed while the edit is saved is a draft of its own", async () => {
  const db = open();
  const drafts = keepDrafts({ db });
  drafts.put(place, "first", about);
  drafts.take([keyOf(place)]);
  const saved = database.saveEdit(db, edit("first"));
  drafts.put(place, "second", about);
  await saved;
  await drafts.flush();
  assert.deepEqual(await onDisk(db), ["second"]);
});

test("when adding fails the text is a draft again, with what was typed since behind it", async () => {
  const db = open();
  const drafts = keepDrafts({ db });
  drafts.put(place, "first", about);
  const giveBack = drafts.take([keyOf(place)]);
  assert.equal(drafts.read(place), undefined);
  drafts.put(place, ", second", about);
  giveBack();
  await drafts.flush();
  assert.equal(drafts.read(place), "first, second");
  assert.deepEqual(await onDisk(db), ["first, second"]);
});

test("a full disk is said, and the text is written once there is room", async () => {
  const db = open();
  const troubles = [];
  const drafts = keepDrafts({ db, onTrouble: (trouble) => troubles.push(trouble) });
  const full = () => {
    throw new Error("QuotaExceededError");
  };
  db.drafts.hook("creating", full);
  drafts.put(place, "kept in mind", about);
  await drafts.flush();
  assert.deepEqual([troubles.at(-1), await onDisk(db)], [true, []]);
  db.drafts.hook("creating").unsubscribe(full);
  await drafts.flush();
  assert.deepEqual([troubles.at(-1), await onDisk(db)], [false, ["kept in mind"]]);
});

test("a write that failed does not bring back what was added meanwhile", async () => {
  const db = open();
  const drafts = keepDrafts({ db });
  const full = () => {
    throw new Error("QuotaExceededError");
  };
  db.drafts.hook("creating", full);
  drafts.put(place, "added", about);
  const writing = drafts.flush();
  drafts.take([keyOf(place)]);
  await writing;
  db.drafts.hook("creating").unsubscribe(full);
  await drafts.flush();
  assert.deepEqual(await onDisk(db), []);
});

test("back to what was there before is no draft; emptied what was there is one", async () => {
  const db = open();
  const drafts = keepDrafts({ db });
  const summary = { ...place, field: "work_summary" };
  drafts.put(summary, "Seals changed and tested", { ...about, before: "Seals changed" });
  drafts.put(summary, "Seals changed", { ...about, before: "Seals changed" });
  await drafts.flush();
  assert.deepEqual(await onDisk(db), []);
  drafts.put(summary, "", { ...about, before: "Seals changed" });
  drafts.put(place, "   ", about);
  await drafts.flush();
  assert.deepEqual(await onDisk(db), [""]);
});

test("every write of a draft asks for the disk, not for a promise of it", async () => {
  const asked = [];
  const plain = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (names, mode, options) {
    if (mode === "readwrite") asked.push(options?.durability);
    return plain.call(this, names, mode, options);
  };
  const drafts = keepDrafts({ db: open() });
  drafts.put(place, "seal", about);
  await drafts.flush();
  IDBDatabase.prototype.transaction = plain;
  assert.ok(asked.length && asked.every((durability) => durability === "strict"));
});
