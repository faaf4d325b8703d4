import assert from "node:assert/strict";
import { test } from "node:test";
import { peopleIn, withNames } from "../../server/web/dispatcher/clashes.js";

const conflict = (field, values) => ({ id: field, field, base: null, mine: null, theirs: null, value: null, value_now: null, ...values });

test("people in a conflict are called by name, everything else stays", () => {
  const visit = conflict("assignee_id", { base: "id-1", mine: "id-1", theirs: "id-2", value_now: "id-3" });
  const note = conflict("access_note", { mine: "id-1" });
  assert.deepEqual(peopleIn([visit, note]), ["id-1", "id-2", "id-3"]);
  const [named, same] = withNames([visit, note], new Map([["id-1", "Anna"], ["id-2", "Pere"]]));
  assert.deepEqual([named.base, named.mine, named.theirs, named.value, named.value_now], ["Anna", "Anna", "Pere", null, "id-3"]);
  assert.equal(same, note);
});
