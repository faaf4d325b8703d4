// Conflicts gathered to be settled alike: those of one event, one visit, one technician or one rule. Pure.

/** @typedef {import("./clashes.js").Conflict} Conflict */

export const WAYS = /** @type {const} */ (["event", "visit", "technician", "rule"]);
/** @typedef {typeof WAYS[number]} Way */
/** @typedef {{key: string, name: string, conflicts: Conflict[]}} Group */

/**
 * One group for each thing that conflicts have in common, in the order in which they come.
 * @param {Conflict[]} conflicts those that are not decided by a person yet
 * @param {Way} way
 * @param {(policy: string) => string} rule what a policy is called
 * @param {(at: string, tz: string | null | undefined) => string} when
 * @returns {Group[]}
 */
export function groupsOf(conflicts, way, rule, when) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  const place = (/** @type {Conflict} */ one) => one.site_name ?? one.document_title;
  const named = (/** @type {Conflict} */ one) => {
    if (way === "technician") return [one.mine_by?.name ?? "", one.mine_by?.name ?? "–"];
    if (way === "rule") return [one.policy ?? "", rule(one.policy ?? "")];
    if (way === "visit") return [one.visit_id ?? one.document_id, [place(one), one.visit_number].filter(Boolean).join(" · ")];
    // One event: what one tablet brought at one contact.
    return [`${one.device?.id}|${one.created_at.slice(0, 16)}`, [one.mine_by?.name, when(one.created_at, one.tz)].filter(Boolean).join(" · ")];
  };
  for (const one of conflicts) {
    const [key, name] = /** @type {[string, string]} */ (named(one));
    const group = groups.get(key) ?? { key, name, conflicts: [] };
    group.conflicts.push(one);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/**
 * What the previewed outcomes say of each: what changes, that nothing does, or why it cannot be.
 * @param {{changes: Record<string, [any, any]>, problem: {code: string, title: string} | null}} outcome
 * @returns {"moved" | "refused" | "same" | "changes"}
 */
export function verdictOf(outcome) {
  if (outcome.problem) return outcome.problem.code === "moved-meanwhile" ? "moved" : "refused";
  return Object.keys(outcome.changes).length ? "changes" : "same";
}
