import assert from "node:assert/strict";
import { test } from "node:test";
import { setLocale } from "../../server/web/shared/i18n.js";
import { shownState } from "../../server/web/dispatcher/state.js";
import { dayTime, longTime } from "../../server/web/dispatcher/time.js";
import { register } from "../../server/web/shared/i18n.js";
import en from "../../server/web/dispatcher/text/en.js";
import ru from "../../server/web/dispatcher/text/ru.js";

register({ en, ru });
const NOW = Date.parse("2026-11-25T12:00:00Z");
const visit = (more = {}) => ({
  exec_state: "not_started", plan_state: "published", planned_start: "2026-11-25T11:00:00Z", planned_end: "2026-11-25T12:00:00Z", started_at: null,
  promised_by: null, window_start: null, window_end: null, conflicts: 0, broken: [], may_have_started: false, at_risk: false, draft: false, service_minutes: 60, travel_s: 0, ...more,
});

test("a conflict hides no state", () => {
  for (const exec_state of ["done", "working", "en_route", "not_started"]) {
    assert.deepEqual(shownState(visit({ exec_state, conflicts: 2 }), NOW), shownState(visit({ exec_state }), NOW));
  }
});

test("long lateness is told in hours or days", () => {
  setLocale("en");
  const late = (by) => shownState(visit({ promised_by: by }), NOW).params.time;
  assert.equal(late("2026-11-25T11:30:00Z"), "30 min");
  assert.equal(late("2026-11-24T13:00:00Z"), "23 h");
  assert.equal(late("2026-11-20T12:00:00Z"), "5 days");
  setLocale("ru");
  assert.equal(longTime(5 * 86_400), "5 дней");
});

test("an hour of another day comes with its day", () => {
  setLocale("en");
  assert.equal(dayTime("2026-11-25T12:00:00Z", "Europe/Andorra", "2026-11-25"), "13:00");
  assert.equal(dayTime("2026-11-24T12:00:00Z", "Europe/Andorra", "2026-11-25"), "24 Nov 13:00");
  setLocale("ru");
  assert.equal(dayTime("2026-11-24T12:00:00Z", "Europe/Andorra", "2026-11-25"), "24.11 13:00");
});
