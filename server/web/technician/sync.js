// The exchange with the office: push what is here, pull what is new, again and again. No error loses anything.
import * as clock from "./clock.js";
import * as database from "./db.js";
import { showKeys } from "./exchange-file.js";
import { MOST_AT_ONCE, MOST_BYTES, SMALL_BYTES, wire } from "./outbox.js";
import { checkNowAndThen } from "./whole.js";

/** @typedef {import("./db.js").Database} Database */
/** @typedef {import("../shared/api.js").ProblemError} ProblemError */
/** @typedef {(method: string, path: string, options?: {body?: any, token?: string, compress?: boolean, timeoutMs?: number}) => Promise<any>} Ask */

export const APP_VERSION = "0.1.0";
export const SCHEMA_VERSION = 1;
/** What each push says of this app: the office sends documents in the form that it knows. */
export const SELF = { app_version: APP_VERSION, schema_version: SCHEMA_VERSION };

const PAGE = 200;
const LEAST_PAGE = 10;
const EVERY_MS = 30_000;
/** While the office tells of its news by itself, asking is only for what got lost. */
const EVERY_LISTENING_MS = 180_000;
/** Who hears of news waits up to so long, so that not all tablets ask in the same moment. */
const SPREAD_MS = 400;
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;
const TRIES_ALONE = 3;
/** Conflicts are asked for so often while the office has one to decide, and otherwise. */
const CONFLICTS_OPEN_MS = 300_000;
const CONFLICTS_MS = 6 * 3_600_000;
const PACKAGE_MS = 3_600_000;
/** A push that is answered sooner may be followed by a larger one; after one that took longer a smaller one goes. */
const QUICK_MS = 1_500;
const SLOW_MS = 6_000;
/** An answer on a thin link that other lanes share may take so long. */
const THIN_LINK_MS = 60_000;
/** A push is given up sooner at first: on a line that is gone a new connection is the way on. */
const FIRST_PATIENCE_MS = 15_000;
/** An edit is sent after so long: what is pressed together goes together. */
const SOON_MS = 40;
/** Documents of a page: fewer after a page that did not come through, so that a thin link gets on. */
const pages = { size: PAGE };
const patience = { ms: FIRST_PATIENCE_MS };

/**
 * How the last exchange went. `signed_out`: the office does not know this tablet any more; work goes on and is kept.
 * @typedef {"ok" | "no_contact" | "busy" | "signed_out" | "too_old" | "error"} Outcome
 */
/** @typedef {{outcome: Outcome, problem: ProblemError | null, retryAfterS: number | null}} Round */

/**
 * Enrol this tablet with a code from the office.
 * @param {Database} db @param {Ask} ask @param {{code: string, deviceName: string}} form
 */
export async function enrol(db, ask, { code, deviceName }) {
  const answer = await ask("POST", "/sync/v1/enrol", {
    body: { code: code.replace(/[\s-]/g, "").toUpperCase(), device_name: deviceName, app_version: APP_VERSION, schema_version: SCHEMA_VERSION },
  });
  await database.register(db, { ...answer, device_name: deviceName });
  await database.writeMeta(db, "told", SCHEMA_VERSION);
}

/**
 * One round: push until nothing is left, then pull to the end. Stops at the first failure and says which.
 * @param {Database} db @param {Ask} ask
 * @param {{now?: () => number, onProgress?: (progress: {sent: number, total: number} | null) => void, onPushed?: () => void}} [options]
 *   `onPushed`: all that was here is at the office, before anything is read
 * @returns {Promise<Round>}
 */
