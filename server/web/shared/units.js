// Units of measure in the reader's language: one place for the office and the tablet. A checklist names its unit once.
import { formatNumber, locale, pick } from "./i18n.js";

/** @typedef {import("./i18n.js").Locale} Locale */
/** @typedef {import("./i18n.js").Phrase} Phrase */

/** Each unit as it is read; what is counted has its plural forms. @type {{en: Phrase, ru: Phrase, also?: string[]}[]} */
const UNITS = [
  { en: "V", ru: "В" },
  { en: "mV", ru: "мВ" },
  { en: "kV", ru: "кВ" },
  { en: "A", ru: "А" },
  { en: "mA", ru: "мА" },
  { en: "W", ru: "Вт" },
  { en: "kW", ru: "кВт" },
  { en: "kWh", ru: "кВт·ч" },
  { en: "kVA", ru: "кВА" },
  { en: "Ω", ru: "Ом", also: ["ohm"] },
  { en: "kΩ", ru: "кОм" },
  { en: "MΩ", ru: "МОм" },
  { en: "Hz", ru: "Гц" },
  { en: "rpm", ru: "об/мин" },
  { en: "bar", ru: "бар" },
  { en: "mbar", ru: "мбар" },
  { en: "Pa", ru: "Па" },
  { en: "kPa", ru: "кПа" },
  { en: "MPa", ru: "МПа" },
  { en: "°C", ru: "°C", also: ["C", "°С"] },
  { en: "K", ru: "К" },
  { en: "%", ru: "%" },
  { en: "ppm", ru: "ppm", also: ["млн⁻¹"] },
  { en: "dB", ru: "дБ" },
  { en: "lx", ru: "лк" },
  { en: "s", ru: "с" },
  { en: "min", ru: "мин" },
  { en: "h", ru: "ч", also: ["hour", "hours"] },
  { en: "d", ru: "сут" },
  { en: "μm", ru: "мкм" },
  { en: "mm", ru: "мм" },
  { en: "cm", ru: "см" },
  { en: "m", ru: "м" },
  { en: "km", ru: "км" },
  { en: "mm/m", ru: "мм/м" },
  { en: "mm/s", ru: "мм/с" },
  { en: "m/s", ru: "м/с" },
  { en: "m²", ru: "м²", also: ["m2", "м2"] },
  { en: "m³", ru: "м³", also: ["m3", "м3"] },
  { en: "m³/h", ru: "м³/ч", also: ["m3/h", "м3/ч"] },
  { en: "l", ru: "л", also: ["L"] },
  { en: "l/min", ru: "л/мин" },
  { en: "l/h", ru: "л/ч" },
  { en: "g", ru: "г" },
  { en: "kg", ru: "кг" },
  { en: "kg/m²", ru: "кг/м²", also: ["kg/m2", "кг/м2"] },
  { en: "N·m", ru: "Н·м", also: ["Nm", "Нм"] },
  { en: { one: "cycle", other: "cycles" }, ru: { one: "цикл", few: "цикла", many: "циклов", other: "цикла" } },
  { en: { one: "start", other: "starts" }, ru: { one: "пуск", few: "пуска", many: "пусков", other: "пуска" } },
  { en: { one: "trip", other: "trips" }, ru: { one: "поездка", few: "поездки", many: "поездок", other: "поездки" } },
];

/** @param {Phrase} phrase */
const forms = (phrase) => (typeof phrase === "string" ? [phrase] : Object.values(phrase));

/** Whoever wrote the checklist may have written the unit in either language. */
const KNOWN = new Map(UNITS.flatMap((unit) => [...forms(unit.en), ...forms(unit.ru), ...(unit.also ?? [])].map((written) => [written, unit])));

/**
 * A unit as the reader writes it, after `value` where it is one that is counted; one that nobody here knows stays as it is.
 * @param {string | null | undefined} unit @param {number} [value] @param {Locale} [language]
 */
export function unitWord(unit, value = 0, language = locale.value) {
  const known = unit && KNOWN.get(unit.trim());
  return known ? pick(known[language], value, language) : (unit ?? "");
}

/** `2,4 бар` · `2.4 bar`; never parted at the end of a line. @param {number} value @param {string | null | undefined} unit @param {Locale} [language] */
export function formatMeasure(value, unit, language = locale.value) {
  const number = formatNumber(value, {}, language);
  return unit ? `${number}\u202f${unitWord(unit, value, language)}` : number;
}
