// Conflicts as people think of them: by visit or place, one row for each thing that differs. Pure.
import { formatDate, formatNumber, formatTime, hasText, t } from "../shared/i18n.js";

/**
 * @typedef {object} Conflict
 * @property {string} id
 * @property {"value" | "proposal" | "late" | "refused" | "state"} kind
 * @property {string} class
 * @property {string} collection
 * @property {string} document_id
 * @property {string} document_title
 * @property {string | null} site_name
 * @property {string | null} [tz] the zone of the site
 * @property {Record<string, string>} [names] what values that are ids are called
 * @property {string | null} visit_id
 * @property {string | null} visit_number
 * @property {string} field
 * @property {any} base
 * @property {any} mine what the tablet has
 * @property {any} theirs what the office has
 * @property {"mine" | "theirs" | "value" | "both" | "merged"} chosen
 * @property {any} value what stands by the rule
 * @property {any} value_now
 * @property {import("./types.js").Reason | null} reason
 * @property {{name: string | null}} mine_by
 * @property {string | null} mine_at
 * @property {string | null} mine_at_corrected
 * @property {number | null} uncertainty_s
 * @property {{name: string | null}} theirs_by
 * @property {string | null} theirs_at
 * @property {string | null} base_at
 * @property {string | null} [apart_since] the tablet's last contact before it wrote its side
 * @property {number | null} [document_version]
 * @property {string} [policy]
 * @property {{id: string, name: string, last_contact_at: string | null} | null} device
 * @property {string} created_at
 * @property {string} state
 * @property {any} resolution
 * @property {string | null} resolved_by
 * @property {string | null} resolved_at
 */

/**
 * @typedef {object} Row one thing that differs; a pin is one thing though it has two numbers
 * @property {string} key
 * @property {string} field
 * @property {string} collection
 * @property {Conflict[]} parts
 * @property {Conflict} first
 * @property {"mine" | "theirs"} byDefault
 */

/**
 * @typedef {object} Case all that differs at one visit or place
 * @property {string} id
 * @property {string} name
 * @property {string} title
 * @property {string | null} number
 * @property {string | null} visitId
 * @property {string} technician
 * @property {Row[]} rows
 * @property {string | null} tz the zone of the site
 * @property {number} met when the tablet came back, milliseconds
 */

const PIN = new Set(["lat", "lon"]);
/** What no field shows by itself: it goes on from one edit to the next and is one thing. */
const SITUATIONS = new Set(["late", "state"]);

/** @param {Conflict} conflict */
function caseKey(conflict) {
  return `${conflict.visit_id ?? conflict.document_id}|${conflict.device?.id ?? ""}`;
}

/** @param {Conflict} conflict @returns {"mine" | "theirs"} */
function defaultOf(conflict) {
  return conflict.chosen === "theirs" ? "theirs" : "mine";
}

/**
 * @param {Conflict[]} conflicts
 * @returns {Row[]}
 */
export function rowsOf(conflicts) {
  /** @type {Map<string, Conflict[]>} */
  const byThing = new Map();
  for (const conflict of conflicts) {
    const key = `${conflict.document_id}|${PIN.has(conflict.field) ? "pin" : SITUATIONS.has(conflict.kind) ? `${conflict.kind}|${conflict.field}` : conflict.id}`;
    byThing.set(key, [...(byThing.get(key) ?? []), conflict]);
  }
  return [...byThing].map(([key, parts]) => {
    const first = /** @type {Conflict} */ (parts[0]);
    return { key, field: PIN.has(first.field) ? "pin" : first.field, collection: first.collection, parts, first, byDefault: defaultOf(first) };
  });
}

/**
 * Newest first, as the list shows them.
 * @param {Conflict[]} conflicts
 * @returns {Case[]}
 */
