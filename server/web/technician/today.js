// The day: how far it is, what is new, where to go next.
import { useState } from "preact/hooks";
import { becauseOf, Coverage, Chip, Empty, Button } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDate, formatDuration, formatTime, t } from "../shared/i18n.js";
import { Icon, STATE_ICONS } from "../shared/icons.js";
import { newsSeen, step } from "./actions.js";
import { latest, progress } from "./checks.js";
import { dayProgress, isOver, nextVisit, promise, returned, shortName } from "./day.js";
import { Dock, driveTo } from "./dock.js";
import { MapStrip } from "./map-strip.js";
import { go, wide } from "./nav.js";
import { SyncChip } from "./sync-chip.js";
import {
  assetsOf, checklistOf, chosen, dayList, days, find, firstSync, gone, homeZone, kindName, news, now, outcomeWord, plannedDay, runningNow, selected, titleOf, today, todayReady, whereabouts, zoneOf,
} from "./store.js";

/** @typedef {import("./types.js").Document} Document */

export function Today() {
  const visit = selected.value;
  if (wide.value) {
    return html`<div class="today wide">
      <section class="column"><${Head} /><div class="scroll"><${SyncChip} /><${TwoAtOnce} /><${Coming} /><${NewsLine} /><${Rows} list=${dayList.value} marked=${visit?.id} /><${Later} /></div><${Foot} /></section>
      <main class="detail">${visit ? html`<${Detail} visit=${visit} key=${visit.id} />` : html`<${Nothing} />`}</main>
    </div>`;
  }
  const next = nextVisit(dayList.value);
  const rest = dayList.value.filter((other) => other.id !== next?.id);
  return html`<div class="today">
    <${Head} />
    <main class="scroll"><${SyncChip} /><${TwoAtOnce} /><${Coming} /><${NewsLine} />
      ${next && html`<${Card} visit=${next} />`}
      ${!next && !rest.length && html`<${Nothing} />`}
      ${!next && rest.length > 0 && html`<p class="group">${t("tab.day.over")}</p>`}
      ${next && rest.some((other) => !isOver(other)) && html`<h2 class="group">${t("tab.then")}</h2>`}
      <${Rows} list=${rest.filter((other) => !isOver(other))} />
      ${rest.some(isOver) && html`<h2 class="group">${t("tab.done")}</h2>`}
      <${Rows} list=${rest.filter(isOver)} />
      <${Later} />
    </main>
    ${next && html`<${Dock} visit=${next} />`}
  </div>`;
}

function Head() {
  const { segments, done, total } = dayProgress(dayList.value);
  return html`<header class="day-head">
    <div><h1>${formatDate(today.value, { year: false })}</h1>${total > 0 && html`<span class="secondary">${t("tab.progress", { done, total })}</span>`}</div>
    ${total > 0 && html`<div class="day-bar" role="img" aria-label=${t("tab.progress", { done, total })}>
      ${segments.map((full) => html`<i><b style=${{ width: `${full * 100}%` }}></b></i>`)}</div>`}
  </header>`;
}

function Nothing() {
  if (!firstSync.value && !todayReady.value) return html`<${Empty} icon="sync" text=${t("tab.first")} />`;
  const next = days.value.later[0];
  return html`<${Empty} icon="calendar" text=${next ? t("tab.none.next", { day: formatDate(next[0], { year: false }) }) : t("tab.none")} />`;
}

/** The first load has brought what is to be done today; the rest is on its way. */
function Coming() {
  if (firstSync.value || !todayReady.value) return null;
  return html`<p class="band info coming" role="status"><${Icon} name="sync" size=${26} /><span>${t("tab.first.today")}</span></p>`;
}

