// Photos: made small and hashed before they are kept. How they are sent is in `photo-lane.js`.

const LONGEST_SIDE = 1600;
const QUALITY = 0.85;
const PREVIEW_SIDE = 320;
const PREVIEW_QUALITY = 0.6;

/**
 * At most 1,600 px, JPEG, upright, and a small picture that may go ahead of it. A file that the browser cannot read is
 * kept as it is, for the office to look at.
 * @param {File} file @returns {Promise<{blob: Blob, mediaType: string, preview: Blob | null}>}
 */
export async function downscale(file) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { blob: file, mediaType: file.type || "application/octet-stream", preview: null };
  }
  const blob = await drawn(picture, LONGEST_SIDE, QUALITY);
  const preview = await drawn(picture, PREVIEW_SIDE, PREVIEW_QUALITY);
  picture.close();
  return blob ? { blob, mediaType: "image/jpeg", preview } : { blob: file, mediaType: file.type, preview };
}

/** @param {ImageBitmap} picture @param {number} longest @param {number} quality @returns {Promise<Blob | null>} */
function drawn(picture, longest, quality) {
  const factor = Math.min(1, longest / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * factor));
  canvas.height = Math.max(1, Math.round(picture.height * factor));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}

/** @param {Blob} blob @returns {Promise<string>} hex */
export async function sha256(blob) {
  const sum = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
