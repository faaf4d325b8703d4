// The selected visit: its promise, who pays and why, why this technician, and what can be done with it.
import { useState } from "preact/hooks";
import { Button, Coverage } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDuration, hasText, locale, reasonText, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { cancelling, judge, lock, returning, unschedule } from "./commands.js";
import { costText, firstText, LEVEL_ICONS } from "./cost.js";
import { carried, canMove } from "./drag.js";
import { Moves, moving } from "./move.js";
import { Reasons } from "./reasons.js";
import { Shape } from "./shapes.js";
import { isOver, promiseOf, shownState } from "./state.js";
import { board, enlarged, now, selectedVisit } from "./store.js";
import { clock, dayTime, longTime, ms } from "./time.js";
import { hasWork, WorkDone } from "./work.js";

/** @typedef {import("./types.js").Visit} Visit */

/**
 * Promise first, then what is left.
 * @param {{visit: Visit, tz: string}} props
 */
function PromiseClock({ visit, tz }) {
  const promise = promiseOf(visit, now.value);
  if (!promise) return null;
  const from = ms(visit.window_start ?? visit.planned_start ?? promise.by) - 30 * 60_000;
  const to = Math.max(promise.by, promise.eta) + 15 * 60_000;
  const at = (/** @type {number} */ instant) => `${Math.min(100, Math.max(0, ((instant - from) / (to - from)) * 100)).toFixed(1)}%`;
  const late = longTime(Math.max(60, Math.abs(promise.left)));
  const date = board.value?.date;
  const left = {
    calm: t("board.promise.left", { time: formatDuration(promise.left) }),
    risk: t("board.promise.left", { time: formatDuration(promise.left) }),
    late: t("board.promise.late", { time: late }),
    kept: t("board.promise.kept"),
    broken: t("board.promise.late", { time: late }),
  }[promise.level];
  const icon = { calm: null, risk: "warn", late: "alert", kept: "check", broken: "alert" }[promise.level];
  return html`<div class=${`promise is-${promise.level}`}>
    <p class="promise-head"><b>${t("board.promise.by", { time: dayTime(promise.by, tz, date) })}</b><span class="promise-left"><${Shape} name=${icon} size=${15} /> ${left}</span></p>
    <div class="promise-bar" aria-hidden="true">
      <i class="promise-used" style=${{ width: at(Math.min(now.value, promise.by)) }}></i>
      <i class="promise-end" style=${{ left: at(promise.by) }}></i>
      <i class="promise-eta" style=${{ left: at(promise.eta) }}></i>
    </div>
    <p class="promise-foot">
      <span>${visit.window_start ? t("board.promise.opens", { time: dayTime(visit.window_start, tz, date) }) : ""}</span>
      <span>${visit.started_at ? t("board.promise.started", { time: dayTime(visit.started_at, tz, date) }) : t("board.promise.eta", { time: dayTime(promise.eta, tz, date) })}</span>
    </p>
  </div>`;
}

/** What the visit breaks where it stands. @param {{broken: import("./types.js").Broken[]}} props */
function BrokenRules({ broken }) {
  if (!broken.length) return null;
  return html`<section class="broken" aria-label=${t("board.broken", { n: broken.length })}>
    <h4><${Shape} name="alert" size=${15} /> ${t("board.broken", { n: broken.length })}</h4>
    <ul>${broken.map((one) => html`<li key=${one.token}>${one.text}</li>`)}</ul>
  </section>`;
}

/** The sentence without the word that the chip has said. @param {import("./types.js").Reason | undefined} reason @param {string} outcome */
function because(reason, outcome) {
  return reasonText(reason).replace(new RegExp(`^${t(`coverage.${outcome}`)}: `, "i"), "");
}

