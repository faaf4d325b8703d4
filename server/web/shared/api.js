// One way to speak to the server: JSON in, JSON or a Problem out, in the reader's language.
import { hasText, locale, t } from "./i18n.js";

/** @typedef {{field?: string, code?: string, detail?: string}} FieldFault */

/** What went wrong, in words for the reader (RFC 9457), or the fact that there was no contact (`code: "no-contact"`). */
export class ProblemError extends Error {
  /**
   * @param {{title: string, detail?: string, status?: number, code?: string, field?: string, errors?: FieldFault[],
   *   requestId?: string, retryAfter?: number | null, body?: any}} parts
   */
  constructor({ title, detail = "", status = 0, code = "unexpected", field, errors = [], requestId, retryAfter = null, body = null }) {
    super(title);
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.code = code;
    this.field = field;
    this.errors = errors;
    this.requestId = requestId;
    /** Seconds the server asks to wait. */
    this.retryAfter = retryAfter;
    /** The whole answer, as sent. */
    this.body = body;
    this.at = Date.now();
  }
}

/**
 * @typedef {object} RequestOptions
 * @property {any} [body] sent as JSON
 * @property {string} [token] bearer token (devices); the office is known by its cookie
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {number} [timeoutMs] default 20 s
 * @property {boolean} [compress] send a body of more than a few hundred bytes as gzip, where both ends know it
 */

/** Characters from which on gzip makes a body smaller by more than its own headers. */
const WORTH_PACKING = 300;
const packing = { refused: typeof CompressionStream === "undefined" };

/** @param {string} text */
const gzip = (text) => new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();

/**
 * Ask the server; the parsed JSON answer, or null for an empty one.
 * @param {string} method @param {string} path @param {RequestOptions} [options] @returns {Promise<any>} @throws {ProblemError}
 */
export async function request(method, path, { body, token, headers = {}, signal, timeoutMs = 20_000, compress = false } = {}) {
  /** @type {Record<string, string>} */
  const sent = { Accept: "application/json, application/problem+json", "Accept-Language": locale.value, ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  if (token) sent.Authorization = `Bearer ${token}`;
  const limit = AbortSignal.timeout(timeoutMs);
  const plain = body === undefined ? undefined : JSON.stringify(body);
  const packed = compress && plain && plain.length >= WORTH_PACKING && !packing.refused ? await gzip(plain) : null;
  let response;
  let text;
  try {
    response = await fetch(path, {
      method,
      headers: packed ? { ...sent, "Content-Encoding": "gzip" } : sent,
      body: packed ?? plain,
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    text = await response.text();
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw noContact();
  }
  // A server of before does not know compressed bodies: it gets them plain from now on.
  if (packed && response.status === 415) {
    packing.refused = true;
    return request(method, path, { body, token, headers, signal, timeoutMs });
  }
  const parsed = parse(text);
  if (response.ok && (parsed !== undefined || text === "")) return parsed ?? null;
  throw problemOf(response, parsed);
}

export const get = (/** @type {string} */ path, /** @type {RequestOptions} */ options = {}) => request("GET", path, options);
export const post = (/** @type {string} */ path, /** @type {any} */ body, /** @type {RequestOptions} */ options = {}) => request("POST", path, { ...options, body });
export const patch = (/** @type {string} */ path, /** @type {any} */ body, /** @type {RequestOptions} */ options = {}) => request("PATCH", path, { ...options, body });
export const del = (/** @type {string} */ path, /** @type {RequestOptions} */ options = {}) => request("DELETE", path, options);

/** @returns {ProblemError} */
export function noContact() {
  return new ProblemError({ title: t("error.no-contact"), detail: t("error.no-contact.detail"), code: "no-contact" });
}

/** @param {Response} response @param {any} body */
function problemOf(response, body) {
  const wait = Number(response.headers.get("Retry-After"));
  const retryAfter = response.headers.has("Retry-After") && Number.isFinite(wait) ? wait : null;
  const requestId = body?.request_id ?? response.headers.get("X-Request-Id") ?? undefined;
  if (body && typeof body.title === "string") {
    return new ProblemError({ ...body, status: response.status, code: body.code ?? String(response.status), requestId, retryAfter, body });
  }
  const key = hasText(`error.${response.status}`) ? `error.${response.status}` : "error.unexpected";
  return new ProblemError({ title: t(key), detail: t(`${key}.detail`), status: response.status, code: String(response.status), requestId, retryAfter, body });
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
