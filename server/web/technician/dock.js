// The one big thing: the next verb of a visit, with its undo above it.
import { useState } from "preact/hooks";
import { Button, Dialog } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDistance, formatDuration, formatTime, t } from "../shared/i18n.js";
import { Icon, STATE_ICONS } from "../shared/icons.js";
import { UNDO_MS, lastPress, step, undoStep } from "./actions.js";
import { drive, isOver, shortName } from "./day.js";
import { go } from "./nav.js";
import { nextStep } from "./states.js";
import { dayList, dayStart, find, runningNow, titleOf, zoneOf } from "./store.js";

/** @typedef {import("./types.js").Document} Document */

/** @type {Record<string, {icon: string, word: string}>} */
const STEPS = {
  en_route: { icon: "arrow", word: "step.en_route" },
  arrived: { icon: "pin", word: "step.arrived" },
  started: { icon: "play", word: "step.started" },
  resumed: { icon: "play", word: "step.resumed" },
  finish: { icon: "check", word: "step.finish" },
};

/** A drive that is shorter is round the corner: a figure says nothing. */
const WORTH_SAYING_M = 150;

/** From the stop before this one, or from where the day starts. @param {Document} visit */
export function driveTo(visit) {
  const list = dayList.value;
  const before = list.slice(0, Math.max(0, list.findIndex((other) => other.id === visit.id))).filter(isOver).at(-1);
  const from = before ? find("site", before.site_id) : dayStart();
  const to = find("site", visit.site_id);
  return drive(/** @type {any} */ (from), /** @type {any} */ (to));
}

/** @param {Document[]} visits */
const names = (visits) => visits.map(({ id }) => shortName(titleOf("visit", id))).join(", ");

/** @param {{visit: Document}} props */
export function Dock({ visit }) {
  const site = find("site", visit.site_id);
  const next = nextStep(visit.exec_state ?? "not_started");
  const [asking, setAsking] = useState(false);
  const others = runningNow.value.filter((other) => other.id !== visit.id);
  const begin = async () => {
    setAsking(false);
    if (next) await step(visit, next);
    if (next === "started") go(`visit/${visit.id}/checks`);
  };
  const press = () => {
    if (next === "finish") return go(`visit/${visit.id}/finish`);
    if (others.length && (next === "started" || next === "resumed")) return setAsking(true);
    return begin();
  };
  const pauseFirst = async () => {
    for (const other of others) await step(other, "paused");
    await begin();
  };
  const way = next === "en_route" ? driveTo(visit) : null;
  const label = next && (way && way.metres >= WORTH_SAYING_M ? t("step.drive.about", { distance: formatDistance(way.metres), time: formatDuration(Math.max(60, way.seconds)) }) : t(STEPS[next].word));
  return html`<footer class="dock">
    <${UndoLine} visit=${visit} />
    ${asking && html`<${Dialog} title=${t("tab.two.title", { name: names(others) })} onClose=${() => setAsking(false)}><div class="reasons">
      <${Button} kind="primary" icon="pause" onClick=${pauseFirst}>${t("tab.two.pause_first", { name: names(others) })}<//>
      <${Button} icon="play" onClick=${begin}>${t("tab.two.both")}<//></div><//>`}
    <div class="dock-row">
      ${visit.exec_state === "working"
        ? html`<${Button} action icon="pause" class="side" label=${t("step.paused")} onClick=${() => step(visit, "paused")} />`
        : site?.contact_phone && html`<a class="button action side icon-only" href=${`tel:${site.contact_phone.replace(/[^\d+]/g, "")}`} aria-label=${t("tab.call", { name: site.contact_name ?? site.name })}><${Icon} name="phone" size=${24} /></a>`}
      ${next
        ? html`<${Button} kind="primary" action icon=${STEPS[next].icon} class="main" onClick=${press}>${label}<//>`
        : html`<${Over} visit=${visit} />`}
    </div>
  </footer>`;
}

/** @param {{visit: Document}} props */
function Over({ visit }) {
  return html`<p class="dock-over"><${Icon} name=${STATE_ICONS[visit.exec_state] ?? "check"} size=${24} />
    <span>${t(`state.${visit.exec_state}`)}${visit.finished_at ? ` · ${formatTime(visit.finished_at, zoneOf(visit))}` : ""}</span>
    <${Button} kind="quiet" onClick=${() => go(`visit/${visit.id}/finish`)}>${t("tab.act.show")}<//></p>`;
}

/**
 * What was pressed last, with 30 s to take it back by one press. The next verb stays under the thumb meanwhile:
 * who drives two minutes must not wait for a countdown to say so.
 * @param {{visit: Document}} props
 */
export function UndoLine({ visit }) {
  const press = lastPress.value;
  if (!press || press.visitId !== visit.id) return null;
  return html`<div class="undo-line" role="status" key=${press.eventId}>
    <${Icon} name=${STATE_ICONS[visit.exec_state] ?? "check"} size=${22} />
    <span>${t(`pressed.${press.type}`)}</span>
    <button type="button" onClick=${() => undoStep(visit)}>${t("action.undo")}</button>
    <i style=${{ animationDuration: `${UNDO_MS}ms`, animationDelay: `${press.until - UNDO_MS - Date.now()}ms` }}></i>
  </div>`;
}