/** Who pays, line by line, because of what; every rule that was looked at on a press. @param {{visit: Visit}} props */
function Pays({ visit }) {
  const [open, setOpen] = useState(false);
  const { coverage } = visit;
  if (!coverage?.outcome) return html`<dd>${t("board.cost.unknown")}</dd>`;
  const rules = coverage.rules ?? [];
  const lines = coverage.lines ?? [];
  const name = (/** @type {string} */ id) => (hasText(`board.line.${id}`) ? t(`board.line.${id}`) : id);
  return html`<dd>
    <span class="pays"><${Coverage} coverage=${coverage} sum /> ${lines.length <= 1 && html`<span>${because(coverage.reason, coverage.outcome)}</span>`}</span>
    ${lines.length > 1 &&
    html`<ul class="pay-lines">${lines.map((line) => html`<li><b>${name(line.line_id)}</b> <span>${because(line.reason, line.outcome)}</span></li>`)}</ul>`}
    ${rules.length > 0 &&
    html`<button type="button" class="more" aria-expanded=${open ? "true" : "false"} onClick=${() => setOpen(!open)}>${t("board.rules", { n: rules.length })} <${Icon} name=${open ? "up" : "down"} size=${12} /></button>`}
    ${open &&
    html`<ol class="rules">
      ${rules.map((rule) => html`<li><span>${rule.machine ? `${rule.machine}: ` : ""}${reasonText(rule.reason)}</span><b>${hasText(`board.rule.${rule.outcome}`) ? t(`board.rule.${rule.outcome}`) : rule.outcome}</b></li>`)}
    </ol>`}
  </dd>`;
}

