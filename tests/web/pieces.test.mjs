// Photos on a link that steps of the work share: how large a piece is, and that none begins while an edit waits (S-99).
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import fc from "fast-check";
import { photoLane } from "../../server/web/technician/photo-lane.js";
import { measured, nextPiece, tooLong, unknownLink } from "../../server/web/technician/pieces.js";

/** What a link does: ms from the start of a request to its answer. */
const takes = ({ rate, way }, bytes) => way + (bytes * 1000) / rate;

/** The sizes of `n` pieces on a link, as they follow each other; a request without a body goes first. */
function pieces(line, n, { link = unknownLink(), at = 1_000_000, watched = true, extra = () => 0 } = {}) {
  const sizes = [];
  let [known, time] = [link, at];
  const seen = (bytes) => {
    const ms = takes(line, bytes) + extra();
    time += ms;
    known = measured(known, bytes, ms, time);
  };
  seen(0);
  for (let index = 0; index < n; index++) {
    const bytes = nextPiece(known, time, watched);
    sizes.push(bytes);
    seen(bytes);
  }
  return { sizes, link: known, at: time };
}

const THIN = { rate: 4000, way: 650 };

test("S-99: at 32 kbit/s each piece is carried in about half a second, from the first on", () => {
  const { sizes } = pieces(THIN, 30);
  assert.ok(Math.max(...sizes) <= 2048, sizes.join());
  assert.ok(sizes.slice(5).every((bytes) => bytes > 1500), sizes.join());
});

test("S-99: on any link a piece takes less than half a second once the link is known, whatever the way there takes", () => {
  fc.assert(fc.property(fc.integer({ min: 3_000, max: 10_000_000 }), fc.integer({ min: 5, max: 4_000 }), (rate, way) => {
    const { sizes } = pieces({ rate, way }, 40);
    assert.ok(sizes.every((bytes) => bytes <= Math.max(2048, rate / 2)), sizes.join());
    // And the link is used: a piece is never smaller than it need be by more than a third.
    assert.ok(sizes.at(-1) >= Math.min(256 * 1024, rate * 0.3), sizes.join());
  }));
});

test("a link that others share, or that becomes thin, gets smaller pieces at once", () => {
  const before = pieces({ rate: 1_000_000, way: 40 }, 12);
  assert.equal(before.sizes.at(-1), 256 * 1024);
  const { sizes } = pieces(THIN, 3, before);
  assert.ok(sizes[1] <= 2048, sizes.join());
});

test("a link that becomes good again is used again, in a few pieces", () => {
  const before = pieces(THIN, 40);
  const { sizes } = pieces({ rate: 1_000_000, way: 40 }, 14, before);
  assert.equal(sizes.at(-1), 256 * 1024, sizes.join());
  const better = pieces({ rate: 8_000, way: 650 }, 12, before);
  assert.ok(better.sizes.at(-1) > 3_000 && better.sizes.at(-1) <= 4_000, better.sizes.join());
});

test("what was measured a minute ago says nothing of the link", () => {
  const { link, at } = pieces({ rate: 1_000_000, way: 40 }, 12);
  assert.equal(nextPiece(link, at + 61_000), 1024);
});

test("when nobody looks at the tablet pieces are larger, for nobody presses anything", () => {
  const { sizes } = pieces(THIN, 30, { watched: false });
  assert.ok(sizes.at(-1) > 10_000 && sizes.at(-1) <= 20_000, sizes.join());
});

test("a piece that would take long is cut off for an edit, a short one ends by itself", () => {
  const { link } = pieces(THIN, 10);
  assert.equal(tooLong(link, 1800), false);
  assert.equal(tooLong(link, 16_000), true);
  assert.equal(tooLong(unknownLink(), 2048), false);
});

