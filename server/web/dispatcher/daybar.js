// The day that is shown and what is to be done with all of it.
import { Button } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDistance, formatNumber, locale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { openPublish, planDay } from "./publish.js";
import { undoLast } from "./changes.js";
import { board, branches, branchId, busy, day, goToBranch, goToDay, goToToday, serverNow, showWaiting, stepDay, undoStack, waiting, waitingChanges } from "./store.js";
import { dayName, localAt, shortDay } from "./time.js";

/** Signed distance: "−11 km". @param {number} metres */
function signedDistance(metres) {
  const km = metres / 1000;
  return t("board.km", { km: formatNumber(km, { signDisplay: "exceptZero", maximumFractionDigits: Math.abs(km) < 10 ? 1 : 0 }).replace("-", "−") });
}

/** Days that are planned and that nobody has been told of, each a press away. @param {{days: Array<{date: string, changes: number}>}} props */
function OtherDays({ days }) {
  const first = /** @type {{date: string, changes: number}} */ (days[0]);
  const all = days.map((one) => `${shortDay(one.date, locale.value)}: ${t("board.draft", { n: one.changes })}`).join("\n");
  return html`<button type="button" class="other-days" title=${all} onClick=${() => goToDay(first.date)}>${t("board.draft_also", { day: shortDay(first.date, locale.value), n: first.changes })}${days.length > 1 ? ` +${days.length - 1}` : ""}</button>`;
}

export function DayBar() {
  locale.value;
  const shown = board.value;
  const date = day.value;
  const today = shown ? localAt(serverNow(), shown.branch.tz).date : null;
  const draft = shown?.draft;
  const changes = draft?.changes ?? 0;
  const others = (shown?.unpublished ?? []).filter((one) => one.date !== date);
  const last = undoStack.value.at(-1);
  return html`<div class="day-bar">
    <div class="day-step">
      <button type="button" class="button icon-only quiet" aria-label=${t("board.day_before")} title=${t("board.day_before")} onClick=${() => stepDay(-1)}><${Icon} name="left" size=${18} /></button>
      <h1>
        <label class="day-pick"><span class="day-long">${date ? dayName(date, locale.value, "long") : ""}</span><span class="day-short">${date ? dayName(date, locale.value) : ""}</span>
          <input type="date" aria-label=${t("board.pick_day")} value=${date ?? ""} onClick=${(/** @type {any} */ event) => event.target.showPicker?.()} onChange=${(/** @type {any} */ event) => event.target.value && goToDay(event.target.value)} />
        </label>
      </h1>
      <button type="button" class="button icon-only quiet" aria-label=${t("board.day_after")} title=${t("board.day_after")} onClick=${() => stepDay(1)}><${Icon} name="right" size=${18} /></button>
    </div>
    <${Button} class="day-today" aria-pressed=${date === today ? "true" : "false"} onClick=${goToToday}>${t("board.today")}<//>
    <label class="branch"><${Icon} name="home" size=${16} /><span class="visually-hidden">${t("board.branch")}</span>
      <select value=${branchId.value ?? ""} onChange=${(/** @type {any} */ event) => goToBranch(event.target.value)}>
        ${(branches.value.length ? branches.value : shown ? [shown.branch] : []).map((one) => html`<option value=${one.id} selected=${one.id === branchId.value}>${one.name}</option>`)}
      </select><${Icon} name="down" size=${14} />
    </label>
    ${waiting.value && html`<${Button} class="waiting" icon="sync" onClick=${showWaiting}>${t("board.waiting", { n: waitingChanges.value })}<//>`}
    <span class="day-space"></span>
    <button type="button" class="button icon-only quiet undo-last" disabled=${!last} aria-label=${last ? t("board.undo_what", { what: last.text }) : t("board.undo_none")} title=${last ? t("board.undo_what", { what: last.text }) : t("board.undo_none")} onClick=${undoLast}><${Icon} name="undo" size=${18} /></button>
    <${Button} class="plan-day" reason=${busy.value === "plan" ? t("board.planning") : undefined} onClick=${planDay}>${busy.value === "plan" ? t("board.planning") : t("board.plan_day")}<//>
    ${others.length > 0 && html`<${OtherDays} days=${others} />`}
    <div class="draft" role="status">
      ${changes > 0 && draft
        ? html`<b>${t("board.draft", { n: changes })}</b><span>${t("board.technicians", { n: draft.technicians })}${draft.delta_m ? ` · ${signedDistance(draft.delta_m)}` : ""}</span>`
        : html`<span>${others.length ? t("board.draft_none_day") : t("board.draft_none")}</span>`}
    </div>
    <${Button} kind="primary" class="publish" reason=${changes > 0 ? undefined : t("board.publish_none")} onClick=${openPublish}>${t("board.publish")}<//>
  </div>`;
}

/** The day in five figures. @param {{shown: import("./types.js").Board}} props */
export function Figures({ shown }) {
  locale.value;
  const { totals } = shown;
  const hours = (/** @type {number} */ seconds) => `${Math.floor(seconds / 3600)}:${String(Math.round((seconds % 3600) / 60)).padStart(2, "0")}`;
  const share = totals.proactive_share;
  const figures = [
    ["driving", hours(totals.driving_s)],
    ["distance", formatDistance(totals.driving_m)],
    ["at_risk", formatNumber(totals.promises_at_risk)],
    ["proactive", share === null || share === undefined ? "–" : `${formatNumber(share * 100, { maximumFractionDigits: 0 })} %`],
    ["overtime", hours(totals.overtime_s)],
  ];
  return html`<dl class="figures" aria-label=${t("board.totals")}>
    ${figures.map(([key, value]) => html`<div><dt>${t(`board.totals.${key}`)}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}
