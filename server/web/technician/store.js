// What the views read: signals that follow the database. Nothing here writes.
import { computed, signal } from "@preact/signals";
import { liveQuery } from "dexie";
import { hasText, localDay, locale, t } from "../shared/i18n.js";
import { corrected } from "./clock.js";
import { openDatabase } from "./db.js";
import { causesOf, withCauses } from "./coverage.js";
import { byDay, isOver, nextVisit, workedAtBy } from "./day.js";
import { keepDrafts } from "./drafts.js";
import { counts } from "./outbox.js";
import { overlay } from "./overlay.js";
import { USUAL } from "./usual.js";

/** @typedef {import("./types.js").Document} Document */
/** @typedef {import("./types.js").OutboxEntry} OutboxEntry */
/** @typedef {import("./types.js").Photo} Photo */
/** @typedef {import("./db.js").Device} Device */

export const db = openDatabase();

/** @type {import("@preact/signals").Signal<ReadonlyMap<string, import("./types.js").Draft>>} */
const heldDrafts = signal(new Map());
/** A draft could not be written: the tablet is full. */
export const draftTrouble = signal(false);
export const drafts = keepDrafts({
  db,
  onChange: (all) => (heldDrafts.value = all),
  onTrouble: (trouble) => (draftTrouble.value = trouble),
});

/** False until the database was read once: before that, nothing is known and nothing is drawn. */
export const loaded = signal(false);
const kept = signal(/** @type {import("./db.js").Kept[]} */ ([]));
/** @type {import("@preact/signals").Signal<OutboxEntry[]>} */
export const outbox = signal(/** @type {OutboxEntry[]} */ ([]));
/** @type {import("@preact/signals").Signal<Photo[]>} */
export const photos = signal(/** @type {Photo[]} */ ([]));
const meta = signal(/** @type {Record<string, any>} */ ({}));
/** Visits that were taken from this tablet lately, by id. @type {import("@preact/signals").Signal<Map<string, import("./db.js").Gone>>} */
export const gone = signal(new Map());

/** How the exchange goes; written by main.js. */
export const contact = signal(/** @type {{outcome: import("./sync.js").Outcome | null, running: boolean, problem: any, progress: {sent: number, total: number} | null}} */ ({ outcome: null, running: false, problem: null, progress: null }));

/** What the browser says of this tablet's room. */
export const storage = signal(/** @type {{persisted: boolean | null, usage: number, quota: number}} */ ({ persisted: null, usage: 0, quota: 0 }));

/** A newer version of the app is ready to take over. */
export const updateReady = signal(/** @type {(() => void) | null} */ (null));

/** What this person's edits met with. @type {import("@preact/signals").Signal<import("./conflicts.js").Conflict[]>} */
export const conflicts = signal([]);
const ticking = signal(Date.now());

/** Follow the database. */
export function follow() {
  liveQuery(() => db.documents.toArray()).subscribe((rows) => (kept.value = rows));
  liveQuery(() => db.outbox.toArray()).subscribe((rows) => (outbox.value = rows));
  liveQuery(() => db.photos.toArray()).subscribe((rows) => (photos.value = rows));
  liveQuery(() => db.gone.toArray()).subscribe((rows) => (gone.value = new Map(rows.map((row) => [row.id, row]))));
  liveQuery(() => db.conflicts.toArray()).subscribe((rows) => (conflicts.value = rows));
  const known = drafts.load();
  liveQuery(() => db.meta.toArray()).subscribe(async (rows) => {
    meta.value = Object.fromEntries(rows.map((row) => [row.key, row.value]));
    // A field that is drawn before its draft is known would show the text of before.
    await known;
    loaded.value = true;
  });
  setInterval(() => (ticking.value = Date.now()), 10_000);
}

