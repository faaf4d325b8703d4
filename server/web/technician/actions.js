// What a technician does, each as one saved edit. Every function resolves only when the edit is on the disk.
import { t } from "../shared/i18n.js";
import { formatMeasure } from "../shared/units.js";
import { toast } from "../shared/components.js";
import { signal } from "@preact/signals";
import { isFault, restIsOk } from "./checks.js";
import { saveEdit, sendOnceMore, writeMeta } from "./db.js";
import { mutation } from "./outbox.js";
import { downscale, sha256 } from "./photos.js";
import { lastStep } from "./states.js";
import { keyOf } from "./drafts.js";
import { asServerSaid, db, device, drafts, titleOf } from "./store.js";
import { uuid7 } from "./uuid.js";

/** @typedef {import("./types.js").Document} Document */
/** @typedef {import("./types.js").Item} Item */

/** The step just made and until when it can be taken back by one press. */
export const lastPress = signal(/** @type {{visitId: string, eventId: string, type: string, until: number} | null} */ (null));

export const UNDO_MS = 30_000;

/** Called after each edit, so that it is sent soon; set by main.js. */
export const onEdit = { run: () => {} };

const nowIso = () => new Date().toISOString();

/**
 * @param {"visit" | "site"} collection @param {string} id
 * @param {{set?: Record<string, any>, add?: Record<string, any[]>, coalesce?: string, photo?: import("./types.js").Photo, from?: string[], resolves?: string}} edit
 *   `from`: the fields of drafts that it is made of
 */
async function save(collection, id, { set, add, coalesce, photo, from = [], resolves }) {
  const base = asServerSaid(collection, id);
  const author = device.value?.technician.id ?? "";
  const keys = from.map((field) => keyOf({ author, documentId: id, field }));
  const giveBack = drafts.take(keys);
  try {
    await saveEdit(db, {
      author,
      drafts: keys,
      title: titleOf(collection, id),
      mutations: [mutation({ id: uuid7(), collection, documentId: id, baseVersion: base?.version ?? null, madeAt: nowIso(), set, add, resolves })],
      coalesce,
      photo,
    });
  } catch (error) {
    giveBack();
    if (/** @type {Error} */ (error).name === "QuotaExceededError" || /Quota/.test(String(error))) toast(t("tab.full"), { seconds: 30 });
    throw error;
  }
  onEdit.run();
}

/** @param {Record<string, any>} entry @returns {any} */
const stamped = (entry) => ({ id: uuid7(), at: nowIso(), ...entry });

/** A step of the work. @param {Document} visit @param {string} type @param {{reason?: string | null, set?: Record<string, any>, from?: string[]}} [more] */
export async function step(visit, type, { reason = null, set, from } = {}) {
  const event = stamped({ type, ...(reason ? { reason } : {}) });
  await save("visit", visit.id, { add: { events: [event] }, set, from: from ?? [`reason.${type}`] });
  lastPress.value = { visitId: visit.id, eventId: event.id, type, until: Date.now() + UNDO_MS };
}

/** Take the last step back: another event says so, the first is not erased. @param {Document} visit */
export async function undoStep(visit) {
  const last = lastPress.value?.visitId === visit.id ? { id: lastPress.value.eventId } : lastStep(visit.events ?? []);
  lastPress.value = null;
  if (last) await save("visit", visit.id, { add: { events: [stamped({ type: "undo", undoes: last.id })] } });
}

/**
 * An answer to a checklist item; what is out of limits becomes a finding at once, once an item.
 * @param {Document} visit @param {Item} item @param {any} value @param {{note?: string | null}} [more]
 */
export async function answer(visit, item, value, { note = null } = {}) {
  const given = stamped({ item: item.key, value, ...(note ? { note } : {}) });
  /** @type {Record<string, any[]>} */ const add = { answers: [given] };
  const asset = visit.asset_ids?.[0] ?? null;
  if (item.kind === "reading" && typeof value === "number" && asset && item.meter) {
    add.readings = [stamped({ asset_id: asset, meter: item.meter, value, unit: item.unit ?? null })];
  }
  const known = (visit.findings ?? []).some((/** @type {any} */ finding) => finding.item === item.key);
  if (isFault(item, given) && !known) {
    const language = device.value?.technician.locale === "ru" ? "ru" : "en";
    const what = item.text[language] ?? item.text.en;
    const text = typeof value === "number" ? `${what}: ${formatMeasure(value, item.unit, language)}` : (note ?? what);
    add.findings = [stamped({ asset_id: asset, item: item.key, severity: item.mandatory ? "major" : "minor", text })];
  }
  await save("visit", visit.id, { add, from: [`item.${item.key}`, `skip.${item.key}`] });
}

/**
 * Something that no item of a checklist asks for. `key` stands where an item's name does: photos and a cause that is given
 * later refer to the finding by it.
 * @param {Document} visit @param {{key: string, asset: string | null, severity: string, cause: string | null, text: string}} found
 */
