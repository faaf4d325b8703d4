// The day as a list, for screens where hours across would be squeezed.
import { html } from "../shared/html.js";
import { locale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { routeOf } from "./consequence.js";
import { DeviceLine, Letter } from "./people.js";
import { Shape } from "./shapes.js";
import { isPreventive, shownState } from "./state.js";
import { now, select, selected } from "./store.js";
import { clock, hoursMinutes } from "./time.js";

/** @param {{shown: import("./types.js").Board}} props */
export function DayList({ shown }) {
  locale.value;
  const { tz } = shown.branch;
  return html`<section class="day-list" aria-label=${t("board.timeline")}>
    ${shown.technicians.map((technician, index) => {
      const visits = routeOf(shown, technician.id);
      return html`<section key=${technician.id} class="day-one" aria-label=${technician.name}>
        <header>
          <${Letter} technician=${technician} index=${index} />
          <span class="tl-name"><b>${technician.name}</b><span class="tl-worked">${hoursMinutes(technician.worked_minutes)}</span></span>
          <${DeviceLine} technician=${technician} tz=${tz} />
        </header>
        <ol>
          ${visits.map((visit) => {
            const state = shownState(visit, now.value);
            const chosen = visit.id === selected.value;
            return html`<li key=${visit.id}>
              <button type="button" class=${`day-row look-${state.look} ${isPreventive(visit) ? "is-preventive" : "is-called"} ${visit.draft ? "is-draft" : ""} ${chosen ? "is-selected" : ""}`}
                data-day=${visit.id} aria-current=${chosen ? "true" : undefined} onClick=${() => select(visit.id)}>
                <span class="day-time">${clock(/** @type {string} */ (visit.planned_start), tz)}</span>
                <span class="day-name"><b>${visit.site.name}</b> ${visit.locked && html`<${Icon} name="lock" size=${13} />`}</span>
                <span class="day-what">${visit.title}</span>
                <span class="day-state"><span><${Shape} name=${state.icon} size=${14} /> ${t(state.key, state.params)}</span>
                  ${visit.conflicts > 0 && html`<span class="day-clash"><${Shape} name="conflict" size=${14} /> ${t("board.state.conflict", { n: visit.conflicts })}</span>`}</span>
                ${visit.locked && html`<span class="visually-hidden">${t("board.locked")}</span>`}
              </button>
            </li>`;
          })}
          ${!visits.length && html`<li class="day-none">${t(technician.shift ? "board.no_visits" : "board.off_today")}</li>`}
        </ol>
      </section>`;
    })}
    ${!shown.technicians.length && html`<p class="todo-none">${t("board.no_technicians")}</p>`}
  </section>`;
}
