import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProblemError } from "../../server/web/shared/api.js";
import * as database from "../../server/web/technician/db.js";
import { sums, valueOf } from "../../server/web/technician/digest.js";
import { mutation } from "../../server/web/technician/outbox.js";
import { enrol, exchange, keepInContact, pushBeside, waitMs } from "../../server/web/technician/sync.js";
import { uuid7 } from "../../server/web/technician/uuid.js";

/** A small server that keeps the protocol's promises; `wrong` makes it break in chosen ways. */
class Office {
  documents = new Map();
  feed = [];
  journal = new Map();
  numbers = [];
  pushes = 0;
  wrong = null;
  epoch = "a";
  device = 0;
  conflicts = [];
  asked = 0;

  put(collection, document) {
    const version = (this.documents.get(document.id)?.version ?? 0) + 1;
    this.documents.set(document.id, { ...document, collection, version });
    this.feed.push({ id: document.id, op: "put" });
  }

  drop(id, reason) {
    this.feed.push({ id, op: "drop", reason });
  }

  ask = async (method, path, { body } = {}) => {
    const url = new URL(path, "http://office");
    const route = `${method} ${url.pathname}`;
    const problem = this.wrong?.(route, body);
    if (problem) throw problem;
    if (route === "POST /sync/v1/enrol") return { token: "t", device_id: `device-${++this.device}`, technician: { id: "laia", name: "Laia", locale: "en" }, company: { name: "C" } };
    if (route === "POST /sync/v1/push") return this.push(body);
    if (route === "GET /sync/v1/pull") return this.pull(url.searchParams.get("cursor"));
    if (route === "GET /sync/v1/mutations") return { mutations: [...this.journal.values()].map((result) => ({ ...result, status: "applied" })), more: false };
    if (route === "GET /sync/v1/package") return { first_day: "2026-11-09", last_day: "2026-12-07", visits_beyond: 0, first_beyond: null };
    if (route === "GET /sync/v1/conflicts") return { conflicts: (this.asked += 1) && this.conflicts };
    if (route === "POST /sync/v1/exchange-keys") throw new ProblemError({ title: "404", status: 404, code: "not-found" });
    if (route === "GET /sync/v1/digest") return this.digest(url.searchParams);
    if (route === "GET /sync/v1/documents") return { changes: url.searchParams.get("ids").split(",").map((id) => this.change(id)) };
    throw new Error(route);
  };

  /** What the feed named last of each document. */
  live() {
    return [...new Map(this.feed.map((row) => [row.id, row])).values()].filter(({ op }) => op === "put").map(({ id }) => this.change(id));
  }

  change(id) {
    const found = this.documents.get(id);
    if (!found || this.feed.findLast((row) => row.id === id)?.op !== "put") return { collection: null, id, op: "drop", version: null, reason: "not-needed", document: null };
    const { collection, version, ...document } = found;
    return { collection, id, op: "put", version, document: { ...document } };
  }

  async digest(query) {
    const values = await Promise.all(this.live().map(async (one) => ({ ...one, value: await valueOf({ ...one, body: one.document }) })));
    const own = values.filter((one) => one.collection === query.get("collection"));
    if (query.get("buckets")) return { behind: false, documents: Object.fromEntries(own.filter((one) => query.get("buckets").split(",").includes(one.id.slice(-2))).map((one) => [one.id, [one.version, one.value]])) };
    if (query.get("collection")) return { behind: false, buckets: sums(own.map((one) => [one.id.slice(-2), one.value])) };
    return { behind: false, collections: sums(values.map((one) => [one.collection, one.value])) };
  }

  push({ mutations }) {
    this.pushes += 1;
    const results = mutations.map((one) => {
      this.numbers.push(one.n);
      if (this.journal.has(one.id)) return { ...this.journal.get(one.id), status: "duplicate" };
      const document = { ...this.documents.get(one.document_id), ...one.set };
      for (const [field, added] of Object.entries(one.add)) document[field] = [...(document[field] ?? []), ...added];
      const { collection, version: _version, ...plain } = document;
      this.put(collection ?? one.collection, { ...plain, id: one.document_id });
      const result = { id: one.id, status: "applied", version: this.documents.get(one.document_id).version, conflicts: [], problem: null };
      this.journal.set(one.id, result);
      return result;
    });
    return { results, server_time: "2026-11-23T09:00:00.000Z" };
  }

