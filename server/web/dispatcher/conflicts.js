// The conflict inbox: what two people changed at once, what the rule chose, and the last word.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { Button, Chip, Dialog, Empty, ErrorBox, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDate, formatDuration, formatTime, locale, localDay, reasonText, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { BulkDialog } from "./bulk.js";
import { casesOf, eventsOf, fieldName, rowText, withNames } from "./clashes.js";
import { ClashTable } from "./clashtable.js";
import { Lanes } from "./lanes.js";
import { Settled } from "./settled.js";
import { showFault } from "./changes.js";
import { PhotosOfVisit } from "./photos.js";
import { api, branches, me, openConflicts } from "./store.js";

/** @typedef {import("./clashes.js").Conflict} Conflict */
/** @typedef {import("./clashes.js").Case} Case */
/** @typedef {import("./clashes.js").Row} Row */

const POLL_MS = 15_000;

/** @type {import("@preact/signals").Signal<Conflict[] | null>} */
const open = signal(null);
/** @type {import("@preact/signals").Signal<Conflict[]>} */
const settled = signal([]);
/** @type {import("@preact/signals").Signal<any>} */
const fault = signal(null);
const chosenCase = signal(/** @type {string | null} */ (null));
/** What a person has picked so far, by row. @type {import("@preact/signals").Signal<Record<string, "mine" | "theirs">>} */
const picks = signal({});
const accepting = signal(false);
const several = signal(false);
/** The last thing kept, for undo. @type {{name: string, ids: string[]} | null} */
let lastKept = null;
/** Only the newest answer counts: one in the language of before may come later. */
let asked = 0;

async function load() {
  const ask = ++asked;
  try {
    const [waiting, rule, person] = await Promise.all([
      api("GET", "/conflicts?state=open&limit=200"),
      api("GET", "/conflicts?state=settled&limit=50"),
      api("GET", "/conflicts?state=resolved&limit=50").catch(() => ({ items: [] })),
    ]);
    if (ask !== asked) return;
    open.value = withNames(waiting.items);
    const when = (/** @type {Conflict} */ one) => one.resolved_at ?? one.created_at;
    settled.value = withNames([...rule.items, ...person.items]).sort((a, b) => when(b).localeCompare(when(a)));
    openConflicts.value = casesOf(waiting.items).length;
    fault.value = null;
  } catch (error) {
    if (ask === asked) fault.value = error;
  }
}

/** @param {Row} row */
function pickOf(row) {
  return picks.value[row.key] ?? row.byDefault;
}

/** @param {Row} row @param {"mine" | "theirs"} side */
function pick(row, side) {
  picks.value = { ...picks.value, [row.key]: side };
}

/** @param {string[]} ids @param {string} name */
async function reopen(ids, name) {
  lastKept = null;
  try {
    await api("POST", "/conflicts/undo", { ids });
    toast(t("conflicts.reopened", { name }));
  } catch (error) {
    showFault(error);
  }
  await load();
}

/**
 * Let the other side of what a rule has settled stand, for all of one event.
 * @param {Conflict[]} event
 * @param {"mine" | "theirs"} choice
 */
async function restore(event, choice) {
  const first = /** @type {Conflict} */ (event[0]);
  const name = first.site_name ?? first.document_title;
  try {
    await api("POST", "/conflicts/settle", { items: event.map(({ id, document_version: seen }) => ({ id, seen: seen ?? null })), choice });
    keptMany(event.map(({ id }) => id), t("conflicts.restored", { name }), name);
  } catch (error) {
    showFault(error);
  }
  await load();
}

/** @param {string[]} ids @param {string} text @param {string} name */
function keptMany(ids, text, name) {
  lastKept = { name, ids };
  toast(text, { undo: undoLast, seconds: 30 });
}

function undoLast() {
  if (lastKept) reopen(lastKept.ids, lastKept.name);
}

/**
 * Settle all rows of a case as picked and go on to the next.
 * @param {Case} one
 * @param {Case[]} cases
 */