function NewsLine() {
  const [open, setOpen] = useState(false);
  const list = news.value;
  if (!list.length) return null;
  const since = list.map((line) => line.at).sort()[0];
  return html`<div class="news">
    <button type="button" class="band info" aria-expanded=${open ? "true" : "false"} onClick=${() => setOpen(!open)}>
      <${Icon} name="flag" size=${26} /><span>${t("tab.news", { n: list.length, time: formatTime(since, homeZone.value) })}</span>
      <span class="band-end">${open ? t("tab.news.hide") : t("action.show")}<${Icon} name=${open ? "up" : "down"} size=${20} /></span>
    </button>
    ${open && html`<div class="news-list"><ul>${list.map((line) => html`<li>
        <${Icon} name=${{ added: "plus", removed: "cross", moved: "clock", changed: "pencil", returned: "undo" }[line.kind]} size=${20} />
        <button type="button" onClick=${() => go(`visit/${line.id}/what`)}><strong>${find("site", line.site_id)?.name ?? (gone.value.get(line.id)?.title || line.title)}</strong> ${newsText(line)}</button></li>`)}</ul>
      <${Button} onClick=${() => newsSeen()}>${t("tab.news.seen")}<//></div>`}
  </div>`;
}

/** @param {import("./news.js").News} line */
function newsText(line) {
  const when = (/** @type {string | null | undefined} */ moment) => (moment ? `${formatDate(moment, { year: false, tz: homeZone.value })} ${formatTime(moment, homeZone.value)}` : t("tab.news.unplanned"));
  if (line.kind === "removed") return t(`tab.news.removed.${["reassigned", "cancelled", "withdrawn", "done-by-other", "out-of-window"].includes(line.reason ?? "") ? line.reason : "other"}`);
  if (line.kind === "returned") return t(line.reason ? "tab.news.returned.why" : "tab.news.returned", { why: line.reason });
  return t(`tab.news.${line.kind}`, { from: when(line.from), to: when(line.to) });
}

/** Time runs at two places: said until one of them is paused, by one press. */
function TwoAtOnce() {
  const running = runningNow.value;
  if (running.length < 2) return null;
  return html`<div class="notice warn two-at-once" role="status"><${Icon} name="warn" size=${24} /><span>${t("tab.two", { n: running.length })}</span>
    <div class="pair">${running.map((visit) => html`<${Button} key=${visit.id} icon="pause" onClick=${() => step(visit, "paused")}>${t("tab.two.pause", { name: shortName(titleOf("visit", visit.id)) })}<//>`)}</div></div>`;
}

/** @param {{list: Document[], marked?: string, dated?: boolean}} props `dated`: say the day where it is not today */
function Rows({ list, marked, dated = true }) {
  return html`<ul class="rows">${list.map((visit) => html`<${Row} key=${visit.id} visit=${visit} marked=${visit.id === marked} dated=${dated} />`)}</ul>`;
}

/** @param {{visit: Document, marked: boolean, dated: boolean}} props */
function Row({ visit, marked, dated }) {
  const site = find("site", visit.site_id);
  const over = isOver(visit);
  const zone = zoneOf(visit);
  const moved = news.value.find((line) => line.id === visit.id && line.kind === "moved" && line.from);
  const open = () => {
    chosen.value = visit.id;
    if (!wide.value) go(`visit/${visit.id}/what`);
  };
  const icon = STATE_ICONS[visit.exec_state];
  const back = returned(visit);
  // In today's list for what was done or is owed; under a later day's heading the date is said already.
  const other = dated && visit.planned_start && plannedDay(visit) !== today.value;
  return html`<li><button type="button" class=${`row ${over ? "over" : ""}`} aria-current=${marked ? "true" : undefined} onClick=${open}>
    <time>${visit.planned_start ? formatTime(visit.planned_start, zone) : "—"}</time>
    <span class="row-text">
      <span class="row-name">${back ? html`<${Icon} name="undo" size=${20} class="returned" label=${t("tab.returned.mark")} />` : icon && html`<${Icon} name=${icon} size=${20} label=${t(`state.${visit.exec_state}`)} />`}${shortName(site?.name ?? visit.title ?? "")}</span>
      <span class="row-more">${back && html`<strong class="returned">${t("tab.returned.mark")}</strong> · `}${visit.title || kindName(visit)}${other && html` · ${t("tab.planned.day", { day: formatDate(plannedDay(visit), { year: false }) })}`}${!over && visit.promised_by && html` · <strong>${t("tab.by", { time: formatTime(visit.promised_by, zone) })}</strong>`}${moved && html` · <span class="was">${t("tab.was", { time: formatTime(moved.from, zone) })}</span>`}</span>
    </span>
    <span class="row-end">${over ? html`<${Where} visit=${visit} />` : html`<${Coverage} coverage=${visit.coverage} plain=${!marked} />`}</span>
  </button></li>`;
}

/** @param {{visit: Document}} props */
function Where({ visit }) {
  const where = whereabouts(visit.id) ?? "accepted";
  return html`<span class=${`where ${where}`}>${t(`where.${where}`)}</span>`;
}

function Later() {
  const later = days.value.later.filter(([, list]) => list.some((visit) => !isOver(visit)));
  const [open, setOpen] = useState(/** @type {string | null} */ (null));
  return later.map(([day, list]) => html`<section key=${day}>
    <button type="button" class="later" aria-expanded=${open === day ? "true" : "false"} onClick=${() => setOpen(open === day ? null : day)}>
      <span>${day ? formatDate(day, { year: false }) : t("tab.unplanned")}</span><span>${t("tab.visits", { n: list.length })}</span><${Icon} name=${open === day ? "up" : "down"} size=${20} /></button>
    ${open === day && html`<${Rows} list=${list} marked=${selected.value?.id} dated=${false} />`}
  </section>`);
}

function Foot() {
  const end = dayList.value.filter((visit) => plannedDay(visit) === today.value).map((visit) => visit.planned_end).filter(Boolean).sort().at(-1);
  return end ? html`<footer class="day-foot">${t("tab.ends", { time: formatTime(end, zoneOf(dayList.value[0])) })}</footer>` : null;
}

/** The next visit, for the phone. @param {{visit: Document}} props */
function Card({ visit }) {
  const site = find("site", visit.site_id);
  return html`<article class="card">
    <${MapStrip} visits=${dayList.value} selected=${visit} />
    <button type="button" class="card-body" onClick=${() => go(`visit/${visit.id}/what`)}>
      <${PromiseLine} visit=${visit} />
      <h2>${site?.name}</h2>
      <p class="secondary">${[visit.title || kindName(visit), site?.city].filter(Boolean).join(" · ")}</p>
      <${BackLine} visit=${visit} />
      <div class="chips"><${StateChip} visit=${visit} /><${Coverage} coverage=${visit.coverage} />${site?.danger_note && html`<${Chip} tone="danger" icon="warn">${t("tab.danger")}<//>`}</div>
    </button>
  </article>`;
}

/** What the office wants to have done still, until the work is finished again. @param {{visit: Document}} props */
export function BackLine({ visit }) {
  const back = returned(visit);
  return back && html`<p class="back-line"><${Icon} name="undo" size=${22} /><span><strong>${t("tab.returned", { name: back.by_name ?? t("conflict.office") })}</strong> ${back.reason}</span></p>`;
}

/** @param {{visit: Document}} props */
export function StateChip({ visit }) {
  const state = visit.exec_state ?? "not_started";
  return state === "not_started" ? null : html`<${Chip} tone=${state === "en_route" ? "info" : isOver(visit) ? "" : "accent"} icon=${STATE_ICONS[state]}>${t(`state.${state}`)}<//>`;
}