  pull(cursor) {
    if (cursor && !cursor.startsWith(this.epoch)) throw problem(409, "epoch-changed");
    const from = cursor ? Number(cursor.slice(1)) : 0;
    const page = this.feed.slice(from, from + 3);
    const changes = page.map(({ id, op, reason }) => {
      const { collection, ...document } = this.documents.get(id);
      return { collection, id, op, reason, version: document.version, document: op === "put" ? document : null };
    });
    return { changes, cursor: `${this.epoch}${from + page.length}`, more: from + page.length < this.feed.length, first_sync_complete: true };
  }
}

const problem = (status, code = String(status), more = {}) => new ProblemError({ title: code, status, code, ...more });
let stores = 0;

async function tablet(office) {
  const db = database.openDatabase(`tablet-${++stores}`);
  await enrol(db, office.ask, { code: "abcde-12345", deviceName: "Tablet" });
  return db;
}

const edit = (db, more = {}, id = "v1") => database.saveEdit(db, { author: "laia", title: "Del Clos", mutations: [mutation({ id: uuid7(), collection: "visit", documentId: id, baseVersion: 1, madeAt: "2026-11-23T09:00:00.000Z", ...more })] });
const note = (text) => ({ add: { notes: [{ id: uuid7(), text, at: "2026-11-23T09:00:00.000Z" }] } });
const states = async (db) => (await db.outbox.toArray()).map((entry) => entry.state);
const round = (db, office) => exchange(db, office.ask, { now: () => Date.parse("2026-11-23T09:00:00.000Z") });

function office() {
  const made = new Office();
  made.put("site", { id: "s1", name: "Del Clos" });
  made.put("visit", { id: "v1", site_id: "s1", title: "No ice", planned_start: "2026-11-23T09:00:00Z", notes: [] });
  return made;
}

test("every write asks the browser for the disk, not for a promise of it", async () => {
  const asked = [];
  const plain = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (stores, mode, options) {
    if (mode === "readwrite") asked.push(options?.durability);
    return plain.call(this, stores, mode, options);
  };
  try {
    const db = await tablet(office());
    await edit(db, note("x"));
    assert.ok(asked.length >= 2);
    assert.deepEqual([...new Set(asked)], ["strict"]);
  } finally {
    IDBDatabase.prototype.transaction = plain;
  }
});

test("saved means that the transaction is complete", async () => {
  const order = [];
  const plain = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (stores, mode, options) {
    const made = plain.call(this, stores, mode, options);
    if (mode === "readwrite") made.addEventListener("complete", () => order.push("complete"));
    return made;
  };
  try {
    const db = await tablet(office());
    order.length = 0;
    await edit(db, note("x"));
    order.push("saved");
  } finally {
    IDBDatabase.prototype.transaction = plain;
  }
  assert.deepEqual(order, ["complete", "saved"]);
});

test("an edit and its photo are kept together or not at all", async () => {
  const db = await tablet(office());
  const photo = { sha256: "aa", blob: new Blob(["x"]), size: 1, media_type: "image/jpeg", name: "p", visit_id: "v1", item: null, made_at: "", author: "laia", state: "saved", sent: 0 };
  const same = mutation({ id: "twice", collection: "visit", documentId: "v1", baseVersion: 1, madeAt: "" });
  await assert.rejects(database.saveEdit(db, { author: "laia", title: "", mutations: [same, same], photo }));
  assert.equal(await db.photos.count(), 0);
  assert.equal(await db.outbox.count(), 0);
  assert.equal((await database.readMeta(db, "nextN")) ?? 1, 1);
});

