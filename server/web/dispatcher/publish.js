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
  const planId = board.value?.draft?.plan_id;
  publishing.value = false;
  try {
    await api("DELETE", `/plans/${planId}`);
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

function Review() {
  const shown = /** @type {import("./types.js").Board} */ (board.value);
  const [diff, setDiff] = useState(/** @type {any[] | null} */ (null));
  const [fault, setFault] = useState(/** @type {any} */ (null));
  const { tz } = shown.branch;
  const planId = shown.draft?.plan_id;
  const close = () => (publishing.value = false);
  const load = () => {
    setFault(null);
    api("GET", `/plans/${planId}/changes`).then(
      (answer) => {
        setDiff(answer.technicians);
        learnNames(answer.technicians);
      },
      (error) => setFault(error),
    );
  };
  useEffect(load, [planId]);

  const publish = async () => {
    busy.value = "publish";
    try {
      await api("POST", `/plans/${planId}/publish`);
      close();
      toast(told.length ? t("publish.done", { n: told.length }) : t("publish.done_none"));
    } catch (error) {
      setFault(error);
    }
    busy.value = null;
    await refresh({ own: true });
  };

  const changed = (diff ?? []).filter((one) => one.added?.length || one.removed?.length || one.moved?.length);
  const told = changed.filter(({ told: tell }) => tell !== false);
  const footer = html`<${Button} class="publish-discard" onClick=${discard}>${t("publish.discard")}<//>
    <${Button} onClick=${close}>${t("publish.later")}<//>
    <${Button} kind="primary" reason=${!diff ? t("publish.loading") : busy.value === "publish" ? t("publish.sending") : undefined} onClick=${publish}>${t("publish.go")}<//>`;
  return html`<${Dialog} title=${t("publish.title")} onClose=${close} footer=${footer}>
    <${ErrorBox} error=${fault} onRetry=${diff ? undefined : load} />
    ${diff &&
    html`<p class="secondary">${!changed.length ? t("publish.empty") : told.length ? t("publish.told", { n: told.length }) : t("publish.told_none")}</p>
      <ul class="diff">
        ${changed.map((one) => {
          const index = shown.technicians.findIndex(({ id }) => id === one.technician_id);
          const technician = shown.technicians[index];
          const name = technician?.name ?? one.name;
          const quiet = technician?.device.state === "quiet";
          return html`<li class="diff-one" key=${one.technician_id}>
            <h3>${technician && html`<${Letter} technician=${technician} index=${index} />`} ${name}
              <span class=${`diff-told ${quiet ? "is-offline" : ""}`}>${one.told === false ? t("publish.not_told") : quiet ? html`<${Icon} name="offline" size=${13} /> ${t("publish.told_later", { time: clock(technician.device.last_seen_at ?? shown.now, tz) })}` : html`<${Icon} name="device" size=${13} /> ${t("publish.told_now")}`}</span></h3>
            <ul>
              <${Entries} title=${t("publish.added")} icon="plus" entries=${one.added} tz=${tz} date=${shown.date} />
              <${Entries} title=${t("publish.moved")} icon="arrow" entries=${one.moved} tz=${tz} date=${shown.date} />
              <${Entries} title=${t("publish.removed")} icon="minus" entries=${one.removed} tz=${tz} date=${shown.date} />
            </ul>
          </li>`;
        })}
      </ul>`}
    ${!diff && !fault && html`<p class="secondary">${t("publish.loading")}</p>`}
  <//>`;
}
