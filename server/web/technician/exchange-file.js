// The exchange without a network: what waits here as a sealed file for the office, and the office's answer taken in
// exactly as an exchange over the network would. The rules are S-200 to S-213 of the protocol.
import * as database from "./db.js";
import { wire } from "./outbox.js";
import { settled } from "./photo-lane.js";
import { Broken, idOf, joined, newKeys, readEnvelope, same, seal, TO_OFFICE, TO_TABLET, unseal } from "./sealed.js";

/** @typedef {import("./db.js").Database} Database */
/** @typedef {import("./types.js").OutboxEntry} OutboxEntry */
/** @typedef {import("./types.js").Photo} Photo */
/** @typedef {import("./sealed.js").Bytes} Bytes */
/** @typedef {{device_id: string, keys: import("./sealed.js").Keys, office: import("./sealed.js").PublicKeys | null}} Kept */
/**
 * What a file of the office brought. `again`, `older`: nothing changed · `gap`: answers, no documents · `restored`: all goes
 * once more with the next file. `more`: the rest of the documents comes with another file.
 * @typedef {{outcome: "taken" | "again" | "older" | "gap" | "restored", answers: number, changes: number, more: boolean}} Taken
 */

export const MOST_MUTATIONS = 2000;
const MOST_AWAITED = 500;
const MOST_PHOTOS = 300;
/** Room for photos in one file; all of it may have 32 MiB. */
export const PHOTO_BYTES = 28 * 1024 * 1024;

/** A file cannot be taken in; `code` says why, for the words. */
export class ExchangeFault extends Error {
  /** @param {"unreadable" | "newer" | "cut" | "altered" | "not-for-here" | "no-keys"} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * Show the office this registration's public keys and keep the office's: once, and again when another history began.
 * @param {Database} db @param {import("./sync.js").Ask} ask @param {any} device
 */
export async function showKeys(db, ask, device) {
  /** @type {Kept | undefined} */ const before = await database.readMeta(db, "exchangeKeys");
  const kept = before?.device_id === device.device_id ? before : null;
  if (!globalThis.crypto?.subtle || (kept?.office && !(await database.readMeta(db, "keysToShow")))) return;
  const keys = kept?.keys ?? (await newKeys());
  // Kept before they are shown: an answer that is lost leaves no key that only the office knows.
  if (!kept) await database.writeMeta(db, "exchangeKeys", { device_id: device.device_id, keys, office: null });
  let answer;
  try {
    answer = await ask("POST", "/sync/v1/exchange-keys", { token: device.token, body: { agree: text64(keys.public.agree), sign: text64(keys.public.sign) } });
  } catch (error) {
    // An older server knows no exchange by files; whatever else is wrong with it holds up no other exchange.
    const { status } = /** @type {any} */ (error);
    if (status >= 400 && status !== 401) return;
    throw error;
  }
  await database.writeMeta(db, "exchangeKeys", { device_id: device.device_id, keys, office: { agree: bytes64(answer.agree), sign: bytes64(answer.sign) } });
  await db.meta.delete("keysToShow");
}

/**
 * Write all that waits into a file for the office. Until an answer comes the same goes again, by whatever way.
 * @param {Database} db @param {{photoBytes?: number, now: number, self: Record<string, any>}} options `photoBytes`: photos up to so many bytes come along
 * @returns {Promise<{data: Bytes, n: number, edits: number, photos: number, photosLeft: number}>} @throws {ExchangeFault} `no-keys`
 */
export async function writeFile(db, { photoBytes = 0, now, self }) {
  const device = await database.readMeta(db, "device");
  const { keys, office } = await keysOf(db, device);
  const author = device.technician.id;
  const mine = (await db.photos.toArray()).filter((photo) => photo.author === author);
  const waiting = mine.filter(({ state }) => state !== "verified" && state !== "needs");
  const photos = fitting(waiting.filter(({ state }) => state === "saved" || state === "sending"), Math.min(photoBytes, PHOTO_BYTES));
  const { n, batch, told } = await database.takeForFile(db, author, MOST_MUTATIONS);
  const here = new Date(now).toISOString();
  const left = waiting.filter((photo) => !photos.includes(photo));
  const contents = {
    ...told,
    n,
    awaiting: waiting.slice(0, MOST_AWAITED).map(({ sha256 }) => sha256),
    push: { ...self, device_time: here, mutations: batch.map(wire), told: { ...told.told, photos: left.length, photo_bytes: left.reduce((sum, { size }) => sum + size, 0) } },
    files: photos.map(({ sha256, size, name, media_type }) => ({ sha256, size, name: name.slice(0, 200), media_type: media_type.slice(0, 80) })),
  };
  const packed = await gzip(JSON.stringify(contents));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, packed.length);
  const blobs = await Promise.all(photos.map(async ({ blob }) => new Uint8Array(await blob.arrayBuffer())));
  const data = await seal(joined(length, packed, ...blobs), { direction: TO_OFFICE, sender: keys, recipient: office });
  return { data, n, edits: batch.length, photos: photos.length, photosLeft: left.length };
}

/** The smallest first, as many as have room. @param {Photo[]} photos @param {number} room bytes */
export function fitting(photos, room) {
  /** @type {Photo[]} */ const chosen = [];
  let left = room;
  for (const photo of [...photos].sort((a, b) => a.size - b.size)) {
    if (photo.size > left || chosen.length === MOST_PHOTOS) break;
    chosen.push(photo);
    left -= photo.size;
  }
  return chosen;
}

