// Days and hours at the branch. Instants are milliseconds since 1970, days are "YYYY-MM-DD" at the branch.

import { locale, t } from "../shared/i18n.js";

/** @typedef {number} Ms */

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {string} tz
 * @returns {Intl.DateTimeFormat}
 */
function partsFormat(tz) {
  let format = formats.get(tz);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: tz,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(tz, format);
  }
  return format;
}

/**
 * The wall clock at a place.
 * @param {Ms} at
 * @param {string} tz
 * @returns {{date: string, time: string, minutes: number}} minutes since midnight
 */
export function localAt(at, tz) {
  /** @type {Record<string, string>} */
  const part = {};
  for (const { type, value } of partsFormat(tz).formatToParts(at)) part[type] = value;
  return {
    date: `${part.year}-${part.month}-${part.day}`,
    time: `${part.hour}:${part.minute}`,
    minutes: Number(part.hour) * 60 + Number(part.minute),
  };
}

/**
 * "10:58" at the branch.
 * @param {string | Ms} at
 * @param {string} tz
 * @returns {string}
 */
export function clock(at, tz) {
  return localAt(ms(at), tz).time;
}

/**
 * @param {string | Ms} at ISO 8601 instant or milliseconds
 * @returns {Ms}
 */
export function ms(at) {
  return typeof at === "number" ? at : Date.parse(at);
}

/** @param {Ms} at @returns {string} ISO 8601 with Z, whole seconds */
export function iso(at) {
  return new Date(Math.round(at / 1000) * 1000).toISOString().replace(".000Z", "Z");
}

/**
 * The instant of a wall-clock time; a time that a spring-forward night skips counts from the hour before it.
 * @param {string} date
 * @param {string} time "HH:MM"
 * @param {string} tz
 * @returns {Ms}
 */
export function instantOf(date, time, tz) {
  const wanted = Date.parse(`${date}T${time}:00Z`);
  const shift = (/** @type {Ms} */ at) => {
    const local = localAt(at, tz);
    return Date.parse(`${local.date}T${local.time}:00Z`) - Math.floor(at / 60000) * 60000;
  };
  const first = wanted - shift(wanted);
  return wanted - shift(first);
}

/**
 * @param {string} date
 * @param {number} days
 * @returns {string}
 */
export function addDays(date, days) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** @param {string} date @returns {boolean} */
export function isDate(date) {
  return /^\d{4}-\d{2}-\d{2}$/.test(date) && !Number.isNaN(Date.parse(`${date}T00:00:00Z`));
}

/**
 * "Mon 23 Nov 2026", «пн 23.11.2026»; long: "Monday 23 Nov 2026", «понедельник, 23.11.2026».
 * @param {string} date
 * @param {string} locale
 * @param {"long" | "short"} [weekday]
 * @returns {string}
 */
export function dayName(date, locale, weekday = "short") {
  const at = new Date(`${date}T12:00:00Z`);
  const language = locale === "ru" ? "ru" : "en-GB";
  const name = new Intl.DateTimeFormat(language, { weekday, timeZone: "UTC" }).format(at);
  const [year, month, day] = date.split("-");
  if (locale === "ru") return `${name}${weekday === "long" ? "," : ""} ${day}.${month}.${year}`;
  const monthName = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" }).format(at).slice(0, 3);
  return `${name} ${Number(day)} ${monthName} ${year}`;
}

/**
 * "23 Nov", «23.11».
 * @param {string} date
 * @param {string} locale
 * @returns {string}
 */
export function shortDay(date, locale) {
  const [, month, day] = date.split("-");
  if (locale === "ru") return `${day}.${month}`;
  const at = new Date(`${date}T12:00:00Z`);
  const monthName = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" }).format(at).slice(0, 3);
  return `${Number(day)} ${monthName}`;
}

/**
 * How long something took or lies back, in the unit that is read at a glance: minutes, then hours, from two days on days.
 * @param {number} seconds
 */
export function longTime(seconds) {
  const minutes = Math.round(Math.abs(seconds) / 60);
  if (minutes < 120) return t("time.minutes", { n: minutes });
  if (minutes < 2880) return t("time.hours", { n: Math.round(minutes / 60) });
  return t("time.days", { n: Math.round(minutes / 1440) });
}

/**
 * "13:00", on another day than the one that is shown "22 Nov 13:00".
 * @param {string | Ms} at
 * @param {string} tz
 * @param {string | null | undefined} date the day that is shown
 */
export function dayTime(at, tz, date) {
  const local = localAt(ms(at), tz);
  return !date || local.date === date ? local.time : `${shortDay(local.date, locale.value)} ${local.time}`;
}

/** Minutes as "6:10". @param {number} minutes @returns {string} */
export function hoursMinutes(minutes) {
  const whole = Math.round(Math.abs(minutes));
  return `${minutes < 0 ? "−" : ""}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** @param {Ms} at @param {number} minutes @returns {Ms} the nearest multiple of `minutes` */
export function snap(at, minutes) {
  const step = minutes * 60_000;
  return Math.round(at / step) * step;
}
