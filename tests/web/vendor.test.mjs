import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const VENDOR = new URL("../../server/web/vendor/", import.meta.url).pathname;
const lock = JSON.parse(readFileSync(join(VENDOR, "vendor.lock.json"), "utf8"));
const wanted = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).devDependencies;

test("every vendored file has the bytes that the lock names", () => {
  for (const entry of lock) {
    const sum = createHash("sha256").update(readFileSync(join(VENDOR, entry.file))).digest("hex");
    assert.equal(sum, entry.sha256, entry.file);
  }
});

test("no vendored file is missing from the lock", () => {
  const listed = new Set(lock.map((entry) => entry.file));
  for (const folder of readdirSync(VENDOR, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    for (const name of readdirSync(join(VENDOR, folder.name))) assert.ok(listed.has(`${folder.name}/${name}`), name);
  }
});

test("pages and tests run the same versions", () => {
  for (const entry of lock) assert.equal(entry.version, wanted[entry.name], entry.name);
});

test("each library has its licence text beside it", () => {
  for (const name of new Set(lock.map((entry) => entry.name))) {
    assert.ok(lock.some((entry) => entry.name === name && entry.file.endsWith("/LICENSE")), name);
  }
});
