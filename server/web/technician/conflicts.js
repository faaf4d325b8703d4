// What two people changed: one entry for each event, and what stands now. Pure.

/**
 * As the office tells of it; people are named in it.
 * @typedef {object} Conflict
 * @property {string} id
 * @property {"value" | "proposal" | "refused" | "late" | "state"} kind
 * @property {string} class
 * @property {"visit" | "site"} collection
 * @property {string} document_id
 * @property {string} title
 * @property {string} field
 * @property {any} base
 * @property {any} mine
 * @property {any} theirs
 * @property {"mine" | "theirs" | "value" | "both" | "merged"} chosen
 * @property {Record<string, string>} because
 * @property {string | null} mine_at
 * @property {string | null} theirs_by
 * @property {string | null} theirs_at
 * @property {string} created_at
 * @property {"open" | "settled" | "resolved"} state
 * @property {{choice: string | null, by: string | null, at: string | null} | null} resolved
 * @property {boolean} may_restore
 */

/** @typedef {{id: string, first: Conflict, parts: Conflict[], field: string}} Happening one thing that two people changed; `first` is its newest clash */

const PIN = ["lat", "lon"];

/** @param {any} a @param {any} b */
const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/**
 * One for each thing: a pin is one though it has two numbers, and a text that clashed while it was typed on is told as it
 * came out last. Newest first.
 * @param {Conflict[]} conflicts @returns {Happening[]}
 */
export function happenings(conflicts) {
  /** @type {Map<string, Happening>} */ const found = new Map();
  for (const one of [...conflicts].sort((a, b) => (a.created_at < b.created_at ? 1 : a.created_at > b.created_at ? -1 : a.id < b.id ? 1 : -1))) {
    const field = PIN.includes(one.field) ? "pin" : one.field;
    const key = one.kind === "refused" ? one.id : `${one.document_id}|${field}|${one.kind}`;
    const known = found.get(key);
    if (!known) found.set(key, { id: key, first: one, parts: [one], field });
    else if (field === "pin" && !known.parts.some((part) => part.field === one.field)) known.parts.push(one);
  }
  return [...found.values()];
}

/**
 * Whose value is in the document now; null when a third one is, or when that is not known here.
 * @param {Happening} happening @param {Record<string, any> | undefined} document as it is shown
 * @returns {"mine" | "theirs" | null}
 */
export function standing({ parts }, document) {
  if (!document) return null;
  for (const side of /** @type {const} */ (["mine", "theirs"])) if (parts.every((part) => same(document[part.field], part[side]))) return side;
  return null;
}

/**
 * Which values a person may let stand instead of the one that does.
 * @param {Happening} happening @param {Record<string, any> | undefined} document @returns {("mine" | "theirs")[]}
 */
export function choices(happening, document) {
  if (!document || !happening.parts.every((part) => part.may_restore)) return [];
  const now = standing(happening, document);
  return /** @type {("mine" | "theirs")[]} */ (["mine", "theirs"]).filter((side) => side !== now);
}