/** An office that takes photos by tus and notes each request; `gate` is awaited before a piece is answered. */
async function office(gate = async () => {}) {
  const seen = [];
  const held = new Map();
  const server = createServer(async (request, response) => {
    const body = [];
    for await (const part of request) body.push(part);
    const bytes = Buffer.concat(body).length;
    seen.push({ method: request.method, bytes });
    const place = request.url;
    const headers = { "Tus-Resumable": "1.0.0" };
    if (request.method === "POST") {
      const url = `/uploads/${held.size + 1}`;
      held.set(url, { offset: bytes, length: Number(request.headers["upload-length"]) });
      await gate(bytes);
      response.writeHead(201, { ...headers, Location: url, "Upload-Offset": bytes }).end();
    } else if (request.method === "HEAD") {
      const { offset, length } = held.get(place);
      await gate(0);
      response.writeHead(200, { ...headers, "Upload-Offset": offset, "Upload-Length": length }).end();
    } else {
      await gate(bytes);
      held.get(place).offset += bytes;
      response.writeHead(204, { ...headers, "Upload-Offset": held.get(place).offset }).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", () => done()));
  return { seen, endpoint: `http://127.0.0.1:${server.address().port}/uploads`, close: () => (server.closeAllConnections(), server.close()) };
}

/** The tablet's photos in memory: Node's tus reads buffers, which a database would give back as something else. */
function kept(sizes) {
  const photos = new Map(sizes.map((size, index) => [`p${index}`, { sha256: `p${index}`, blob: Buffer.alloc(size, 7), size, media_type: "image/jpeg", name: `p${index}.jpg`, author: "laia", state: "saved", sent: 0, tries: 1, preview: null }]));
  const meta = new Map([["device", { token: "t", technician: { id: "laia" } }]]);
  return {
    photos: { toArray: async () => [...photos.values()].map((one) => ({ ...one })), update: async (key, change) => void photos.set(key, { ...photos.get(key), ...change }) },
    meta: { get: async (key) => ({ value: meta.get(key) }), put: async ({ key, value }) => void meta.set(key, value) },
  };
}

const receipts = async (_method, _path, { body }) => ({ receipts: body.sha256.map(() => ({ state: "verified" })) });

test("S-99: with a piece in flight an edit waits for nothing: no further piece begins until it is at the office", async () => {
  /** @type {(value?: any) => void} */ let release = () => {};
  /** @type {(value?: any) => void} */ let arrived = () => {};
  let closed = false;
  const inFlight = new Promise((done) => (arrived = done));
  const opened = new Promise((done) => (release = done));
  const there = await office(async (bytes) => {
    if (closed || !bytes) return;
    closed = true;
    arrived();
    await opened;
  });
  try {
    const db = kept([9_000]);
    const lane = photoLane({ db: /** @type {any} */ (db), ask: receipts, endpoint: there.endpoint });
    const first = lane.run();
    await inFlight;
    lane.pause();
    release();
    await first;
    assert.deepEqual(there.seen.map(({ method }) => method), ["POST", "PATCH"]);
    assert.equal((await db.photos.toArray())[0].state, "sending");
    // The edit is at the office: the photo goes on at the byte where it was, and nothing is sent twice.
    await lane.run();
    assert.equal((await db.photos.toArray())[0].state, "verified");
    const pieces = there.seen.filter(({ method }) => method === "PATCH");
    assert.equal(pieces.reduce((sum, { bytes }) => sum + bytes, 0), 9_000);
    assert.equal(there.seen[2].method, "HEAD");
  } finally {
    there.close();
  }
});

test("S-99: the lane itself sends pieces as large as the link that it meets allows", async () => {
  const clock = { ms: 1_000_000 };
  const there = await office(async (bytes) => void (clock.ms += takes(THIN, bytes)));
  try {
    const lane = photoLane({ db: /** @type {any} */ (kept([30_000, 30_000])), ask: receipts, endpoint: there.endpoint, now: () => clock.ms });
    await lane.run();
    const pieces = there.seen.filter(({ method }) => method === "PATCH").map(({ bytes }) => bytes);
    assert.equal(pieces.reduce((sum, bytes) => sum + bytes, 0), 60_000);
    assert.ok(Math.max(...pieces) <= 2048, pieces.join());
    assert.ok(pieces.length < 45, pieces.join());
  } finally {
    there.close();
  }
});

test("a line that is gone does not hold the photos: they are given up and go on where they were", async () => {
  let dead = true;
  const there = await office(async (bytes) => dead && bytes > 0 && new Promise(() => {}));
  try {
    const db = kept([3_000]);
    await photoLane({ db: /** @type {any} */ (db), ask: receipts, endpoint: there.endpoint, hangsMs: 200 }).run();
    assert.notEqual((await db.photos.toArray())[0].state, "verified");
    dead = false;
    await photoLane({ db: /** @type {any} */ (db), ask: receipts, endpoint: there.endpoint }).run();
    assert.equal((await db.photos.toArray())[0].state, "verified");
  } finally {
    there.close();
  }
});
