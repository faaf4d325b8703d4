// Words, dates, numbers in the reader's language. Catalogues are registered by each part of the product.
import { signal } from "@preact/signals";

/** @typedef {"en" | "ru"} Locale */
/** @typedef {string | {one?: string, few?: string, many?: string, other: string}} Phrase */
/** @typedef {Record<string, Phrase>} Catalogue */
/** @typedef {{code: string, params?: Record<string, any>, text?: string | Record<string, string>, remedy?: Reason | null}} Reason */

const KEY = "rounds.locale";

/** @returns {Locale} */
function preferred() {
  const stored = globalThis.localStorage?.getItem(KEY);
  if (stored === "en" || stored === "ru") return stored;
  return (globalThis.navigator?.language ?? "en").toLowerCase().startsWith("ru") ? "ru" : "en";
}

/** The language of the page; components that read it are drawn again when it changes. */
export const locale = signal(preferred());

/** @type {Record<Locale, Catalogue>} */
const words = { en: {}, ru: {} };

/**
 * Add an area's catalogue. Keys are `area.name`; a later registration of a key replaces the earlier one.
 * @param {{en: Catalogue, ru: Catalogue}} catalogues
 */
export function register(catalogues) {
  Object.assign(words.en, catalogues.en);
  Object.assign(words.ru, catalogues.ru);
}

/** @param {Locale} language @param {{remember?: boolean}} [options] `remember: false` for a passing choice */
export function setLocale(language, { remember = true } = {}) {
  locale.value = language;
  if (typeof document !== "undefined") document.documentElement.lang = language;
  if (remember) globalThis.localStorage?.setItem(KEY, language);
}

/** True when the reader has chosen a language in this browser. */
export function localeChosen() {
  return Boolean(globalThis.localStorage?.getItem(KEY));
}

/** @type {Record<string, Intl.PluralRules>} */
const rules = { en: new Intl.PluralRules("en"), ru: new Intl.PluralRules("ru") };

/**
 * The words for a key. `{name}` is replaced by a parameter; numbers are written the reader's way; the plural form
 * follows `n`. A missing key shows itself, so that a picture of the page reveals it.
 * @param {string} key
 * @param {Record<string, string | number | null | undefined>} [params]
 * @param {Locale} [language]
 */
export function t(key, params = {}, language = locale.value) {
  const phrase = words[language][key];
  if (phrase === undefined) return key;
  return fill(pick(phrase, params.n, language), params, language);
}

/** @param {string} key */
export function hasText(key) {
  return words[locale.value][key] !== undefined;
}

/** @param {Phrase} phrase @param {unknown} n @param {Locale} language */
export function pick(phrase, n, language) {
  if (typeof phrase === "string") return phrase;
  const form = rules[language].select(Number(n ?? 0));
  return phrase[/** @type {"one"} */ (form)] ?? phrase.other;
}

/** @param {string} text @param {Record<string, any>} params @param {Locale} language */
function fill(text, params, language) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = params[name];
    if (value === undefined || value === null) return whole;
    return typeof value === "number" ? formatNumber(value, {}, language) : String(value);
  });
}

/**
 * The server's sentence for a reason, in the page's language where the reason carries several; else its code.
 * @param {Reason | null | undefined} reason
 */
export function reasonText(reason) {
  if (!reason) return "";
  const { text } = reason;
  if (text && typeof text === "object") return text[locale.value] ?? text.en ?? reason.code;
  return text ?? reason.code;
}

/** @type {Map<string, any>} */
const formats = new Map();

/**
 * Formatters are costly to make and needed by the hundred.
 * @template T @param {new (locale: string, options: any) => T} Kind @param {string} language @param {object} options @returns {T}
 */
function formatter(Kind, language, options) {
  const key = Kind.name + language + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) formats.set(key, (made = new Kind(language, options)));
  return made;
}

/** `14.2` · `14,2` @param {number} value @param {Intl.NumberFormatOptions} [options] @param {Locale} [language] */
export function formatNumber(value, options = {}, language = locale.value) {
  const text = formatter(Intl.NumberFormat, language === "ru" ? "ru-RU" : "en-GB", { maximumFractionDigits: 3, ...options }).format(value);
  return language === "ru" ? text.replaceAll("\u00a0", "\u202f") : text;
}

