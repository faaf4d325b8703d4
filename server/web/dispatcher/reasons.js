// Why something is as it is: every reason with its figures, and the way out that can be pressed.
import { html } from "../shared/html.js";
import { reasonText, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { moving } from "./move.js";
import { board, goToDay } from "./store.js";
import { isDate } from "./time.js";

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

/** @param {{reasons: Reason[], visit: Visit}} props */
export function Reasons({ reasons, visit }) {
  const movable = Boolean(board.value?.technicians.length);
  return html`<ul class="reasons">
    ${reasons.map(
      (reason) => html`<li>
        <span>${reasonText(reason)}</span>
        ${reason.remedy && html`<button type="button" class="remedy" onClick=${() => follow(/** @type {Reason} */ (reason.remedy), visit)}><${Icon} name="arrow" size=${14} /><span>${reasonText(reason.remedy)}</span></button>`}
      </li>`,
    )}
    ${movable && html`<li><button type="button" class="remedy" onClick=${() => (moving.value = { visit, technicianId: null, start: null })}><${Icon} name="arrow" size=${14} /><span>${t("board.place_by_hand")}</span></button></li>`}
  </ul>`;
}
