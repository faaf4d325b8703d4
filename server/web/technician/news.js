// What the office changed since the last contact, in the order it arrived. Pure.
import { isOver, returned } from "./day.js";

/** @typedef {import("./types.js").Document} Document */
/** @typedef {{id: string, kind: "added" | "moved" | "removed" | "changed" | "returned", from?: string | null, to?: string | null, title: string, site_id: string, reason?: string | null, at: string}} News */

const TOLD = ["instructions", "symptom", "title", "priority", "promised_by", "checklist_id", "service_minutes"];

const SOON_MS = 6 * 86_400_000;

/**
 * One visit before and after a pull; null when nothing changed that the technician must know.
 * @param {Document | undefined} before @param {Document | undefined} after @param {string} at @param {string | null} [reason] of a removal
 * @returns {News | null}
 */
export function newsOf(before, after, at, reason = null) {
  const about = after ?? before;
  if (!about) return null;
  const base = { id: about.id, title: about.title ?? "", site_id: about.site_id, at };
  // The office sent finished work back: also when the visit had left this tablet meanwhile.
  const back = after && (!before || isOver(before)) && returned(after);
  if (back) return { ...base, kind: "returned", to: after.planned_start ?? null, reason: back.reason ?? null };
  // A day that comes into reach is no news; what is near is.
  if (!before) return about.planned_start && Date.parse(about.planned_start) - Date.parse(at) > SOON_MS ? null : { ...base, kind: "added", to: about.planned_start ?? null };
  // A visit that its own technician has ended leaves the tablet in time, and one whose days have passed; that is no news.
  const passed = reason === "out-of-window" && Date.parse(before?.planned_start ?? "") < Date.parse(at);
  if (!after) return reason === "archived" || passed ? null : { ...base, kind: "removed", from: before.planned_start ?? null, reason };
  if (before.planned_start !== after.planned_start) return { ...base, kind: "moved", from: before.planned_start ?? null, to: after.planned_start ?? null };
  return TOLD.some((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field])) ? { ...base, kind: "changed" } : null;
}

/**
 * Add to what was not yet shown: one line a visit, from the oldest known state to the newest; what cancels out goes.
 * @param {News[]} known @param {News[]} fresh @returns {News[]}
 */
export function gather(known, fresh) {
  const lines = new Map(known.map((line) => [line.id, line]));
  for (const line of fresh) {
    const old = lines.get(line.id);
    if (old?.kind === "added" && line.kind === "removed") lines.delete(line.id);
    else if (old?.kind === "added") lines.set(line.id, { ...line, kind: "added", to: line.to ?? old.to });
    else if (old?.kind === "returned" && line.kind !== "removed") lines.set(line.id, { ...old, ...line, kind: "returned", reason: old.reason });
    else if (old?.kind === "removed" && line.kind === "added") lines.set(line.id, { ...line, kind: old.from === line.to ? "changed" : "moved", from: old.from });
    else if (old?.kind === "moved" && line.kind === "moved" && old.from === line.to) lines.delete(line.id);
    else if (old?.kind === "moved" && line.kind !== "removed") lines.set(line.id, { ...old, ...line, kind: "moved", from: old.from, to: line.to ?? old.to });
    else lines.set(line.id, line);
  }
  return [...lines.values()];
}
