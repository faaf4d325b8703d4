// Free or paid by what was found on the tablet, before the office has heard of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { causesOf, findingOf, freeFindings, withCauses } from "../../server/web/technician/coverage.js";

const paid = (amount) => ({ outcome: "paid", amount, reason: { code: "price" } });
const decision = { outcome: "free", amount: "0.00", currency: "EUR", reason: { code: "warranty" }, lines: [
  { line_id: "labour", outcome: "free", amount: "0.00", if_cause: { misuse: paid("78.10"), foreign_part: paid("80.20") } },
  { line_id: "travel", outcome: "free", amount: "0.00", if_cause: { misuse: paid("32.00") } },
] };
const found = (id, values) => ({ id, at: `2026-11-23T09:0${id}:00.000Z`, item: "pump", asset_id: "a", ...values });

test("a cause that the warranty does not pay for makes the visit paid at once, to the cent", () => {
  const then = withCauses(decision, ["misuse"]);
  assert.deepEqual([then.outcome, then.amount, then.suggested, then.reason.code], ["paid", "110.10", true, "price"]);
  assert.equal(withCauses(decision, ["foreign_part"]).outcome, "partly");
  assert.equal(withCauses(decision, ["foreign_part", "misuse"]).amount, "112.20");
});

test("what changes nothing leaves the office's decision as it is", () => {
  assert.equal(withCauses(decision, ["wear"]), decision);
  assert.equal(withCauses(undefined, ["misuse"]), undefined);
});

test("a line without a price needs a quote, and so does the visit", () => {
  const quote = { ...decision, lines: [{ ...decision.lines[0], if_cause: { misuse: { outcome: "needs_quote", reason: { code: "needs-quote" } } } }, decision.lines[1]] };
  assert.deepEqual([withCauses(quote, ["misuse"]).outcome, withCauses(quote, ["misuse"]).amount], ["needs_quote", null]);
});

test("of several findings for one item the last one counts, also one that takes the cause back", () => {
  assert.deepEqual(causesOf([found("2", { cause: "wear" }), found("1", { cause: "misuse" }), found("3", { item: null, cause: "defect" })]), ["wear", "defect"]);
  assert.deepEqual(causesOf([found("1", { cause: "misuse" }), found("2", { cause: null })]), []);
  assert.equal(findingOf({ findings: [found("2", { cause: "wear" }), found("1", {})] }, "pump").cause, "wear");
});

test("findings that no item asked for are listed once each, as they were said last", () => {
  const findings = [found("1", { text: "asked for" }), found("2", { item: null, text: "nameless" }), found("3", { item: "finding:x", cause: null }), found("4", { item: "finding:x", cause: "wear" })];
  assert.deepEqual(freeFindings({ findings }, [{ key: "pump" }]).map((one) => [one.id, one.cause]), [["2", undefined], ["4", "wear"]]);
});
