// The photos' own lane: it holds no fact up, gives way to each, and goes on at the byte where it was, also after a reload.
import { Upload } from "tus-js-client";
import * as clock from "./clock.js";
import * as database from "./db.js";
import { measured, nextPiece, tooLong, unknownLink } from "./pieces.js";

/** @typedef {import("./types.js").Photo} Photo */
/** @typedef {import("./db.js").Database} Database */
/** @typedef {import("./sync.js").Ask} Ask */

/** Small pictures go ahead when the photos would take longer than this. */
const PREVIEWS_FROM_S = 20;
/** Below this a photo is as quickly sent as its small picture, whatever the link. */
const PREVIEWS_FROM_BYTES = 300_000;
/** Other bytes arrived than were sent so often that a person should look. */
const TRIES = 3;
/** A photo that the office would not go on with is tried again after this: its request that was cut off may still be ending there. */
const AGAIN_MS = 1500;
const MOST_RECEIPTS = 200;
/** A request without an answer for so long hangs on a line that is gone: it is given up, and goes on where it was. */
const HANGS_MS = 60_000;

/** How long an upload of so many bytes takes, in s, by what the link did lately. @param {number} bytes @param {number | null} rate bytes/s */
export const seconds = (bytes, rate) => bytes / (rate ?? 8_000);

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
 * @param {{db: Database, ask: Ask, now?: () => number, endpoint?: string, wait?: number, hangsMs?: number, watched?: () => boolean}} parts
 *   `watched`: whether somebody may press something
 * @returns {{run: () => Promise<void>, isRunning: () => boolean, pause: () => void}} `pause`: give way to a push: no further piece
 *   begins, and one that would take long is cut off; what was sent of the photo stays
 */
export function photoLane({ db, ask, now = Date.now, endpoint = "/sync/v1/uploads", wait = AGAIN_MS, hangsMs = HANGS_MS, watched = () => true }) {
  /** @type {(() => void) | null} */ let stop = null;
  let link = unknownLink();
  let onItsWay = 0;
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
    for (const { photo, ahead } of plan(await mine(), link.rate ?? (await database.readMeta(db, "rate")) ?? null)) {
      if (paused) return;
      const goesOn = ahead ? await sendPreview(photo, device.token) : await sendPhoto(photo, device.token);
      if (!goesOn) break;
    }
    if (!paused) await askReceipts(await mine(), device.token);
    if (!paused && refused) {
      refused = false;
      await new Promise((done) => setTimeout(done, wait));
      again = true;
    }
  }

  /** @param {Photo} photo @param {string} token */
  async function sendPreview(photo, token) {
    const { blob, sha256 } = /** @type {{blob: Blob, sha256: string}} */ (photo.preview);
    try {
      await send({ blob, token, url: null, ahead: true, metadata: { sha256, ahead_of: photo.sha256, media_type: "image/jpeg" } });
    } catch (error) {
      if (paused || isForLater(statusOf(error))) return false;
      // Not wanted (the visit is not this tablet's any more): the photo says it all.
    }
    await db.photos.update(photo.sha256, { preview_done: true });
    return true;
  }

  /** @param {Photo} photo @param {string} token */
  async function sendPhoto(photo, token) {
    const tries = photo.tries ?? 0;
    try {
      await send({
        blob: photo.blob, token, url: photo.upload_url ?? null, ahead: tries === 0,
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
   * Piece by piece, each as large as the link allows by what the pieces before it took.
   * @param {{blob: Blob, token: string, url: string | null, ahead: boolean, metadata: Record<string, string>,
   *   onUrl?: (url: string) => void, onSent?: (bytes: number) => void}} what `ahead`: bytes go with the announcement
   * @returns {Promise<void>}
   */
  function send({ blob, token, url, ahead, metadata, onUrl = () => {}, onSent = () => {} }) {
    return new Promise((resolve, reject) => {
      let since = now();
      /** @type {ReturnType<typeof setTimeout> | undefined} */ let hangs;
      const done = (/** @type {() => void} */ next) => {
        clearTimeout(hangs);
        stop = null;
        onItsWay = 0;
        next();
      };
      const giveUp = (/** @type {string} */ why) => void task.abort().then(() => done(() => reject(new Error(why))));
      const task = new Upload(blob, {
        endpoint,
        uploadUrl: url,
        headers: { Authorization: `Bearer ${token}` },
        metadata,
        chunkSize: nextPiece(link, now(), watched()),
        uploadDataDuringCreation: ahead,
        retryDelays: null,
        storeFingerprintForResuming: false,
        onBeforeRequest: (request) => {
          since = now();
          onItsWay = request.getMethod() === "HEAD" || (request.getMethod() === "POST" && !ahead) ? 0 : task.options.chunkSize ?? 0;
          clearTimeout(hangs);
          hangs = setTimeout(() => giveUp("hangs"), hangsMs);
        },
        onAfterResponse: () => {
          if (!onItsWay) link = measured(link, 0, now() - since, now());
        },
        onUploadUrlAvailable: () => task.url && onUrl(task.url),
        onChunkComplete: (size, accepted, total) => {
          link = measured(link, size, now() - since, now());
          if (link.rate !== null) void database.writeMeta(db, "rate", link.rate);
          onSent(accepted);
          if (paused && accepted < Number(total)) return giveUp("paused");
          task.options.chunkSize = nextPiece(link, now(), watched());
        },
        onSuccess: () => done(resolve),
        onError: (error) => done(() => reject(error)),
      });
      stop = () => giveUp("paused");
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
      if (tooLong(link, onItsWay)) stop?.();
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
