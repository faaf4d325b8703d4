// A small exchange file as a sequence of QR pictures: cut into numbered frames, and put together in any order. The same
// as `sync/frames.py`; `tests/vectors/frames.json` holds both to it. Pure.

/** Bytes of the file in one frame. */
export const BYTES = 480;
export const MOST_FRAMES = 64;

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const FRAME = /^RX1:([0-9A-F]{8}):([1-9][0-9]?):([1-9][0-9]?):([0-9A-F]{8}):([0-9A-Z $%*+\-./:]+)$/;

/** @typedef {{file: string, number: number, of: number, data: Uint8Array}} Frame */
/** @typedef {{file: string, of: number, parts: Map<number, Uint8Array>}} Gathering */

/** Whether a file of so many bytes is small enough for pictures. @param {number} size */
export const fits = (size) => size > 0 && size <= BYTES * MOST_FRAMES;

/** The texts of a file's frames, in order. @param {Uint8Array} data @param {number} [size] of a part @returns {Promise<string[]>} */
export async function cut(data, size = BYTES) {
  const of = Math.ceil(data.length / size);
  if (of < 1 || of > MOST_FRAMES) throw new RangeError("too large for pictures");
  const file = await nameOf(data);
  const end = (/** @type {number} */ number) => Math.floor((data.length * number) / of);
  return Array.from({ length: of }, (_, at) => text(file, at + 1, of, data.subarray(end(at), end(at + 1))));
}

/** A frame from what a picture says; null when it is none, or not as it was written. @param {string} said @returns {Frame | null} */
export function read(said) {
  const found = FRAME.exec(said);
  const data = found && fromBase45(found[5]);
  if (!found || !data) return null;
  const [file, number, of] = [found[1], Number(found[2]), Number(found[3])];
  return number <= of && of <= MOST_FRAMES && text(file, number, of, data) === said ? { file, number, of, data } : null;
}

/** @returns {Gathering} */
export const nothing = () => ({ file: "", of: 0, parts: new Map() });

/** With one frame more; the first frame of another file begins anew. @param {Gathering} before @param {Frame} frame @returns {Gathering} */
export function add(before, frame) {
  const same = before.file === frame.file && before.of === frame.of;
  if (same && before.parts.has(frame.number)) return before;
  return { file: frame.file, of: frame.of, parts: new Map(same ? before.parts : []).set(frame.number, frame.data) };
}

/** Numbers that have not been seen. @param {Gathering} found */
export const missing = ({ of, parts }) => Array.from({ length: of }, (_, at) => at + 1).filter((number) => !parts.has(number));

/** The file once all frames are there, else null; null too when they are not of one file. @param {Gathering} found @returns {Promise<Uint8Array<ArrayBuffer> | null>} */
export async function whole(found) {
  if (!found.of || missing(found).length) return null;
  const parts = Array.from({ length: found.of }, (_, at) => /** @type {Uint8Array} */ (found.parts.get(at + 1)));
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return (await nameOf(data)) === found.file ? data : null;
}

/** @param {string} file @param {number} number @param {number} of @param {Uint8Array} data */
function text(file, number, of, data) {
  const head = `RX1:${file}:${number}:${of}:`;
  const sum = crc32([...new TextEncoder().encode(head), ...data]);
  return `${head}${sum.toString(16).toUpperCase().padStart(8, "0")}:${toBase45(data)}`;
}

/** @param {Uint8Array} data */
async function nameOf(data) {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", /** @type {BufferSource} */ (data)));
  return [...sum.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();
}

/** Two bytes as three characters, the least first; a last byte alone as two (RFC 9285). @param {Uint8Array} data */
function toBase45(data) {
  let said = "";
  for (let at = 0; at < data.length; at += 2) {
    const pair = at + 1 < data.length;
    let value = pair ? data[at] * 256 + data[at + 1] : data[at];
    for (let digit = 0; digit < (pair ? 3 : 2); digit++) {
      said += ALPHABET[value % 45];
      value = Math.floor(value / 45);
    }
  }
  return said;
}

/** @param {string} said @returns {Uint8Array | null} */
function fromBase45(said) {
  /** @type {number[]} */ const data = [];
  for (let at = 0; at < said.length; at += 3) {
    const part = [...said.slice(at, at + 3)].map((character) => ALPHABET.indexOf(character));
    const value = part.reduce((sum, digit, place) => sum + digit * 45 ** place, 0);
    if (part.length < 2 || value >= 256 ** (part.length - 1)) return null;
    if (part.length === 3) data.push(value >> 8);
    data.push(value & 255);
  }
  return Uint8Array.from(data);
}

/** @param {Iterable<number>} bytes */
function crc32(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return ~sum >>> 0;
}