export async function noteFinding(visit, { key, asset, severity, cause, text }) {
  await save("visit", visit.id, {
    add: { findings: [stamped({ asset_id: asset, item: key, severity, text, ...(cause ? { cause } : {}) })] },
    from: ["finding.text", "finding.form"],
  });
  toast(t(`check.finding.${severity}`));
}

/**
 * Why it is wrong: a finding once more, with its cause; the last one for the item counts.
 * @param {Document} visit @param {any} finding @param {string | null} cause
 */
export function giveCause(visit, finding, cause) {
  // Two presses within a millisecond, or a clock that was set back: it is still the later one.
  const at = new Date(Math.max(Date.now(), Date.parse(finding.at) + 1)).toISOString();
  return save("visit", visit.id, { add: { findings: [stamped({ at, asset_id: finding.asset_id ?? null, item: finding.item, severity: finding.severity, text: finding.text, cause })] } });
}

/** @param {Document} visit @param {Item[]} items */
export async function answerRestOk(visit, items) {
  const rest = restIsOk(items, visit.answers ?? []);
  if (!rest.length) return;
  await save("visit", visit.id, { add: { answers: rest.map((item) => stamped({ item: item.key, value: true })) } });
  toast(t("tab.rest.done", { n: rest.length }));
}

/** @param {{id: string}} visit @param {string} text @param {string[]} [from] the fields of drafts that it is made of */
export const note = (visit, text, from = ["note"]) => save("visit", visit.id, { add: { notes: [stamped({ text })] }, from });

/** @param {Document} visit @param {string} text */
export const workSummary = (visit, text) => save("visit", visit.id, { set: { work_summary: text }, coalesce: "work_summary", from: ["work_summary"] });

/** @param {string} siteId @param {"access_note" | "danger_note" | "contact_phone"} field @param {string} text */
export const correctSite = (siteId, field, text) => save("site", siteId, { set: { [field]: text || null }, coalesce: field, from: [field] });

/** Sign and end the visit: one edit, so that neither arrives without the other. @param {Document} visit @param {{outcome: string, summary: string, reason?: string | null, signature: {name: string, strokes: number[][][]} | null}} act */
export function finish(visit, { outcome, summary, reason = null, signature }) {
  /** @type {Record<string, any>} */ const set = { work_summary: summary || null };
  if (signature) set.signature = stamped(signature);
  return step(visit, outcome, { reason, set, from: ["work_summary", "sign.name", "sign.strokes", "sign.outcome", "reason.absent"] });
}

/**
 * Hand in what was entered for a visit that is no longer here: it becomes a note, and a signature one; the office
 * judges them like any other edit.
 * @param {string} visitId @param {import("./types.js").Draft[]} entered
 */
export async function handIn(visitId, entered) {
  const valueOf = (/** @type {string} */ field) => entered.find((draft) => draft.field === field)?.value;
  const [name, strokes] = [valueOf("sign.name"), valueOf("sign.strokes")];
  const signature = name && strokes ? stamped({ name: name.trim(), strokes }) : null;
  const lines = entered.filter((draft) => typeof draft.value === "string" && !(signature && draft.field === "sign.name")).map((draft) => (draft.value.length < 3500 ? `${draft.label}: ${draft.value}` : draft.value));
  await save("visit", visitId, {
    ...(lines.length ? { add: { notes: lines.map((text) => stamped({ text })) } } : {}),
    ...(signature ? { set: { signature } } : {}),
    from: entered.map((draft) => draft.field),
  });
}

/** @param {Document} visit @param {File} file @param {string | null} item */
export async function addPhoto(visit, file, item = null) {
  const { blob, mediaType, preview } = await downscale(file);
  const hash = await sha256(blob);
  const made = nowIso();
  const name = file.name || `photo-${made}.jpg`;
  await save("visit", visit.id, {
    add: { attachments: [stamped({ kind: "photo", sha256: hash, size: blob.size, media_type: mediaType, name, ...(item ? { item } : {}) })] },
    photo: { sha256: hash, blob, size: blob.size, media_type: mediaType, name, visit_id: visit.id, item, made_at: made, author: device.value?.technician.id ?? "", state: "saved", sent: 0, tries: 0, preview: preview && { blob: preview, sha256: await sha256(preview) } },
  });
}

/**
 * Let another value of a conflict stand: an ordinary edit, which says what it settles.
 * @param {import("./conflicts.js").Happening} happening @param {"mine" | "theirs"} side
 */
export async function letStand({ parts }, side) {
  for (const part of parts) {
    await save(part.collection, part.document_id, { set: { [part.field]: part[side] ?? null }, resolves: part.id });
  }
}

/** @param {number} seq */
export async function retry(seq) {
  await sendOnceMore(db, seq);
  onEdit.run();
}

/** @param {string} hash */
export async function retryPhoto(hash) {
  await db.photos.update(hash, { state: "saved", problem: null, upload_url: null, sent: 0, tries: 0 });
  onEdit.run();
}

export const newsSeen = () => writeMeta(db, "news", []);
