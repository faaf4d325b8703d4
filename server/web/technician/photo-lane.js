// The photos' own lane: it holds no fact up, gives way to each, and goes on at the byte where it was, also after a reload.
import { Upload } from "tus-js-client";
import * as clock from "./clock.js";
import * as database from "./db.js";

/** @typedef {import("./types.js").Photo} Photo */
/** @typedef {import("./db.js").Database} Database */
/** @typedef {import("./sync.js").Ask} Ask */

const LEAST_CHUNK = 16 * 1024;
const MOST_CHUNK = 1024 * 1024;
const FIRST_CHUNK = 64 * 1024;
/** A piece takes about so long: short enough to show how far it is, long enough that round trips do not count. */
const CHUNK_S = 8;
/** Small pictures go ahead when the photos would take longer than this. */
const PREVIEWS_FROM_S = 20;
/** Below this a photo is as quickly sent as its small picture, whatever the link. */
const PREVIEWS_FROM_BYTES = 300_000;
/** Other bytes arrived than were sent so often that a person should look. */
const TRIES = 3;
/** A photo that the office would not go on with is tried again after this: its request that was cut off may still be ending there. */
const AGAIN_MS = 1500;
const MOST_RECEIPTS = 200;

/** How long an upload of so many bytes takes, in s, by what the link did lately. @param {number} bytes @param {number | null} rate bytes/s */
export const seconds = (bytes, rate) => bytes / (rate ?? 8_000);

/** @param {number | null} rate bytes/s */
export const chunkFor = (rate) => (rate === null ? FIRST_CHUNK : Math.round(Math.min(MOST_CHUNK, Math.max(LEAST_CHUNK, rate * CHUNK_S))));

/** The newer a measurement, the more it counts. @param {number | null} before @param {number} bytes @param {number} ms */
export const measured = (before, bytes, ms) => (ms < 1 ? before : before === null ? (bytes * 1000) / ms : before * 0.6 + ((bytes * 1000) / ms) * 0.4);

/**
 * What to send next: small pictures ahead of all photos where those would take long, then the photos, smallest first.
 * @param {Photo[]} photos of one person @param {number | null} rate bytes/s
 * @returns {{photo: Photo, ahead: boolean}[]}
 */
export function plan(photos, rate) {
  const waiting = photos.filter(({ state }) => state === "saved" || state === "sending").sort((a, b) => a.size - b.size);
  const slow = seconds(waiting.reduce((sum, photo) => sum + photo.size - photo.sent, 0), rate) > PREVIEWS_FROM_S;
  const previews = slow ? waiting.filter((photo) => photo.preview && !photo.preview_done && photo.size - photo.sent >= PREVIEWS_FROM_BYTES / 3) : [];
  return [...previews.map((photo) => ({ photo, ahead: true })), ...waiting.map((photo) => ({ photo, ahead: false }))];
}

/**
 * What a receipt makes of a photo; null when nothing changes.
 * @param {Photo} photo @param {{state: string, received: number, size: number | null, problem?: any}} receipt @param {string} now
 * @returns {Partial<Photo> | null}
 */
export function settled(photo, receipt, now) {
  const again = { state: /** @type {const} */ ("saved"), upload_url: null, sent: 0 };
  const tries = photo.tries ?? 0;
  switch (receipt.state) {
    case "verified":
      return { state: "verified", sent: photo.size, settled_at: now, problem: null, upload_url: null };
    case "discarded":
      return { state: "needs", problem: receipt.problem };
    case "quarantined":
      if (receipt.problem?.code !== "upload-hash") return { state: "held", sent: photo.size, problem: receipt.problem };
      return tries >= TRIES ? { state: "needs", problem: receipt.problem } : { ...again, tries: tries + 1 };
    default:
      // The office does not have it (any more): it was restored to an earlier time, or the upload was never finished.
      return photo.state === "sent" || photo.state === "held" ? again : null;
  }
}

/** The failure is about the link or the moment, not about the photo: nothing further is tried now. @param {number} status */
const isForLater = (status) => status === 0 || status === 401 || status === 408 || status === 423 || status === 425 || status === 429 || status >= 500;

/**
 * @param {{db: Database, ask: Ask, now?: () => number, endpoint?: string, wait?: number}} parts
 * @returns {{run: () => Promise<void>, isRunning: () => boolean, pause: () => void}} `pause`: give way to a push; what was sent of the photo stays
 */
