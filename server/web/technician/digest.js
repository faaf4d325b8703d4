// Checksums by which the tablet proves that it holds what the office says it should. `sync/digest.py` says the same in
// Python; tests/vectors/digest.json pins both.

const WHOLE = 2 ** 48;
const MOST_DOCUMENTS = 50;
const TRIES = 3;

/** @typedef {{collection: string, id: string, version: number, body: any}} Held */
/** @typedef {{whole: boolean, behind: boolean, repaired: number, strangers: number}} Checked */
/** @typedef {(path: string) => Promise<any>} Get */

/** The one text of a JSON value: no spaces, keys in the order of their code points. @param {any} value @returns {string} */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  return `{${Object.keys(value).sort(byCodePoints).map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

/** @param {string} a @param {string} b */
function byCodePoints(a, b) {
  const [left, right] = [[...a], [...b]];
  for (let n = 0; n < Math.min(left.length, right.length); n += 1) {
    const difference = Number(left[n].codePointAt(0)) - Number(right[n].codePointAt(0));
    if (difference) return difference;
  }
  return left.length - right.length;
}

/** @param {Held} held @returns {Promise<number>} the first 48 bits of its SHA-256 */
export async function valueOf({ collection, id, version, body }) {
  const bytes = new TextEncoder().encode(`${collection}\n${id}\n${version}\n${canonical(body)}`);
  const digest = new DataView(await crypto.subtle.digest("SHA-256", bytes));
  return digest.getUint16(0) * 2 ** 32 + digest.getUint32(2);
}

/** @param {string} id */
const bucketOf = (id) => id.slice(-2).toLowerCase();

/** Count and sum by key. @param {Iterable<[string, number]>} values @returns {Record<string, [number, number]>} */
export function sums(values) {
  /** @type {Record<string, [number, number]>} */ const found = {};
  for (const [key, value] of values) {
    const [count, sum] = found[key] ?? [0, 0];
    found[key] = [count + 1, (sum + value) % WHOLE];
  }
  return found;
}

/** Keys of which both sides do not have the same. @param {Record<string, any>} mine @param {Record<string, any>} theirs */
export function different(mine, theirs) {
  return [...new Set([...Object.keys(mine), ...Object.keys(theirs)])].filter((key) => JSON.stringify(mine[key]) !== JSON.stringify(theirs[key])).sort();
}

/**
 * Find what is not as the office's checksums say: first the whole, then buckets, then documents.
 * @param {Held[]} held @param {string} cursor @param {Get} get
 * @returns {Promise<string[] | null>} ids to ask for; null: the office has news that must be pulled first
 */
export async function compare(held, cursor, get) {
  const values = await Promise.all(held.map(async (one) => ({ ...one, value: await valueOf(one) })));
  const path = (/** @type {Record<string, string>} */ more = {}) => `/sync/v1/digest?${new URLSearchParams({ cursor, ...more })}`;
  let told = await get(path());
  if (told.behind) return null;
  /** @type {Set<string>} */ const wrong = new Set();
  for (const collection of different(sums(values.map((one) => [one.collection, one.value])), told.collections)) {
    const own = values.filter((one) => one.collection === collection);
    told = await get(path({ collection }));
    if (told.behind) return null;
    const buckets = different(sums(own.map((one) => [bucketOf(one.id), one.value])), told.buckets);
    if (!buckets.length) continue;
    told = await get(path({ collection, buckets: buckets.join(",") }));
    if (told.behind) return null;
    const inside = Object.fromEntries(own.filter((one) => buckets.includes(bucketOf(one.id))).map((one) => [one.id, [one.version, one.value]]));
    different(inside, told.documents).forEach((id) => wrong.add(id));
  }
  return [...wrong];
}

/**
 * Prove that all is whole, and repair what is not. The outbox and the cursor are not touched.
 * @param {object} parts
 * @param {() => Promise<{held: Held[], cursor: string | undefined}>} parts.read
 * @param {() => Promise<void>} parts.pull to the end
 * @param {(changes: import("./db.js").Change[]) => Promise<void>} parts.repair take these documents as they are
 * @param {Get} parts.get
 * @returns {Promise<Checked>}
 */
export async function verify({ read, pull, repair, get }) {
  const found = { whole: false, behind: false, repaired: 0, strangers: 0 };
  for (let n = 0; n < TRIES; n += 1) {
    const { held, cursor } = await read();
    if (!cursor) return { ...found, behind: true };
    const wrong = await compare(held, cursor, get);
    found.behind = wrong === null;
    found.whole = wrong?.length === 0;
    if (found.whole) return found;
    for (let start = 0; start < (wrong?.length ?? 0); start += MOST_DOCUMENTS) {
      const { changes } = await get(`/sync/v1/documents?ids=${wrong?.slice(start, start + MOST_DOCUMENTS).join(",")}`);
      await repair(changes);
      found.repaired += changes.filter((/** @type {any} */ change) => change.op === "put").length;
      found.strangers += changes.filter((/** @type {any} */ change) => change.op === "drop").length;
    }
    await pull();
  }
  return found;
}
