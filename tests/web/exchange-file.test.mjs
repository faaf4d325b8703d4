import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { gunzipSync, gzipSync } from "node:zlib";
import { test } from "node:test";
import * as database from "../../server/web/technician/db.js";
import { continues, ExchangeFault, fitting, showKeys, takeFile, writeFile } from "../../server/web/technician/exchange-file.js";
import { mutation } from "../../server/web/technician/outbox.js";
import { joined, newKeys, readEnvelope, seal, TO_OFFICE, TO_TABLET, unseal } from "../../server/web/technician/sealed.js";
import { uuid7 } from "../../server/web/technician/uuid.js";

const NOW = Date.parse("2026-11-23T09:00:00.000Z");
const SELF = { app_version: "1", schema_version: 1 };
let stores = 0;

/** The office's end: its keys, and files that say what a test wants. */
class Office {
  n = 0;
  epoch = "a";
  seq = 10;
  at = NOW;
  asked = 0;

  static async open() {
    const office = new Office();
    office.keys = await newKeys();
    return office;
  }

  ask = async (method, path, { body }) => {
    assert.equal(`${method} ${path}`, "POST /sync/v1/exchange-keys");
    this.asked += 1;
    const point = (text) => Uint8Array.from(Buffer.from(text, "base64url"));
    this.tablet = { agree: point(body.agree), sign: point(body.sign) };
    const text = (data) => Buffer.from(data).toString("base64url");
    return { agree: text(this.keys.public.agree), sign: text(this.keys.public.sign) };
  };

  async read(data) {
    const plain = await unseal(readEnvelope(data), { sender: this.tablet, recipient: this.keys });
    const end = 4 + new DataView(plain.buffer).getUint32(0);
    return { told: JSON.parse(gunzipSync(plain.slice(4, end)).toString()), behind: plain.slice(end) };
  }

  async file({ results = [], receipts = [], pull, direction = TO_TABLET, ...more } = {}) {
    const page = pull && { changes: [], cursor: `c${this.seq}`, more: false, first_sync_complete: true, epoch: this.epoch, seq: this.seq, from: null, from_seq: 0, ...pull };
    const told = { device_id: "d1", n: ++this.n, server_time: new Date((this.at += 1000)).toISOString(), epoch: this.epoch, seq: this.seq, backed_up_through: 0, results, receipts, conflicts: [], notices: [], pull: page ?? null, ...more };
    const packed = gzipSync(JSON.stringify(told));
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, packed.length);
    return seal(joined(length, packed), { direction, sender: this.keys, recipient: this.tablet });
  }
}

async function tablet(office) {
  const db = database.openDatabase(`carried-${++stores}`);
  const device = { token: "t", device_id: "d1", device_name: "T", technician: { id: "laia", name: "Laia", locale: "en" }, company: {} };
  await database.register(db, device);
  await showKeys(db, office.ask, device);
  return db;
}

const edit = (db, more = {}) => {
  const made = mutation({ id: uuid7(), collection: "visit", documentId: "v1", baseVersion: 1, madeAt: "2026-11-23T08:00:00.000Z", set: { title: "x" }, ...more });
  return database.saveEdit(db, { author: "laia", title: "Del Clos", mutations: [made] }).then(() => made.id);
};
const write = (db, more = {}) => writeFile(db, { now: NOW, self: SELF, ...more });
const take = (db, data) => takeFile(db, data, { now: NOW });
const states = async (db) => (await db.outbox.toArray()).map((entry) => entry.state);
const applied = (id) => ({ id, status: "applied", version: 2, conflicts: [], problem: null });
const put = (id, version, more = {}) => ({ collection: "visit", id, op: "put", version, document: { title: "y", site_id: "s1", ...more } });
const faultOf = async (promise) => {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof ExchangeFault, String(error));
    return error.code;
  }
  return null;
};

