import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../../server/web/", import.meta.url);
const AREAS = ["shared", "technician", "dispatcher"].filter((area) => existsSync(new URL(`${area}/text/en.js`, WEB)));
const FORMS = { en: ["one", "other"], ru: ["one", "few", "many", "other"] };

const holes = (phrase) =>
  [...new Set(Object.values(typeof phrase === "string" ? { phrase } : phrase).join(" ").match(/\{\w+\}/g) ?? [])].sort();

for (const area of AREAS) {
  const en = (await import(new URL(`${area}/text/en.js`, WEB))).default;
  const ru = (await import(new URL(`${area}/text/ru.js`, WEB))).default;

  test(`${area}: both languages have the same keys`, () => {
    assert.deepEqual(Object.keys(ru).sort(), Object.keys(en).sort());
  });

  test(`${area}: a phrase that counts has every plural form of its language`, () => {
    for (const [language, catalogue] of Object.entries({ en, ru })) {
      for (const [key, phrase] of Object.entries(catalogue)) {
        if (typeof phrase === "object") assert.deepEqual(Object.keys(phrase).sort(), [...FORMS[language]].sort(), `${language} ${key}`);
        assert.equal(typeof phrase, typeof (language === "en" ? ru : en)[key], `${key} counts in one language only`);
      }
    }
  });

  test(`${area}: both languages name the same parameters`, () => {
    for (const key of Object.keys(en)) assert.deepEqual(holes(ru[key]), holes(en[key]), key);
  });

  test(`${area}: no phrase blames, begs or shouts`, () => {
    for (const [key, phrase] of [...Object.entries(en), ...Object.entries(ru)]) {
      const text = typeof phrase === "string" ? phrase : Object.values(phrase).join(" ");
      assert.doesNotMatch(text, /please|oops|invalid|successfully|пожалуйста|!/i, key);
    }
  });

  test(`${area}: Russian phrases have no English words but names`, () => {
    for (const [key, phrase] of Object.entries(ru)) {
      const text = (typeof phrase === "string" ? phrase : Object.values(phrase).join(" ")).replace(/\{\w+\}/g, "");
      const latin = (text.match(/[A-Za-z]{2,}/g) ?? []).filter((word) => !["Rounds", "EN", "RU", "QR", "Esc", "Ctrl", "Enter", "Alt", "OpenStreetMap", "PIN"].includes(word));
      assert.deepEqual(latin, [], key);
    }
  });
}

test("the tablet uses no word that its catalogues lack, and carries none that it does not use", async () => {
  const { readdirSync, readFileSync } = await import("node:fs");
  const folder = new URL("technician/", WEB);
  const shared = new URL("shared/", WEB);
  const source = [folder, shared]
    .flatMap((place) => readdirSync(place).filter((name) => name.endsWith(".js")).map((name) => readFileSync(new URL(name, place), "utf8")))
    .join("\n");
  const keys = { ...(await import(new URL("text/en.js", shared))).default, ...(await import(new URL("text/en.js", folder))).default };
  const used = [...source.matchAll(/\bt\(\s*(?:[\w.! ]+\? )?"([\w.-]+)"/g)].map((found) => found[1]);
  assert.deepEqual(used.filter((key) => !(key in keys)), []);
  const spelt = new Set([...source.matchAll(/"([\w.-]+)"/g)].map((found) => found[1]));
  const stems = [...source.matchAll(/`([\w.-]+\.)\$\{/g)].map((found) => found[1]);
  const own = Object.keys((await import(new URL("text/en.js", folder))).default);
  assert.deepEqual(own.filter((key) => !spelt.has(key) && !stems.some((stem) => key.startsWith(stem))), []);
});
