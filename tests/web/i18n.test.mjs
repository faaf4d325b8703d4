import assert from "node:assert/strict";
import { test } from "node:test";
import * as i18n from "../../server/web/shared/i18n.js";

i18n.register({
  en: { "test.visits": { one: "{n} visit", other: "{n} visits" } },
  ru: { "test.visits": { one: "{n} визит", few: "{n} визита", many: "{n} визитов", other: "{n} визита" } },
});

test("Russian counts 0 1 2 5 11 21 22 25 101 111 1,5 as a Russian would", () => {
  i18n.setLocale("ru");
  const words = [0, 1, 2, 5, 11, 21, 22, 25, 101, 111, 1.5].map((n) => i18n.t("test.visits", { n }));
  assert.deepEqual(words, [
    "0 визитов", "1 визит", "2 визита", "5 визитов", "11 визитов", "21 визит", "22 визита", "25 визитов", "101 визит", "111 визитов", "1,5 визита",
  ]);
});

test("English counts one and other", () => {
  i18n.setLocale("en");
  assert.deepEqual([0, 1, 2].map((n) => i18n.t("test.visits", { n })), ["0 visits", "1 visit", "2 visits"]);
});

test("dates are written the reader's way", () => {
  i18n.setLocale("en");
  assert.equal(i18n.formatDate("2026-11-23"), "Mon 23 Nov 2026");
  assert.equal(i18n.formatDate("2026-11-23", { year: false }), "Mon 23 Nov");
  i18n.setLocale("ru");
  assert.equal(i18n.formatDate("2026-11-23"), "пн 23.11.2026");
  assert.equal(i18n.formatDate("2026-09-01", { weekday: false }), "01.09.2026");
});

test("a plain date is the same day in every zone", () => {
  i18n.setLocale("en");
  assert.equal(i18n.formatDate("2026-11-23", { tz: "America/Adak" }), "Mon 23 Nov 2026");
});

test("an instant is shown in the zone it is asked for", () => {
  assert.equal(i18n.formatTime("2026-11-23T08:30:00Z", "Europe/Andorra"), "09:30");
  assert.equal(i18n.formatTime("2026-11-23T21:05:00Z", "Europe/Moscow"), "00:05");
  assert.equal(i18n.localDay("2026-11-23T21:05:00Z", "Europe/Moscow"), "2026-11-24");
});

test("numbers and money follow the language", () => {
  i18n.setLocale("en");
  assert.equal(i18n.formatNumber(14.2), "14.2");
  i18n.setLocale("ru");
  assert.equal(i18n.formatNumber(14.2), "14,2");
  assert.equal(i18n.formatMoney("1450.00", "RUB"), "1\u202f450,00\u202f₽");
});

test("a typed number may have a comma or a point in either language", () => {
  assert.equal(i18n.parseNumber("14,2"), 14.2);
  assert.equal(i18n.parseNumber("14.2"), 14.2);
  assert.equal(i18n.parseNumber("-3"), -3);
  assert.equal(i18n.parseNumber("1,2,3"), null);
  assert.equal(i18n.parseNumber(""), null);
});

test("durations and distances read as a person says them", () => {
  i18n.setLocale("en");
  assert.equal(i18n.formatDuration(88 * 60), "1 h 28 min");
  assert.equal(i18n.formatDistance(6420), "6.4 km");
  i18n.setLocale("ru");
  assert.equal(i18n.formatDuration(7200), "2 ч");
  assert.equal(i18n.formatDistance(6420), "6,4 км");
});