export async function exchange(db, ask, { now = Date.now, onProgress = () => {}, onPushed = () => {} } = {}) {
  const device = await database.readMeta(db, "device");
  if (!device) return { outcome: "signed_out", problem: null, retryAfterS: null };
  try {
    const officeTime = await pushAll(db, ask, device, now, onProgress);
    onPushed();
    await sayVersion(db, ask, device, now);
    await askAboutWaiting(db, ask, device, now);
    await pullAll(db, ask, device, now);
    await showKeys(db, ask, device);
    await askConflicts(db, ask, device, now);
    await askPackage(db, ask, device, now);
    await checkNowAndThen(db, {
      get: (path) => ask("GET", path, { token: device.token }),
      pull: () => pullAll(db, ask, device, now),
      now: now(),
      schema: SCHEMA_VERSION,
    });
    await database.writeMeta(db, "contact", { at: iso(now()) });
    // A clock that was set must not make old what is not: only the office's own word on the time counts.
    if (officeTime) await database.forgetOld(db, new Date(officeTime));
    return { outcome: "ok", problem: null, retryAfterS: null };
  } catch (error) {
    const problem = /** @type {ProblemError} */ (error);
    if (typeof problem.status !== "number") throw error;
    const outcome = outcomeOf(problem);
    if (outcome === "signed_out") await database.writeMeta(db, "signedOut", true);
    return { outcome, problem, retryAfterS: problem.retryAfter ?? null };
  } finally {
    onProgress(null);
  }
}

/**
 * Send what waits now, while an exchange reads: what is pressed then must not wait for a page that a thin link brings
 * slowly. Failures are left to the next exchange.
 * @param {Database} db @param {Ask} ask @param {{now?: () => number}} [options]
 * @returns {Promise<boolean>} whether all is sent; false also when the exchange itself is sending
 */
export async function pushBeside(db, ask, { now = Date.now } = {}) {
  const device = await database.readMeta(db, "device");
  if (!device || pushing.has(db)) return false;
  try {
    await pushAll(db, ask, device, now, () => {});
    return true;
  } catch (error) {
    if (typeof (/** @type {ProblemError} */ (error).status) !== "number") throw error;
    return false;
  }
}

/** Databases whose outbox is being sent. @type {Set<Database>} */
const pushing = new Set();

/** @param {ProblemError} problem @returns {Outcome} */
function outcomeOf({ status, code }) {
  if (code === "no-contact" || status === 0) return "no_contact";
  if (status === 401) return "signed_out";
  if (status === 426) return "too_old";
  return status === 429 || status >= 500 ? "busy" : "error";
}

/**
 * Push batch after batch, small ones first and larger ones while the link carries them. A batch that the server cannot take is halved until the one edit is found that it stumbles
 * over; that one is set aside for a person, and the others go on. Answers with the office's time, when there was an answer.
 * @param {Database} db @param {Ask} ask @param {any} device @param {() => number} now
 * @param {(progress: {sent: number, total: number}) => void} onProgress
 */
async function pushAll(db, ask, device, now, onProgress) {
  pushing.add(db);
  try {
    return await pushBatches(db, ask, device, now, onProgress);
  } finally {
    pushing.delete(db);
  }
}

/** @param {Database} db @param {Ask} ask @param {any} device @param {() => number} now @param {(progress: {sent: number, total: number}) => void} onProgress */
async function pushBatches(db, ask, device, now, onProgress) {
  const author = device.technician.id;
  let limit = MOST_AT_ONCE;
  let budget = SMALL_BYTES;
  let sent = 0;
  /** @type {string | null} */
  let officeTime = null;
  for (;;) {
    const { batch, waiting } = await database.takeBatch(db, author, limit, budget);
    if (!batch.length) return officeTime;
    onProgress({ sent, total: sent + waiting });
    const sentAt = now();
    try {
      const estimate = await database.readMeta(db, "clock");
      const answer = await ask("POST", "/sync/v1/push", {
        token: device.token,
        compress: true,
        timeoutMs: patience.ms,
        body: { ...SELF, device_time: iso(sentAt), ...(estimate ? { rtt_ms: Math.round(estimate.uncertaintyMs * 2) } : {}), mutations: batch.map(wire) },
      });
      patience.ms = FIRST_PATIENCE_MS;
      const receivedAt = now();
      const took = receivedAt - sentAt;
      budget = took < QUICK_MS ? Math.min(MOST_BYTES, budget * 4) : took > SLOW_MS ? Math.max(SMALL_BYTES / 2, budget / 2) : budget;
      officeTime = String(answer.server_time);
      await database.takeResults(db, answer.results, officeTime);
      await database.writeMeta(db, "heard", { office: officeTime, here: iso(receivedAt) });
      await database.writeMeta(db, "clock", clock.better(estimate ?? null, clock.measure(sentAt, receivedAt, answer.server_time)));
      const answered = new Set(answer.results.map((/** @type {any} */ result) => result.id));
      if (!batch.some((entry) => answered.has(entry.id))) return officeTime;
      sent += batch.length;
      limit = Math.min(MOST_AT_ONCE, limit * 2);
    } catch (error) {
      const problem = /** @type {ProblemError} */ (error);
      if (problem.status === 0) patience.ms = Math.min(THIN_LINK_MS, patience.ms * 2);
      if (!isAboutTheContent(problem)) throw error;
      if (batch.length > 1) {
        limit = Math.ceil(batch.length / 2);
        continue;
      }
      await oneRefused(db, batch[0], problem, now);
    }
  }
}

