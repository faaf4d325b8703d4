// Free or paid by what was found here, before the office has heard of it. The decision carries what each cause would change. Pure.

/** @typedef {import("./types.js").Document} Document */

/** Why something is wrong, as the office's rules know it. */
export const CAUSES = ["wear", "defect", "installation", "misuse", "foreign_part", "environment"];

/** By the tablet's own clock: what is corrected already and what is not yet would not compare. @param {any} a @param {any} b */
const inTime = (a, b) => (a.at < b.at || (a.at === b.at && a.id < b.id) ? -1 : 1);

/** The finding that counts for an item of the checklist: its last by time. @param {Document} visit @param {string} item @returns {any} */
export const findingOf = (visit, item) =>
  (visit.findings ?? []).filter((/** @type {any} */ one) => one.item === item).sort(inTime).at(-1);

/**
 * The findings that no item of the checklist asked for, in the order in which they were made; of one that was said again the last.
 * @param {Document} visit @param {{key: string}[]} items of the checklist @returns {any[]}
 */
export function freeFindings(visit, items) {
  const asked = new Set(items.map((item) => item.key));
  const free = (visit.findings ?? []).filter((/** @type {any} */ one) => !asked.has(one.item)).sort(inTime);
  return [...new Map(free.map((/** @type {any} */ one) => [one.item ?? one.id, one])).values()];
}

/** The causes that count: of several findings for one item the last. @param {any[]} findings @returns {string[]} */
export function causesOf(findings) {
  /** @type {Map<string, any>} */ const last = new Map();
  for (const one of [...(findings ?? [])].sort(inTime)) {
    last.set(one.item ? `${one.item}|${one.asset_id ?? ""}` : one.id, one);
  }
  return [...new Set([...last.values()].map((one) => one.cause).filter(Boolean))];
}

/**
 * The decision as it will be with these causes; the same object when they change nothing.
 * @param {any} coverage @param {string[]} causes @returns {any} with `suggested: true` where the office has not decided yet
 */
export function withCauses(coverage, causes) {
  if (!coverage?.lines?.length) return coverage;
  const cents = (/** @type {any} */ line) => (line.amount === undefined || line.amount === null ? Infinity : Math.round(Number(line.amount) * 100));
  const lines = coverage.lines.map((/** @type {any} */ line) => {
    const then = causes.flatMap((cause) => line.if_cause?.[cause] ?? []);
    return then.length ? then.reduce((worst, one) => (cents(one) > cents(worst) ? one : worst)) : line;
  });
  const changed = lines.filter((/** @type {any} */ line, /** @type {number} */ index) => line !== coverage.lines[index]);
  if (!changed.length) return coverage;
  const outcomes = new Set(lines.map((/** @type {any} */ line) => line.outcome));
  const quote = outcomes.has("needs_quote");
  return {
    ...coverage, lines, suggested: true,
    outcome: quote ? "needs_quote" : outcomes.size === 1 ? lines[0].outcome : "partly",
    amount: quote ? null : (lines.reduce((/** @type {number} */ sum, /** @type {any} */ line) => sum + cents(line), 0) / 100).toFixed(2),
    reason: changed[0].reason,
  };
}
