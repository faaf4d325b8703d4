// The technician's own conflicts: both values, who and when, why, and one press to let the other stand.
import { useState } from "preact/hooks";
import { Button } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDate, formatNumber, formatTime, hasText, locale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { letStand } from "./actions.js";
import { choices, happenings, standing } from "./conflicts.js";
import { conflicts, find, homeZone, outbox } from "./store.js";

/** @typedef {import("./conflicts.js").Happening} Happening */

/** So many are shown before somebody asks for more. */
const FIRST = 5;

export function OwnConflicts() {
  const [all, setAll] = useState(false);
  const list = happenings(conflicts.value);
  if (!list.length) return null;
  return html`<section class="conflicts"><h2 class="group">${t("conflict.heading")}</h2>
    <ul>${(all ? list : list.slice(0, FIRST)).map((one) => html`<${Row} key=${one.id} happening=${one} />`)}</ul>
    ${!all && list.length > FIRST && html`<div class="conflicts-more"><${Button} icon="down" onClick=${() => setAll(true)}>${t("conflict.more", { n: list.length - FIRST })}<//></div>`}
  </section>`;
}

/** @param {{happening: Happening}} props */
function Row({ happening }) {
  const [open, setOpen] = useState(false);
  const { first } = happening;
  const document = find(first.collection, first.document_id);
  return html`<li class="conflict" data-conflict=${first.id}>
    <button type="button" class="conflict-head" aria-expanded=${open ? "true" : "false"} onClick=${() => setOpen(!open)}>
      <${Icon} name="conflict" size=${28} /><span><strong>${t(`field.${hasText(`field.${happening.field}`) ? happening.field : "other"}`)} · ${first.title}</strong><span>${outcome(happening, document)}</span></span><${Icon} name=${open ? "up" : "down"} size=${20} />
    </button>
    ${open && html`<${Details} happening=${happening} document=${document} />`}</li>`;
}

/** @param {{happening: Happening, document: Record<string, any> | undefined}} props */
function Details({ happening, document }) {
  const { first } = happening;
  const waiting = outbox.value.some((entry) => happening.parts.some((part) => entry.mutation.resolves === part.id) && entry.state !== "accepted");
  const sides = /** @type {const} */ ([["base", t("conflict.before"), ""], ["mine", t("conflict.you"), when(first.mine_at)], ["theirs", who(first), when(first.theirs_at)]]);
  const situation = first.kind === "late" || first.kind === "state";
  return html`<div class="conflict-body">
    ${!situation && html`<dl>${sides.map(([side, name, at]) => html`<dt>${name}${at && html`<span class="hint"> ${at}</span>`}</dt><dd>${text(happening, side)}</dd>`)}</dl>`}
    <p class="secondary">${first.because[locale.value] ?? first.because.en}</p>
    <p class="hint">${waiting ? t("conflict.saved") : decided(happening)}</p>
    ${choices(happening, document).map((side) => html`<${Button} icon="redo" onClick=${() => letStand(happening, side)}>${side === "mine" ? t("conflict.let.mine", { value: text(happening, "mine") }) : t("conflict.let.theirs", { value: text(happening, "theirs") })}<//>`)}
  </div>`;
}

/** What came of it, in one sentence. @param {Happening} happening @param {Record<string, any> | undefined} document */
function outcome(happening, document) {
  const { first } = happening;
  if (first.kind === "late" || first.kind === "state") return first.because[locale.value] ?? first.because.en;
  const values = { mine: text(happening, "mine"), theirs: text(happening, "theirs"), who: who(first) };
  if (first.kind === "refused") return t("conflict.refused", values);
  const now = standing(happening, document) ?? first.chosen;
  if (now === "mine") return t("conflict.stands.mine", values);
  if (now === "theirs") return t(first.kind === "proposal" ? "conflict.proposal" : "conflict.stands.theirs", values);
  return t("conflict.stands.both", values);
}

/** Who looked at it, and when. @param {Happening} happening */
function decided({ first }) {
  if (first.state === "open") return t("conflict.open");
  if (!first.resolved) return t("conflict.rule");
  const { choice, by, at } = first.resolved;
  return t(`conflict.decided.${choice === "mine" || choice === "theirs" ? choice : "value"}`, { who: by ?? t("conflict.office"), time: when(at) });
}

/** @param {import("./conflicts.js").Conflict} conflict */
const who = (conflict) => conflict.theirs_by ?? t("conflict.office");

/** @param {string | null} moment */
const when = (moment) => (moment ? `${formatDate(moment, { tz: homeZone.value, year: false })} ${formatTime(moment, homeZone.value)}` : "");

/** @param {Happening} happening @param {"base" | "mine" | "theirs"} side */
function text(happening, side) {
  if (happening.field !== "pin") return said(happening.first[side]);
  return happening.parts.map((part) => (typeof part[side] === "number" ? formatNumber(part[side], { minimumFractionDigits: 5, maximumFractionDigits: 5 }) : said(part[side]))).join("; ");
}

/** A value as a person reads it. @param {any} value @returns {string} */
function said(value) {
  if (value === null || value === undefined || value === "") return t("conflict.nothing");
  if (typeof value === "boolean") return t(value ? "conflict.yes" : "conflict.no");
  if (typeof value === "number") return formatNumber(value, { maximumFractionDigits: 6 });
  if (Array.isArray(value)) return value.length ? value.map(said).join(", ") : t("conflict.nothing");
  if (typeof value === "object") {
    const known = value.text ?? value.value ?? value.type ?? value.name;
    return known === undefined ? t("conflict.more_values") : said(known);
  }
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return when(value);
  if (/^\d{4}-\d\d-\d\d$/.test(value)) return formatDate(value);
  return hasText(`state.${value}`) ? t(`state.${value}`) : String(value);
}
