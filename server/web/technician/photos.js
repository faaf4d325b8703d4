// Photos: made small, hashed and kept on the tablet first; then sent in a lane of their own that holds nothing up.
import { Upload } from "tus-js-client";

/** @typedef {import("./types.js").Photo} Photo */
/** @typedef {import("./db.js").Database} Database */

const LONGEST_SIDE = 1600;
const QUALITY = 0.85;
const CHUNK = 256 * 1024;

/**
 * At most 1,600 px, JPEG, upright. A file that the browser cannot read is kept as it is, for the office to look at.
 * @param {File} file @returns {Promise<{blob: Blob, mediaType: string}>}
 */
export async function downscale(file) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { blob: file, mediaType: file.type || "application/octet-stream" };
  }
  const factor = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * factor));
  canvas.height = Math.max(1, Math.round(picture.height * factor));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return blob ? { blob, mediaType: "image/jpeg" } : { blob: file, mediaType: file.type };
}

/** @param {Blob} blob @returns {Promise<string>} hex */
export async function sha256(blob) {
  const sum = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Send what waits, one after another, smallest first; then ask for receipts. A photo counts as arrived only when the
 * office has checked its hash.
 * @param {Database} db @param {{token: string, technician: {id: string}}} device @param {(method: string, path: string, options: {token: string}) => Promise<any>} ask
 */
export async function sendPhotos(db, device, ask) {
  const mine = (/** @type {Photo} */ photo) => photo.author === device.technician.id;
  const waiting = (await db.photos.where("state").anyOf("saved", "sending").toArray()).filter(mine);
  for (const photo of waiting.sort((a, b) => a.size - b.size)) {
    try {
      await upload(db, photo, device.token);
      await db.photos.update(photo.sha256, { state: "sent", sent: photo.size, upload_url: null });
    } catch (error) {
      const answer = /** @type {any} */ (error).originalResponse;
      const status = answer?.getStatus() ?? 0;
      if (status === 0 || status === 401 || status === 429 || status >= 500) break;
      await db.photos.update(photo.sha256, { state: "needs", problem: problemFrom(answer, status) });
    }
  }
  for (const photo of (await db.photos.where("state").equals("sent").toArray()).filter(mine)) {
    const receipt = await ask("GET", `/sync/v1/attachments/${photo.sha256}/receipt`, { token: device.token });
    if (receipt?.state === "verified") await db.photos.update(photo.sha256, { state: "verified", settled_at: new Date().toISOString() });
    if (receipt?.state === "quarantined") await db.photos.update(photo.sha256, { state: "needs", problem: receipt.problem ?? { code: "quarantined" } });
  }
}

/** @param {any} answer @param {number} status */
function problemFrom(answer, status) {
  try {
    return JSON.parse(answer.getBody());
  } catch {
    return { code: String(status) };
  }
}

/** @param {Database} db @param {Photo} photo @param {string} token @returns {Promise<void>} */
function upload(db, photo, token) {
  return new Promise((resolve, reject) => {
    const task = new Upload(photo.blob, {
      endpoint: "/sync/v1/uploads",
      uploadUrl: photo.upload_url ?? null,
      headers: { Authorization: `Bearer ${token}` },
      metadata: { sha256: photo.sha256, filename: photo.name, media_type: photo.media_type },
      chunkSize: CHUNK,
      retryDelays: null,
      storeFingerprintForResuming: false,
      onUploadUrlAvailable: () => void db.photos.update(photo.sha256, { state: "sending", upload_url: task.url }),
      onChunkComplete: (_size, accepted) => void db.photos.update(photo.sha256, { sent: accepted }),
      onSuccess: () => resolve(),
      onError: reject,
    });
    task.start();
  });
}