/** `€1,450.00` · `1 450,00 ₽` @param {string | number} amount @param {string} currency @param {Locale} [language] */
export function formatMoney(amount, currency, language = locale.value) {
  return formatNumber(Number(amount), { style: "currency", currency, minimumFractionDigits: 2, maximumFractionDigits: 2 }, language);
}

/** Read a number typed by a person: both `14,2` and `14.2`. @param {string} text @returns {number | null} */
export function parseNumber(text) {
  const plain = text.replace(/[\s\u00a0\u202f]/g, "").replace("−", "-").replace(",", ".");
  return /^-?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : null;
}

/** The mark between whole and fraction on the keypad. @param {Locale} [language] */
export function decimalMark(language = locale.value) {
  return language === "ru" ? "," : ".";
}

/** @typedef {string | number | Date | null | undefined} Moment */

/** `09:42`, 24 hours, in the given zone (default: the device's). @param {Moment} moment @param {string} [tz] */
export function formatTime(moment, tz) {
  const date = toDate(moment);
  if (!date) return "";
  return formatter(Intl.DateTimeFormat, "en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: tz }).format(date);
}

/**
 * `Mon 23 Nov 2026` · `пн 23.11.2026`. A plain date (`2026-11-23`) means that calendar day, whatever the zone.
 * @param {Moment} moment @param {{tz?: string, year?: boolean, weekday?: "short" | "long" | false}} [options]
 */
export function formatDate(moment, { tz, year = true, weekday = "short" } = {}) {
  const plain = typeof moment === "string" && /^\d{4}-\d\d-\d\d$/.test(moment);
  const date = plain ? new Date(`${moment}T12:00:00Z`) : toDate(moment);
  if (!date) return "";
  const timeZone = plain ? "UTC" : tz;
  /** @param {Intl.DateTimeFormatOptions} options */
  const part = (options) => formatter(Intl.DateTimeFormat, locale.value === "ru" ? "ru-RU" : "en-GB", { timeZone, ...options }).format(date);
  const name = weekday ? `${part({ weekday })} ` : "";
  if (locale.value === "ru") {
    const day = part({ day: "2-digit", month: "2-digit" });
    return name + (year ? `${day}.${part({ year: "numeric" }).replace(/\D/g, "")}` : day);
  }
  const month = part({ month: "short" }).replace("Sept", "Sep");
  return `${name}${part({ day: "numeric" })} ${month}${year ? ` ${part({ year: "numeric" })}` : ""}`;
}

/** The calendar day of a moment in a zone, `2026-11-23`. @param {Moment} moment @param {string} [tz] */
export function localDay(moment, tz) {
  const date = toDate(moment);
  return date ? formatter(Intl.DateTimeFormat, "en-CA", { timeZone: tz, year: "numeric", month: "2-digit", day: "2-digit" }).format(date) : "";
}

/** `1 h 28 min` · `1 ч 28 мин`; whole minutes, rounded. @param {number} seconds */
export function formatDuration(seconds) {
  const minutes = Math.round(Math.abs(seconds) / 60);
  const hours = Math.floor(minutes / 60);
  const [h, m] = locale.value === "ru" ? ["ч", "мин"] : ["h", "min"];
  if (!hours) return `${minutes} ${m}`;
  return minutes % 60 ? `${hours} ${h} ${minutes % 60} ${m}` : `${hours} ${h}`;
}

/** `6.4 km` · `850 m` @param {number} metres */
export function formatDistance(metres) {
  const [km, m] = locale.value === "ru" ? ["км", "м"] : ["km", "m"];
  if (metres < 950) return `${formatNumber(Math.round(metres / 50) * 50)} ${m}`;
  return `${formatNumber(metres / 1000, { maximumFractionDigits: metres < 100_000 ? 1 : 0 })} ${km}`;
}

/** `2.4 MB` @param {number} bytes */
export function formatBytes(bytes) {
  const units = locale.value === "ru" ? ["Б", "КБ", "МБ", "ГБ"] : ["B", "KB", "MB", "GB"];
  const power = bytes < 1 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return `${formatNumber(bytes / 1000 ** power, { maximumFractionDigits: power > 1 ? 1 : 0 })} ${units[power]}`;
}

/** @param {Moment} moment @returns {Date | null} */
function toDate(moment) {
  if (moment === null || moment === undefined || moment === "") return null;
  const date = moment instanceof Date ? moment : new Date(moment);
  return Number.isNaN(date.getTime()) ? null : date;
}
