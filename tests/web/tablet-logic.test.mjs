import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as checks from "../../server/web/technician/checks.js";
import * as clock from "../../server/web/technician/clock.js";
import * as day from "../../server/web/technician/day.js";
import { gather, newsOf } from "../../server/web/technician/news.js";
import * as outbox from "../../server/web/technician/outbox.js";
import { overlay } from "../../server/web/technician/overlay.js";
import { routeOf } from "../../server/web/technician/route.js";
import { uuid7 } from "../../server/web/technician/uuid.js";

let seq = 0;
const entry = (mutation, more = {}) => ({
  seq: ++seq, id: `m${seq}`, n: seq, author: "laia", title: "", state: "saved", tries: 0,
  mutation: { id: `m${seq}`, collection: "visit", document_id: "v1", op: "update", base_version: 3, set: {}, add: {}, remove: {}, made_at: "2026-11-23T09:00:00.000Z", group: null, ...mutation },
  ...more,
});
const measured = { key: "t", kind: "measure", text: { en: "T" }, unit: "°C", min: 5, max: 15, mandatory: true };

test("what was written here lies over what the server said", () => {
  const shown = overlay({ id: "v1", version: 3, work_summary: "old", notes: [{ id: "a" }] }, [entry({ set: { work_summary: "new" }, add: { notes: [{ id: "b" }] } })]);
  assert.equal(shown.work_summary, "new");
  assert.deepEqual(shown.notes.map((note) => note.id), ["a", "b"]);
});

test("an edit that the server's copy holds is not laid on again: somebody may have changed it since", () => {
  const accepted = entry({ set: { work_summary: "mine" } }, { state: "accepted", version: 4 });
  assert.equal(overlay({ id: "v1", version: 5, work_summary: "the office's" }, [accepted]).work_summary, "the office's");
  assert.equal(overlay({ id: "v1", version: 3, work_summary: "old" }, [accepted]).work_summary, "mine");
});

test("a refused edit is not shown as if it were true", () => {
  const refused = entry({ set: { work_summary: "mine" } }, { state: "needs", result: "rejected" });
  assert.equal(overlay({ id: "v1", version: 3, work_summary: "old" }, [refused]).work_summary, "old");
});

test("an entry that came back from the server is not doubled", () => {
  fc.assert(fc.property(fc.array(fc.uuid(), { maxLength: 6 }), (ids) => {
    const shown = overlay({ id: "v1", version: 3, notes: ids.map((id) => ({ id })) }, [entry({ add: { notes: ids.map((id) => ({ id })) } })]);
    assert.equal(shown.notes.length, ids.length);
  }));
});

test("events written here move the state, unless the office has reviewed the visit", () => {
  const started = entry({ add: { events: [{ id: "e", type: "started", at: "2026-11-23T09:00:00.000Z" }] } });
  assert.equal(overlay({ id: "v1", version: 3, events: [], exec_state: "not_started" }, [started]).exec_state, "working");
  const events = ["started", "done", "reviewed"].map((type, n) => ({ id: type, type, at: `2026-11-23T08:0${n}:00.000Z` }));
  const undo = entry({ add: { events: [{ id: "u", type: "undo", undoes: "done", at: "2026-11-23T09:00:00.000Z" }] } });
  assert.equal(overlay({ id: "v1", version: 3, events, exec_state: "reviewed" }, [undo]).exec_state, "reviewed");
});

test("a batch goes out in the order of n and leaves other people's work alone", () => {
  const entries = [entry({}, { n: 3 }), entry({}, { n: 1 }), entry({}, { n: 2, author: "jordi" }), entry({}, { n: 4, state: "accepted" })];
  assert.deepEqual(outbox.nextBatch(entries, "laia").map((one) => one.n), [1, 3]);
});

test("a group is not cut in two by the limit", () => {
  const entries = [entry({}, { n: 1 }), entry({ group: "g" }, { n: 2 }), entry({ group: "g" }, { n: 3 }), entry({}, { n: 4 })];
  assert.deepEqual(outbox.nextBatch(entries, "laia", 2).map((one) => one.n), [1]);
  assert.deepEqual(outbox.nextBatch(entries.slice(1), "laia", 1).map((one) => one.n), [2, 3]);
});

test("without a word from the server an entry stays what it was", () => {
  const one = entry({}, { state: "sent" });
  assert.equal(outbox.settle(one, undefined, "now").state, "sent");
  assert.equal(outbox.settle(one, { id: one.id, status: "something new" }, "now").state, "sent");
});

