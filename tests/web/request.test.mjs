import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, faultsOf, missing } from "../../server/web/dispatcher/request.js";

const TZ = "Europe/Andorra";
const form = (more = {}) => ({
  site: { id: "s", name: "Hotel" }, kind: "repair_minor", assets: [], title: "", symptom: "", minutes: "", priority: 1, skills: [], day: "", from: "", to: "", due: "", hard: false, ...more,
});

test("what is missing or cannot be read is said at its field before anybody is asked", () => {
  assert.deepEqual(missing(form()), {});
  assert.deepEqual(Object.keys(missing(form({ site: null, kind: "", minutes: "an hour", from: "25:00", hard: true }))), ["site", "kind", "minutes", "hours", "due"]);
  assert.equal(missing(form({ from: "9:30" })).hours, "new.need_day");
});

test("hours may go on into the night and not end before they begin", () => {
  const said = (from, to) => missing(form({ day: "2026-11-25", from, to })).hours;
  assert.deepEqual([said("22:00", "02:00"), said("9:00", "12:00"), said("18:00", "8:00")], [undefined, undefined, undefined]);
  assert.deepEqual([said("16:00", "15:00"), said("9:00", "8:00"), said("9:00", "9:00")], Array(3).fill("new.ends_before"));
});

test("promised hours are the branch's own, and an end alone is a promise", () => {
  const day = "2026-11-25";
  const both = bodyOf(form({ day, from: "9.30", to: "1200" }), TZ);
  assert.deepEqual([both.window_start, both.window_end, both.promised_by], ["2026-11-25T08:30:00Z", "2026-11-25T11:00:00Z", undefined]);
  const end = bodyOf(form({ day, to: "12:00" }), TZ);
  assert.deepEqual([end.window_end, end.promised_by], [undefined, "2026-11-25T11:00:00Z"]);
  assert.equal(bodyOf(form({ day, from: "22:00", to: "02:00" }), TZ).window_end, "2026-11-26T01:00:00Z");
  assert.equal(bodyOf(form({ day }), TZ).due_to, day);
});

test("the server's word stands at the field that it is about", () => {
  const errors = [{ field: "window_end", detail: "Too short." }, { field: "skills", detail: "Nobody has it." }, { field: "asset_ids.0", detail: "Nothing." }, { field: "x", detail: "?" }];
  assert.deepEqual(faultsOf({ errors }), { hours: "Too short.", skills: "Nobody has it.", assets: "Nothing." });
});
