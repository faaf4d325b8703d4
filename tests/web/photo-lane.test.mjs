// The photos' lane: what goes next, in which pieces, and what a receipt makes of a photo.
import assert from "node:assert/strict";
import { test } from "node:test";
import { plan, settled } from "../../server/web/technician/photo-lane.js";

const photo = (values) => ({ sha256: "a", size: 400_000, sent: 0, state: "saved", tries: 0, preview: { sha256: "b", blob: null }, ...values });
const names = (planned) => planned.map(({ photo: one, ahead }) => `${ahead ? "small " : ""}${one.sha256}`);

test("on a thin link small pictures go ahead of all photos, and photos the smallest first", () => {
  const waiting = [photo({ sha256: "big" }), photo({ sha256: "small", size: 200_000 }), photo({ sha256: "there", state: "verified" })];
  assert.deepEqual(names(plan(waiting, 4000)), ["small small", "small big", "small", "big"]);
});

test("where photos are quick, nothing goes ahead of them", () => {
  assert.deepEqual(names(plan([photo({}), photo({})], 1_000_000)), ["a", "a"]);
});

test("a small picture goes once, and never for a photo that has none or is nearly there", () => {
  const waiting = [photo({ sha256: "1", preview_done: true }), photo({ sha256: "2", preview: null }), photo({ sha256: "3", state: "sending", sent: 390_000 })];
  assert.deepEqual(names(plan(waiting, 4000)), ["1", "2", "3"]);
});

test("only verified lets go of a photo", () => {
  const now = "2026-11-25T10:00:00.000Z";
  const of = (receipt, values = { state: "sent" }) => settled(photo(values), receipt, now);
  assert.deepEqual(of({ state: "verified" }), { state: "verified", sent: 400_000, settled_at: now, problem: null, upload_url: null });
  assert.equal(of({ state: "quarantined", problem: { code: "file-quarantined" } })?.state, "held");
  assert.deepEqual(of({ state: "quarantined", problem: { code: "upload-hash" } }), { state: "saved", upload_url: null, sent: 0, tries: 1 });
  assert.equal(of({ state: "quarantined", problem: { code: "upload-hash" } }, { state: "sent", tries: 3 })?.state, "needs");
  assert.equal(of({ state: "discarded", problem: { code: "file-discarded" } })?.state, "needs");
  // The office was restored to an earlier time: what it does not know goes again.
  assert.equal(of({ state: "unknown" })?.state, "saved");
  assert.equal(of({ state: "waiting" }, { state: "held" })?.state, "saved");
  assert.equal(of({ state: "waiting" }, { state: "sending", sent: 5 }), null);
});
