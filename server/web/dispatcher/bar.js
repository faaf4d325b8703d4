// One visit on the timeline.
import { html } from "../shared/html.js";
import { locale, t } from "../shared/i18n.js";
import { carried, pickUp } from "./drag.js";
import { barName, isPreventive, promiseOf, shownState } from "./state.js";
import { board, now, select, selected } from "./store.js";
import { Shape } from "./shapes.js";
import { clock, dayTime } from "./time.js";

/** @typedef {import("./types.js").Visit} Visit */

const ICON_ON_NAME_PX = 84;
const TEXT_PX = 44;
const EDGE_PX = 20;
const SAYS_STATE = new Set(["broken", "risk", "late", "unknown", "paused", "way"]);
const SAYS_STATE_WHEN_OVER = new Set(["partly_done", "no_access", "refused"]);

/**
 * The second line: the state where it matters, else what the visit is for.
 * @param {Visit} visit
 * @param {import("./state.js").Shown} shown
 */
function secondLine(visit, shown) {
  if (SAYS_STATE.has(shown.look) || SAYS_STATE_WHEN_OVER.has(visit.exec_state)) return t(shown.key, shown.params);
  if (shown.look === "draft") return `${t("board.state.draft")} · ${visit.title}`;
  return visit.title;
}

/**
 * Everything the bar says, for those who hear it.
 * @param {Visit} visit
 * @param {string} technician
 * @param {string} tz
 */
function spoken(visit, technician, tz) {
  const shown = shownState(visit, now.value);
  const promise = promiseOf(visit, now.value);
  const parts = [visit.site.name, visit.title];
  if (visit.planned_start && visit.planned_end) {
    parts.push(t("board.from_to", { from: clock(visit.planned_start, tz), to: clock(visit.planned_end, tz) }));
  }
  if (technician) parts.push(technician);
  parts.push(t(shown.key, shown.params));
  if (promise && promise.level === "calm") parts.push(t("board.promised_by", { time: dayTime(promise.by, tz, board.value?.date) }));
  if (visit.conflicts > 0) parts.push(t("board.state.conflict", { n: visit.conflicts }));
  parts.push(t(isPreventive(visit) ? "board.preventive" : "board.called_for"));
  if (shown.look !== "broken") for (const one of visit.broken ?? []) parts.push(one.short);
  if (visit.locked) parts.push(t("board.locked"));
  if (visit.draft) parts.push(t("board.state.draft"));
  return parts.join(", ");
}

/**
 * @param {{visit: Visit, left: number, width: number, technician: string, tabbable: boolean, dense: boolean}} props
 */
export function Bar({ visit, left, width, technician, tabbable, dense }) {
  locale.value;
  const shown = shownState(visit, now.value);
  const tz = board.value?.branch.tz ?? "UTC";
  const chosen = selected.value === visit.id;
  const lifted = carried.value?.visit.id === visit.id;
  // A dense row has no second line for it.
  const iconFirst = dense || width >= ICON_ON_NAME_PX;
  const icon = visit.locked && shown.look === "plain" ? "lock" : shown.icon;
  const label = spoken(visit, technician, tz);
  const classes = ["bar", `look-${shown.look}`, isPreventive(visit) ? "is-preventive" : "is-called"];
  if (visit.draft) classes.push("is-draft");
  if (visit.conflicts > 0) classes.push("has-conflict");
  if (chosen) classes.push("is-selected");
  if (lifted) classes.push("is-lifted");
  return html`<div class="bar-cell" role="gridcell" style=${{ transform: `translateX(${left.toFixed(1)}px)`, width: `${Math.max(width, 8).toFixed(1)}px` }}>
    <button
      type="button"
      class=${classes.join(" ")}
      data-bar=${visit.id}
      data-state=${shown.look}
      tabindex=${tabbable ? 0 : -1}
      aria-current=${chosen ? "true" : undefined}
      title=${label}
      onPointerDown=${(/** @type {PointerEvent} */ event) => pickUp(event, visit)}
      onClick=${() => select(visit.id)}
    >
      <span class="visually-hidden">${label}</span>
      ${width >= TEXT_PX &&
      html`<span class="bar-name" aria-hidden="true">${iconFirst && html`<${Shape} name=${icon} />`}<span>${barName(visit.site.name)}${dense && shown.look === "broken" && html`<span class="bar-dense"> · ${t(shown.key, shown.params)}</span>`}</span>${visit.conflicts > 0 && html`<span class="bar-clash"><${Shape} name="conflict" size=${13} /></span>`}</span>
        <span class="bar-more" aria-hidden="true">${!iconFirst && html`<${Shape} name=${icon} size=${12} />`}<span>${secondLine(visit, shown)}</span></span>`}
      ${width < TEXT_PX && width >= EDGE_PX && html`<span class="bar-alone" aria-hidden="true"><${Shape} name=${visit.conflicts > 0 ? "conflict" : (icon ?? (visit.locked ? "lock" : null))} /></span>`}
    </button>
  </div>`;
}
