// Plan a day, look at the difference, publish it or let it go.
import { useEffect, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { Button, Dialog, ErrorBox, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { locale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { Letter } from "./people.js";
import { showFault } from "./changes.js";
import { allVisits, api, board, branchId, busy, day, refresh } from "./store.js";
import { clock, localAt, ms, shortDay } from "./time.js";

const PLAN_TIMEOUT_MS = 90_000;

export const publishing = signal(false);

export function openPublish() {
  if (board.value?.draft?.changes) publishing.value = true;
}

export async function planDay() {
  if (busy.value) return;
  busy.value = "plan";
  try {
    const plan = await api("POST", "/plans", { date: day.value, horizon_days: 1, branch_id: branchId.value }, { timeoutMs: PLAN_TIMEOUT_MS });
    const placed = (plan.routes ?? []).reduce((/** @type {number} */ sum, /** @type {any} */ route) => sum + route.stops.length, 0);
    const left = (plan.unassigned ?? []).length;
    await refresh({ own: true });
    toast(left ? t("board.planned_left", { n: placed, left }) : t("board.planned", { n: placed }));
  } catch (error) {
    showFault(error);
  }
  busy.value = null;
}

async function discard() {
  publishing.value = false;
  try {
    await api("DELETE", `/board/draft?${new URLSearchParams({ date: String(day.value), branch_id: String(branchId.value) })}`);
    toast(t("publish.discarded"));
  } catch (error) {
    showFault(error);
  }
  await refresh({ own: true });
}

/**
 * "11:40 → 12:10"; a change of day names it.
 * @param {string | null} at
 * @param {string} tz
 * @param {string} date
 */
function when(at, tz, date) {
  if (!at) return t("publish.nowhere");
  const local = localAt(ms(at), tz);
  return local.date === date ? local.time : `${shortDay(local.date, locale.value)} ${local.time}`;
}

/** Names of visits that are not on the board: the draft may take one off it. @type {import("@preact/signals").Signal<Record<string, string>>} */
const names = signal({});

/** @param {any[]} diff */
async function learnNames(diff) {
  const known = new Set(allVisits.value.map(({ id }) => id));
  const wanted = diff.flatMap((one) => [...one.added, ...one.removed, ...one.moved.map((/** @type {any} */ move) => move.visit_id)]);
  for (const id of new Set(wanted)) {
    if (known.has(id) || names.value[id]) continue;
    const visit = await api("GET", `/visits/${id}`).catch(() => null);
    if (!visit) continue;
    const site = await api("GET", `/sites/${visit.site_id}`).catch(() => null);
    names.value = { ...names.value, [id]: [site?.name ?? visit.title, visit.number].join(", ") };
  }
}

/** Moved visits come with their times, the others as an id. @param {{title: string, icon: string, entries: Array<string | {visit_id: string, from: string | null, to: string}>, tz: string, date: string}} props */
function Entries({ title, icon, entries, tz, date }) {
  if (!entries?.length) return null;
  const visits = new Map(allVisits.value.map((visit) => [visit.id, visit]));
  return html`<li class="diff-kind">
    <p><${Icon} name=${icon} size=${14} /> ${title}</p>
    <ul>
      ${entries.map((entry) => {
        const move = typeof entry === "string" ? null : entry;
        const id = typeof entry === "string" ? entry : entry.visit_id;
        const visit = visits.get(id);
        const start = icon === "plus" ? visit?.planned_start : null;
        const times = move ? `${when(move.from, tz, date)} → ${when(move.to, tz, date)}` : start ? when(start, tz, date) : "";
        return html`<li><b>${visit?.site.name ?? names.value[id] ?? t("publish.visit")}</b><span>${times}</span></li>`;
      })}
    </ul>
  </li>`;
}

export function PublishDialog() {
  return publishing.value ? html`<${Review} />` : null;
}

/**
 * @typedef {object} Diff what publishing the day changes
 * @property {any[]} technicians
 * @property {number} changes
 * @property {import("./types.js").Broken[]} broken
 */

/** The rules that publishing would break, and that it is done knowingly. @param {{broken: import("./types.js").Broken[], accepted: boolean, onAccept: (yes: boolean) => void}} props */
function WouldBreak({ broken, accepted, onAccept }) {
  if (!broken.length) return null;
  const visits = new Map(allVisits.value.map((visit) => [visit.id, visit]));
  const byVisit = [...Map.groupBy(broken, ({ visit_id: id }) => id)];
  return html`<section class="broken" aria-label=${t("board.broken", { n: broken.length })}>
    <h4><${Icon} name="alert" size=${16} /> ${t("board.broken", { n: broken.length })}</h4>
    <ul>${byVisit.map(([id, list]) => html`<li key=${id}><b>${visits.get(id)?.site.name ?? t("publish.visit")}</b> ${list.map((one) => html`<span>${one.text}</span>`)}</li>`)}</ul>
    <label class="broken-accept"><input type="checkbox" checked=${accepted} onChange=${(/** @type {any} */ event) => onAccept(event.target.checked)} /> ${t("publish.knowingly")}</label>
  </section>`;
}

function Review() {
  const shown = /** @type {import("./types.js").Board} */ (board.value);
  const [diff, setDiff] = useState(/** @type {Diff | null} */ (null));
  const [fault, setFault] = useState(/** @type {any} */ (null));
  const [accepted, setAccepted] = useState(false);
  const { tz } = shown.branch;
  const close = () => (publishing.value = false);
  const load = () => {
    setFault(null);
    setAccepted(false);
    api("GET", `/board/changes?${new URLSearchParams({ date: shown.date, branch_id: shown.branch.id })}`).then(
      (answer) => {
        setDiff(answer);
        learnNames(answer.technicians);
      },
      (error) => setFault(error),
    );
  };
  useEffect(load, [shown.date, shown.branch.id]);

  const broken = diff?.broken ?? [];
  const changed = diff?.technicians ?? [];
  const told = changed.filter(({ told: tell }) => tell);
  const counts = { n: changed.length, told: told.length, left: changed.length - told.length };
  const publish = async () => {
    busy.value = "publish";
    try {
      await api("POST", "/board/publish", { date: shown.date, branch_id: shown.branch.id, accepted: broken.map(({ token }) => token) });
      close();
      toast(told.length ? t("publish.done", counts) : t("publish.done_none"));
    } catch (error) {
      if (/** @type {any} */ (error).code === "plan-breaks-rules") load();
      setFault(error);
    }
    busy.value = null;
    await refresh({ own: true });
  };

  const why = !diff
    ? t("publish.loading")
    : !changed.length
      ? t("publish.empty")
      : broken.length && !accepted
        ? t("publish.accept_first")
        : busy.value === "publish"
          ? t("publish.sending")
          : undefined;
  const footer = html`${shown.draft?.plan_id && html`<${Button} class="publish-discard" onClick=${discard}>${t("publish.discard")}<//>`}
    <${Button} onClick=${close}>${t("publish.later")}<//>
    <${Button} kind="primary" reason=${why} onClick=${publish}>${t("publish.go")}<//>`;
  return html`<${Dialog} title=${t("publish.title_day", { day: shortDay(shown.date, locale.value) })} onClose=${close} footer=${footer}>
    <div class="review">
    <${ErrorBox} error=${fault} onRetry=${diff ? undefined : load} />
    ${diff &&
    html`<p><b>${t("board.draft", { n: diff.changes })}</b> · ${t("board.technicians", { n: counts.n })}</p>
      <p class="secondary">${!counts.n ? t("publish.empty") : !counts.left ? t("publish.told_all") : told.length ? t("publish.told_some", counts) : t("publish.told_none")}</p>
      <${WouldBreak} broken=${broken} accepted=${accepted} onAccept=${setAccepted} />
      <ul class="diff">
        ${changed.map((one) => {
          const index = shown.technicians.findIndex(({ id }) => id === one.technician_id);
          const technician = shown.technicians[index];
          const name = technician?.name ?? one.name;
          const quiet = technician?.device.state === "quiet";
          return html`<li class="diff-one" key=${one.technician_id}>
            <h3>${technician && html`<${Letter} technician=${technician} index=${index} />`} ${name}
              <span class=${`diff-told ${quiet ? "is-offline" : ""}`}>${!one.told ? t("publish.not_told") : quiet ? html`<${Icon} name="offline" size=${13} /> ${t("publish.told_later", { time: clock(technician.device.last_seen_at ?? shown.now, tz) })}` : html`<${Icon} name="device" size=${13} /> ${t("publish.told_now")}`}</span></h3>
            <ul>
              <${Entries} title=${t("publish.added")} icon="plus" entries=${one.added} tz=${tz} date=${shown.date} />
              <${Entries} title=${t("publish.moved")} icon="arrow" entries=${one.moved} tz=${tz} date=${shown.date} />
              <${Entries} title=${t("publish.removed")} icon="minus" entries=${one.removed} tz=${tz} date=${shown.date} />
            </ul>
          </li>`;
        })}
      </ul>`}
    ${!diff && !fault && html`<p class="secondary">${t("publish.loading")}</p>`}
    </div>
  <//>`;
}
