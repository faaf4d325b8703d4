import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import encodeQR from "qr";
import decodeQR from "qr/decode.js";
import * as frames from "../../server/web/shared/frames.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/frames.json", import.meta.url), "utf8"));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const gathered = (texts) => frames.whole(texts.map(frames.read).filter(Boolean).reduce(frames.add, frames.nothing()));

for (const { name, size, file, frames: texts } of vectors.files) {
  test(`${name}: letter for letter as the server cuts it (S-216)`, async () => {
    assert.deepEqual(await frames.cut(bytes(file), size), texts);
    assert.deepEqual(await gathered(texts), bytes(file));
  });
}

test("what is no frame is passed over", () => {
  for (const text of vectors.none) assert.equal(frames.read(text), null, text);
});

test("frames come in any order, with doubles, losses and strangers between them (S-216)", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 1500 }), fc.integer({ min: 40, max: 480 }), fc.array(fc.nat(), { maxLength: 60 }), fc.infiniteStream(fc.nat()), async (data, size, seen, keys) => {
      const texts = await frames.cut(data, size);
      const some = seen.map((at) => texts[at % texts.length]);
      const early = await gathered([...some, "https://example.com"]);
      assert.deepEqual(early, new Set(some).size === texts.length ? data : null);
      const shuffled = texts.map((text) => [keys.next().value, text]).sort((a, b) => a[0] - b[0]).map(([, text]) => text);
      assert.deepEqual(await gathered([...some, ...shuffled]), data);
    }),
    { numRuns: 60 },
  );
});

test("another file begins anew, and what is too large goes another way", async () => {
  const [one, two] = await Promise.all([frames.cut(new Uint8Array(100).fill(97), 40), frames.cut(new Uint8Array(100).fill(98), 40)]);
  assert.equal(await gathered([one[0], one[1], ...two, one[2]]), null);
  assert.deepEqual(frames.missing([one[0], two[1]].map(frames.read).reduce(frames.add, frames.nothing())), [1, 3]);
  await assert.rejects(frames.cut(new Uint8Array(frames.BYTES * frames.MOST_FRAMES + 1)));
  assert.ok(!frames.fits(frames.BYTES * frames.MOST_FRAMES + 1) && frames.fits(1) && !frames.fits(0));
});

test("a picture of the largest frame says what was drawn", async () => {
  const [text] = await frames.cut(crypto.getRandomValues(new Uint8Array(frames.BYTES)));
  const raw = encodeQR(text, "raw", { ecc: "low", encoding: "alphanumeric", border: 4, scale: 3 });
  assert.ok(raw.length / 3 - 8 <= 89, `${raw.length / 3 - 8} modules`);
  const data = new Uint8ClampedArray(raw.length * raw.length * 4).fill(255);
  raw.forEach((row, y) => row.forEach((dark, x) => dark && data.fill(0, (y * raw.length + x) * 4, (y * raw.length + x) * 4 + 3)));
  assert.equal(decodeQR({ width: raw.length, height: raw.length, data }), text);
});