export function casesOf(conflicts) {
  /** @type {Map<string, Conflict[]>} */
  const groups = new Map();
  for (const conflict of conflicts) groups.set(caseKey(conflict), [...(groups.get(caseKey(conflict)) ?? []), conflict]);
  return [...groups].map(([id, group]) => {
    const first = /** @type {Conflict} */ (group[0]);
    const ofVisit = group.find(({ collection }) => collection === "visit") ?? first;
    return {
      id,
      name: first.site_name ?? first.document_title,
      title: ofVisit.document_title,
      number: group.find(({ visit_number: number }) => number)?.visit_number ?? null,
      visitId: group.find(({ visit_id: visit }) => visit)?.visit_id ?? null,
      technician: first.mine_by?.name ?? "",
      tz: group.find(({ tz }) => tz)?.tz ?? null,
      rows: rowsOf(group),
      met: Math.max(...group.map(({ created_at: at }) => Date.parse(at))),
    };
  });
}

const SIDES = /** @type {const} */ (["base", "mine", "theirs", "value", "value_now"]);

/** The same with everything that is referred to called by its name. @param {Conflict[]} conflicts @returns {Conflict[]} */
export function withNames(conflicts) {
  return conflicts.map((one) => {
    const names = one.names ?? {};
    if (!Object.keys(names).length) return one;
    const known = (/** @type {any} */ value) => (Array.isArray(value) ? value.map((each) => names[each] ?? each) : (names[value] ?? value));
    const resolution = one.resolution && { ...one.resolution, value: known(one.resolution.value) };
    return { ...one, ...Object.fromEntries(SIDES.map((side) => [side, known(one[side])])), resolution };
  });
}

/**
 * What was settled, one entry for each thing that happened: all fields that one meeting of two edits settled alike, and
 * all that a tablet still wrote after a document had left it.
 * @param {Conflict[]} conflicts newest first
 * @returns {Conflict[][]}
 */
export function eventsOf(conflicts) {
  /** @type {Map<string, Conflict[]>} */
  const events = new Map();
  for (const one of conflicts) {
    const moment = SITUATIONS.has(one.kind) ? "" : (one.resolved_at ?? one.created_at).slice(0, 16);
    const key = [one.document_id, one.device?.id, one.state, one.kind, one.reason?.code, one.resolved_by, moment].join("|");
    events.set(key, [...(events.get(key) ?? []), one]);
  }
  return [...events.values()];
}

/** @param {string} field */
export function fieldName(field) {
  return hasText(`field.${field}`) ? t(`field.${field}`) : field;
}

/**
 * A value as a person reads it.
 * @param {any} value
 * @param {string} [tz]
 * @returns {string}
 */
export function valueText(value, tz) {
  if (value === null || value === undefined || value === "") return t("conflicts.empty");
  if (typeof value === "boolean") return t(value ? "conflicts.yes" : "conflicts.no");
  if (typeof value === "number") return formatNumber(value, { maximumFractionDigits: 6 });
  if (Array.isArray(value)) return value.length ? value.map((one) => valueText(one, tz)).join(", ") : t("conflicts.empty");
  if (typeof value === "object") {
    const known = value.text ?? value.value ?? value.type ?? value.name ?? value.reading;
    if (known !== undefined) return valueText(known, tz);
    return Object.entries(value)
      .filter(([key]) => !/(^|_)id$|^at$|^by/.test(key))
      .map(([, one]) => valueText(one, tz))
      .join(", ");
  }
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return `${formatDate(value, { tz })} ${formatTime(value, tz)}`;
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return formatDate(value);
  return hasText(`state.${value}`) ? t(`state.${value}`) : String(value);
}

/**
 * What a row says of one side.
 * @param {Row} row
 * @param {"base" | "mine" | "theirs" | "value_now" | "value"} side
 * @param {string} [tz]
 */
export function rowText(row, side, tz) {
  if (row.field !== "pin") return valueText(row.first[side], tz);
  return ["lat", "lon"]
    .map((name) => row.parts.find(({ field }) => field === name))
    .filter((part) => part !== undefined)
    .map((part) => (typeof part[side] === "number" ? formatNumber(part[side], { minimumFractionDigits: 5, maximumFractionDigits: 5 }) : valueText(part[side])))
    .join("; ");
}

