// Why something is as it is: every reason with its figures, and the way out that can be pressed.
import { html } from "../shared/html.js";
import { locale, reasonText, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { moving } from "./move.js";
import { board, goToDay } from "./store.js";
import { clock, isDate, localAt, ms, shortDay } from "./time.js";

/** @typedef {import("./types.js").Reason} Reason */
/** @typedef {import("./types.js").Visit} Visit */

/**
 * What pressing a remedy does: another day is shown, or the visit is put by hand with what the remedy names.
 * @param {Reason} remedy
 * @param {Visit} visit
 */
function follow(remedy, visit) {
  const { date, day, technician_id: technicianId, start_at: startAt } = remedy.params ?? {};
  const other = date ?? day;
  if (typeof other === "string" && isDate(other) && !technicianId) goToDay(other);
  else moving.value = { visit, technicianId: technicianId ?? null, start: startAt ?? null };
}

/** The hour, with the day where it is another than the one shown. @param {string} at @param {string} tz */
function momentText(at, tz) {
  const { date } = localAt(ms(at), tz);
  return date === board.value?.date ? clock(at, tz) : `${shortDay(date, locale.value)} ${clock(at, tz)}`;
}

/** @param {{reasons: Reason[], visit: Visit}} props */
export function Reasons({ reasons, visit }) {
  const movable = Boolean(board.value?.technicians.length);
  const shown = board.value;
  const stale = reasons.some((reason) => reason.stale) && shown?.reasons_at;
  return html`<ul class=${`reasons ${stale ? "is-stale" : ""}`}>
    ${stale && html`<li class="hint">${t("board.reasons_stale", { time: momentText(stale, shown.branch.tz) })}</li>`}
    ${reasons.map(
      (reason) => html`<li>
        <span>${reasonText(reason)}</span>
        ${reason.remedy && html`<button type="button" class="remedy" onClick=${() => follow(/** @type {Reason} */ (reason.remedy), visit)}><${Icon} name="arrow" size=${14} /><span>${reasonText(reason.remedy)}</span></button>`}
      </li>`,
    )}
    ${movable && html`<li><button type="button" class="remedy" onClick=${() => (moving.value = { visit, technicianId: null, start: null })}><${Icon} name="arrow" size=${14} /><span>${t("board.place_by_hand")}</span></button></li>`}
  </ul>`;
}
