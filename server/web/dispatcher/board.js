// The dispatcher's day on one screen.
import { useEffect, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { Button, ErrorBox, Segmented } from "../shared/components.js";
import { html } from "../shared/html.js";
import { locale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { NeedsYou } from "./attention.js";
import { CancelDialog, ReturnDialog } from "./commands.js";
import { spokenCarry } from "./carry.js";
import { costText, LEVEL_ICONS } from "./cost.js";
import { DayBar, Figures } from "./daybar.js";
import { DayList } from "./daylist.js";
import { carried, pointer } from "./drag.js";
import { Inspector } from "./inspector.js";
import { KeyList, listed, useFocusAfterDialogs, useKeys } from "./keys.js";
import { MapPane } from "./mappane.js";
import { MoveDialog } from "./move.js";
import { making, NewVisitDialog } from "./newvisit.js";
import { PublishDialog } from "./publish.js";
import { Shape } from "./shapes.js";
import { board, fault, refresh, select, selected, start } from "./store.js";
import { clock } from "./time.js";
import { Legend, Timeline } from "./timeline.js";
import { Unscheduled } from "./unscheduled.js";

/** Under this the day is a list beside the map: ui.md §2, breakpoints. */
const WIDE = matchMedia("(min-width: 1200px)");
const PHONE = matchMedia("(max-width: 899px)");
const wide = signal(WIDE.matches);
const phone = signal(PHONE.matches);
WIDE.addEventListener("change", () => (wide.value = WIDE.matches));
PHONE.addEventListener("change", () => (phone.value = PHONE.matches));

let started = false;

/** What is being carried, under the pointer. */
function Card() {
  const what = carried.value;
  if (!what) return null;
  const { x, y } = pointer.value;
  const tz = board.value?.branch.tz ?? "UTC";
  const consequence = what.technicianId ? what.consequences.get(what.technicianId) : null;
  const left = Math.min(x + 14, innerWidth - 300);
  const top = Math.min(y + 14, innerHeight - 80);
  const tones = /** @type {const} */ ({ fits: "ok", costs: "warn", breaks: "danger", unknown: "offline" });
  return html`<div class="carried" aria-hidden="true" style=${{ transform: `translate(${left}px, ${top}px)` }}>
    <p><b>${what.visit.site.name}</b>
      ${consequence && html`<span class=${`chip ${tones[consequence.level]}`}><${Shape} name=${LEVEL_ICONS[consequence.level]} size=${13} /> ${consequence.level === "fits" || consequence.level === "costs" ? costText(consequence).split(" · ")[0] : t(`drag.level.${consequence.level}`)}</span>`}</p>
    <p class="secondary">${consequence ? `${clock(consequence.start, tz)} – ${clock(consequence.end, tz)} · ` : ""}${what.visit.title}</p>
  </div>`;
}

/** @param {{shown: import("./types.js").Board}} props */
function Wide({ shown }) {
  return html`<div class="board-wide">
    <${Unscheduled} shown=${shown} />
    <${Timeline} shown=${shown} />
    <div class="legend-row"><${Legend} /><button type="button" class="keys-button" onClick=${() => (listed.value = true)}><kbd>?</kbd> ${t("keys.title")}</button></div>
    <${Figures} shown=${shown} />
    <${MapPane} shown=${shown} />
    <${Inspector} />
    <${NeedsYou} items=${shown.attention} />
  </div>`;
}

/** @param {{shown: import("./types.js").Board}} props */
function Narrow({ shown }) {
  const [tab, setTab] = useState("day");
  const options = [
    { value: "day", text: t("board.tab.day") },
    { value: "unscheduled", text: `${t("board.unscheduled")} ${shown.unscheduled.length}` },
    { value: "needs", text: `${t("board.needs")} ${shown.attention.length}` },
  ];
  if (phone.value) options.push({ value: "map", text: t("board.map") });
  const shownTab = tab === "map" && !phone.value ? "day" : tab;
  return html`<div class="board-narrow">
    <div class="narrow-list">
      <div class="narrow-tabs"><${Segmented} label=${t("board.show")} options=${options} value=${shownTab} onChange=${setTab} /><${Button} class="new-open" icon="plus" label=${t("new.open")} onClick=${() => (making.value = true)} /></div>
      <div class="narrow-pane">
        ${shownTab === "day" && html`<${DayList} shown=${shown} />`}
        ${shownTab === "unscheduled" && html`<${Unscheduled} shown=${shown} />`}
        ${shownTab === "needs" && html`<${NeedsYou} items=${shown.attention} />`}
        ${shownTab === "map" && html`<${MapPane} shown=${shown} />`}
      </div>
    </div>
    ${!phone.value && html`<${MapPane} shown=${shown} />`}
    ${(selected.value || !phone.value) && html`<${Inspector} onClose=${phone.value ? () => select(null) : undefined} />`}
  </div>`;
}

/** The panes in their places before the first answer. */
function Skeleton() {
  return html`<div class="board-wide is-skeleton" aria-busy="true" aria-label=${t("board.loading")}>
    <div class="unscheduled"></div>
    <div class="timeline"></div>
    <div class="legend-row"></div>
    <div class="map-pane"></div>
    <div class="inspector"></div>
    <div class="needs"></div>
  </div>`;
}

export function BoardPage() {
  locale.value;
  useKeys();
  useFocusAfterDialogs();
  useEffect(() => {
    if (started) return;
    started = true;
    start();
  }, []);
  useEffect(() => {
    // The server says its sentences in the reader's language: ask for them anew.
    if (board.value) refresh({ own: true });
  }, [locale.value]);
  const shown = board.value;
  return html`<main class="board" id="main">
    <${DayBar} />
    ${fault.value &&
    (shown
      ? html`<p class="board-fault" role="status"><${Icon} name="offline" size=${16} /> ${t("board.stale", { time: clock(shown.now, shown.branch.tz) })} <${Button} onClick=${() => refresh()}>${t("action.retry")}<//></p>`
      : html`<div class="alone"><${ErrorBox} error=${fault.value} onRetry=${() => refresh({ own: true })} /></div>`)}
    ${shown ? (wide.value ? html`<${Wide} shown=${shown} />` : html`<${Narrow} shown=${shown} />`) : !fault.value && html`<${Skeleton} />`}
    <p class="visually-hidden" role="status">${spokenCarry.value}</p>
    <${Card} /><${NewVisitDialog} /><${MoveDialog} /><${CancelDialog} /><${ReturnDialog} /><${PublishDialog} /><${KeyList} />
  </main>`;
}
