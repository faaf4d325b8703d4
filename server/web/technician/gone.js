// A visit that was taken from this tablet: why, what became of what was written about it, and what was not added.
import { Button, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDate, formatTime, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { handIn } from "./actions.js";
import { describe } from "./describe.js";
import { go } from "./nav.js";
import { NoVisit } from "./nowhere.js";
import { drafts, gone, homeZone, openDrafts, outbox } from "./store.js";

const REASONS = ["reassigned", "cancelled", "withdrawn", "done-by-other", "archived", "deleted", "out-of-window"];

/** Why a visit left, as a whole sentence. @param {string | null | undefined} reason */
export const whyGone = (reason) => t(`gone.${REASONS.includes(reason ?? "") ? reason : "other"}`);

/** @param {{id: string}} props */
export function Gone({ id }) {
  const left = gone.value.get(id);
  const entered = openDrafts.value.filter((draft) => draft.document_id === id);
  const written = outbox.value.filter((entry) => entry.mutation.document_id === id);
  const groups = ["needs", "saved", "accepted"].map((state) => ({ state, entries: written.filter((entry) => stateOf(entry.state) === state) })).filter(({ entries }) => entries.length);
  if (!left && !entered.length && !written.length) return html`<${NoVisit} />`;
  const when = left && `${formatDate(left.at, { tz: homeZone.value, year: false })} ${formatTime(left.at, homeZone.value)}`;
  return html`<div class="visit gone">
    <header class="visit-head"><button type="button" class="back" aria-label=${t("action.back")} onClick=${() => go("")}><${Icon} name="left" size=${26} /></button>
      <div class="visit-title"><h1>${left?.title || t("tab.visit")}</h1>${when && html`<p class="hint">${when}</p>`}</div></header>
    <main class="scroll">
      <section class="gone-why"><${Icon} name="info" size=${28} /><div><h2>${whyGone(left?.reason)}</h2>${written.length > 0 ? html`<p>${t("gone.kept")}</p>` : !entered.length && html`<p>${t("gone.nothing")}</p>`}</div></section>
      ${entered.length > 0 && html`<${NotAdded} id=${id} entered=${entered} />`}
      ${groups.length > 0 && html`<h2 class="group">${t("gone.written")}</h2><ul class="items">${groups.map(({ state, entries }) => {
        const { icon, text } = describe(entries);
        return html`<li data-state=${state}><${Icon} name=${icon} size=${26} /><div><strong>${text}</strong><span class=${`where ${state}`}>${t(`where.${state}.long`)}</span></div></li>`;
      })}</ul>`}
    </main>
    <footer class="dock"><div class="dock-row"><${Button} kind="primary" action icon="list" class="main" onClick=${() => go("")}>${t("tab.gone.action")}<//></div></footer>
  </div>`;
}

/** @param {import("./types.js").OutboxState} state */
const stateOf = (state) => (state === "needs" || state === "accepted" ? state : "saved");

/** What was being entered when the visit went. @param {{id: string, entered: import("./types.js").Draft[]}} props */
function NotAdded({ id, entered }) {
  const told = entered.filter((draft) => draft.field !== "sign.outcome");
  return html`<section class="not-added-box"><h2>${t("draft.title")}</h2>
    <dl>${told.map((draft) => html`<dt>${draft.label}</dt><dd>${said(draft)}</dd>`)}</dl>
    <div class="pair"><${Button} icon="trash" onClick=${() => discard(entered)}>${t("draft.discard")}<//><${Button} icon="check" onClick=${() => handIn(id, entered)}>${t("draft.hand_in")}<//></div>
  </section>`;
}

/** Throw away what was entered, with a way back. @param {import("./types.js").Draft[]} entered */
export function discard(entered) {
  drafts.discard(entered.map((draft) => draft.key));
  const again = () => entered.forEach((draft) => drafts.put({ author: draft.author, collection: draft.collection, documentId: draft.document_id, field: draft.field }, draft.value, draft));
  toast(t("draft.discarded"), { undo: again });
}

/** A draft's value as a person reads it. @param {import("./types.js").Draft} draft */
export const said = (draft) => (draft.field === "sign.strokes" ? t("draft.strokes") : typeof draft.value === "string" ? draft.value : t("draft.form"));