/** @type {import("@preact/signals").ReadonlySignal<Device | null>} */
export const device = computed(() => meta.value.device ?? null);
/** What this person has entered and not added, the oldest first. */
export const openDrafts = computed(() => [...heldDrafts.value.values()].filter((draft) => draft.author === device.value?.technician.id).sort((a, b) => (a.at < b.at ? -1 : 1)));
/** Documents with something that was not added, and in which fields. @type {import("@preact/signals").ReadonlySignal<Map<string, string[]>>} */
export const draftFields = computed(() => {
  /** @type {Map<string, string[]>} */ const fields = new Map();
  for (const { document_id: id, field } of openDrafts.value) fields.set(id, [...(fields.get(id) ?? []), field]);
  return fields;
});
export const signedOut = computed(() => Boolean(meta.value.signedOut));
export const firstSync = computed(() => Boolean(meta.value.firstSync));
/** What is to be done today is here with all that it needs, though the rest of the first load may be on its way. */
export const todayReady = computed(() => firstSync.value || Boolean(meta.value.firstToday));
/** Since when all that this person's visits need is here. @type {import("@preact/signals").ReadonlySignal<string | null>} */
export const completeSince = computed(() => (typeof meta.value.firstSync === "string" ? meta.value.firstSync : null));
export const lastContact = computed(() => /** @type {string | null} */ (meta.value.contact?.at ?? null));
export const clockEstimate = computed(() => /** @type {import("./clock.js").ClockEstimate | null} */ (meta.value.clock ?? null));
/** Which days of work are here, and what did not fit. @type {import("@preact/signals").ReadonlySignal<{first_day: string | null, last_day: string | null, visits_beyond: number, first_beyond: string | null} | null>} */
export const heldDays = computed(() => meta.value.package ?? null);
/** When it was last proven that all is here as the office has it. */
export const lastCheck = computed(() => /** @type {import("./whole.js").LastCheck | null} */ (meta.value.checked ?? null));
export const news = computed(() => /** @type {import("./news.js").News[]} */ (meta.value.news ?? []));
/** The moment, by the office's clock, in ms; moves every 10 s. */
export const now = computed(() => corrected(clockEstimate.value, ticking.value));

const collections = computed(() => {
  /** @type {Map<string, Map<string, Document>>} */ const byName = new Map();
  for (const { collection, id, document } of kept.value) {
    if (!byName.has(collection)) byName.set(collection, new Map());
    byName.get(collection)?.set(id, /** @type {Document} */ ({ ...USUAL[collection], ...document }));
  }
  return byName;
});

const outboxOf = computed(() => Map.groupBy(outbox.value, (entry) => entry.mutation.document_id));

/** A document with what was written here laid over it. @param {string} collection @param {string | null | undefined} id @returns {Document | undefined} */
export function find(collection, id) {
  if (!id) return undefined;
  const shown = overlay(collections.value.get(collection)?.get(id), outboxOf.value.get(id) ?? []);
  return collection === "visit" ? decided(shown) : shown;
}

/**
 * A visit with what was decided of its coverage (visits that were decided alike share the document), what was found here
 * since laid over it, and with its title in the reader's language where that is the name of its kind.
 * @param {Document | undefined} visit
 */
function decided(visit) {
  if (!visit) return visit;
  const names = kindOf(visit)?.name;
  const title = names && Object.values(names).includes(visit.title) ? named(names) : visit.title;
  const shown = title === visit.title ? visit : { ...visit, title };
  if (!visit.coverage_id) return shown;
  // What the office has read of the findings is in its decision already.
  const read = causesOf(collections.value.get("visit")?.get(visit.id)?.findings ?? []);
  return { ...shown, coverage: withCauses(asOfficeDecided(visit), causesOf(visit.findings).filter((cause) => !read.includes(cause))) };
}

/** What the office has decided of a visit's coverage, without what was found here since. @param {Document} visit */
export const asOfficeDecided = (visit) => collections.value.get("coverage")?.get(visit.coverage_id) ?? null;

/** The server's last word on a document. @param {string} collection @param {string} id */
export const asServerSaid = (collection, id) => collections.value.get(collection)?.get(id);

/** @param {string} collection @returns {Document[]} */
export function all(collection) {
  return [...(collections.value.get(collection)?.values() ?? [])];
}

export const visits = computed(() => all("visit").map((visit) => /** @type {Document} */ (decided(overlay(visit, outboxOf.value.get(visit.id) ?? [])))));