/** @param {{visit: Document}} props */
export function PromiseLine({ visit }) {
  const state = promise(visit, now.value, driveTo(visit)?.seconds ?? 0);
  const zone = zoneOf(visit);
  if (!state) return visit.planned_start ? html`<p class="promise-line"><${Icon} name="clock" size=${22} /><strong>${t("tab.planned", { time: formatTime(visit.planned_start, zone) })}</strong></p>` : null;
  return html`<p class="promise-line"><${Icon} name="clock" size=${22} /><strong>${promiseTitle(state, zone)}</strong><span class=${`left ${state.state}`}>${promiseLeft(state)}</span></p>`;
}

/** @param {NonNullable<ReturnType<typeof promise>>} state @param {string} zone */
const promiseTitle = (state, zone) => t(`promise.${state.kind}`, { time: formatTime(state.by, zone) });

/** @param {NonNullable<ReturnType<typeof promise>>} state */
function promiseLeft(state) {
  return t(`promise.left.${state.state}`, { time: formatDuration(state.leftS) });
}

/** @param {{visit: Document}} props */
export function PromiseBox({ visit }) {
  const way = driveTo(visit);
  const state = promise(visit, now.value, way?.seconds ?? 0);
  const zone = zoneOf(visit);
  if (!state) return null;
  const tone = { kept: "ok", missed: "danger", in_time: "ok", at_risk: "warn", late: "danger" }[state.state];
  const icon = { kept: "check", missed: "alert", in_time: "check", at_risk: "warn", late: "alert" }[state.state];
  const driving = !["kept", "missed"].includes(state.state) && visit.exec_state !== "en_route" && way && way.seconds >= 60 ? `, ${t("tab.drive", { time: formatDuration(way.seconds) })}` : "";
  return html`<div class="promise-box"><${Icon} name="clock" size=${26} />
    <div><strong>${promiseTitle(state, zone)}</strong><span class="secondary">${promiseLeft(state)}${driving}</span></div>
    <${Chip} tone=${tone} icon=${icon}>${t(`promise.${state.state}`)}<//></div>`;
}

