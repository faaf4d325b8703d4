// How large the next piece of a photo may be, by what the link did lately. Pure.
//
// What was handed to the network cannot be taken back: it lies in buffers, and whatever is sent after it waits for it. So a
// piece is no larger than the link carries in less than half a second, and a link that is not known yet gets little.

const LEAST = 1024;
const MOST = 256 * 1024;
/** s: what a step of the work may have to wait for, behind a piece that is on its way. */
const PIECE_S = 0.45;
/** s: when nobody looks at the tablet, nobody presses anything; larger pieces waste less time on answers. */
const UNWATCHED_S = 4;
/** What was measured longer ago, in ms, says nothing of the link. */
const STALE_MS = 60_000;
/** Differences that are shorter, in ms, are chance. */
const NOISE_MS = 4;
/** A photo is cut off only if its piece would take longer than this; a shorter one ends by itself. */
const CUT_S = 1;

/**
 * What is known of the link. `quick`: the request that took least, which is mostly the way there and back.
 * @typedef {{rate: number | null, quick: {bytes: number, ms: number} | null, last: number, at: number}} Link rate in bytes/s; last: the bytes of the last piece
 */

/** @returns {Link} */
export const unknownLink = () => ({ rate: null, quick: null, last: 0, at: 0 });

/**
 * What a request tells of the link: two that carried different amounts tell how long a byte takes, whatever the way is.
 * @param {Link} link @param {number} bytes @param {number} ms from its start to its answer @param {number} at ms
 * @returns {Link}
 */
export function measured(link, bytes, ms, at) {
  const known = at - ms - link.at > STALE_MS ? unknownLink() : link;
  const { quick } = known;
  const seen = { ...known, at, last: bytes || known.last };
  if (!quick || (ms <= quick.ms && bytes >= quick.bytes)) {
    // The link is better than it was: it carries that much at least.
    return { ...seen, quick: { bytes, ms }, rate: known.rate === null ? null : Math.max(known.rate, (bytes * 1000) / Math.max(NOISE_MS, ms)) };
  }
  const way = known.rate === null ? null : Math.max(0, quick.ms - (quick.bytes * 1000) / known.rate);
  let rate = null;
  if (bytes > quick.bytes) rate = ((bytes - quick.bytes) * 1000) / Math.max(NOISE_MS, ms - quick.ms);
  else if (way !== null && bytes > 0) rate = (bytes * 1000) / Math.max(NOISE_MS, ms - way);
  const fastest = ms < quick.ms ? { bytes, ms } : quick;
  if (rate === null) return { ...seen, quick: fastest };
  // A slower link is believed at once, a faster one by and by.
  return { ...seen, quick: fastest, rate: known.rate === null || rate < known.rate ? rate : known.rate * 0.6 + rate * 0.4 };
}

/**
 * @param {Link} link @param {number} at ms @param {boolean} [watched] somebody may press something
 * @returns {number} bytes
 */
export function nextPiece(link, at, watched = true) {
  if (at - link.at > STALE_MS || !link.last) return LEAST;
  if (link.rate === null) return 2 * LEAST;
  return Math.round(Math.min(MOST, link.last * 4, Math.max(LEAST, link.rate * (watched ? PIECE_S : UNWATCHED_S))));
}

/** Is a piece on its way that would keep a step of the work waiting for long? @param {Link} link @param {number} bytes */
export const tooLong = ({ rate }, bytes) => bytes > (rate ?? 2 * LEAST) * CUT_S;