test("each word of the server leads to one place", () => {
  const where = (status) => outbox.settle(entry({}), { id: "x", status }, "now").state;
  assert.deepEqual(["applied", "merged", "overridden", "duplicate", "held", "rejected"].map(where), ["accepted", "accepted", "accepted", "accepted", "waiting", "needs"]);
});

test("under a new registration the unsent work of its author is numbered from 1 without a gap", () => {
  fc.assert(fc.property(fc.array(fc.record({ author: fc.constantFrom("laia", "jordi"), state: fc.constantFrom("saved", "sent", "accepted", "needs", "waiting") })), (kinds) => {
    const { entries, nextN } = outbox.renumber(kinds.map((kind) => entry({}, kind)), "laia");
    const numbers = entries.filter((one) => one.n !== null).map((one) => one.n);
    assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
    assert.equal(nextN, numbers.length + 1);
    assert.ok(entries.every((one) => one.n === null || (one.author === "laia" && one.state === "saved")));
  }));
});

test("typing on changes the open entry, never one that was handed to the network", () => {
  const open = entry({ set: { work_summary: "a" } });
  const edit = { author: "laia", documentId: "v1", field: "work_summary" };
  assert.equal(outbox.openEdit([open], edit), open);
  assert.equal(outbox.openEdit([{ ...open, state: "sent" }], edit), null);
  assert.equal(outbox.openEdit([open, entry({ add: { notes: [{ id: "n" }] } })], edit), null);
});

test("it is safe to sign out only when nothing is only here", () => {
  const count = (entries, photos) => outbox.counts(entries, photos, "2026-11-23", (moment) => moment.slice(0, 10));
  assert.equal(outbox.safeToSignOut(count([], [])), true);
  assert.equal(outbox.safeToSignOut(count([entry({}, { state: "accepted", settled_at: "2026-11-23T10:00:00Z" })], [{ state: "verified", size: 1 }])), true);
  assert.equal(outbox.safeToSignOut(count([entry({}, { state: "sent" })], [])), false);
  assert.equal(outbox.safeToSignOut(count([], [{ state: "sent", size: 1 }])), false);
  assert.equal(outbox.safeToSignOut(count([entry({}, { state: "needs" })], [])), false);
});

test("what was sent is kept for 14 days after the office accepted it", () => {
  const accepted = entry({}, { state: "accepted", settled_at: "2026-11-01T00:00:00Z" });
  assert.equal(outbox.mayForget(accepted, new Date("2026-11-14T00:00:00Z")), false);
  assert.equal(outbox.mayForget(accepted, new Date("2026-11-16T00:00:00Z")), true);
  assert.equal(outbox.mayForget({ ...accepted, state: "sent" }, new Date("2027-01-01T00:00:00Z")), false);
});

test("the clock's offset lies within half a round trip of the truth", () => {
  fc.assert(fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.nat(5000), fc.nat(5000), (offset, there, back) => {
    const estimate = clock.measure(1_000_000, 1_000_000 + there + back, new Date(1_000_000 + there + offset).toISOString());
    assert.ok(Math.abs(estimate.offsetMs - offset) <= estimate.uncertaintyMs);
  }));
});

test("a jump of the clock is believed at once, a worse estimate is not", () => {
  const good = { offsetMs: 100, uncertaintyMs: 20, at: 0 };
  assert.equal(clock.better(good, { offsetMs: 150, uncertaintyMs: 900, at: 1000 }), good);
  const jumped = { offsetMs: 3_600_000, uncertaintyMs: 900, at: 1000 };
  assert.equal(clock.better(good, jumped), jumped);
});

test("limits are included; the distance is told without binary dust", () => {
  assert.deepEqual(checks.verdict(measured, 15), { state: "in", distance: 0 });
  assert.deepEqual(checks.verdict(measured, 15.3), { state: "above", distance: 0.3 });
  assert.deepEqual(checks.verdict(measured, 4.9), { state: "below", distance: 0.1 });
});

