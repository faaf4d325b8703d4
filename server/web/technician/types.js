// Shapes that the tablet passes around. No code.

/** @typedef {{id: string, version: number, [field: string]: any}} Document as the server sends it */
/** @typedef {{id: string, type: string, at: string, at_corrected?: string, by?: string, lat?: number | null, lon?: number | null, reason?: string | null, undoes?: string | null}} VisitEvent */
/** @typedef {{id: string, item: string, value: any, at: string, note?: string | null, by_name?: string}} Answer */
/** @typedef {{key: string, kind: "check" | "measure" | "reading" | "text" | "photo", text: Record<string, string>, unit?: string | null, min?: number | null, max?: number | null, meter?: string | null, mandatory: boolean}} Item */

/**
 * What a push asks for: one edit of one document.
 * @typedef {object} Mutation
 * @property {string} id
 * @property {number} n gap-free on this device
 * @property {string} collection
 * @property {string} document_id
 * @property {"create" | "update" | "delete"} op
 * @property {number | null} base_version
 * @property {Record<string, any>} set
 * @property {Record<string, any[]>} add
 * @property {Record<string, any[]>} remove
 * @property {string} made_at
 * @property {string | null} group
 * @property {string} [resolves] the conflict that a person settles by it
 */

/**
 * - `saved`: on this tablet only · `sent`: on its way, or the answer got lost · `waiting`: the office keeps it until
 *   something else arrives · `accepted`: the office has it · `needs`: a person has to look
 * @typedef {"saved" | "sent" | "waiting" | "accepted" | "needs"} OutboxState
 */

/**
 * A mutation with what became of it. `seq` is its place on this tablet for good; `n` is its number for the device
 * registration that sends it, null while its author is not the one signed in.
 * @typedef {object} OutboxEntry
 * @property {number} [seq]
 * @property {string} id
 * @property {number | null} n
 * @property {string} author technician id
 * @property {Omit<Mutation, "n">} mutation
 * @property {OutboxState} state
 * @property {string} title which visit or site it is about, as it was called then
 * @property {number} tries pushes that this entry alone made fail
 * @property {number | null} [version] of the document after it
 * @property {string | null} [result] the server's word: applied, merged, overridden, ...
 * @property {any[]} [conflicts]
 * @property {any} [problem]
 * @property {string | null} [settled_at]
 */

/**
 * @typedef {object} Photo
 * @property {string} sha256
 * @property {Blob} blob
 * @property {number} size
 * @property {string} media_type
 * @property {string} name
 * @property {string} visit_id
 * @property {string | null} item
 * @property {string} made_at
 * @property {string} author
 * @property {{blob: Blob, sha256: string} | null} [preview] a small picture that may go ahead of it
 * @property {boolean} [preview_done] it has gone, or is not wanted
 * @property {"saved" | "sending" | "sent" | "held" | "verified" | "needs"} state `sent`: all of it is at the office, which
 *   has not confirmed it yet · `held`: it is there, and somebody looks at it first
 * @property {number} sent bytes the office has acknowledged
 * @property {number} [tries] how often it did not arrive as it was sent
 * @property {string | null} [upload_url]
 * @property {any} [problem]
 * @property {string | null} [settled_at]
 */

/**
 * What is being entered and was not added yet: one field of one form. `key` is author, document and field.
 * @typedef {object} Draft
 * @property {string} key
 * @property {string} author technician id
 * @property {"visit" | "site"} collection
 * @property {string} document_id
 * @property {string} field
 * @property {any} value text, strokes, or a form's fields
 * @property {string} title which visit or site it is about
 * @property {string} label what it is, in words, for when its visit is no longer here
 * @property {string} at
 */

export {};