/**
 * Take in a file of the office. Taken twice it changes nothing; stopped half-way it may be taken again.
 * @param {Database} db @param {Bytes} data @param {{now: number}} options @returns {Promise<Taken>} @throws {ExchangeFault}
 */
export async function takeFile(db, data, { now }) {
  const told = await readFile(db, data);
  const [epoch, heard, last] = await Promise.all(["epoch", "heard", "fileTaken"].map((key) => database.readMeta(db, key)));
  if (last?.epoch === told.epoch && told.n <= last.n) return nothing(told.n === last.n ? "again" : "older");
  const anew = told.epoch !== epoch;
  if (anew && heard && told.server_time <= heard.office) return nothing("older");
  const restored = Boolean(anew && epoch);
  if (restored) await database.startOver(db);
  if (anew) await database.writeMeta(db, "epoch", told.epoch);
  const answers = await takeAnswers(db, told);
  /** @type {Taken} */
  let taken = { outcome: "restored", answers, changes: 0, more: false };
  if (!restored) {
    await database.takeConflicts(db, told.conflicts, new Date(now).toISOString());
    const changed = told.pull && (await takeChanges(db, told.pull, now));
    const known = told.pull && (await database.readMeta(db, "readThrough")) > told.pull.seq;
    taken = { outcome: changed || known ? "taken" : "gap", answers, changes: changed ? told.pull.changes.length : 0, more: Boolean(changed && told.pull.more) };
    await database.forgetOld(db, new Date(told.server_time));
  }
  // Last of all: until here the whole file may be taken once more.
  await database.writeMeta(db, "heard", { office: told.server_time, here: new Date(now).toISOString() });
  await database.writeMeta(db, "fileTaken", { epoch: told.epoch, n: told.n });
  return taken;
}

/** @param {Taken["outcome"]} outcome @returns {Taken} */
const nothing = (outcome) => ({ outcome, answers: 0, changes: 0, more: false });

/** What a file says, once it is known to be the office's and for this tablet. @param {Database} db @param {Bytes} data @returns {Promise<any>} */
async function readFile(db, data) {
  const device = await database.readMeta(db, "device");
  const { keys, office } = await keysOf(db, device);
  try {
    const envelope = readEnvelope(data);
    const forHere = same(envelope.recipient, await idOf(keys.public)) && same(envelope.sender, await idOf(office));
    if (!forHere || envelope.direction !== TO_TABLET) throw new ExchangeFault("not-for-here");
    const plain = await unseal(envelope, { sender: office, recipient: keys });
    const end = 4 + new DataView(plain.buffer, plain.byteOffset).getUint32(0);
    const told = JSON.parse(await gunzip(plain.slice(4, end)));
    if (told.device_id !== device.device_id) throw new ExchangeFault("not-for-here");
    return told;
  } catch (error) {
    if (error instanceof ExchangeFault) throw error;
    throw new ExchangeFault(error instanceof Broken ? error.fault : "unreadable");
  }
}

/** @param {Database} db @param {any} device @returns {Promise<{keys: import("./sealed.js").Keys, office: import("./sealed.js").PublicKeys}>} */
async function keysOf(db, device) {
  /** @type {Kept | undefined} */ const kept = await database.readMeta(db, "exchangeKeys");
  if (!kept?.office || kept.device_id !== device?.device_id) throw new ExchangeFault("no-keys");
  return { keys: kept.keys, office: kept.office };
}

/** Answers to edits and photos that wait here; what is settled already stays as it is. @param {Database} db @param {any} told */
async function takeAnswers(db, told) {
  const open = new Map((await db.outbox.where("state").anyOf("saved", "sent", "waiting").toArray()).map((entry) => [entry.id, entry]));
  const news = told.results.filter((/** @type {any} */ result) => open.has(result.id) && !(open.get(result.id)?.state === "waiting" && result.status === "held"));
  await database.takeResults(db, news, told.server_time);
  for (const receipt of told.receipts) {
    const photo = await db.photos.get(receipt.sha256);
    const change = photo && settled(photo, receipt, told.server_time);
    if (photo && change) await db.photos.update(photo.sha256, change);
  }
  return news.length;
}

/** The documents, where they go on from what is here. @param {Database} db @param {any} page @param {number} now */
async function takeChanges(db, page, now) {
  const [cursor = null, through = 0] = await Promise.all(["cursor", "readThrough"].map((key) => database.readMeta(db, key)));
  if (!continues(page, cursor, through)) return false;
  await database.takePage(db, page, { at: new Date(now).toISOString(), fresh: page.from === null });
  return true;
}

/**
 * Whether these changes go on from what is here, and reach as far as was read here (S-211).
 * @param {{from: string | null, from_seq: number, seq: number, more: boolean}} page @param {string | null} cursor @param {number} through
 */
export function continues(page, cursor, through) {
  if (page.seq < through) return false;
  if (page.from === cursor) return true;
  if (page.more || (cursor === null && page.from !== null)) return false;
  return page.from === null || (through > 0 && page.from_seq <= through);
}

/** @param {string} text @returns {Promise<Bytes>} */
const gzip = async (text) => new Uint8Array(await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer());

/** @param {Bytes} data */
const gunzip = (data) => new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"))).text();

/** @param {Uint8Array} data */
const text64 = (data) => btoa(String.fromCharCode(...data)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** @param {string} text @returns {Bytes} */
const bytes64 = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