test("what the office has arrives, what is here goes out, numbered without a gap", async () => {
  const server = office();
  const db = await tablet(server);
  for (const text of ["a", "b", "c"]) await edit(db, note(text));
  assert.equal((await round(db, server)).outcome, "ok");
  assert.deepEqual(server.numbers, [1, 2, 3]);
  assert.deepEqual(await states(db), ["accepted", "accepted", "accepted"]);
  assert.deepEqual((await db.documents.get(["visit", "v1"])).document.notes.map((one) => one.text), ["a", "b", "c"]);
});

test("a lost reply loses nothing and doubles nothing", async () => {
  const server = office();
  const db = await tablet(server);
  await edit(db, note("a"));
  const { ask } = server;
  server.ask = async (...args) => {
    const answer = await ask(...args);
    if (args[1].endsWith("/push")) throw problem(0, "no-contact");
    return answer;
  };
  assert.equal((await round(db, server)).outcome, "no_contact");
  assert.deepEqual(await states(db), ["sent"]);
  server.ask = ask;
  assert.equal((await round(db, server)).outcome, "ok");
  assert.deepEqual(await states(db), ["accepted"]);
  assert.equal(server.documents.get("v1").notes.length, 1);
});

for (const [status, outcome] of [[0, "no_contact"], [401, "signed_out"], [403, "error"], [426, "too_old"], [429, "busy"], [502, "busy"], [503, "busy"], [504, "busy"]]) {
  test(`an answer of ${status} to a push keeps the queue as it is`, async () => {
    const server = office();
    const db = await tablet(server);
    await edit(db, note("a"));
    server.wrong = (route) => (route.endsWith("/push") ? problem(status, status ? String(status) : "no-contact", { retryAfter: 7 }) : null);
    const result = await round(db, server);
    assert.equal(result.outcome, outcome);
    assert.deepEqual(await states(db), ["sent"]);
    server.wrong = null;
    await round(db, server);
    assert.deepEqual(await states(db), ["accepted"]);
  });
}

test("one edit that the server falls over is set aside, and the others go in", async () => {
  const server = office();
  const db = await tablet(server);
  for (const text of ["a", "poison", "c", "d"]) await edit(db, note(text));
  server.wrong = (route, body) => (route.endsWith("/push") && JSON.stringify(body).includes("poison") ? problem(500) : null);
  for (let i = 0; i < 4; i++) await round(db, server);
  assert.deepEqual((await states(db)).sort(), ["accepted", "accepted", "accepted", "needs"]);
  assert.deepEqual(server.documents.get("v1").notes.map((one) => one.text), ["a", "c", "d"]);
});

test("a push that is refused for its content is halved until the culprit is found", async () => {
  const server = office();
  const db = await tablet(server);
  for (const text of ["a", "too much", "c"]) await edit(db, note(text));
  server.wrong = (route, body) => (route.endsWith("/push") && JSON.stringify(body).includes("too much") ? problem(413) : null);
  assert.equal((await round(db, server)).outcome, "ok");
  assert.deepEqual((await states(db)).sort(), ["accepted", "accepted", "needs"]);
});

test("a rejected edit keeps its words and its reason, and may be sent once more under a new number", async () => {
  const server = office();
  const db = await tablet(server);
  await edit(db, note("a"));
  const { push } = server;
  server.push = (body) => ({ results: body.mutations.map((one) => ({ id: one.id, status: "rejected", version: null, conflicts: [], problem: { title: "Closed" } })), server_time: "2026-11-23T09:00:00Z" });
  await round(db, server);
  const [entry] = await db.outbox.toArray();
  assert.equal(entry.state, "needs");
  assert.equal(entry.problem.title, "Closed");
  assert.equal(entry.mutation.add.notes[0].text, "a");
  server.push = push;
  await database.sendOnceMore(db, entry.seq);
  await round(db, server);
  assert.deepEqual(await states(db), ["accepted"]);
  assert.equal(server.numbers.at(-1), 2);
});