/** After an update of the app the office must know of it before it sends documents, also when there is nothing to push. @param {Database} db @param {Ask} ask @param {any} device @param {() => number} now */
async function sayVersion(db, ask, device, now) {
  if ((await database.readMeta(db, "told")) === SCHEMA_VERSION) return;
  await ask("POST", "/sync/v1/push", { token: device.token, body: { ...SELF, device_time: iso(now()), mutations: [] } });
  await database.writeMeta(db, "told", SCHEMA_VERSION);
}

/** Would the same batch fail again because of what is in it? @param {ProblemError} problem */
function isAboutTheContent({ status, code }) {
  if (code === "no-contact") return false;
  return status === 500 || (status >= 400 && status < 500 && ![401, 403, 408, 409, 410, 425, 426, 429].includes(status));
}

/** @param {Database} db @param {import("./types.js").OutboxEntry} entry @param {ProblemError} problem @param {() => number} now */
async function oneRefused(db, entry, problem, now) {
  const tries = entry.tries + 1;
  if (problem.status === 500 && tries < TRIES_ALONE) {
    await db.outbox.update(Number(entry.seq), { tries });
    throw problem;
  }
  await database.setAside(db, entry, plain(problem), iso(now()));
}

/** @param {ProblemError} problem */
const plain = ({ title, detail, code, status, requestId }) => ({ title, detail, code, status, request_id: requestId });

/** Entries that the office holds back get their word later; ask for it. @param {Database} db @param {Ask} ask @param {any} device @param {() => number} now */
async function askAboutWaiting(db, ask, device, now) {
  const waiting = await db.outbox.where("state").equals("waiting").toArray();
  const numbers = waiting.filter((entry) => entry.author === device.technician.id && entry.n !== null).map((entry) => Number(entry.n));
  if (!numbers.length) return;
  const answer = await ask("GET", `/sync/v1/mutations?after=${Math.min(...numbers) - 1}`, { token: device.token });
  await database.takeResults(db, answer.mutations, iso(clock.corrected((await database.readMeta(db, "clock")) ?? null, now())));
}

/**
 * What two people changed: asked for after a push that met with something, and now and then, for somebody may have
 * decided meanwhile.
 * @param {Database} db @param {Ask} ask @param {any} device @param {() => number} now
 */
async function askConflicts(db, ask, device, now) {
  const last = await database.readMeta(db, "conflictsAt");
  const open = (await db.conflicts.toArray()).some((one) => one.state === "open");
  if (last && Math.abs(now() - Date.parse(last)) < (open ? CONFLICTS_OPEN_MS : CONFLICTS_MS)) return;
  try {
    const answer = await ask("GET", "/sync/v1/conflicts", { token: device.token });
    await database.takeConflicts(db, answer.conflicts, iso(now()));
  } catch (error) {
    // An older server tells nothing of them.
    if (![404, 405].includes(/** @type {ProblemError} */ (error).status)) throw error;
  }
}

/** Which days of work are here, and what of further days did not fit: asked for now and then. @param {Database} db @param {Ask} ask @param {any} device @param {() => number} now */
async function askPackage(db, ask, device, now) {
  const last = await database.readMeta(db, "package");
  if (last && Math.abs(now() - Date.parse(last.at)) < PACKAGE_MS) return;
  try {
    const answer = await ask("GET", "/sync/v1/package", { token: device.token });
    await database.writeMeta(db, "package", { ...answer, at: iso(now()) });
  } catch (error) {
    // An older server has no days.
    if (![404, 405].includes(/** @type {ProblemError} */ (error).status)) throw error;
  }
}