export function photoLane({ db, ask, now = Date.now, endpoint = "/sync/v1/uploads", wait = AGAIN_MS }) {
  /** @type {(() => void) | null} */ let stop = null;
  let paused = false;
  let again = false;
  let refused = false;
  /** @type {Promise<void> | null} */ let running = null;

  /** Called while a run gives way, another one follows it. @returns {Promise<void>} */
  function run() {
    if (running) {
      again = paused;
      return running;
    }
    paused = again = false;
    running = once().finally(() => {
      running = null;
      if (again) void run().catch(() => {});
    });
    return running;
  }

  async function once() {
    const device = await database.readMeta(db, "device");
    if (!device) return;
    const mine = async () => (await db.photos.toArray()).filter((photo) => photo.author === device.technician.id);
    /** @type {number | null} */ let rate = (await database.readMeta(db, "rate")) ?? null;
    const learn = (/** @type {number} */ bytes, /** @type {number} */ ms) => {
      rate = measured(rate, bytes, ms);
      void database.writeMeta(db, "rate", rate);
    };
    for (const { photo, ahead } of plan(await mine(), rate)) {
      if (paused) return;
      const goesOn = ahead ? await sendPreview(photo, device.token, rate, learn) : await sendPhoto(photo, device.token, rate, learn);
      if (!goesOn) break;
    }
    if (!paused) await askReceipts(await mine(), device.token);
    if (!paused && refused) {
      refused = false;
      await new Promise((done) => setTimeout(done, wait));
      again = true;
    }
  }

  /** @param {Photo} photo @param {string} token @param {number | null} rate @param {(bytes: number, ms: number) => void} learn */
  async function sendPreview(photo, token, rate, learn) {
    const { blob, sha256 } = /** @type {{blob: Blob, sha256: string}} */ (photo.preview);
    try {
      await send({ blob, token, rate, learn, url: null, ahead: true, metadata: { sha256, ahead_of: photo.sha256, media_type: "image/jpeg" } });
    } catch (error) {
      if (isForLater(statusOf(error))) return false;
      // Not wanted (the visit is not this tablet's any more): the photo says it all.
    }
    await db.photos.update(photo.sha256, { preview_done: true });
    return true;
  }

  /** @param {Photo} photo @param {string} token @param {number | null} rate @param {(bytes: number, ms: number) => void} learn */
  async function sendPhoto(photo, token, rate, learn) {
    const tries = photo.tries ?? 0;
    try {
      await send({
        blob: photo.blob, token, rate, learn, url: photo.upload_url ?? null, ahead: tries === 0,
        metadata: { sha256: photo.sha256, filename: photo.name, media_type: photo.media_type },
        onUrl: (url) => void db.photos.update(photo.sha256, { state: "sending", upload_url: url }),
        onSent: (bytes) => void db.photos.update(photo.sha256, { state: "sending", sent: bytes }),
      });
      await db.photos.update(photo.sha256, { state: "sent", sent: photo.size, upload_url: null, problem: null });
      return true;
    } catch (error) {
      const status = statusOf(error);
      if (paused) return false;
      if (isForLater(status)) {
        // A link that ends within the first piece gets on when the upload is announced by itself.
        if (status === 0 && !photo.upload_url) await db.photos.update(photo.sha256, { tries: Math.max(tries, 1) });
        return false;
      }
      const again = (status === 460 || status === 409) && tries < TRIES;
      refused ||= again;
      await db.photos.update(photo.sha256, again ? { state: "saved", upload_url: status === 409 ? photo.upload_url : null, sent: 0, tries: tries + 1 } : { state: "needs", problem: problemOf(error, status) });
      return true;
    }
  }

  /**
   * @param {{blob: Blob, token: string, rate: number | null, learn: (bytes: number, ms: number) => void, url: string | null, ahead: boolean,
   *   metadata: Record<string, string>, onUrl?: (url: string) => void, onSent?: (bytes: number) => void}} what `ahead`: bytes go with the announcement
   * @returns {Promise<void>}
   */
  function send({ blob, token, rate, learn, url, ahead, metadata, onUrl = () => {}, onSent = () => {} }) {
    return new Promise((resolve, reject) => {
      let since = now();
      const done = (/** @type {() => void} */ next) => {
        stop = null;
        next();
      };
      const task = new Upload(blob, {
        endpoint,
        uploadUrl: url,
        headers: { Authorization: `Bearer ${token}` },
        metadata,
        chunkSize: chunkFor(rate),
        uploadDataDuringCreation: ahead,
        retryDelays: null,
        storeFingerprintForResuming: false,
        onUploadUrlAvailable: () => task.url && onUrl(task.url),
        onChunkComplete: (size, accepted) => {
          learn(size, now() - since);
          since = now();
          onSent(accepted);
        },
        onSuccess: () => done(resolve),
        onError: (error) => done(() => reject(error)),
      });
      stop = () => void task.abort().then(() => done(() => reject(new Error("paused"))));
      task.start();
    });
  }

  /** Which of what was sent is verified, in one round trip for many. @param {Photo[]} photos @param {string} token */
  async function askReceipts(photos, token) {
    const asked = photos.filter(({ state }) => state === "sent" || state === "held").slice(0, MOST_RECEIPTS);
    if (!asked.length) return;
    const { receipts } = await ask("POST", "/sync/v1/attachments/receipts", { token, body: { sha256: asked.map((photo) => photo.sha256) } });
    for (const [index, photo] of asked.entries()) {
      const officeTime = clock.corrected((await database.readMeta(db, "clock")) ?? null, now());
      const change = settled(photo, receipts[index], new Date(officeTime).toISOString());
      if (change) await db.photos.update(photo.sha256, change);
    }
  }

  return {
    run,
    isRunning: () => running !== null,
    pause: () => {
      paused = true;
      stop?.();
    },
  };
}

/** @param {any} error @returns {number} 0 when no answer came */
const statusOf = (error) => error.originalResponse?.getStatus() ?? 0;

/** @param {any} error @param {number} status */
function problemOf(error, status) {
  try {
    return JSON.parse(error.originalResponse.getBody());
  } catch {
    return { code: String(status) };
  }
}