test("every value lies on its scale, and the labels of the limits never meet, however far off it is", () => {
  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const limit = fc.integer({ min: -10_000, max: 10_000 });
  fc.assert(fc.property(limit, limit, number, (a, b, value) => {
    const { box, place, beyond } = checks.scale({ ...measured, min: Math.min(a, b), max: Math.max(a, b) });
    assert.ok(place(value) >= 0 && place(value) <= 1);
    if (a !== b) assert.ok(box[1] - box[0] > 0.49);
    if (beyond(value)) assert.ok(value < Math.min(a, b) || value > Math.max(a, b));
  }));
  fc.assert(fc.property(limit, number, fc.boolean(), (bound, value, upper) => {
    const item = { ...measured, min: upper ? null : bound, max: upper ? bound : null };
    const { box, place, beyond } = checks.scale(item);
    assert.ok(box[1] - box[0] > 0.6 && place(value) >= 0 && place(value) <= 1);
    // Beyond the end of the scale on the good side nothing is wrong: the arrow alone says that it goes on.
    if (checks.verdict(item, value).state === "in" && place(value) < 1 && place(value) > 0) assert.equal(beyond(value), 0);
  }));
});

test("the keypad writes one mark, one sign, and takes digits back", () => {
  const typed = (...keys) => keys.reduce(checks.type, "");
  assert.equal(typed("1", "4", ",", "2", ","), "14,2");
  assert.equal(typed(",", "5"), "0,5");
  assert.equal(typed("3", "-"), "-3");
  assert.equal(typed("3", "-", "-"), "3");
  assert.equal(typed("3", "4", "back"), "3");
});

test("the last answer by time counts, whatever order it arrived in", () => {
  const answers = [{ id: "2", item: "t", value: 14, at: "2026-11-23T10:00:00Z" }, { id: "1", item: "t", value: 19, at: "2026-11-23T09:00:00Z" }];
  assert.equal(checks.latest(answers).get("t").value, 14);
});

test("the rest is OK answers plain checks only", () => {
  const items = [{ key: "a", kind: "check", mandatory: true }, { key: "b", kind: "check", mandatory: true }, measured, { key: "p", kind: "photo", mandatory: true }];
  assert.deepEqual(checks.restIsOk(items, [{ id: "1", item: "a", value: false, at: "2026" }]).map((item) => item.key), ["b"]);
});

test("a promise is at risk while the drive and a quarter of an hour do not fit any more", () => {
  const visit = { promised_by: "2026-11-23T11:30:00Z", events: [] };
  const at = (time) => day.promise(visit, Date.parse(`2026-11-23T${time}:00Z`), 16 * 60)?.state;
  assert.equal(at("10:58"), "in_time");
  assert.equal(at("11:00"), "at_risk");
  assert.equal(at("11:31"), "late");
});

test("a promise is kept by who came, not by who finished", () => {
  const visit = { promised_by: "2026-11-23T11:30:00Z", events: [{ id: "1", type: "arrived", at: "2026-11-23T11:20:00Z" }] };
  assert.equal(day.promise(visit, Date.parse("2026-11-23T15:00:00Z"), 0)?.state, "kept");
});

test("unfinished visits of earlier days are owed today, finished ones are past", () => {
  const visit = (id, date, state) => ({ id, version: 1, planned_start: `${date}T09:00:00Z`, exec_state: state });
  const list = [visit("a", "2026-11-20", "not_started"), visit("b", "2026-11-20", "done"), visit("c", "2026-11-23", "done"), visit("d", "2026-11-24", "not_started")];
  const days = day.byDay(list, "2026-11-23", (one) => one.planned_start.slice(0, 10));
  assert.deepEqual(days.earlier.map((one) => one.id), ["a"]);
  assert.deepEqual(days.current.map((one) => one.id), ["c"]);
  assert.deepEqual(days.later.map(([date, own]) => [date, own.length]), [["2026-11-24", 1]]);
});

const today = "2026-11-23";
const listed = (list) => {
  const days = day.byDay(list, today, (one) => one.planned_start?.slice(0, 10) ?? "", (one) => one.finished_at?.slice(0, 10) ?? "");
  return [days.earlier, days.current].map((visits) => visits.map((one) => one.id));
};

test("what is done today is in today's list, whenever it was planned for", () => {
  const list = [
    { id: "tomorrow's", planned_start: "2026-11-24T09:00:00Z", exec_state: "done", started_at: `${today}T11:00:00Z`, finished_at: `${today}T12:00:00Z` },
    { id: "yesterday's", planned_start: "2026-11-22T09:00:00Z", exec_state: "done", started_at: `${today}T07:00:00Z`, finished_at: `${today}T08:00:00Z` },
    { id: "begun early", planned_start: "2026-11-25T09:00:00Z", exec_state: "working", started_at: `${today}T13:00:00Z` },
    { id: "of today", planned_start: `${today}T10:00:00Z`, exec_state: "not_started" },
    { id: "done before", planned_start: "2026-11-21T09:00:00Z", exec_state: "done", finished_at: "2026-11-21T10:00:00Z" },
  ];
  assert.deepEqual(listed(list), [[], ["yesterday's", "of today", "tomorrow's", "begun early"]]);
});