/** @param {{visit: Visit}} props */
function Buttons({ visit }) {
  const over = isOver(visit);
  const fixed = over || Boolean(visit.started_at);
  const why = over ? t("board.no.over") : fixed ? t("board.no.started") : visit.locked ? t("board.no.locked") : undefined;
  if (over && visit.exec_state !== "closed") {
    const reviewed = visit.exec_state === "reviewed";
    return html`<div class="inspector-buttons">
      <${Button} kind="primary" icon="check" onClick=${() => judge(visit, reviewed ? "close" : "review")}>${t(reviewed ? "board.close" : "board.review")}<//>
      ${visit.plan_state !== "cancelled" && html`<${Button} onClick=${() => (returning.value = visit)}>${t("board.return")}<//>`}
    </div>`;
  }
  if (fixed) return html`<p class="hint">${why}</p>`;
  return html`<div class="inspector-buttons">
    <${Button} reason=${canMove(visit) ? undefined : why} onClick=${() => (moving.value = { visit, technicianId: null, start: null })}>${t("board.move")}<//>
    ${visit.planned_start &&
    html`<${Button} icon=${visit.locked ? "unlock" : "lock"} onClick=${() => lock(visit)}>${t(visit.locked ? "board.unlock" : "board.lock")}<//>
      <${Button} reason=${canMove(visit) ? undefined : why} onClick=${() => unschedule(visit)}>${t("board.unschedule")}<//>`}
    <${Button} kind="danger" onClick=${() => (cancelling.value = visit)}>${t("board.cancel")}<//>
    ${why && html`<p class="hint inspector-why">${why}</p>`}
  </div>`;
}

/** While something is carried: what would happen if it were put down here. @param {{tz: string}} props */
function IfDropped({ tz }) {
  const what = /** @type {import("./drag.js").Carried} */ (carried.value);
  const technician = board.value?.technicians.find(({ id }) => id === what.technicianId);
  const consequence = technician && what.consequences.get(technician.id);
  if (!technician || !consequence) return html`<p class="inspector-none">${t("drag.nowhere")}</p>`;
  return html`<h3 class="inspector-name">${what.visit.site.name}</h3>
    <p class="secondary">
      ${clock(consequence.start, tz)} – ${clock(consequence.end, tz)}${consequence.after ? ` · ${t("drag.after", { name: consequence.after.site.name })}` : ""}
    </p>
    <dl class="facts">
      <dt>${t("board.totals.driving")}</dt>
      <dd><b>${costText(consequence)}</b></dd>
    </dl>
    ${consequence.moves.length > 0 && html`<${Moves} consequence=${consequence} tz=${tz} />`}
    <p class=${`verdict is-${consequence.level}`}><${Shape} name=${LEVEL_ICONS[consequence.level]} size=${16} /> <span>${firstText(consequence, tz)}</span></p>
    <p class="hint">${t("drag.goes_to_draft", { name: technician.name })} ${t("drag.estimate")}</p>`;
}

/** @param {{onClose?: () => void}} props onClose: shown over the list on a narrow screen */
export function Inspector({ onClose }) {
  locale.value;
  const visit = selectedVisit.value;
  const shown = board.value;
  const tz = shown?.branch.tz ?? "UTC";
  if (carried.value) {
    const name = shown?.technicians.find(({ id }) => id === carried.value?.technicianId)?.name.split(" ")[0];
    return html`<section class="inspector" aria-label=${t("board.selected")}>
      <header class="pane-head"><h2>${name ? t("drag.on", { name }) : t("drag.here")}</h2><span class="hint"><kbd>Esc</kbd> ${t("drag.cancels")}</span></header>
      <div class="pane-body"><${IfDropped} tz=${tz} /></div>
    </section>`;
  }
  if (!visit) {
    return html`<section class="inspector" aria-label=${t("board.selected")}>
      <header class="pane-head"><h2>${t("board.selected")}</h2></header>
      <div class="pane-body"><p class="inspector-none">${t("board.selected_none")}</p></div>
    </section>`;
  }
  const state = shownState(visit, now.value);
  const technician = shown?.technicians.find(({ id }) => id === visit.assignee_id);
  const { site } = visit;
  const text = visit.symptom || visit.instructions;
  return html`<section class=${`inspector ${enlarged.value ? "is-large" : ""}`} aria-label=${t("board.selected")} data-visit=${visit.id}>
    <header class="pane-head">
      <h2>${t("board.selected")}</h2>
      <span class="hint">${visit.number}</span>
      <${Button} kind="quiet" icon=${enlarged.value ? "shrink" : "enlarge"} label=${t(enlarged.value ? "board.shrink" : "board.enlarge")} aria-pressed=${enlarged.value ? "true" : "false"} onClick=${() => (enlarged.value = !enlarged.value)} />
      ${onClose && html`<${Button} kind="quiet" icon="cross" label=${t("action.close")} onClick=${onClose} />`}
    </header>
    <div class="pane-body">
      <h3 class="inspector-name">${visit.site.name}</h3>
      <p class="secondary">${[visit.title, visit.site.city].filter(Boolean).join(" · ")}</p>
      <p class=${`inspector-state look-${state.look}`}>
        ${state.look === "risk" || state.look === "late" || state.look === "broken" ? null : html`<${Shape} name=${state.icon ?? "calendar"} size=${15} /> <b>${t(state.key, state.params)}</b>`}
        ${technician && visit.planned_start && visit.planned_end ? html`<span>${technician.name}, ${clock(visit.planned_start, tz)} – ${clock(visit.planned_end, tz)}</span>` : null}
        ${visit.conflicts > 0 ? html`<span class="inspector-clash"><${Shape} name="conflict" size=${15} /> <b>${t("board.state.conflict", { n: visit.conflicts })}</b></span>` : null}
        ${visit.locked ? html`<span class="inspector-lock"><${Icon} name="lock" size=${13} /> ${t("board.locked")}</span>` : null}</p>
      <${BrokenRules} broken=${isOver(visit) ? [] : (visit.broken ?? [])} />
      <${PromiseClock} visit=${visit} tz=${tz} />
      <dl class="facts">
        <dt>${t("board.cost")}</dt>
        <${Pays} visit=${visit} />
        ${technician && visit.why && html`<dt>${t("board.why", { name: technician.name.split(" ")[0] })}</dt><dd>${reasonText(visit.why)}</dd>`}
        ${text && html`<dt>${t("board.asked")}</dt><dd>${text}</dd>`}
        ${site.address && html`<dt>${t("board.address")}</dt><dd>${site.address}</dd>`}
        ${site.access_note && html`<dt>${t("board.access")}</dt><dd>${site.access_note}</dd>`}
        ${site.danger_note && html`<dt>${t("board.danger")}</dt><dd class="is-danger"><${Icon} name="warn" size=${14} /> ${site.danger_note}</dd>`}
        ${site.contact_phone && html`<dt>${t("board.contact")}</dt><dd>${site.contact_name ? `${site.contact_name}, ` : ""}<a href=${`tel:${site.contact_phone.replace(/[^+\d]/g, "")}`}>${site.contact_phone}</a></dd>`}
      </dl>
      ${hasWork(visit) && html`<${WorkDone} visit=${visit} tz=${tz} />`}
      ${visit.conflicts > 0 && html`<p><a class="button" href=${`/conflicts?visit=${visit.id}`}><${Icon} name="conflict" size=${16} /><span>${t("board.open_conflicts", { n: visit.conflicts })}</span></a></p>`}
      ${!visit.planned_start && (visit.reasons ?? []).length > 0 && html`<${Reasons} reasons=${visit.reasons ?? []} visit=${visit} />`}
    </div>
    <footer class="inspector-foot"><${Buttons} visit=${visit} /></footer>
  </section>`;
}