async function keep(one, cases) {
  const at = cases.indexOf(one);
  const next = cases[at + 1] ?? cases[at - 1] ?? null;
  /** @type {string[]} */
  const done = [];
  try {
    for (const row of one.rows) {
      for (const part of row.parts) {
        await api("POST", `/conflicts/${part.id}/resolve`, { choice: pickOf(row) });
        done.push(part.id);
      }
    }
    chosenCase.value = next?.id ?? null;
  } catch (error) {
    showFault(error);
  }
  if (done.length) {
    lastKept = { name: one.name, ids: done };
    if (done.length === one.rows.flatMap(({ parts }) => parts).length) toast(t("conflicts.kept", { name: one.name }), { undo: undoLast, seconds: 30 });
  }
  await load();
}

/** @param {{cases: Case[]}} props */
function AcceptDialog({ cases }) {
  if (!accepting.value) return null;
  const rows = cases.flatMap((one) => one.rows.map((row) => ({ one, row })));
  const close = () => (accepting.value = false);
  const accept = async () => {
    const ids = rows.flatMap(({ row }) => row.parts.map(({ id }) => id));
    close();
    try {
      await api("POST", "/conflicts/accept-defaults", { ids });
      lastKept = { name: t("conflicts.title"), ids };
      toast(t("conflicts.accepted", { n: rows.length }), { undo: undoLast, seconds: 30 });
    } catch (error) {
      showFault(error);
    }
    chosenCase.value = null;
    await load();
  };
  const footer = html`<${Button} onClick=${close}>${t("action.cancel")}<//><${Button} kind="primary" onClick=${accept}>${t("conflicts.accept_all")}<//>`;
  return html`<${Dialog} title=${t("conflicts.accept_title")} onClose=${close} footer=${footer}>
    <p class="secondary">${t("conflicts.accept_what", { n: rows.length })}</p>
    <ul class="diff">
      ${rows.map(
        ({ one, row }) => html`<li class="diff-one"><h3>${one.name}</h3>
          <p>${fieldName(row.field)}: <b>${rowText(row, row.byDefault)}</b> <span class="hint">${t(row.byDefault === "mine" ? "conflicts.site" : "conflicts.office")}</span></p></li>`,
      )}
    </ul>
  <//>`;
}

/** What differs, in few words. @param {Case} one */
function caseWords(one) {
  const odd = one.rows.find(({ first }) => first.kind !== "value");
  return odd && one.rows.length === 1 ? t(`conflicts.kind.${odd.first.kind}`) : t("conflicts.values", { n: one.rows.length });
}

