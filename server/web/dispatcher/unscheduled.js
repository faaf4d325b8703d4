// Visits that nobody goes to yet, and why.
import { useState } from "preact/hooks";
import { Button } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDuration, hasText, locale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { pickUp } from "./drag.js";
import { making } from "./newvisit.js";
import { Reasons } from "./reasons.js";
import { isPreventive } from "./state.js";
import { select, selected } from "./store.js";
import { clock, localAt, ms, shortDay } from "./time.js";

/** @typedef {import("./types.js").Visit} Visit */
/** @typedef {"must" | "fits" | "waiting"} Group */

const GROUPS = /** @type {const} */ (["must", "fits", "waiting"]);

/** @type {Record<string, (visit: Visit) => boolean>} */
const FILTERS = {
  called: (visit) => !isPreventive(visit),
  preventive: isPreventive,
  hard: (visit) => Boolean(visit.hard_due),
};

/**
 * When it is due, in as few words as will do.
 * @param {Visit} visit
 * @param {string} date
 * @param {string} tz
 */
export function dueText(visit, date, tz) {
  const by = visit.promised_by ?? visit.window_end;
  if (by) {
    const local = localAt(ms(by), tz);
    return local.date === date ? t("board.due.before", { time: local.time }) : t("board.due.by", { day: `${shortDay(local.date, locale.value)} ${clock(by, tz)}` });
  }
  if (!visit.due_to) return "";
  if (visit.due_to === date) return t(visit.hard_due ? "board.due.closes" : "board.due.today");
  if (visit.due_to < date) return t("board.due.since", { day: shortDay(visit.due_to, locale.value) });
  return visit.due_from ? `${shortDay(visit.due_from, locale.value)} – ${shortDay(visit.due_to, locale.value)}` : t("board.due.by", { day: shortDay(visit.due_to, locale.value) });
}

/** The reason in a few words: those of the catalogue, else the server's sentence. @param {import("./types.js").Reason} reason */
export function chipText(reason) {
  const key = `chip.${reason.code}`;
  if (hasText(key)) {
    const words = t(key, reason.params);
    if (!/\{\w+\}/.test(words)) return words;
  }
  return reason.text ?? reason.code;
}

/**
 * Tone and shape of a reason: a fit is good news, anything else is as grave as its group.
 * @param {import("./types.js").Reason} reason
 * @param {Group} group
 */
function chipLook(reason, group) {
  if (reason.stale) return { tone: "", icon: "clock" };
  if (reason.code === "fits") return { tone: "ok", icon: "check" };
  return group === "must" ? { tone: "danger", icon: "alert" } : { tone: "warn", icon: "clock" };
}

/** @param {{visit: Visit, group: Group, date: string, tz: string}} props */
function Todo({ visit, group, date, tz }) {
  const [open, setOpen] = useState(false);
  const reason = visit.reasons?.[0];
  const look = reason && chipLook(reason, group);
  const chosen = selected.value === visit.id;
  return html`<li class=${`todo ${isPreventive(visit) ? "is-preventive" : "is-called"} ${chosen ? "is-selected" : ""}`} data-bar data-todo=${visit.id}>
    <button
      type="button"
      class="todo-main"
      aria-current=${chosen ? "true" : undefined}
      onPointerDown=${(/** @type {PointerEvent} */ event) => pickUp(event, visit)}
      onClick=${() => select(visit.id)}
    >
      <span class="todo-head"><b>${visit.site.name}</b><span class="todo-due">${dueText(visit, date, tz)}</span></span>
      <span class="todo-what">${visit.title} · <span class="whole">${formatDuration(visit.service_minutes * 60)}</span></span>
    </button>
    ${reason &&
    look &&
    html`<button type="button" class=${`chip ${look.tone}`} aria-expanded=${open ? "true" : "false"} onClick=${() => setOpen(!open)}>
      <${Icon} name=${look.icon} size=${14} /><span>${chipText(reason)}</span>
    </button>`}
    ${open && html`<${Reasons} reasons=${visit.reasons ?? []} visit=${visit} />`}
  </li>`;
}

/** @param {{shown: import("./types.js").Board}} props */
export function Unscheduled({ shown }) {
  locale.value;
  const [filter, setFilter] = useState(/** @type {string | null} */ (null));
  const { tz } = shown.branch;
  const all = shown.unscheduled;
  const listed = filter ? all.filter(FILTERS[filter]) : all;
  return html`<section class="unscheduled" aria-labelledby="unscheduled-title">
    <header>
      <div class="unscheduled-head"><h2 id="unscheduled-title">${t("board.unscheduled")} <span class="count" title=${t("board.visits", { n: all.length })}>${all.length}</span></h2>
        <${Button} icon="plus" class="new-open" onClick=${() => (making.value = true)}>${t("new.open")}<//></div>
      <div class="filters" role="group" aria-label=${t("board.filter")}>
        ${Object.entries(FILTERS).map(
          ([name, test]) => html`<button type="button" class="filter" aria-pressed=${filter === name ? "true" : "false"} onClick=${() => setFilter(filter === name ? null : name)}>
            ${t(`board.filter.${name}`)} <b>${all.filter(test).length}</b>
          </button>`,
        )}
      </div>
    </header>
    <div class="todo-lists">
      ${GROUPS.map((group) => {
        const visits = listed.filter((visit) => (visit.group ?? "fits") === group);
        if (!visits.length) return null;
        return html`<h3 key=${`${group}-title`}>${t(`board.group.${group}`)} <span class="count">${visits.length}</span></h3>
          <ul key=${group}>
            ${visits.map((visit) => html`<${Todo} key=${visit.id} visit=${visit} group=${group} date=${shown.date} tz=${tz} />`)}
          </ul>`;
      })}
      ${!listed.length &&
      html`<p class="todo-none">${t(filter ? "board.unscheduled_none_of" : "board.unscheduled_none")}
        ${filter && html`<button type="button" class="button quiet" onClick=${() => setFilter(null)}>${t("board.filter.clear")}</button>`}</p>`}
    </div>
  </section>`;
}