/** Beside the list, for the tablet. @param {{visit: Document}} props */
function Detail({ visit }) {
  const site = find("site", visit.site_id);
  const checklist = checklistOf(visit);
  const done = checklist && progress(checklist.items, visit.answers ?? [], visit.attachments ?? []);
  const because = becauseOf(visit.coverage);
  const last = assetsOf(visit).flatMap((/** @type {any} */ { asset }) => asset.recent_visits ?? []).sort((/** @type {any} */ a, /** @type {any} */ b) => (a.date < b.date ? 1 : -1))[0];
  const faults = [...latest(visit.answers ?? []).values()].length;
  return html`
    <div class="detail-scroll">
      <${MapStrip} visits=${dayList.value} selected=${visit} interactive onSelect=${(/** @type {string} */ id) => (chosen.value = id)} />
      <div class="detail-body">
        <h2>${site?.name}</h2>
        <p class="secondary">${[visit.title || kindName(visit), site?.city].filter(Boolean).join(" · ")}</p>
        <${PromiseBox} visit=${visit} />
        <${BackLine} visit=${visit} />
        <div class="chips"><${StateChip} visit=${visit} /><${Coverage} coverage=${visit.coverage} because=${because} sum /></div>
        <dl class="facts">
          ${visit.symptom && html`<dt>${t("tab.symptom")}</dt><dd>${visit.symptom}</dd>`}
          ${last && html`<dt>${t("tab.lastvisit")}</dt><dd>${formatDate(last.date, { weekday: false })}${last.technician ? `, ${last.technician}` : ""}${last.outcome ? `: ${outcomeWord(last.outcome)}` : ""}</dd>`}
          ${(site?.access_note || site?.danger_note) && html`<dt>${t("tab.onsite")}</dt><dd>${site.access_note} ${site.danger_note && html`<strong class="danger-note"><${Icon} name="warn" size=${20} />${site.danger_note}</strong>`}</dd>`}
        </dl>
        <nav class="parts" aria-label=${t("tab.visit")}>
          ${[["what", "doc", t("tab.what"), ""], ["checks", "list", t("tab.checks"), done ? `${done.done}/${done.total}` : faults || ""], ["photos", "camera", t("tab.photos"), (visit.attachments ?? []).length || ""], ["finish", "signature", t("tab.finish"), ""]].map(
            ([tab, icon, word, n]) => html`<button type="button" onClick=${() => go(`visit/${visit.id}/${tab}`)}><${Icon} name=${icon} size=${24} /><span>${word}</span>${n !== "" && html`<b>${n}</b>`}</button>`,
          )}
        </nav>
      </div>
    </div>
    <${Dock} visit=${visit} />`;
}