/**
 * Both pins of a row, when both are known.
 * @param {Row} row
 * @param {{lat: number, lon: number} | null} site for the number that did not differ
 * @returns {{mine: {lat: number, lon: number}, theirs: {lat: number, lon: number}} | null}
 */
export function pinsOf(row, site) {
  if (row.field !== "pin") return null;
  const at = (/** @type {"mine" | "theirs"} */ side) => {
    const number = (/** @type {"lat" | "lon"} */ name) => row.parts.find(({ field }) => field === name)?.[side] ?? site?.[name];
    return { lat: number("lat"), lon: number("lon") };
  };
  const [mine, theirs] = [at("mine"), at("theirs")];
  return [mine.lat, mine.lon, theirs.lat, theirs.lon].every((one) => typeof one === "number") ? { mine, theirs } : null;
}

/** @param {Row} row milliseconds the tablet's side was written, by its corrected clock */
export function mineAt(row) {
  const at = row.first.mine_at_corrected ?? row.first.mine_at;
  return at ? Date.parse(at) : null;
}

/** What the tablet's own clock said, where that is another minute. @param {Row} row @returns {string | null} */
export function rawMineAt(row) {
  const { mine_at: raw, mine_at_corrected: at } = row.first;
  return raw && at && Math.abs(Date.parse(raw) - Date.parse(at)) >= 60_000 ? raw : null;
}

/**
 * The two lanes of time of a case: what each side did between knowing the same and meeting again.
 * @param {Case} one
 * `apart` is the tablet's last contact before it wrote: what it knew then may be older.
 * @returns {{knew: number | null, apart: number | null, met: number, office: Array<{at: number, fields: string[]}>, site: Array<{at: number, fields: string[]}>}}
 */
export function lanesOf(one) {
  const gather = (/** @type {(row: Row) => number | null} */ when) => {
    /** @type {Map<number, string[]>} */
    const found = new Map();
    for (const row of one.rows) {
      const at = when(row);
      if (at === null || Number.isNaN(at)) continue;
      const minute = Math.floor(at / 60_000) * 60_000;
      const fields = found.get(minute) ?? [];
      if (!fields.includes(row.field)) found.set(minute, [...fields, row.field]);
    }
    return [...found].map(([at, fields]) => ({ at, fields })).sort((a, b) => a.at - b.at);
  };
  const office = gather((row) => (row.first.theirs_at ? Date.parse(row.first.theirs_at) : null));
  const site = gather(mineAt);
  const bases = one.rows.map((row) => (row.first.base_at ? Date.parse(row.first.base_at) : NaN)).filter((at) => !Number.isNaN(at));
  const earliest = Math.min(...[...office, ...site].map(({ at }) => at), one.met);
  const knew = bases.length ? Math.min(Math.max(...bases), earliest) : null;
  const contacts = one.rows.map((row) => (row.first.apart_since ? Date.parse(row.first.apart_since) : NaN)).filter((at) => !Number.isNaN(at));
  const apart = contacts.length ? Math.min(...contacts, site[0]?.at ?? one.met, one.met) : knew;
  return { knew, apart, met: one.met, office, site };
}

/**
 * Places on a line of `width`: in order and in proportion to time, but never closer than `gap`.
 * @param {number[]} times sorted
 * @param {number} width
 * @param {number} gap
 * @returns {number[]}
 */
export function spread(times, width, gap) {
  if (times.length < 2) return times.map(() => 0);
  const [first, last] = [/** @type {number} */ (times[0]), /** @type {number} */ (times.at(-1))];
  const step = Math.min(gap, width / (times.length - 1));
  const free = width - step * (times.length - 1);
  return times.map((at, index) => index * step + (last > first ? ((at - first) / (last - first)) * free : 0));
}