test("what waits goes into a file with its numbers, and again until there is an answer (S-206)", async () => {
  const office = await Office.open();
  const db = await tablet(office);
  const first = await edit(db);
  const one = await office.read((await write(db)).data);
  assert.deepEqual(one.told.push.mutations.map(({ n }) => n), [1]);
  assert.equal(one.told.first_unanswered, 1);
  assert.deepEqual(await states(db), ["sent"]);
  await edit(db);
  const two = await office.read((await write(db)).data);
  assert.deepEqual([two.told.n, two.told.push.mutations.map(({ n }) => n)], [2, [1, 2]]);
  assert.equal((await take(db, await office.file({ results: [applied(first)], pull: {} }))).answers, 1);
  const three = await office.read((await write(db)).data);
  assert.deepEqual([three.told.push.mutations.map(({ n }) => n), three.told.first_unanswered], [[2], 2]);
  assert.equal(three.told.heard.here, "2026-11-23T09:00:00.000Z");
});

test("a text that is typed on after a file was written is an edit of its own", async () => {
  const office = await Office.open();
  const db = await tablet(office);
  await edit(db, { set: { summary: "Worn" } });
  await write(db);
  const more = mutation({ id: uuid7(), collection: "visit", documentId: "v1", baseVersion: 1, madeAt: "2026-11-23T08:01:00.000Z", set: { summary: "Worn seal" } });
  await database.saveEdit(db, { author: "laia", title: "", mutations: [more], coalesce: "summary" });
  assert.equal((await db.outbox.toArray()).length, 2);
});

test("photos come along, the smallest first, as many as were asked for (S-213)", async () => {
  const office = await Office.open();
  const db = await tablet(office);
  for (const [sha256, size] of [["b".repeat(64), 200], ["a".repeat(64), 100]]) {
    await db.photos.add({ sha256, blob: new Blob([new Uint8Array(size).fill(size)]), size, media_type: "image/jpeg", name: `${size}.jpg`, visit_id: "v1", item: null, made_at: "", author: "laia", state: "saved", sent: 0 });
  }
  const some = await write(db, { photoBytes: 150 });
  assert.deepEqual([some.photos, some.photosLeft], [1, 1]);
  const { told, behind } = await office.read(some.data);
  assert.deepEqual(told.files.map(({ name, size }) => [name, size]), [["100.jpg", 100]]);
  assert.deepEqual(behind, new Uint8Array(100).fill(100));
  assert.equal(told.awaiting.length, 2);
  assert.equal((await office.read((await write(db, { photoBytes: 1e6 })).data)).behind.length, 300);
  await take(db, await office.file({ receipts: [{ sha256: "a".repeat(64), state: "verified", received: 100, size: 100, problem: null }], pull: {} }));
  assert.deepEqual((await db.photos.toArray()).map(({ state }) => state), ["verified", "saved"]);
  assert.deepEqual(fitting([{ size: 5 }, { size: 3 }], 4), [{ size: 3 }]);
});

test("the office's file is taken as a pull is; twice, and an older one, change nothing (S-209 to S-211)", async () => {
  const office = await Office.open();
  const db = await tablet(office);
  const older = await office.file({ pull: { changes: [put("v1", 1)] } });
  const newer = await office.file({ pull: { changes: [put("v1", 2), put("v2", 1)] } });
  assert.deepEqual(await take(db, newer), { outcome: "taken", answers: 0, changes: 2, more: false });
  const before = [await db.documents.toArray(), await db.meta.toArray()];
  assert.equal((await take(db, newer)).outcome, "again");
  assert.equal((await take(db, older)).outcome, "older");
  assert.deepEqual([await db.documents.toArray(), await db.meta.toArray()], before);
  office.seq = 20;
  const next = await office.file({ pull: { from: "c10", from_seq: 10, changes: [{ collection: "visit", id: "v1", op: "drop", version: 3, reason: "reassigned" }] } });
  assert.equal((await take(db, next)).outcome, "taken");
  assert.deepEqual((await db.documents.toArray()).map(({ id }) => id), ["v2"]);
});

test("changes that do not go on from what is here are left, and the answers are taken (S-211)", async () => {
  const office = await Office.open();
  const db = await tablet(office);
  await take(db, await office.file({ pull: {} }));
  const id = await edit(db);
  office.seq = 40;
  const result = await take(db, await office.file({ results: [applied(id)], pull: { from: "c30", from_seq: 30, changes: [put("v9", 1)] } }));
  assert.deepEqual(result, { outcome: "gap", answers: 1, changes: 0, more: false });
  assert.deepEqual(await states(db), ["accepted"]);
  assert.equal(await database.readMeta(db, "cursor"), "c10");
});

