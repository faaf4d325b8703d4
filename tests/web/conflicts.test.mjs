// Two people changed one thing: how it is told, and what may be chosen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { choices, happenings, standing } from "../../server/web/technician/conflicts.js";

let n = 0;
const clash = (values) => ({ id: `c${++n}`, kind: "value", document_id: "s1", field: "access_note", mine: "bar", theirs: "reception", base: null, created_at: `2026-11-23T09:0${n % 10}:00Z`, may_restore: true, ...values });

test("one thing is told once, as it came out last; refused entries are things of their own", () => {
  n = 0;
  const told = happenings([clash({ mine: "b" }), clash({ mine: "bar" }), clash({ kind: "refused", field: "notes" }), clash({ kind: "refused", field: "notes" }), clash({ kind: "late", field: "assignee_id", document_id: "v1" })]);
  assert.deepEqual(told.map((one) => [one.field, one.first.mine]), [["assignee_id", "bar"], ["notes", "bar"], ["notes", "bar"], ["access_note", "bar"]]);
});

test("a pin that two people moved is one thing with two numbers", () => {
  n = 0;
  const [told] = happenings([clash({ field: "lat", mine: 1, theirs: 2 }), clash({ field: "lon", mine: 3, theirs: 4 })]);
  assert.equal(told.field, "pin");
  assert.equal(standing(told, { lat: 1, lon: 3 }), "mine");
  assert.equal(standing(told, { lat: 2, lon: 4 }), "theirs");
  assert.equal(standing(told, { lat: 1, lon: 4 }), null);
});

test("only what does not stand now may be chosen, both when a third value does, nothing of what is not here or not theirs", () => {
  const [told] = happenings([clash({})]);
  assert.deepEqual(choices(told, { access_note: "bar" }), ["theirs"]);
  assert.deepEqual(choices(told, { access_note: "reception" }), ["mine"]);
  assert.deepEqual(choices(told, { access_note: "a third" }), ["mine", "theirs"]);
  assert.deepEqual(choices(told, undefined), []);
  const [foreign] = happenings([clash({ may_restore: false })]);
  assert.deepEqual(choices(foreign, { access_note: "bar" }), []);
});

test("an emptied value is the same as one that was never there", () => {
  const [told] = happenings([clash({ mine: null })]);
  assert.equal(standing(told, {}), "mine");
});
