import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { LEADS_TO, LEGAL_FROM, fold, lastStep, nextStep, workedSeconds } from "../../server/web/technician/states.js";

const VECTORS = new URL("../vectors/states.json", import.meta.url);
const event = (type, minute, more = {}) => ({ id: `${type}-${minute}`, type, at: `2026-11-23T09:${String(minute).padStart(2, "0")}:00.000Z`, ...more });

test("the whole way from planned to done", () => {
  const events = [event("en_route", 1), event("arrived", 2), event("started", 3), event("paused", 4), event("resumed", 5), event("done", 6)];
  const folded = fold(events);
  assert.equal(folded.state, "done");
  assert.equal(folded.startedAt, "2026-11-23T09:03:00.000Z");
  assert.equal(folded.finishedAt, "2026-11-23T09:06:00.000Z");
});

test("an undone step counts as never made", () => {
  const start = event("started", 3);
  assert.equal(fold([event("arrived", 2), start, { ...event("undo", 4), undoes: start.id }]).state, "on_site");
});

test("an illegal event is listed and moves nothing", () => {
  const folded = fold([event("done", 1), event("started", 2)]);
  assert.equal(folded.state, "working");
  assert.deepEqual(folded.illegal, ["done-1"]);
});

test("the corrected time decides the order", () => {
  const late = event("started", 1, { at_corrected: "2026-11-23T10:00:00.000Z" });
  assert.equal(fold([late, event("arrived", 30)]).state, "working");
  assert.deepEqual(fold([late, event("arrived", 30)]).illegal, []);
});

const anyEvents = fc.uniqueArray(
  fc.record({ id: fc.uuid(), type: fc.constantFrom(...Object.keys(LEADS_TO)), at: fc.date({ min: new Date("2026-01-01"), max: new Date("2027-01-01"), noInvalidDate: true }).map((date) => date.toISOString()) }),
  { selector: (one) => one.id, maxLength: 12 },
);

test("the order of arrival cannot matter", () => {
  fc.assert(fc.property(anyEvents, (events) => assert.deepEqual(fold(events), fold([...events].reverse()))));
});

test("every state that a fold reaches was reached by a legal step", () => {
  fc.assert(fc.property(anyEvents, (events) => {
    const { illegal } = fold(events);
    let state = "not_started";
    for (const one of [...events].sort((a, b) => (a.at + a.id < b.at + b.id ? -1 : 1))) {
      if (illegal.includes(one.id)) continue;
      assert.ok(LEGAL_FROM[one.type].includes(state));
      state = LEADS_TO[one.type];
    }
    assert.equal(fold(events).state, state);
  }));
});

test("the next verb follows the state", () => {
  assert.deepEqual(["not_started", "accepted", "en_route", "on_site", "working", "paused", "done"].map(nextStep), ["en_route", "en_route", "arrived", "started", "finish", "resumed", null]);
});

test("the last step that still counts is the one an undo takes back", () => {
  const start = event("started", 3);
  assert.equal(lastStep([event("arrived", 2), start])?.id, "started-3");
  assert.equal(lastStep([event("arrived", 2), start, { ...event("undo", 4), undoes: start.id }])?.id, "arrived-2");
});

test("the vectors shared with the server fold alike", { skip: !existsSync(VECTORS) && "no vectors" }, () => {
  const cases = JSON.parse(readFileSync(VECTORS, "utf8"));
  assert.ok(cases.length > 0);
  for (const one of cases) {
    const folded = fold(one.events);
    const said = { state: folded.state, performed_by: folded.performedBy, started_at: folded.startedAt, finished_at: folded.finishedAt, illegal: folded.illegal, starters: folded.starters };
    for (const [name, value] of Object.entries(one.expect)) assert.deepEqual(said[name], value, `${one.name}: ${name}`);
  }
});

test("working time is the sum of the stretches: no pause, nothing after a return, and it goes on while somebody works", () => {
  const minute = (n) => Date.parse(`2026-11-23T09:${String(n).padStart(2, "0")}:00.000Z`);
  const day = [event("en_route", 1), event("arrived", 2), event("started", 3), event("paused", 5), event("resumed", 15), event("partly_done", 18)];
  assert.equal(workedSeconds(day.slice(0, 3), minute(4)), 60);
  assert.equal(workedSeconds(day.slice(0, 4), minute(14)), 120);
  assert.equal(workedSeconds(day, minute(40)), 300);
  assert.equal(workedSeconds([...day, event("returned", 20)], minute(40)), 300);
  assert.equal(workedSeconds([], minute(40)), 0);
});