/** The branch of who is signed in; the tablet knows the others too. */
export const homeBranch = computed(() => find("branch", find("technician", device.value?.technician.id)?.branch_id));

/** Where the day starts: at home or at the depot. @returns {{lat: number, lon: number} | undefined} */
export function dayStart() {
  const technician = find("technician", device.value?.technician.id);
  if (technician?.start_from === "home" && technician.home_lat) return { lat: technician.home_lat, lon: technician.home_lon };
  return /** @type {any} */ (homeBranch.value);
}

/** The zone the day is reckoned in: the branch's. */
export const homeZone = computed(() => homeBranch.value?.tz ?? visits.value.map((visit) => find("site", visit.site_id)?.tz)[0]);
export const today = computed(() => localDay(now.value, homeZone.value));
export const zoneOf = (/** @type {Document} */ visit) => find("site", visit.site_id)?.tz ?? homeZone.value;

/** The local day for which a visit is planned, "" if for none. @param {Document} visit */
export const plannedDay = (visit) => localDay(visit.planned_start, zoneOf(visit));

/** What this person works at in this moment; more than one is worth a word. */
export const runningNow = computed(() => workedAtBy(visits.value, device.value?.technician.id));

export const days = computed(() => {
  const shown = visits.value.filter((visit) => visit.plan_state !== "cancelled" || isOver(visit));
  return byDay(shown, today.value, plannedDay, (visit) => localDay(visit.finished_at, zoneOf(visit)));
});
/** What is to be done today: also what was left from earlier days. */
export const dayList = computed(() => [...days.value.earlier, ...days.value.current]);

/** The visit the technician has chosen to look at; the next one until then. */
export const chosen = signal(/** @type {string | null} */ (null));
export const selected = computed(() => {
  const list = dayList.value;
  const known = chosen.value && visits.value.find((visit) => visit.id === chosen.value);
  return known || nextVisit(list) || list[0] || null;
});

export const count = computed(() => counts(outbox.value, photos.value, today.value, (moment) => localDay(moment, homeZone.value), openDrafts.value.length));

/** What a document is called: a visit by its site. @param {string} collection @param {string} id */
export function titleOf(collection, id) {
  const document = find(collection, id);
  return (collection === "site" ? document?.name : find("site", document?.site_id)?.name) ?? gone.value.get(id)?.title ?? "";
}

/** @param {Document} visit */
export const checklistOf = (visit) => find("checklist", visit.checklist_id) ?? find("checklist", kindOf(visit)?.checklist_id);

/** @param {Document} visit */
export const kindOf = (visit) => all("service_kind").find((kind) => kind.code === visit.kind || kind.id === visit.kind);

/** A word in the reader's language out of `{en, ru}`. @param {Record<string, string> | string | null | undefined} names @returns {string} */
export function named(names) {
  if (!names || typeof names === "string") return names ?? "";
  return names[locale.value] ?? names.en ?? Object.values(names)[0] ?? "";
}

/** @param {Document} visit */
export const kindName = (visit) => named(kindOf(visit)?.name) || visit.kind || "";

/** How a past visit ended, in words. @param {string | null | undefined} outcome */
export const outcomeWord = (outcome) => (outcome && hasText(`state.${outcome}`) ? t(`state.${outcome}`) : (outcome ?? ""));

/** Equipment of a visit with its model. @param {Document} visit */
export function assetsOf(visit) {
  return (visit.asset_ids ?? [])
    .map((/** @type {string} */ id) => find("asset", id))
    .filter(Boolean)
    .map((/** @type {Document} */ asset) => ({ asset, model: find("product_model", asset.model_id) }));
}

/** Where each fact of this visit is: only here, or with the office. @param {string} visitId @returns {"saved" | "accepted" | "needs" | null} */
export function whereabouts(visitId) {
  const entries = outboxOf.value.get(visitId) ?? [];
  const waiting = photos.value.some((photo) => photo.visit_id === visitId && photo.state !== "verified" && photo.state !== "held");
  if (entries.some((entry) => entry.state === "needs")) return "needs";
  if (waiting || entries.some((entry) => entry.state === "saved" || entry.state === "sent")) return "saved";
  return entries.length ? "accepted" : null;
}
