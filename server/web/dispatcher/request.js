// What the form of a new visit says, as the API takes it; and the API's word about it, field by field. Pure.
import { instantOf, iso } from "./time.js";

/**
 * @typedef {object} Form
 * @property {{id: string, name: string} | null} site
 * @property {string} kind
 * @property {string[]} assets
 * @property {string} title without one the visit is called after its kind
 * @property {string} symptom
 * @property {string} minutes
 * @property {number} priority
 * @property {string[]} skills
 * @property {string} day "YYYY-MM-DD" of the promised hours
 * @property {string} from
 * @property {string} to
 * @property {string} due
 * @property {boolean} hard
 */

/** The form's fields, in the order of the page. */
export const FIELDS = /** @type {const} */ (["site", "assets", "kind", "title", "symptom", "minutes", "priority", "skills", "hours", "due"]);
/** @typedef {typeof FIELDS[number]} Field */
/** @typedef {Partial<Record<Field, string>>} Faults what is wrong with a field: words, or a key of the catalogue that begins with `new.` */

/** @type {Record<string, Field>} */
const ASKED_BY = {
  site_id: "site",
  asset_ids: "assets",
  service_minutes: "minutes",
  window_start: "hours",
  window_end: "hours",
  promised_by: "hours",
  due_from: "due",
  due_to: "due",
  hard_due: "due",
};

/**
 * "9:30", "930", "9.30" and "09:30" are the same time.
 * @param {string} text
 * @returns {string | null} "HH:MM", null while it is no time of day
 */
export function readTime(text) {
  const match = text.trim().match(/^(\d{1,2})\s*[:.,hч ]?\s*(\d{2})$/i);
  if (!match || Number(match[1]) > 23 || Number(match[2]) > 59) return null;
  return `${/** @type {string} */ (match[1]).padStart(2, "0")}:${match[2]}`;
}

/**
 * What is missing or cannot be read, before anybody is asked.
 * @param {Form} form
 * @returns {Faults}
 */
export function missing(form) {
  /** @type {Faults} */
  const faults = {};
  if (!form.site) faults.site = "new.need_site";
  if (!form.kind) faults.kind = "new.need_kind";
  if (form.minutes.trim() && !/^\d{1,5}$/.test(form.minutes.trim())) faults.minutes = "new.need_minutes";
  const times = [form.from, form.to].filter((text) => text.trim());
  if (times.some((text) => !readTime(text))) faults.hours = "new.need_time";
  else if (times.length && !form.day) faults.hours = "new.need_day";
  else if (form.from.trim() && form.to.trim() && !aNight(form.from, form.to)) faults.hours = "new.ends_before";
  if (form.hard && !form.due) faults.due = "new.need_due";
  return faults;
}

/**
 * Whether hours end after they begin, or early on the next morning; "16:00 to 15:00" is a slip of the pen.
 * @param {string} from
 * @param {string} to
 */
function aNight(from, to) {
  const [begin, end] = [readTime(from) ?? "", readTime(to) ?? ""];
  return end > begin || (begin >= "12:00" && end <= "12:00");
}

/**
 * The body of `POST /visits`. Hours that end before they begin go on into the next day; an end alone is a promise to be
 * there by then.
 * @param {Form} form without faults
 * @param {string} tz
 * @returns {Record<string, any>}
 */
export function bodyOf(form, tz) {
  const at = (/** @type {string} */ text) => {
    const time = readTime(text);
    return time && form.day ? instantOf(form.day, time, tz) : null;
  };
  const [from, to] = [at(form.from), at(form.to)];
  const end = from !== null && to !== null && to < from ? to + 86_400_000 : to;
  /** @type {Record<string, any>} */
  const body = { site_id: form.site?.id, kind: form.kind, priority: form.priority };
  if (form.assets.length) body.asset_ids = form.assets;
  if (form.title.trim()) body.title = form.title.trim();
  if (form.symptom.trim()) body.symptom = form.symptom.trim();
  if (form.minutes.trim()) body.service_minutes = Number(form.minutes);
  if (form.skills.length) body.skills = form.skills;
  if (from !== null) body.window_start = iso(from);
  if (end !== null && from !== null) body.window_end = iso(end);
  if (end !== null && from === null) body.promised_by = iso(end);
  if (form.day && from === null && end === null) body.due_to = form.day;
  if (form.due) body.due_to = form.due;
  if (form.hard) body.hard_due = true;
  return body;
}

/**
 * What the server says of each field of the form. What belongs to none is said of the first.
 * @param {{errors?: Array<{field?: string, detail?: string}>, field?: string, detail?: string, title?: string}} problem
 * @returns {Faults}
 */
export function faultsOf(problem) {
  /** @type {Faults} */
  const faults = {};
  for (const { field = "", detail = "" } of problem.errors ?? []) {
    const name = /** @type {string} */ (field.split(".")[0]);
    const shown = ASKED_BY[name] ?? FIELDS.find((one) => one === name);
    if (shown) faults[shown] ??= detail;
  }
  return faults;
}
