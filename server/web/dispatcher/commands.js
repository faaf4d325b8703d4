// What the buttons and the keys do to a visit.
import { useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { Button, Dialog, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { canMove, consequencesAt, place } from "./drag.js";
import { change, moveInDraft, offerUndo, showFault } from "./changes.js";
import { api, refresh } from "./store.js";
import { ms } from "./time.js";

/** @typedef {import("./types.js").Visit} Visit */

/** The visit about to be cancelled. @type {import("@preact/signals").Signal<Visit | null>} */
export const cancelling = signal(null);

const REASONS = ["customer", "duplicate", "not_needed", "other_company"];

/** @param {Visit} visit */
export function lock(visit) {
  if (!visit.planned_start) return Promise.resolve(false);
  const text = t(visit.locked ? "board.done.unlocked" : "board.done.locked", { name: visit.site.name });
  return change([{ visit, set: { locked: !visit.locked } }], text);
}

/** @param {Visit} visit */
export function unschedule(visit) {
  if (!visit.planned_start || !canMove(visit)) return Promise.resolve(false);
  const move = { visit_id: visit.id, technician_id: null, start_at: null, end_at: null };
  return moveInDraft([move], t("board.done.unscheduled", { name: visit.site.name }));
}

/** Five minutes earlier or later on the same route. @param {Visit} visit @param {number} minutes */
export function nudge(visit, minutes) {
  if (!visit.planned_start || !visit.assignee_id || !canMove(visit)) return Promise.resolve(false);
  const start = ms(visit.planned_start) + minutes * 60_000;
  const consequence = consequencesAt(visit, start).consequences.get(visit.assignee_id);
  return consequence ? place(visit, consequence) : Promise.resolve(false);
}

/** @param {Visit} visit @param {string} reason */
async function cancel(visit, reason) {
  try {
    await api("POST", `/visits/${visit.id}/cancel`, { reason });
    const before = visit.plan_state === "published" ? "published" : "due";
    const back = () => api("PATCH", `/visits/${visit.id}`, { plan_state: before, cancel_reason: null });
    offerUndo(t("board.done.cancelled", { name: visit.site.name }), back);
  } catch (error) {
    showFault(error);
  }
  await refresh({ own: true });
}

/** The office's word on finished work. @param {Visit} visit @param {"review" | "close" | "return"} verb @param {string} [reason] */
export async function judge(visit, verb, reason) {
  try {
    await api("POST", `/visits/${visit.id}/${verb}`, reason === undefined ? undefined : { reason });
    toast(t(`board.done.${verb}`, { name: visit.site.name }));
  } catch (error) {
    showFault(error);
  }
  await refresh({ own: true });
}

/** The visit about to be given back. @type {import("@preact/signals").Signal<Visit | null>} */
export const returning = signal(null);

export function ReturnDialog() {
  const visit = returning.value;
  return visit ? html`<${ReturnForm} key=${visit.id} visit=${visit} />` : null;
}

/** @param {{visit: Visit}} props */
function ReturnForm({ visit }) {
  const [reason, setReason] = useState("");
  const close = () => (returning.value = null);
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    close();
    await judge(visit, "return", reason.trim());
  };
  return html`<${Dialog} title=${t("return.title", { name: visit.site.name })} onClose=${close}>
    <form onSubmit=${send} class="move">
      <p class="secondary">${visit.title} · ${visit.number}</p>
      <label class="field"><span>${t("return.what")}</span><textarea rows="3" required value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)}></textarea></label>
      <p class="hint">${t("return.hint")}</p>
      <footer>
        <${Button} onClick=${close}>${t("cancel.keep")}<//>
        <${Button} kind="primary" type="submit" reason=${reason.trim() ? undefined : t("return.needs")}>${t("board.return")}<//>
      </footer>
    </form>
  <//>`;
}

export function CancelDialog() {
  const visit = cancelling.value;
  return visit ? html`<${CancelForm} key=${visit.id} visit=${visit} />` : null;
}

/** @param {{visit: Visit}} props */
function CancelForm({ visit }) {
  const [reason, setReason] = useState(REASONS[0]);
  const [more, setMore] = useState("");
  const close = () => (cancelling.value = null);
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    close();
    await cancel(visit, [t(`cancel.${reason}`), more.trim()].filter(Boolean).join(": "));
  };
  return html`<${Dialog} title=${t("cancel.title", { name: visit.site.name })} onClose=${close}>
    <form onSubmit=${send} class="move">
      <p class="secondary">${visit.title} · ${visit.number}</p>
      <fieldset>
        <legend>${t("cancel.why")}</legend>
        <div class="move-list">
          ${REASONS.map((one) => html`<label class="move-row"><input type="radio" name="reason" checked=${reason === one} onChange=${() => setReason(one)} /><span>${t(`cancel.${one}`)}</span></label>`)}
        </div>
      </fieldset>
      <label class="field"><span>${t("cancel.more")}</span><input type="text" value=${more} onInput=${(/** @type {any} */ event) => setMore(event.target.value)} /></label>
      <p class="hint">${t("cancel.hint")}</p>
      <footer>
        <${Button} onClick=${close}>${t("cancel.keep")}<//>
        <${Button} kind="danger" type="submit">${t("board.cancel")}<//>
      </footer>
    </form>
  <//>`;
}
