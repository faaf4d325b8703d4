// How far this tablet's clock is from the office's, and how well that is known.

/** @typedef {{offsetMs: number, uncertaintyMs: number, at: number}} ClockEstimate offset = office − tablet */

const DRIFT_PER_MS = 50e-6;
const WORTH_A_WARNING_MS = 300_000;

/**
 * One exchange with the office, by Cristian's method: the server's time belongs to the middle of the round trip.
 * @param {number} sentAt @param {number} receivedAt both by the tablet's clock, ms @param {string} serverTime
 * @returns {ClockEstimate | null}
 */
export function measure(sentAt, receivedAt, serverTime) {
  const server = Date.parse(serverTime);
  if (!Number.isFinite(server) || receivedAt < sentAt) return null;
  return { offsetMs: server - (sentAt + receivedAt) / 2, uncertaintyMs: (receivedAt - sentAt) / 2, at: receivedAt };
}

/** The bound of an estimate grows with its age, for crystals drift. @param {ClockEstimate} estimate @param {number} now */
export function uncertaintyNow(estimate, now) {
  return estimate.uncertaintyMs + Math.max(0, now - estimate.at) * DRIFT_PER_MS;
}

/**
 * Keep the better of two estimates. A jump of the tablet's clock makes the old one worthless: then the new one wins.
 * @param {ClockEstimate | null} known @param {ClockEstimate | null} fresh @returns {ClockEstimate | null}
 */
export function better(known, fresh) {
  if (!known || !fresh) return fresh ?? known;
  const old = uncertaintyNow(known, fresh.at);
  const jumped = Math.abs(fresh.offsetMs - known.offsetMs) > old + fresh.uncertaintyMs;
  return jumped || fresh.uncertaintyMs <= old ? fresh : known;
}

/** @param {ClockEstimate | null} estimate @param {number} now the tablet's clock, ms */
export const corrected = (estimate, now) => now + (estimate?.offsetMs ?? 0);

/** Is the clock so wrong that a person should set it? @param {ClockEstimate | null} estimate */
export const isWrong = (estimate) => Math.abs(estimate?.offsetMs ?? 0) > WORTH_A_WARNING_MS;