test("what the office holds back gets its word later", async () => {
  const server = office();
  const db = await tablet(server);
  await edit(db, note("a"));
  const { push } = server;
  server.push = (body) => ({ ...push.call(server, body), results: body.mutations.map((one) => ({ id: one.id, status: "held", version: null, conflicts: [], problem: null })) });
  server.wrong = (route) => (route.endsWith("/mutations") ? problem(503) : null);
  await round(db, server);
  assert.deepEqual(await states(db), ["waiting"]);
  server.wrong = null;
  await round(db, server);
  assert.deepEqual(await states(db), ["accepted"]);
});

test("enrolled anew after a revocation, the unsent work goes out from number 1", async () => {
  const server = office();
  const db = await tablet(server);
  await edit(db, note("a"));
  await round(db, server);
  await edit(db, note("b"));
  server.wrong = (route) => (route.endsWith("/enrol") ? null : problem(401));
  assert.equal((await round(db, server)).outcome, "signed_out");
  assert.equal(await database.readMeta(db, "signedOut"), true);
  server.wrong = null;
  await enrol(db, server.ask, { code: "x", deviceName: "Tablet" });
  await round(db, server);
  assert.deepEqual(server.numbers, [1, 1]);
  assert.deepEqual(server.documents.get("v1").notes.map((one) => one.text), ["a", "b"]);
});

test("a colleague's unsent work stays here under their name", async () => {
  const server = office();
  const db = await tablet(server);
  await edit(db, note("hers"));
  const { ask } = server;
  await enrol(db, async (...args) => ({ ...(await ask(...args)), technician: { id: "jordi", name: "Jordi", locale: "en" } }), { code: "x", deviceName: "Tablet" });
  await round(db, server);
  assert.deepEqual(await states(db), ["saved"]);
  assert.equal(server.pushes, 0);
});

test("a visit that was taken away goes, and what was written about it is sent all the same", async () => {
  const server = office();
  const db = await tablet(server);
  await round(db, server);
  await edit(db, note("was there"));
  server.drop("v1", "reassigned");
  server.put = function (collection, document) {
    this.documents.set(document.id, { ...document, collection, version: (this.documents.get(document.id)?.version ?? 0) + 1 });
  };
  await round(db, server);
  assert.equal(await db.documents.get(["visit", "v1"]), undefined);
  assert.deepEqual(await states(db), ["accepted"]);
  assert.equal((await database.readMeta(db, "news"))[0].reason, "reassigned");
});

test("a server restored to an earlier time gets everything again, and what it forgot leaves the tablet", async () => {
  const server = office();
  const db = await tablet(server);
  server.put("visit", { id: "v2", site_id: "s1", title: "Lost with the restore" });
  await edit(db, note("a"));
  await round(db, server);
  const restored = office();
  restored.epoch = "b";
  assert.equal((await round(db, restored)).outcome, "ok");
  assert.deepEqual(restored.documents.get("v1").notes.map((one) => one.text), ["a"]);
  assert.equal(await db.documents.get(["visit", "v2"]), undefined);
  assert.deepEqual(await states(db), ["accepted"]);
});

test("a tablet that was silent for too long begins anew, and what was written on it waits its turn", async () => {
  const server = office();
  server.put("visit", { id: "v2", site_id: "s1", title: "Left long ago" });
  const db = await tablet(server);
  await edit(db, note("first"));
  await round(db, server);
  server.feed = server.feed.filter(({ id }) => id !== "v2");
  let told = 0;
  const pull = server.pull.bind(server);
  server.pull = async (cursor) => {
    if (!cursor || told++) return pull(cursor);
    await edit(db, note("second"));
    throw problem(410, "cursor-too-old");
  };
  assert.equal((await round(db, server)).outcome, "ok");
  assert.equal((await round(db, server)).outcome, "ok");
  assert.ok(told > 1);
  assert.deepEqual(server.documents.get("v1").notes.map((one) => one.text), ["first", "second"]);
  assert.deepEqual(await states(db), ["accepted", "accepted"]);
  assert.equal(await db.documents.get(["visit", "v2"]), undefined);
});

