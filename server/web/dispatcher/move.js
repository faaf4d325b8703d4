// Move a visit without dragging: technician and time as a form, with what it would do.
import { useEffect, useMemo, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { Button, Dialog } from "../shared/components.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { costText, firstText, LEVEL_ICONS } from "./cost.js";
import { consequencesAt, movesOf, place } from "./drag.js";
import { readTime } from "./request.js";
import { Shape } from "./shapes.js";
import { api, board, now, select } from "./store.js";
import { clock, instantOf, localAt, ms, snap } from "./time.js";

/** @typedef {import("./types.js").Visit} Visit */

/** The visit being moved by form. @type {import("@preact/signals").Signal<{visit: Visit, technicianId: string | null, start: string | null} | null>} */
export const moving = signal(null);

/**
 * A sensible first time: as planned, else when the window opens, else the next quarter hour of the day.
 * @param {Visit} visit
 * @param {string | null} wanted
 */
function firstTime(visit, wanted) {
  const shown = /** @type {import("./types.js").Board} */ (board.value);
  const { tz } = shown.branch;
  if (wanted) return clock(wanted, tz);
  if (visit.planned_start) return clock(visit.planned_start, tz);
  if (visit.window_start && localAt(ms(visit.window_start), tz).date === shown.date) return clock(visit.window_start, tz);
  return localAt(now.value, tz).date === shown.date ? clock(snap(now.value + 20 * 60_000, 15), tz) : "09:00";
}


export function MoveDialog() {
  const what = moving.value;
  return what ? html`<${MoveForm} key=${what.visit.id} ...${what} />` : null;
}

/** @param {{visit: Visit, technicianId: string | null, start: string | null}} props */
function MoveForm({ visit, technicianId, start }) {
  const shown = /** @type {import("./types.js").Board} */ (board.value);
  const { tz } = shown.branch;
  const [time, setTime] = useState(firstTime(visit, start));
  const [chosen, setChosen] = useState(technicianId ?? visit.assignee_id);
  const [sending, setSending] = useState(false);
  const typed = readTime(time);
  // The form shows minutes; untouched, the time is the planned one to the second.
  const planned = visit.planned_start && typed === clock(visit.planned_start, tz) ? ms(visit.planned_start) : null;
  const at = planned ?? (typed ? instantOf(shown.date, typed, tz) : null);
  const { consequences, best } = useMemo(() => (at === null ? { consequences: new Map(), best: null } : consequencesAt(visit, at)), [at, shown]);
  const picked = chosen ?? best ?? shown.technicians[0]?.id ?? null;
  const consequence = picked ? consequences.get(picked) : null;
  const close = () => (moving.value = null);
  const trial = useTrial(shown, visit, consequences);
  const initial = useMemo(() => ({ time, chosen }), []);
  const [options, setOptions] = useState(/** @type {Array<{technician_id: string, name: string, start_at: string | null, travel_s: number}>} */ ([]));
  useEffect(() => {
    // Worked out by the planner itself; the form is usable without it.
    api("GET", `/visits/${visit.id}/options?date=${shown.date}`).then((answer) => setOptions(answer.options ?? []), () => {});
  }, [visit.id, shown.date]);

  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!consequence) return;
    if (visit.planned_start && time === initial.time && picked === initial.chosen) return close();
    setSending(true);
    select(visit.id);
    await place(visit, consequence);
    close();
  };
  return html`<${Dialog} title=${t("move.title", { name: visit.site.name })} onClose=${close}>
    <form class="move" onSubmit=${send}>
      <p class="secondary">${visit.title} · ${visit.number}</p>
      ${options.length > 0 &&
      html`<div class="move-options"><p>${t("move.best")}</p>
        ${options
          .filter((option) => option.start_at)
          .slice(0, 3)
          .map((option) => {
            const at = clock(/** @type {string} */ (option.start_at), tz);
            const pick = () => {
              setTime(at);
              setChosen(option.technician_id);
            };
            return html`<button type="button" class="button" onClick=${pick}>${t("move.option", { name: option.name, time: at, minutes: Math.round(option.travel_s / 60) })}</button>`;
          })}
      </div>`}
      <label class="field move-time"
        ><span>${t("move.time")}</span><input type="text" inputmode="numeric" autocomplete="off" autofocus required placeholder="09:30" value=${time} aria-invalid=${typed ? undefined : "true"} onInput=${(/** @type {any} */ event) => setTime(event.target.value)}
      /></label>
      <fieldset>
        <legend>${t("move.technician")}</legend>
        <div class="move-list">
          ${shown.technicians.map((technician) => {
            const one = consequences.get(technician.id);
            const told = trial.get(technician.id);
            const level = !told ? one?.level : told.broken.length ? "breaks" : one?.level === "breaks" ? "costs" : one?.level;
            return html`<label class=${`move-row ${level ? `is-${level}` : ""}`} key=${technician.id}>
              <input type="radio" name="technician" value=${technician.id} checked=${picked === technician.id} onChange=${() => setChosen(technician.id)} />
              <b>${technician.name}</b>
              ${one &&
              html`<span class="move-cost">${clock(one.start, tz)} · ${told ? costText({ extraS: told.extra_s, extraM: told.extra_m }) : "…"}</span>
                <span class="move-first"><${Shape} name=${LEVEL_ICONS[/** @type {"fits"} */ (level)]} /> ${!told ? "…" : told.broken.length ? [...new Set(told.broken.map(({ short }) => short))].join(" · ") : one.level === "costs" ? firstText(one, tz) : t("drag.nothing")}</span>`}
            </label>`;
          })}
        </div>
      </fieldset>
      ${consequence && consequence.moves.length > 0 && html`<${Moves} consequence=${consequence} tz=${tz} />`}
      <footer>
        <${Button} onClick=${close}>${t("action.cancel")}<//>
        <${Button} kind="primary" type="submit" reason=${!typed ? t("move.need_time") : sending ? t("signin.sending") : undefined}>${t("move.go")}<//>
      </footer>
    </form>
  <//>`;
}

/**
 * What the server says of the visit in each row at the time in the form: its own roads and rules, so that the figures
 * are the same before and after.
 * @param {import("./types.js").Board} shown
 * @param {Visit} visit
 * @param {Map<string, import("./consequence.js").Consequence>} consequences
 * @returns {Map<string, {extra_s: number, extra_m: number, broken: import("./types.js").Broken[]}>}
 */
function useTrial(shown, visit, consequences) {
  const [trial, setTrial] = useState(() => new Map());
  useEffect(() => {
    const all = [...consequences.values()];
    setTrial(new Map());
    if (!all.length) return undefined;
    let gone = false;
    const ask = () =>
      api("POST", "/board/trial", { date: shown.date, branch_id: shown.branch.id, alternatives: all.map((one) => movesOf(visit, one)) }).then(
        ({ outcomes }) => !gone && setTrial(new Map(all.map((one, index) => [one.technicianId, outcomes[index]]))),
        () => {},
      );
    const timer = setTimeout(ask, 120);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [consequences]);
  return trial;
}

/** Every visit that gives way, old time → new. @param {{consequence: import("./consequence.js").Consequence, tz: string}} props */
export function Moves({ consequence, tz }) {
  return html`<dl class="facts">
    ${consequence.moves.map(
      (move) => html`<dt>${move.visit.site.name}</dt>
        <dd class=${move.late ? "is-late" : ""}>${clock(move.from, tz)} → ${clock(move.to, tz)}${move.late ? `, ${t("drag.promise_broken")}` : ""}</dd>`,
    )}
  </dl>`;
}
