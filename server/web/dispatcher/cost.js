// The words for what a move would cost.
import { formatDuration, formatNumber, t } from "../shared/i18n.js";
import { now } from "./store.js";
import { clock, longTime, ms } from "./time.js";

/** The shape of each level of consequence. */
export const LEVEL_ICONS = { fits: "check", costs: "warn", breaks: "alert", unknown: "maybe" };

/**
 * Minutes and kilometres as they are put before a person: "+9 min · +4 km".
 * @param {{extraS: number, extraM: number}} cost
 */
export function costText({ extraS, extraM }) {
  const minutes = Math.round(extraS / 60);
  const km = extraM / 1000;
  const signed = (/** @type {number} */ value, digits = 0) => formatNumber(value, { signDisplay: "always", maximumFractionDigits: digits }).replace("-", "−");
  return t("drag.cost", { minutes: signed(minutes), km: signed(km, Math.abs(km) < 10 ? 1 : 0) });
}

/**
 * What breaks or costs first, in words.
 * @param {import("./consequence.js").Consequence} consequence
 * @param {string} tz
 */
export function firstText(consequence, tz) {
  if (!consequence.first) return t("drag.nothing");
  const params = { ...consequence.first.params };
  if (typeof params.n === "number") params.time = longTime(params.n * 60);
  if (typeof params.at === "number") params.at = clock(params.at, tz);
  if (params.since !== undefined) params.since = params.since ? formatDuration((now.value - ms(params.since)) / 1000) : t("board.device.never");
  return t(consequence.first.key, params);
}
