// What goes first on a thin link: the same vectors as the reference client's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { nextBatch, SMALL_BYTES } from "../../server/web/technician/outbox.js";

const { cases } = JSON.parse(readFileSync(new URL("../vectors/lanes.json", import.meta.url), "utf8"));

/** An entry as the vectors tell it. */
function entry({ n, document, op = "update", set = [], add = [], remove = [], group = null, pad }) {
  const mutation = {
    id: `m${n}`, collection: "visit", document_id: document, op, base_version: 1,
    set: Object.fromEntries(set.map((name, at) => [name, "x".repeat(at === 0 ? (pad ?? 1) : 1)])),
    add: Object.fromEntries(add.map((name) => [name, [{ id: "e", text: "x".repeat(pad ?? 0) }]])),
    remove: Object.fromEntries(remove.map((name) => [name, ["e"]])),
    made_at: "2026-11-25T08:00:00.000Z", group,
  };
  return { seq: n, id: mutation.id, n, author: "me", mutation, state: "saved", title: "", tries: 0 };
}

for (const { name, outbox, most = 500, budget = SMALL_BYTES, pushes } of cases) {
  test(`lanes: ${name}`, () => {
    let left = outbox.map(entry);
    const found = [];
    while (left.length) {
      const batch = nextBatch(left, "me", most, budget);
      assert.ok(batch.length);
      found.push(batch.map(({ n }) => n));
      left = left.filter((one) => !batch.includes(one));
    }
    assert.deepEqual(found, pushes);
  });
}