test("a page that is late never replaces a newer version", async () => {
  const db = await tablet(office());
  const page = (version, title) => ({ changes: [{ collection: "visit", id: "v1", op: "put", version, document: { id: "v1", title } }], cursor: "a", more: false });
  await database.takePage(db, page(5, "new"), { at: "t", fresh: true });
  await database.takePage(db, page(4, "old"), { at: "t", fresh: false });
  assert.equal((await db.documents.get(["visit", "v1"])).document.title, "new");
});

test("that the work of today is here is known before the rest of the first load is", async () => {
  const db = await tablet(office());
  const page = { changes: [{ collection: "visit", id: "v1", op: "put", version: 1, document: { title: "Today" } }], cursor: "a" };
  await database.takePage(db, { ...page, more: true, first_sync_complete: false, today_complete: true }, { at: "2026-11-23T08:00:00.000Z", fresh: true });
  assert.equal(await database.readMeta(db, "firstToday"), "2026-11-23T08:00:00.000Z");
  assert.equal(await database.readMeta(db, "firstSync"), undefined);
  await database.takePage(db, { ...page, more: false, first_sync_complete: true, today_complete: true }, { at: "2026-11-23T08:01:00.000Z", fresh: false });
  assert.equal(await database.readMeta(db, "firstToday"), "2026-11-23T08:00:00.000Z");
  assert.equal(await database.readMeta(db, "firstSync"), "2026-11-23T08:01:00.000Z");
});

test("the first sync is no news, the next one is", async () => {
  const server = office();
  const db = await tablet(server);
  await round(db, server);
  assert.equal(await database.readMeta(db, "news"), undefined);
  const { collection: _collection, version: _version, ...visit } = server.documents.get("v1");
  server.put("visit", { ...visit, planned_start: "2026-11-23T12:00:00Z" });
  await round(db, server);
  assert.deepEqual((await database.readMeta(db, "news")).map((line) => [line.kind, line.from]), [["moved", "2026-11-23T09:00:00Z"]]);
});

test("text typed on makes one edit until it is handed to the network", async () => {
  const server = office();
  const db = await tablet(server);
  const type = (text) => database.saveEdit(db, { author: "laia", title: "", coalesce: "work_summary", mutations: [mutation({ id: uuid7(), collection: "visit", documentId: "v1", baseVersion: 1, madeAt: "", set: { work_summary: text } })] });
  await type("cl");
  await type("cleaned");
  assert.equal(await db.outbox.count(), 1);
  await round(db, server);
  await type("cleaned, tested");
  await round(db, server);
  assert.deepEqual(server.numbers, [1, 2]);
  assert.equal(server.documents.get("v1").work_summary, "cleaned, tested");
});

test("text typed at any moment of a push is sent in the end", async () => {
  const turn = () => new Promise((done) => setImmediate(done));
  for (let turns = 0; turns < 25; turns++) {
    const server = office();
    const db = await tablet(server);
    const type = (text) => database.saveEdit(db, { author: "laia", title: "", coalesce: "work_summary", mutations: [mutation({ id: uuid7(), collection: "visit", documentId: "v1", baseVersion: 1, madeAt: "", set: { work_summary: text } })] });
    await type("clean");
    const running = round(db, server);
    for (let n = 0; n < turns; n++) await turn();
    await type("cleaned, tested");
    await running;
    await round(db, server);
    assert.equal(server.documents.get("v1").work_summary, "cleaned, tested", `typed after ${turns} turns`);
    db.close();
  }
});

test("after failures the tries come later and later; the server's wish is obeyed", () => {
  const failed = (outcome, retryAfterS = null) => ({ outcome, problem: null, retryAfterS });
  assert.deepEqual([1, 2, 3, 9].map((failures) => waitMs(failed("busy"), failures)), [2000, 4000, 8000, 60_000]);
  assert.equal(waitMs(failed("no_contact"), 9), 30_000);
  assert.equal(waitMs(failed("busy", 17), 1), 17_000);
  assert.equal(waitMs(failed("ok"), 0), 30_000);
});