const back = { id: "r", type: "returned", at: `${today}T09:00:00Z`, reason: "The seal number is missing" };
const sentBack = { id: "v", planned_start: `${today}T08:00:00Z`, exec_state: "accepted", events: [{ id: "d", type: "done", at: `${today}T08:30:00Z` }, back] };

test("a visit that the office sent back says so until its work is finished again", () => {
  assert.equal(day.returned(sentBack).reason, "The seal number is missing");
  assert.equal(day.returned({ ...sentBack, exec_state: "working" }).id, "r");
  assert.equal(day.returned({ ...sentBack, exec_state: "done" }), null);
  assert.equal(day.returned({ ...sentBack, events: [] }), null);
});

test("that it was sent back is news, also when it had left the tablet", () => {
  const done = { ...sentBack, exec_state: "done", events: sentBack.events.slice(0, 1) };
  const [news, again] = [newsOf(done, sentBack, "t1"), newsOf(undefined, sentBack, "t1")];
  assert.deepEqual([news.kind, news.reason, again.kind], ["returned", "The seal number is missing", "returned"]);
  assert.equal(newsOf(sentBack, { ...sentBack, exec_state: "working" }, "t2"), null);
  const moved = newsOf(sentBack, { ...sentBack, planned_start: `${today}T15:00:00Z` }, "t2");
  assert.equal(gather([news], [moved])[0].kind, "returned");
});

test("who works at two visits at once is known; a colleague's work is not theirs", () => {
  const working = (id, by) => ({ id, exec_state: "working", events: [{ id: `s${id}`, type: "started", at: `${today}T08:00:00Z`, ...(by ? { by } : {}) }] });
  const list = [working("a", "laia"), working("b"), working("c", "jordi"), { id: "d", exec_state: "paused", events: [] }];
  assert.deepEqual(day.workedAtBy(list, "laia").map((one) => one.id), ["a", "b"]);
});

test("an address that leads nowhere is known as such", () => {
  assert.deepEqual(["/tablet", "/tablet/", "/tablet/sync", "/tablet/more/"].map((path) => routeOf(path).view), ["today", "today", "sync", "more"]);
  assert.deepEqual(routeOf("/tablet/visit/v1"), { view: "visit", id: "v1", tab: "what" });
  assert.deepEqual(routeOf("/tablet/visit/v1/finish"), { view: "visit", id: "v1", tab: "finish" });
  const wrong = ["/tablet/nope", "/tablet/visit", "/tablet/visit/v1/nope", "/tablet/visit/v1/what/more", "/tablet/sync/x", "/tablet/__proto__"];
  assert.deepEqual(wrong.map((path) => routeOf(path).view), wrong.map(() => "nowhere"));
});

test("news tell one line a visit and forget what cancels out", () => {
  const before = { id: "v", planned_start: "2026-11-23T13:40:00Z" };
  const after = { id: "v", planned_start: "2026-11-23T14:15:00Z" };
  const moved = newsOf(before, after, "t1");
  assert.equal(moved?.kind, "moved");
  assert.deepEqual(gather([moved], [newsOf(after, before, "t2")]), []);
  assert.deepEqual(gather([newsOf(undefined, after, "t1")], [newsOf(after, undefined, "t2", "withdrawn")]), []);
  assert.equal(newsOf(before, { ...before, coverage: {} }, "t"), null);
});

test("ids sort by when they were made and are of version 7", () => {
  const early = uuid7(Date.parse("2026-11-23T09:00:00Z"));
  const later = uuid7(Date.parse("2026-11-23T09:00:01Z"));
  assert.ok(early < later);
  assert.match(early, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("days that come into reach and days that have passed are no news; what the office moved far off is", () => {
  const at = "2026-11-23T08:00:00.000Z";
  const on = (/** @type {string} */ start) => ({ id: "v", title: "", site_id: "s", planned_start: start });
  assert.equal(newsOf(undefined, on("2026-12-07T08:00:00.000Z"), at), null);
  assert.equal(newsOf(undefined, on("2026-11-24T08:00:00.000Z"), at)?.kind, "added");
  assert.equal(newsOf(on("2026-11-08T08:00:00.000Z"), undefined, at, "out-of-window"), null);
  assert.equal(newsOf(on("2026-11-24T08:00:00.000Z"), undefined, at, "out-of-window")?.kind, "removed");
});
