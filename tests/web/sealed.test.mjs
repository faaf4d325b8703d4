import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Broken, idOf, newKeys, readEnvelope, seal, TO_OFFICE, unseal } from "../../server/web/technician/sealed.js";

const vectors = JSON.parse(readFileSync(new URL("../vectors/sealed.json", import.meta.url), "utf8"));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (data) => Buffer.from(data).toString("hex");
const url = (data) => Buffer.from(data).toString("base64url");

/** A private key of the vectors, with its point where that is known. */
async function privateKey(scalar, point, name, uses) {
  const full = point ?? (await pointOf(scalar));
  const jwk = { kty: "EC", crv: "P-256", d: url(bytes(scalar)), x: url(full.slice(1, 33)), y: url(full.slice(33)) };
  return crypto.subtle.importKey("jwk", jwk, { name, namedCurve: "P-256" }, false, uses);
}

async function pointOf(scalar) {
  const { createECDH } = await import("node:crypto");
  const made = createECDH("prime256v1");
  made.setPrivateKey(bytes(scalar));
  return Uint8Array.from(made.getPublicKey());
}

async function keysOf(name) {
  const { agree, sign, public: open } = vectors.keys[name];
  const points = { agree: bytes(open.agree), sign: bytes(open.sign) };
  return {
    agree: await privateKey(agree, points.agree, "ECDH", ["deriveBits"]),
    sign: await privateKey(sign, points.sign, "ECDSA", ["sign"]),
    public: points,
  };
}

const keys = Object.fromEntries(await Promise.all(Object.keys(vectors.keys).map(async (name) => [name, await keysOf(name)])));
const open = (file, sender = "tablet", recipient = "office") => unseal(readEnvelope(file), { sender: keys[sender].public, recipient: keys[recipient] });
const faultOf = async (file) => {
  try {
    await open(file);
  } catch (error) {
    assert.ok(error instanceof Broken, String(error));
    return error.fault;
  }
  return null;
};

test("keys are named alike on both sides (S-203)", async () => {
  for (const name of Object.keys(keys)) assert.equal(hex(await idOf(keys[name].public)), vectors.keys[name].public.id);
});

for (const { name, direction, sender, recipient, ephemeral, plain, file } of vectors.files) {
  test(`${name}: opened, and sealed byte for byte but for the signature (S-203, S-204)`, async () => {
    assert.equal(hex(await open(bytes(file), sender, recipient)), plain);
    const point = await pointOf(ephemeral);
    const key = await privateKey(ephemeral, point, "ECDH", ["deriveBits"]);
    const made = await seal(bytes(plain), { direction, sender: keys[sender], recipient: keys[recipient].public, ephemeral: { key, point } });
    assert.equal(hex(made).slice(0, -128), file.slice(0, -128));
    assert.equal(hex(await open(made, sender, recipient)), plain);
  });
}

for (const { name, file, fault } of vectors.broken) {
  test(`${name}: ${fault} (S-204)`, async () => assert.equal(await faultOf(bytes(file)), fault));
}

test("no byte can be altered or left out", async () => {
  const file = bytes(vectors.files[0].file);
  for (let at = 0; at < file.length; at += 7) {
    const altered = file.slice();
    altered[at] ^= 1;
    assert.ok(await faultOf(altered), `byte ${at}`);
    assert.ok(["cut", "unreadable"].includes(await faultOf(file.slice(0, at))), `cut at ${at}`);
  }
});

test("keys that are made here cannot be taken out, and open what is sealed for them (S-201)", async () => {
  const own = await newKeys();
  await assert.rejects(crypto.subtle.exportKey("jwk", own.agree));
  await assert.rejects(crypto.subtle.exportKey("jwk", own.sign));
  const file = await seal(bytes("00ff"), { direction: TO_OFFICE, sender: own, recipient: keys.office.public });
  assert.equal(hex(await unseal(readEnvelope(file), { sender: own.public, recipient: keys.office })), "00ff");
});