/** @param {Database} db @param {Ask} ask @param {any} device @param {() => number} now */
async function pullAll(db, ask, device, now) {
  let restarted = false;
  for (;;) {
    const cursor = await database.readMeta(db, "cursor");
    let page;
    try {
      const query = new URLSearchParams({ limit: String(pages.size), ...(cursor ? { cursor } : {}) });
      const sentAt = now();
      page = await ask("GET", `/sync/v1/pull?${query}`, { token: device.token, timeoutMs: THIN_LINK_MS });
      if (now() - sentAt < QUICK_MS) pages.size = Math.min(PAGE, pages.size * 2);
    } catch (error) {
      const { status, code } = /** @type {ProblemError} */ (error);
      if (status === 0) pages.size = Math.max(LEAST_PAGE, Math.floor(pages.size / 2));
      // The cursor is too old, or of a history that the server no longer has.
      if (!cursor || restarted || !(status === 409 || status === 410 || /cursor|epoch/.test(code ?? ""))) throw error;
      restarted = true;
      await database.startOver(db);
      await pushAll(db, ask, device, now, () => {});
      continue;
    }
    await database.takePage(db, page, { at: iso(now()), fresh: !cursor });
    if (!page.more) return;
  }
}

/** @param {number} ms */
const iso = (ms) => new Date(ms).toISOString();

/**
 * Run rounds for ever: after each edit, on news, when contact may be back, and every 30 s (every 3 minutes while the
 * office tells of its news); after failures later and later.
 * The browser's word on being online is not believed either way; only an answer counts.
 * @param {object} parts
 * @param {() => Promise<Round>} parts.round
 * @param {() => Promise<unknown>} [parts.beside] sends what is new while a round is under way
 * @param {(round: Round | null, running: boolean) => void} parts.onChange
 * @param {{addEventListener: (type: string, listener: () => void) => void}} parts.page
 * @param {(run: () => Promise<void>) => Promise<void>} [parts.alone] keeps two tabs from running at once
 * @param {() => boolean} [parts.listening] whether news is told as it happens
 * @returns {{now: () => Promise<void>, soon: () => void, heard: () => void, stop: () => void}}
 */
export function keepInContact({ round, beside = async () => {}, onChange, page, alone = (run) => run(), listening = () => false }) {
  let failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
  /** @type {Promise<void> | null} */ let running = null;
  let again = false;
  let stopped = false;

  /** @param {number} ms */
  const plan = (ms) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void run(), ms);
  };
  const run = () => {
    if (running) {
      again = true;
      return running;
    }
    clearTimeout(timer);
    onChange(null, true);
    running = alone(async () => {
      const result = await round();
      failures = result.outcome === "ok" ? 0 : failures + 1;
      onChange(result, false);
      plan(waitMs(result, failures, listening()));
    })
      .catch((error) => {
        failures += 1;
        plan(LONGEST_WAIT_MS);
        throw error;
      })
      .finally(() => {
        running = null;
        if (again) {
          again = false;
          plan(0);
        }
      });
    return running;
  };
  page.addEventListener("online", () => plan(0));
  page.addEventListener("visibilitychange", () => plan(0));
  plan(0);
  return {
    now: run,
    // While there is no contact an edit does not hurry the next try: it would empty the battery.
    heard: () => (running ? (again = true) : plan(Math.random() * SPREAD_MS)),
    soon: () => {
      if (!running) return failures < 2 ? plan(SOON_MS) : undefined;
      again = true;
      return void beside();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** @param {Round} round @param {number} failures @param {boolean} [listening] */
export function waitMs(round, failures, listening = false) {
  if (round.outcome === "ok") return listening ? EVERY_LISTENING_MS : EVERY_MS;
  if (round.retryAfterS !== null) return Math.min(round.retryAfterS * 1000, 10 * LONGEST_WAIT_MS);
  return Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), round.outcome === "no_contact" ? EVERY_MS : LONGEST_WAIT_MS);
}