test("an edit during a round starts another round", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const rounds = [];
  const runner = keepInContact({ round: () => new Promise((resolve) => rounds.push(resolve)), onChange: () => {}, page: { addEventListener: () => {} } });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  context.mock.timers.tick(0);
  assert.equal(rounds.length, 1);
  runner.soon();
  rounds[0]({ outcome: "ok", problem: null, retryAfterS: null });
  await settle();
  context.mock.timers.tick(0);
  assert.equal(rounds.length, 2);
  runner.stop();
});

test("S-99: what is pressed while the office's news are on their way is sent at once, not after them", async () => {
  const server = office();
  const db = await tablet(server);
  await edit(db, note("before"));
  const order = [];
  /** @type {(value?: any) => void} */ let arrive = () => {};
  /** @type {(value?: any) => void} */ let asked = () => {};
  const pulling = new Promise((done) => (asked = done));
  const page = new Promise((done) => (arrive = done));
  const ask = async (method, path, options) => {
    order.push(path.split("?")[0].split("/").at(-1));
    if (path.includes("/pull")) {
      asked();
      await page;
    }
    return server.ask(method, path, options);
  };
  const running = exchange(db, ask, { now: () => Date.parse("2026-11-23T09:00:00.000Z"), onPushed: () => order.push("photos may go on") });
  await pulling;
  await edit(db, note("meanwhile"));
  assert.equal(await pushBeside(db, ask), true);
  assert.deepEqual(order, ["push", "photos may go on", "pull", "push"]);
  assert.deepEqual(await states(db), ["accepted", "accepted"]);
  arrive();
  assert.equal((await running).outcome, "ok");
  assert.deepEqual(server.documents.get("v1").notes.map((one) => one.text), ["before", "meanwhile"]);
});

test("a push beside a round that fails is left to the next round", async () => {
  const server = office();
  const db = await tablet(server);
  await edit(db, note("a"));
  server.wrong = () => problem(0, "no-contact");
  assert.equal(await pushBeside(db, server.ask), false);
  assert.deepEqual(await states(db), ["sent"]);
  server.wrong = null;
  await round(db, server);
  assert.deepEqual(await states(db), ["accepted"]);
});

test("an edit during a round is sent beside it, and a round follows", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let beside = 0;
  const rounds = [];
  const runner = keepInContact({ round: () => new Promise((resolve) => rounds.push(resolve)), beside: async () => void (beside += 1), onChange: () => {}, page: { addEventListener: () => {} } });
  context.mock.timers.tick(0);
  runner.soon();
  assert.deepEqual([beside, rounds.length], [1, 1]);
  rounds[0]({ outcome: "ok", problem: null, retryAfterS: null });
  await new Promise((resolve) => setImmediate(resolve));
  context.mock.timers.tick(0);
  assert.equal(rounds.length, 2);
  runner.stop();
});

test("a line that is gone is given up soon, and a slow one gets more time each time", async () => {
  const server = office();
  const db = await tablet(server);
  await edit(db, note("a"));
  const given = [];
  const ask = (dead) => async (method, path, options) => {
    if (path.endsWith("/push")) given.push(options.timeoutMs / 1000);
    if (dead) throw problem(0, "no-contact");
    return server.ask(method, path, options);
  };
  for (const dead of [true, true, true, true, false]) await exchange(db, ask(dead), { now: () => Date.parse("2026-11-23T09:00:00.000Z") });
  await edit(db, note("b"));
  await exchange(db, ask(false), { now: () => Date.parse("2026-11-23T09:00:00.000Z") });
  assert.deepEqual(given, [15, 30, 60, 60, 60, 15]);
});

