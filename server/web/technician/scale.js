// Where a measured value stands: limits as a box, the last value as a thin tick, this one as a thick one.
import { html } from "../shared/html.js";
import { formatNumber, t } from "../shared/i18n.js";
import { formatMeasure } from "../shared/units.js";
import { scale, verdict } from "./checks.js";

/** @typedef {import("./types.js").Item} Item */

/** @param {{item: Item, value: number | null, last: number | null}} props */
export function Scale({ item, value, last }) {
  const min = typeof item.min === "number" ? item.min : null;
  const max = typeof item.max === "number" ? item.max : null;
  const before = last === null ? null : t("check.last", { value: formatMeasure(last, item.unit) });
  if (min === null && max === null) return before && html`<p class="hint limits">${before}</p>`;
  const { box, place, beyond } = scale(item);
  const percent = (/** @type {number} */ part) => `${part * 100}%`;
  const far = (/** @type {number} */ at) => ["under", "", "over"][beyond(at) + 1];
  const limits = min !== null && max !== null ? t("check.limits", { min: formatNumber(min), max: formatMeasure(max, item.unit) })
    : max !== null ? t("check.limit.max", { max: formatMeasure(max, item.unit) }) : t("check.limit.min", { min: formatMeasure(Number(min), item.unit) });
  return html`<div class="scale" aria-hidden="true">
      <i class="bar"></i><i class="box" style=${{ left: percent(box[0]), right: percent(1 - box[1]) }}></i>
      ${last !== null && html`<i class=${`tick last ${far(last)}`} style=${{ left: percent(place(last)) }}></i>`}
      ${value !== null && html`<i class=${`tick ${verdict(item, value).state} ${far(value)}`} style=${{ left: percent(place(value)) }}></i>`}
      ${min !== null && html`<span style=${{ left: percent(box[0]) }}>${formatNumber(min)}</span>`}
      ${max !== null && max !== min && html`<span style=${{ left: percent(box[1]) }}>${formatNumber(max)}</span>`}
    </div><p class="hint limits">${[limits, before].filter(Boolean).join(" · ")}</p>`;
}
