import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder, marksOf } from "../../server/web/dispatcher/fleet.js";
import en from "../../server/web/dispatcher/text/en.js";

const device = (more = {}) => ({
  technician_name: "Laia", state: "fresh", notices: [], salvage_waiting: 0, needs_person: 0, may_have_started: [], conflicts_open: 0, refused: 0,
  clock_is_wrong: false, last_seen_at: "2026-11-25T09:00:00Z", room_quota: null, room_used: null, ...more,
});
const notice = (code) => ({ id: code, code, text: code, count: 1 });

test("what is odd comes first, the silent after it, who has no access last", () => {
  const list = [
    device({ id: "gone", state: "revoked" }), device({ id: "fine" }), device({ id: "quiet", state: "quiet" }), device({ id: "silent", state: "silent" }),
    device({ id: "copied", notices: [notice("fork")] }), device({ id: "kept", state: "revoked", salvage_waiting: 1 }),
  ];
  assert.deepEqual(inOrder(list).map(({ id }) => id), ["copied", "kept", "silent", "quiet", "fine", "gone"]);
});

test("a row says what is pressing first, each thing in words", () => {
  const marks = marksOf(device({ notices: [notice("clock-jump"), notice("hole"), notice("fork")], conflicts_open: 2, may_have_started: [{}], refused: 1 }));
  assert.deepEqual(marks.map(({ key }) => key), ["fork", "hole", "clock-jump", "begun", "conflicts", "refused"].map((name) => `devices.mark.${name}`));
  for (const { key } of marks) assert.ok(key in en, key);
  assert.deepEqual(marksOf(device()), []);
});

test("little room is said, and not guessed when the tablet did not tell", () => {
  const said = (more) => marksOf(device(more)).map(({ key }) => key);
  assert.deepEqual(said({ room_quota: 100, room_used: 95 }), ["devices.mark.room"]);
  assert.deepEqual(said({ room_quota: 100, room_used: 75 }), []);
  assert.deepEqual(said({}), []);
});
