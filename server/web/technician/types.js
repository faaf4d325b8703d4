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
 * @property {"saved" | "sending" | "sent" | "verified" | "needs"} state
 * @property {number} sent bytes the office has acknowledged
 * @property {string | null} [upload_url]
 * @property {any} [problem]
 * @property {string | null} [settled_at]
 */

export {};