/** @param {{cases: Case[], current: Case | null}} props */
function List({ cases, current }) {
  const values = cases.reduce((sum, one) => sum + one.rows.length, 0);
  const byRule = eventsOf(settled.value.filter(({ state }) => state !== "resolved"));
  const byPerson = eventsOf(settled.value.filter(({ state }) => state === "resolved"));
  return html`<aside class="clash-list" aria-label=${t("conflicts.title")}>
    <header>
      <div><h1>${t("conflicts.title")}</h1><p class="secondary">${t("conflicts.count", { n: cases.length })} · ${t("conflicts.values", { n: values })}</p></div>
      <div class="clash-many">
        ${cases.length > 0 && html`<${Button} onClick=${() => (accepting.value = true)}>${t("conflicts.accept_all")}<//>`}
        <${Button} onClick=${() => (several.value = true)}>${t("bulk.open")} <kbd>S</kbd><//>
      </div>
    </header>
    <div class="clash-scroll">
      ${cases.length > 0 && html`<h2>${t("conflicts.needs")}</h2>`}
      <ul>
        ${cases.map(
          (one) => html`<li key=${one.id}>
            <button type="button" class=${`clash ${one === current ? "is-selected" : ""}`} aria-current=${one === current ? "true" : undefined} data-case=${one.id} onClick=${() => (chosenCase.value = one.id)}>
              <span class="clash-head"><b>${one.name}</b><span class="hint">${t("conflicts.age", { time: formatDuration(Math.max(60, (Date.now() - one.met) / 1000)) })}</span></span>
              <span class="secondary">${[one.technician, one.number].filter(Boolean).join(" · ")}</span>
              <${Chip} tone="conflict" icon="conflict">${caseWords(one)}<//>
            </button>
          </li>`,
        )}
      </ul>
      <h2>${t("conflicts.settled")} <span class="count">${byRule.length || ""}</span></h2>
      <ul class="settled">
        ${byRule.map((event) => html`<${Settled} key=${/** @type {any} */ (event[0]).id} event=${event} reopen=${reopen} restore=${restore} />`)}
        ${!byRule.length && html`<li class="hint settled-none">${t("conflicts.settled_none")}</li>`}
      </ul>
      ${byPerson.length > 0 && html`<h2>${t("conflicts.decided")} <span class="count">${byPerson.length}</span></h2>
      <ul class="settled">${byPerson.map((event) => html`<${Settled} key=${/** @type {any} */ (event[0]).id} event=${event} reopen=${reopen} restore=${restore} />`)}</ul>`}
    </div>
  </aside>`;
}

/** @param {Row} row @param {string} tz */
function willText(row, tz) {
  const value = rowText(row, pickOf(row), tz);
  if (row.first.kind === "late" && row.field === "assignee_id") return t("conflicts.will.whose", { name: value });
  return t("conflicts.will.value", { field: fieldName(row.field), value });
}

/** @param {{one: Case, cases: Case[], tz: string}} props */
function Detail({ one, cases, tz }) {
  const [sending, setSending] = useState(false);
  const go = async () => {
    if (sending) return;
    setSending(true);
    await keep(one, cases);
    setSending(false);
  };
  const goNow = useRef(go);
  goNow.current = go;
  useClashKeys(one, cases, () => goNow.current());
  const fromSite = one.rows.filter((row) => pickOf(row) === "mine").length;
  const settledHere = settled.value.filter((other) => other.visit_id === one.visitId || one.rows.some(({ first }) => first.document_id === other.document_id));
  return html`<section class="clash-detail" aria-labelledby="clash-title">
    <div class="clash-body">
      <header>
        <div><h2 id="clash-title">${one.name}</h2><p class="secondary">${[one.title, one.number, one.technician].filter((part) => part && part !== one.name).join(" · ")}</p></div>
        ${one.visitId && html`<a class="button" href=${`/board?visit=${one.visitId}`}>${t("conflicts.open_visit")}</a>`}
      </header>
      <${Lanes} one=${one} tz=${tz} />
      <${ClashTable} one=${one} tz=${tz} pickOf=${pickOf} pick=${pick} />
      ${one.visitId && html`<${PhotosOfVisit} key=${one.visitId} visitId=${one.visitId} tz=${tz} />`}
      <div class="clash-cards">
        <section class="clash-card">
          <h3>${t("conflicts.will")}</h3>
          <ul>
            ${one.rows.map((row) => html`<li><${Icon} name="arrow" size=${15} /> ${willText(row, tz)}</li>`)}
            ${one.technician && html`<li><${Icon} name="device" size=${15} /> ${t("conflicts.will.told", { name: one.technician })}</li>`}
            <li><${Icon} name="check" size=${15} /> ${t("conflicts.will.stays")}</li>
          </ul>
        </section>
        <section class="clash-card">
          <h3>${t("conflicts.merged")} <span class="count">${settledHere.length || ""}</span></h3>
          ${settledHere.length ? html`<p>${[...new Set(settledHere.map(({ field }) => fieldName(field)))].join(" · ")}</p>` : html`<p class="secondary">${t("conflicts.merged_none")}</p>`}
        </section>
      </div>
    </div>
    <footer class="clash-foot">
      <span>${t("conflicts.chosen", { site: fromSite, office: one.rows.length - fromSite })}</span>
      <span class="clash-keys" aria-hidden="true"><kbd>←</kbd> <kbd>→</kbd> ${t("conflicts.choose")} <kbd>J</kbd> ${t("conflicts.next")} <kbd>Ctrl Z</kbd> ${t("conflicts.undo")}</span>
      <button type="button" class="button primary" disabled=${sending} onClick=${go}><span>${sending ? t("conflicts.keeping") : t("conflicts.keep", { n: one.rows.length })}</span> <kbd>Enter</kbd></button>
    </footer>
  </section>`;
}

/**
 * Enter keeps and goes on, J and K walk the list, arrows choose in the row that has the focus.
 * @param {Case} one
 * @param {Case[]} cases
 * @param {() => void} go
 */
function useClashKeys(one, cases, go) {
  useEffect(() => {
    const press = (/** @type {KeyboardEvent} */ event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      if (accepting.value || several.value || target.closest("dialog, .popover, .map-box")) return;
      const letter = event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : "";
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (letter === "s") {
        event.preventDefault();
        several.value = true;
        return;
      }
      const step = letter === "j" ? 1 : letter === "k" ? -1 : 0;
      if (step) {
        const next = cases[cases.indexOf(one) + step];
        if (next) chosenCase.value = next.id;
        return;
      }
      if (event.key === "Enter" && !target.closest("a, button:not(.clash)")) {
        event.preventDefault();
        go();
        return;
      }
      const side = event.key === "ArrowLeft" ? "theirs" : event.key === "ArrowRight" ? "mine" : null;
      const key = target.closest("[data-row]")?.getAttribute("data-row");
      const row = key ? one.rows.find((other) => other.key === key) : one.rows.length === 1 ? one.rows[0] : null;
      if (side && row) {
        event.preventDefault();
        pick(row, side);
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [one, cases]);
}

/** Ctrl Z, also when nothing is left to decide. @param {KeyboardEvent} event */
function undoByKey(event) {
  if (event.code !== "KeyZ" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  if (!lastKept || accepting.value || several.value) return;
  event.preventDefault();
  undoLast();
}

/** @param {string[]} ids */
function manyDone(ids) {
  if (ids.length) keptMany(ids, t("bulk.done", { n: ids.length }), t("conflicts.title"));
  load();
}

export function ConflictsPage() {
  locale.value;
  useEffect(() => {
    addEventListener("keydown", undoByKey);
    return () => removeEventListener("keydown", undoByKey);
  }, []);
  useEffect(() => {
    load();
    api("GET", "/branches?limit=200").then(({ items }) => (branches.value = items), () => {});
    const wanted = new URLSearchParams(location.search).get("visit");
    if (wanted) chosenCase.value = `visit:${wanted}`;
    const timer = setInterval(() => document.visibilityState === "visible" && load(), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (open.value) load();
  }, [locale.value]);
  const cases = useMemo(() => casesOf(open.value ?? []), [open.value]);
  const wanted = chosenCase.value;
  const current = cases.find(({ id, visitId }) => id === wanted || `visit:${visitId}` === wanted) ?? cases[0] ?? null;
  const own = branches.value.find(({ id }) => id === me.value?.branch_id) ?? branches.value[0];
  const tz = own?.tz ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (fault.value && !open.value) return html`<main class="alone" id="main"><${ErrorBox} error=${fault.value} onRetry=${load} /></main>`;
  return html`<main class="clashes" id="main">
    <${List} cases=${cases} current=${current} />
    ${current
      ? html`<${Detail} key=${current.id} one=${current} cases=${cases} tz=${current.tz ?? tz} />`
      : open.value && html`<section class="clash-detail"><div class="clash-body"><${Empty} icon="check" text=${t("conflicts.none")} /></div></section>`}
    ${several.value && html`<${BulkDialog} conflicts=${[...(open.value ?? []), ...settled.value.filter(({ state }) => state === "settled")]} onClose=${() => (several.value = false)} onDone=${manyDone} />`}
    <${AcceptDialog} cases=${cases} />
  </main>`;
}
