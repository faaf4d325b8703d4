// An exchange file as bytes: sealed by one side for the other, so that nobody on the way reads or alters it. The same as
// `sync/sealed.py`; `tests/vectors/sealed.json` holds both to it.

const MAGIC = "RNDX";
const VERSION = 1;
export const TO_OFFICE = 1;
export const TO_TABLET = 2;
const ID = 16;
const POINT = 65;
const TAG = 16;
const SIGNATURE = 64;
const HEADER = 6 + 2 * ID + POINT + 4;
const CURVE = { name: "ECDH", namedCurve: "P-256" };
const SIGNING_CURVE = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURES = { name: "ECDSA", hash: "SHA-256" };

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{agree: Bytes, sign: Bytes}} PublicKeys two uncompressed points */
/** @typedef {{agree: CryptoKey, sign: CryptoKey, public: PublicKeys}} Keys one's own; the private halves cannot be taken out */
/** @typedef {"unreadable" | "newer" | "cut" | "altered"} Fault */

/** These bytes are no whole, true exchange file. */
export class Broken extends Error {
  /** @param {Fault} fault */
  constructor(fault) {
    super(fault);
    this.fault = fault;
  }
}

const encoder = new TextEncoder();
const SEALING = /** @type {Bytes} */ (encoder.encode("rounds exchange 1 seal"));
const SIGNING = /** @type {Bytes} */ (encoder.encode("rounds exchange 1 sign\n"));

/** Keys of a registration, which never leave this browser. @returns {Promise<Keys>} */
export async function newKeys() {
  const [agree, sign] = await Promise.all([
    crypto.subtle.generateKey(CURVE, false, ["deriveBits"]),
    crypto.subtle.generateKey(SIGNING_CURVE, false, ["sign", "verify"]),
  ]);
  return { agree: agree.privateKey, sign: sign.privateKey, public: { agree: await pointOf(agree.publicKey), sign: await pointOf(sign.publicKey) } };
}

/** @param {CryptoKey} key */
const pointOf = async (key) => new Uint8Array(await crypto.subtle.exportKey("raw", key));

/** What names a pair of keys. @param {PublicKeys} keys @returns {Promise<Bytes>} */
export async function idOf({ agree, sign }) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(agree, sign))).slice(0, ID);
}

/**
 * The file that only `recipient` opens and only `sender` can have made.
 * @param {Bytes} plain
 * @param {{direction: number, sender: Keys, recipient: PublicKeys, ephemeral?: {key: CryptoKey, point: Bytes}}} how `ephemeral` is made for each file; only tests give one
 * @returns {Promise<Bytes>}
 */
export async function seal(plain, { direction, sender, recipient, ephemeral }) {
  const own = ephemeral ?? (await newEphemeral());
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, plain.length + TAG);
  const head = joined(encoder.encode(MAGIC), Uint8Array.of(VERSION, direction), await idOf(sender.public), await idOf(recipient), own.point, length);
  const { key, nonce } = await keyOf(own.key, recipient.agree, head);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: head }, key, plain);
  const all = joined(head, new Uint8Array(sealed));
  return joined(all, new Uint8Array(await crypto.subtle.sign(SIGNATURES, sender.sign, joined(SIGNING, all))));
}

async function newEphemeral() {
  const pair = await crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);
  return { key: pair.privateKey, point: await pointOf(pair.publicKey) };
}

/**
 * The outside of a file. @param {Bytes} data @throws {Broken}
 * @returns {{direction: number, sender: Bytes, recipient: Bytes, ephemeral: Bytes, head: Bytes, ciphertext: Bytes, signature: Bytes}}
 */
export function readEnvelope(data) {
  const start = new TextDecoder("latin1").decode(data.subarray(0, 4));
  if (!data.length || !MAGIC.startsWith(start)) throw new Broken("unreadable");
  if (data.length > 4 && data[4] !== VERSION) throw new Broken("newer");
  if (data.length < HEADER) throw new Broken("cut");
  const end = HEADER + new DataView(data.buffer, data.byteOffset).getUint32(HEADER - 4);
  if (data.length < end + SIGNATURE) throw new Broken("cut");
  if (data.length > end + SIGNATURE) throw new Broken("altered");
  return {
    direction: data[5],
    sender: data.slice(6, 6 + ID),
    recipient: data.slice(6 + ID, 6 + 2 * ID),
    ephemeral: data.slice(6 + 2 * ID, HEADER - 4),
    head: data.slice(0, HEADER),
    ciphertext: data.slice(HEADER, end),
    signature: data.slice(end),
  };
}

/** What is inside. @param {ReturnType<typeof readEnvelope>} envelope @param {{sender: PublicKeys, recipient: Keys}} keys @throws {Broken} @returns {Promise<Bytes>} */
export async function unseal({ ephemeral, head, ciphertext, signature }, { sender, recipient }) {
  try {
    const checking = await crypto.subtle.importKey("raw", sender.sign, SIGNING_CURVE, false, ["verify"]);
    if (!(await crypto.subtle.verify(SIGNATURES, checking, signature, joined(SIGNING, head, ciphertext)))) throw new Broken("altered");
    const { key, nonce } = await keyOf(recipient.agree, ephemeral, head);
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData: head }, key, ciphertext));
  } catch {
    throw new Broken("altered");
  }
}

/** Key and nonce of one file. @param {CryptoKey} own @param {Bytes} point @param {Bytes} head */
async function keyOf(own, point, head) {
  const theirs = await crypto.subtle.importKey("raw", point, CURVE, false, []);
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, own, 256);
  const secret = await crypto.subtle.importKey("raw", shared, "HKDF", false, ["deriveBits"]);
  const made = new Uint8Array(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: head, info: SEALING }, secret, 352));
  return { key: await crypto.subtle.importKey("raw", made.slice(0, 32), "AES-GCM", false, ["encrypt", "decrypt"]), nonce: made.slice(32) };
}

/** @param {Uint8Array[]} parts @returns {Bytes} */
export function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @param {Uint8Array} one @param {Uint8Array} two */
export const same = (one, two) => one.length === two.length && one.every((byte, at) => byte === two[at]);
