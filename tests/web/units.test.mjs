// Units in the reader's language.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { setLocale } from "../../server/web/shared/i18n.js";
import { formatMeasure, unitWord } from "../../server/web/shared/units.js";

const shown = (value, unit, language) => formatMeasure(value, unit, language).replaceAll("\u202f", " ");

test("a value is read in the reader's language, number and unit", () => {
  assert.deepEqual([[2.4, "bar"], [231, "V"], [1234.5, "h"], [7, "m3/h"], [18.5, "°C"], [16, "A"], [0.5, "MΩ"]].map(([value, unit]) => shown(value, unit, "ru")),
    ["2,4 бар", "231 В", "1 234,5 ч", "7 м³/ч", "18,5 °C", "16 А", "0,5 МОм"]);
  assert.equal(shown(2.4, "bar", "en"), "2.4 bar");
  assert.equal(shown(7, "m3/h", "en"), "7 m³/h");
  assert.equal(shown(7, null, "en"), "7");
  setLocale("ru");
  assert.equal(unitWord("V"), "В");
  setLocale("en");
  assert.equal(unitWord("V"), "V");
});

test("what is counted has the form of its number", () => {
  assert.deepEqual([1, 2, 5, 21].map((n) => shown(n, "cycles", "ru")), ["1 цикл", "2 цикла", "5 циклов", "21 цикл"]);
  assert.deepEqual([1, 2].map((n) => shown(n, "starts", "en")), ["1 start", "2 starts"]);
});

test("a unit written in Russian is read in English, and one that nobody knows stays", () => {
  assert.equal(shown(3, "бар", "en"), "3 bar");
  assert.equal(shown(3, "furlong", "ru"), "3 furlong");
});

test("every unit of the catalogues that come with Rounds has its Russian word", () => {
  const folders = ["../../server/actions/catalogue/", "../../server/demo/data/"].map((name) => new URL(name, import.meta.url));
  const files = folders.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) => new URL(name, folder)));
  const units = new Set(files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/"unit": "([^"]+)"/g)].map((found) => found[1])));
  assert.ok(units.size > 10);
  for (const unit of units) assert.ok(["%", "°C"].includes(unit) || unitWord(unit, 5, "ru") !== unit, unit);
});
