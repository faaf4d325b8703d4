// The forms the office screens read from the server. Nothing runs here.

/**
 * @typedef {object} Reason
 * @property {string} code
 * @property {Record<string, any>} params
 * @property {string} text in the reader's language
 * @property {Reason} [remedy]
 * @property {boolean} [stale] the day is another than the one it was found on
 */

/** @typedef {{id: string, name: string, city: string, lat: number, lon: number, address?: string, contact_phone?: string, contact_name?: string, danger_note?: string, access_note?: string}} Site */
/** @typedef {{outcome: "free" | "paid" | "partly" | "needs_quote", text?: string, reason?: Reason, rules?: Array<any>, lines?: Array<{line_id: string, outcome: string, amount: string | null, reason: Reason}>, amount?: string, currency?: string}} Coverage */

/**
 * @typedef {object} Visit a visit as the board knows it
 * @property {string} id
 * @property {string} number
 * @property {number | null} version
 * @property {string} title
 * @property {string} kind
 * @property {string} origin
 * @property {Site} site
 * @property {string} customer_name
 * @property {string | null} assignee_id
 * @property {string | null} planned_start
 * @property {string | null} planned_end
 * @property {number | null} route_position
 * @property {number | null} travel_s seconds of driving to reach it
 * @property {number | null} travel_m
 * @property {string | null} window_start
 * @property {string | null} window_end
 * @property {string | null} promised_by
 * @property {number} priority
 * @property {string} plan_state
 * @property {string} exec_state
 * @property {string | null} started_at
 * @property {string | null} finished_at
 * @property {boolean} locked
 * @property {Coverage | null} coverage
 * @property {string[]} flags
 * @property {number} conflicts
 * @property {boolean} draft
 * @property {boolean} may_have_started
 * @property {number} service_minutes
 * @property {number} [photos] how many files it names
 * @property {number} [awaiting_media] how many of them are not here yet
 * @property {Broken[]} [broken] rules that it breaks where it stands
 * @property {boolean} [at_risk] the server's word: little is left of the promise
 * @property {string | null} [symptom]
 * @property {string | null} [instructions]
 * @property {string[]} [skills]
 * @property {Reason | null} [why]
 * @property {string | null} [due_from]
 * @property {string | null} [due_to]
 * @property {boolean} [hard_due]
 * @property {Reason[]} [reasons]
 * @property {"must" | "fits" | "waiting"} [group]
 */

/** @typedef {{token: string, code: string, visit_id: string, technician_id: string, params: Record<string, any>, short: string, text: string}} Broken a broken rule in words, as the planner's judge found it */
/** @typedef {{state: "fresh" | "quiet" | "never", last_seen_at: string | null, unsent: number | null, clock_offset_s: number | null, clock_is_wrong?: boolean, app_is_old?: boolean, notices?: number, lat?: number | null, lon?: number | null}} DeviceState */

/**
 * @typedef {object} Technician
 * @property {string} id
 * @property {string} name
 * @property {string} letter
 * @property {{start: string, end: string, break_start: string | null, break_end: string | null} | null} shift
 * @property {{lat: number, lon: number} | null} home
 * @property {Array<{code: string, level: number, expires_on: string | null}>} skills
 * @property {DeviceState} device
 * @property {number} worked_minutes
 * @property {number} travel_km
 * @property {number} [max_overtime_minutes]
 */

/** @typedef {{code: string, params: Record<string, any>, text: string, link?: string | null}} Attention */

/**
 * @typedef {object} Board one branch's day
 * @property {string} date
 * @property {{id: string, name: string, tz: string, lat: number, lon: number, locale: string}} branch
 * @property {string} now
 * @property {Technician[]} technicians
 * @property {Visit[]} visits
 * @property {Visit[]} unscheduled
 * @property {{plan_id: string | null, changes: number, technicians: number, delta_m: number} | null} draft
 * @property {Array<{date: string, changes: number}>} unpublished days with changes that nobody has been told of
 * @property {string | null} reasons_at when the plan was made that the reasons are of
 * @property {Attention[]} attention
 * @property {{driving_s: number, driving_m: number, promises_at_risk: number, proactive_share: number | null, overtime_s: number}} totals
 */

export {};