test("which changes go on from where (S-211)", () => {
  const page = (from, from_seq, seq, more = false) => ({ from, from_seq, seq, more });
  assert.ok(continues(page("c", 5, 9), "c", 0), "its own cursor");
  assert.ok(continues(page("b", 5, 9), "c", 7), "read on by network since");
  assert.ok(continues(page(null, 0, 9), "c", 7), "a new baseline");
  assert.ok(continues(page("c", 5, 9, true), "c", 0), "a part from its own cursor");
  assert.ok(!continues(page("b", 5, 9, true), "c", 7), "a part from elsewhere");
  assert.ok(!continues(page("b", 5, 6), "c", 7), "overtaken");
  assert.ok(!continues(page("d", 8, 9), "c", 7), "something is missing between");
  assert.ok(!continues(page("b", 5, 9), null, 0), "nothing is here");
  assert.ok(continues(page(null, 0, 9), null, 0), "the beginning");
});

test("another history: all goes again, nothing of the old one comes back (S-212)", async () => {
  const office = await Office.open();
  const db = await tablet(office);
  const id = await edit(db);
  await take(db, await office.file({ results: [applied(id)], pull: {} }));
  const former = await office.file({ results: [applied(id)], pull: { from: "c10", from_seq: 10 } });
  office.epoch = "b";
  assert.equal((await take(db, await office.file({ n: 1 }))).outcome, "restored");
  assert.deepEqual(await states(db), ["saved"]);
  assert.equal(await database.readMeta(db, "cursor"), undefined);
  assert.equal((await take(db, former)).outcome, "older");
  assert.deepEqual(await states(db), ["saved"]);
  assert.ok(await database.readMeta(db, "keysToShow"));
  assert.equal((await take(db, await office.file({ results: [applied(id)], pull: { changes: [put("v1", 1)] } }))).outcome, "taken");
  assert.deepEqual(await states(db), ["accepted"]);
});

test("what is settled is not unsettled by a file (S-209)", async () => {
  const office = await Office.open();
  const db = await tablet(office);
  const id = await edit(db);
  await database.takeResults(db, [applied(id)], "2026-11-23T09:00:00.000Z");
  await take(db, await office.file({ results: [{ id, status: "held", version: null, conflicts: [], problem: null }], pull: {} }));
  assert.deepEqual(await states(db), ["accepted"]);
});

test("a file that is not for this tablet, or not whole, is refused and changes nothing (S-204)", async () => {
  const office = await Office.open();
  const db = await tablet(office);
  const file = await office.file({ pull: {} });
  const before = await db.meta.toArray();
  const altered = file.slice();
  altered[150] ^= 1;
  assert.equal(await faultOf(take(db, altered)), "altered");
  assert.equal(await faultOf(take(db, file.slice(0, -1))), "cut");
  assert.equal(await faultOf(take(db, new Uint8Array([1, 2, 3]))), "unreadable");
  assert.equal(await faultOf(take(db, await office.file({ device_id: "d2" }))), "not-for-here");
  assert.equal(await faultOf(take(db, await office.file({ direction: TO_OFFICE }))), "not-for-here");
  assert.equal(await faultOf(take(db, (await write(db)).data)), "not-for-here");
  const other = await tablet(await Office.open());
  assert.equal(await faultOf(take(other, file)), "not-for-here");
  assert.deepEqual((await db.meta.toArray()).filter(({ key }) => key !== "filesMade"), before);
  const bare = database.openDatabase(`carried-${++stores}`);
  await database.register(bare, { token: "t", device_id: "d9", device_name: "T", technician: { id: "laia", name: "Laia", locale: "en" }, company: {} });
  assert.equal(await faultOf(write(bare)), "no-keys");
});

test("keys are shown once, and made anew for another registration (S-200, S-201)", async () => {
  const office = await Office.open();
  const db = await tablet(office);
  const device = await database.readMeta(db, "device");
  await showKeys(db, office.ask, device);
  assert.equal(office.asked, 1);
  const first = office.tablet;
  await database.writeMeta(db, "keysToShow", true);
  await showKeys(db, office.ask, device);
  assert.deepEqual([office.asked, office.tablet], [2, first]);
  await showKeys(db, office.ask, { ...device, device_id: "d2" });
  assert.notDeepEqual(office.tablet, first);
});
