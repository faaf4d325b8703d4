import assert from "node:assert/strict";
import { test } from "node:test";
import { casesOf, eventsOf, lanesOf, rawMineAt, rowsOf, withNames } from "../../server/web/dispatcher/clashes.js";

import { groupsOf, verdictOf } from "../../server/web/dispatcher/groups.js";

const conflict = (field, values) => ({
  id: `${field}-${Math.random()}`, field, kind: "value", document_id: "visit", base: null, mine: null, theirs: null, value: null, value_now: null,
  resolution: null, state: "settled", reason: { code: "office", params: {}, text: "" }, created_at: "2026-03-02T10:00:00Z", resolved_at: null, ...values,
});

test("whoever and whatever is referred to is called by name, everything else stays", () => {
  const visit = conflict("assignee_id", { base: "id-1", mine: "id-1", theirs: "id-2", value_now: "id-3", resolution: { value: "id-1" }, names: { "id-1": "Anna", "id-2": "Pere" } });
  const machines = conflict("asset_ids", { mine: ["id-4", "id-5"], names: { "id-4": "P100-1" } });
  const note = conflict("access_note", { mine: "id-1" });
  const [named, listed, same] = withNames([visit, machines, note]);
  assert.deepEqual([named.base, named.mine, named.theirs, named.value, named.value_now, named.resolution.value], ["Anna", "Anna", "Pere", null, "id-3", "Anna"]);
  assert.deepEqual(listed.mine, ["P100-1", "id-5"]);
  assert.equal(same, note);
});

test("one reassignment is one row, however many edits came after it", () => {
  const late = (at) => conflict("assignee_id", { kind: "late", created_at: at });
  const rows = rowsOf([late("2026-03-02T10:00:00Z"), late("2026-03-02T10:05:00Z"), conflict("title"), conflict("title")]);
  assert.deepEqual(rows.map(({ parts }) => parts.length), [2, 1, 1]);
});

test("what was settled at one meeting, or is one situation, is one entry", () => {
  const late = (at, field) => conflict(field, { kind: "late", created_at: at, reason: { code: "late-edit" } });
  const events = eventsOf([late("2026-03-02T12:00:00Z", "notes"), late("2026-03-02T11:00:00Z", "answers"), conflict("title"), conflict("priority"), conflict("title", { created_at: "2026-03-02T09:00:00Z" })]);
  assert.deepEqual(events.map((event) => event.map(({ field }) => field)), [["notes", "answers"], ["title", "priority"], ["title"]]);
});

test("a case has the zone of its site, and a corrected time says what the tablet's clock said", () => {
  const one = conflict("title", { tz: "Europe/Moscow", mine_at: "2026-03-02T10:06:00Z", mine_at_corrected: "2026-03-02T10:00:00Z", visit_id: "v" });
  assert.equal(casesOf([one])[0].tz, "Europe/Moscow");
  const [row] = rowsOf([one]);
  assert.equal(rawMineAt(row), "2026-03-02T10:06:00Z");
  assert.equal(rawMineAt(rowsOf([{ ...one, mine_at: "2026-03-02T10:00:20Z" }])[0]), null);
});

test("no contact begins at the tablet's last contact, not at the version that both knew", () => {
  const known = { base_at: "2026-03-01T08:00:00Z", theirs_at: "2026-03-02T09:00:00Z", mine_at_corrected: "2026-03-02T09:30:00Z", visit_id: "v" };
  const lanes = (/** @type {any} */ more) => lanesOf(casesOf([conflict("title", { ...known, ...more })])[0]);
  const { knew, apart } = lanes({ apart_since: "2026-03-02T07:45:00Z" });
  assert.deepEqual([knew, apart], [Date.parse("2026-03-01T08:00:00Z"), Date.parse("2026-03-02T07:45:00Z")]);
  assert.equal(lanes({ apart_since: null }).apart, Date.parse("2026-03-01T08:00:00Z"));
});

test("conflicts are gathered by visit, event, technician or rule", () => {
  const one = (field, who, policy, at) => conflict(field, { mine_by: { name: who }, policy, created_at: at, device: { id: who }, site_name: "Hotel", visit_id: field === "title" ? "v1" : "v2" });
  const list = [one("title", "Anna", "office", "2026-03-02T10:00:01Z"), one("tags", "Anna", "union", "2026-03-02T10:00:40Z"), one("notes", "Pere", "union", "2026-03-02T10:00:05Z")];
  const sizes = (/** @type {any} */ way) => groupsOf(list, way, (policy) => policy, (at) => at).map(({ name, conflicts }) => [name, conflicts.length]);
  assert.deepEqual(sizes("technician"), [["Anna", 2], ["Pere", 1]]);
  assert.deepEqual(sizes("rule"), [["office", 1], ["union", 2]]);
  assert.deepEqual(sizes("visit"), [["Hotel", 1], ["Hotel", 2]]);
  assert.deepEqual(sizes("event").map(([, n]) => n), [2, 1]);
});

test("an outcome says what changes, that nothing does, or why it cannot be", () => {
  const problem = (/** @type {string} */ code) => ({ changes: {}, problem: { code, title: "" } });
  assert.deepEqual([verdictOf({ changes: { title: ["a", "b"] }, problem: null }), verdictOf({ changes: {}, problem: null }), verdictOf(problem("moved-meanwhile")), verdictOf(problem("already-resolved"))], ["changes", "same", "moved", "refused"]);
});