test("a tablet finds once a day what is not right on it, and repairs just that", async () => {
  const server = office();
  const db = await tablet(server);
  await round(db, server);
  assert.deepEqual(await database.readMeta(db, "checked"), { at: "2026-11-23T09:00:00.000Z", whole: true, repaired: 0, schema: 1 });
  await edit(db, note("unsent"));
  await db.documents.update(["visit", "v1"], { "document.title": "No rice" });
  await db.documents.put({ collection: "site", id: "s9", document: { id: "s9", version: 1, name: "Elsewhere" }, generation: 1 });
  await db.documents.delete(["site", "s1"]);
  await round(db, server);
  assert.equal((await db.documents.get(["site", "s9"])).id, "s9", "not before the day is over");
  await exchange(db, server.ask, { now: () => Date.parse("2026-11-24T10:00:00.000Z") });
  assert.equal((await database.readMeta(db, "checked")).whole, true);
  assert.equal((await database.readMeta(db, "checked")).repaired, 2, "the visit came whole with the push");
  assert.equal(await db.documents.get(["site", "s9"]), undefined);
  assert.equal((await db.documents.get(["site", "s1"])).document.name, "Del Clos");
  assert.equal((await db.documents.get(["visit", "v1"])).document.title, "No ice");
});

test("a server without checksums is no fault", async () => {
  const server = office();
  server.wrong = (route) => (route === "GET /sync/v1/digest" ? problem(404, "not-found") : null);
  const db = await tablet(server);
  assert.equal((await round(db, server)).outcome, "ok");
  assert.equal(await database.readMeta(db, "checked"), undefined);
});

test("a clock that is set makes nothing old: what was sent is kept for 14 days of the office's time", async () => {
  const there = office();
  const db = await tablet(there);
  const behind = { now: () => Date.parse("2020-01-01T09:00:00.000Z") };
  await edit(db, note("made with a clock that is years behind"));
  assert.equal((await exchange(db, there.ask, behind)).outcome, "ok");
  assert.equal((await round(db, there)).outcome, "ok");
  assert.deepEqual(await states(db), ["accepted"]);
  await edit(db, note("made after it was set"));
  await round(db, there);
  assert.deepEqual(await states(db), ["accepted", "accepted"]);
});

test("what was sent goes when the office says that 14 days are over", async () => {
  const there = office();
  const db = await tablet(there);
  await edit(db, note("old"));
  await round(db, there);
  const push = there.push.bind(there);
  there.push = (body) => ({ ...push(body), server_time: "2026-12-09T09:00:00.000Z" });
  await edit(db, note("new"));
  await round(db, there);
  assert.equal((await db.outbox.toArray()).length, 1);
});

test("conflicts are asked for after a push that met with one, and not with every exchange", async () => {
  const made = office();
  const db = await tablet(made);
  await round(db, made);
  await round(db, made);
  assert.equal(made.asked, 1);
  made.conflicts = [{ id: "c1", state: "settled" }];
  const plain = made.push.bind(made);
  made.push = (body) => {
    const answer = plain(body);
    return { ...answer, results: answer.results.map((result) => ({ ...result, conflicts: [{ id: "c1" }] })) };
  };
  await edit(db, note("a"));
  await round(db, made);
  assert.equal(made.asked, 2);
  assert.deepEqual((await db.conflicts.toArray()).map((one) => one.id), ["c1"]);
});

test("a visit that is taken away leaves its reason, keeps its unsent edits, and is told no more when it comes back", async () => {
  const made = office();
  const db = await tablet(made);
  await round(db, made);
  assert.ok(Date.parse((await db.meta.get("firstSync")).value));
  made.wrong = (route) => route === "POST /sync/v1/push" && problem(503);
  await edit(db, note("hums"));
  await round(db, made);
  made.drop("v1", "reassigned");
  made.wrong = null;
  await database.takePage(db, { ...made.pull((await db.meta.get("cursor")).value), more: false }, { at: "2026-11-23T10:00:00.000Z", fresh: false });
  assert.deepEqual(await db.gone.get("v1"), { id: "v1", title: "Del Clos", reason: "reassigned", at: "2026-11-23T10:00:00.000Z" });
  assert.equal(await db.documents.get(["visit", "v1"]), undefined);
  await round(db, made);
  assert.deepEqual(await states(db), ["accepted"]);
  made.put("visit", { ...made.documents.get("v1"), title: "Back" });
  await round(db, made);
  assert.equal(await db.gone.get("v1"), undefined);
});
