// What is to be done and why, the machine, the place; notes; the other ways a visit can end.
import { useEffect, useState } from "preact/hooks";
import { becauseOf, Button, Coverage, Dialog, dismissToast, lineName, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDate, formatTime, reasonText, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { formatMeasure } from "../shared/units.js";
import { correctSite, note, step } from "./actions.js";
import { isOver } from "./day.js";
import { Dock } from "./dock.js";
import { drafted, keepDraft, useDraft } from "./drafting.js";
import { LEGAL_FROM } from "./states.js";
import { assetsOf, find, homeZone, kindName, named, outcomeWord, today, zoneOf } from "./store.js";
import { BackLine, PromiseBox, StateChip } from "./today.js";

/** @typedef {import("./types.js").Document} Document */

/** @param {{visit: Document}} props */
export function WhatTab({ visit }) {
  const site = find("site", visit.site_id);
  const because = becauseOf(visit.coverage);
  return html`<div class="tab-scroll two">
      <section>
        <${PromiseBox} visit=${visit} />
        <div class="chips"><${StateChip} visit=${visit} /><${Coverage} coverage=${visit.coverage} sum /></div>
        ${because && html`<${Because} coverage=${visit.coverage} because=${because} />`}
        <h2>${visit.title || kindName(visit)}</h2>
        ${visit.symptom && html`<p>${visit.symptom}</p>`}
        <${BackLine} visit=${visit} />
        ${visit.instructions && html`<p class="secondary pre">${visit.instructions}</p>`}
        <dl class="facts">
          ${visit.number && html`<dt>${t("tab.number")}</dt><dd>${visit.number}</dd>`}
          <dt>${t("tab.kind")}</dt><dd>${kindName(visit)}</dd>
          <dt>${t("tab.when")}</dt><dd>${formatDate(visit.planned_start, { tz: zoneOf(visit), year: false })} ${formatTime(visit.planned_start, zoneOf(visit))}–${formatTime(visit.planned_end, zoneOf(visit))}</dd>
        </dl>
        ${assetsOf(visit).map((/** @type {any} */ pair) => html`<${Machine} key=${pair.asset.id} ...${pair} />`)}
        <${Notes} visit=${visit} />
        ${!isOver(visit) && html`<${OtherEnds} visit=${visit} />`}
      </section>
      ${site && html`<${SiteCard} site=${site} />`}
    </div>
    <${Dock} visit=${visit} />`;
}

/** Every rule that was looked at, in its order, behind the one that decided. @param {{coverage: any, because: string}} props */
function Because({ coverage, because }) {
  const rules = coverage.considered ?? [];
  if (!rules.length) return html`<p class="because"><strong>${t("tab.because")}</strong> ${because}</p>`;
  return html`<details class="because"><summary><strong>${t("tab.because")}</strong> ${because}</summary>
    <ol>${rules.map((/** @type {any} */ rule) => html`<li>${lineName(rule.line_id)}${rule.machine ? `, ${rule.machine}` : ""}: ${reasonText(rule.reason)}</li>`)}</ol></details>`;
}

/** @param {{asset: Document, model: Document | undefined}} props */
function Machine({ asset, model }) {
  return html`<div class="machine"><${Icon} name="box" size=${26} /><div>
    <strong>${model?.name ?? model?.code ?? t("tab.machine")}</strong>
    <span class="hint">${[t("tab.serial", { serial: asset.serial }), asset.position].filter(Boolean).join(" · ")}</span>
    ${asset.warranty_ends_on && html`<span class="hint">${t(asset.warranty_ends_on < today.value ? "tab.warranty.ended" : "tab.warranty", { date: formatDate(asset.warranty_ends_on, { weekday: false }) })}</span>`}
    ${(asset.recent_visits ?? []).map((/** @type {any} */ past) => html`<${Past} past=${past} model=${model} />`)}
  </div></div>`;
}

/** A visit to the machine of before, with what was read and found then. @param {{past: any, model: Document | undefined}} props */
function Past({ past, model }) {
  const line = [formatDate(past.date, { weekday: false }), past.technician, outcomeWord(past.outcome)].filter(Boolean).join(" · ");
  const { readings = [], findings = [], summary = "" } = past;
  if (!readings.length && !findings.length && !summary) return html`<span class="hint">${line}</span>`;
  const meter = (/** @type {any} */ one) => named((model?.meters ?? []).find((/** @type {any} */ known) => known.code === one.meter)?.name) || one.meter;
  return html`<details class="past"><summary class="hint">${line}</summary>
    ${summary && html`<p>${summary}</p>`}
    ${readings.map((/** @type {any} */ one) => html`<p>${meter(one)}: ${formatMeasure(one.value, one.unit)}</p>`)}
    ${findings.map((/** @type {any} */ one) => html`<p class="found"><${Icon} name="warn" size=${18} />${one.text}</p>`)}
  </details>`;
}

/** @param {{visit: Document}} props */
function Notes({ visit }) {
  const [text, type, show] = useDraft({ id: visit.id, field: "note", label: t("draft.note") }, "");
  // The field is empty the moment it is pressed: what is typed while the note is saved is the next one.
  const add = async () => {
    const pressed = text.trim();
    if (!pressed) return;
    show("");
    await note(visit, pressed).catch((error) => {
      show(drafted({ id: visit.id, field: "note", label: "" }) ?? pressed);
      throw error;
    });
  };
  const notes = visit.notes ?? [];
  return html`<div class="notes"><h3>${t("tab.notes")}</h3>
    ${notes.map((/** @type {any} */ line) => html`<p class="note" key=${line.id}>${line.text}<span class="hint">${[line.by_name, formatTime(line.at_corrected ?? line.at, homeZone.value)].filter(Boolean).join(" · ")}</span></p>`)}
    <label class="field"><span class="visually-hidden">${t("tab.note.new")}</span><textarea rows="2" maxlength="4000" placeholder=${t("tab.note.new")} value=${text} onInput=${(/** @type {any} */ event) => type(event.target.value)}></textarea></label>
    ${text.trim() && html`<${Button} icon="plus" onClick=${add}>${t("tab.note.add")}<//>`}
  </div>`;
}

/** The place: what one must know before ringing, each line correctable by who stands there. @param {{site: Document}} props */
function SiteCard({ site }) {
  return html`<aside class="site-card">
    ${site.danger_note && html`<p class="danger-box"><${Icon} name="warn" size=${26} /><span><strong>${t("tab.danger")}</strong>${site.danger_note}</span></p>`}
    <div class="site-lines">
      <h3>${t("tab.place")}</h3>
      <p>${[site.address, site.city].filter(Boolean).join(", ")}</p>
      ${site.opening_hours && html`<p class="hint">${t("tab.hours", { hours: site.opening_hours })}</p>`}
    </div>
    <${SiteNote} site=${site} field="access_note" icon="key" title=${t("tab.access")} empty=${t("tab.access.none")} />
    <${SiteNote} site=${site} field="danger_note" icon="warn" title=${t("tab.danger")} empty=${t("tab.danger.none")} />
    ${(site.contact_name || site.contact_phone) && html`<div class="site-lines"><h3>${t("tab.contact")}</h3>
      <p>${site.contact_name}</p>
      ${site.contact_phone && html`<a class="button" href=${`tel:${site.contact_phone.replace(/[^\d+]/g, "")}`}><${Icon} name="phone" size=${22} /><span>${site.contact_phone}</span></a>`}</div>`}
  </aside>`;
}

/** @param {{site: Document, field: "access_note" | "danger_note", icon: string, title: string, empty: string}} props */
function SiteNote({ site, field, icon, title, empty }) {
  const place = /** @type {const} */ ({ collection: "site", id: site.id, field, label: title });
  const [text, type, show] = useDraft(place, /** @type {string | null} */ (null));
  const known = site[field] ?? "";
  const write = (/** @type {string} */ typed) => {
    type(typed);
    if (typed === known) keepDraft(place, null);
  };
  const save = async () => {
    if (text !== null && text.trim() !== known) await correctSite(site.id, field, text.trim());
    else keepDraft(place, null);
    show(null);
  };
  const cancel = () => {
    const thrown = text;
    type(null);
    if (thrown !== null && thrown !== known) toast(t("draft.discarded"), { undo: () => type(thrown) });
  };
  if (text === null) {
    return html`<div class="site-note"><${Icon} name=${icon} size=${24} /><p><span class="hint">${title}</span>${site[field] || html`<span class="secondary">${empty}</span>`}</p>
      <${Button} kind="quiet" icon="pencil" label=${t("tab.correct", { what: title })} onClick=${() => show(known)} /></div>`;
  }
  return html`<div class="site-edit"><label class="field"><span>${title}</span><textarea rows="3" maxlength="2000" value=${text} autofocus onInput=${(/** @type {any} */ event) => write(event.target.value)}></textarea></label>
    <div class="pair"><${Button} onClick=${cancel}>${t("action.cancel")}<//><${Button} kind="primary" icon="check" onClick=${save}>${t("action.save")}<//></div></div>`;
}

const REASONS = { no_access: ["closed", "nobody", "no_key", "unsafe"], refused: ["not_needed", "other_day", "price", "other_firm"] };

/** @param {{visit: Document}} props */
function OtherEnds({ visit }) {
  const [type, setType] = useState(/** @type {"no_access" | "refused" | null} */ (null));
  const may = (/** @type {string} */ kind) => LEGAL_FROM[kind].includes(visit.exec_state ?? "not_started");
  const end = async (/** @type {string} */ reason) => {
    await step(visit, String(type), { reason });
    setType(null);
  };
  return html`<div class="pair other-ends">
    ${may("no_access") && html`<${Button} icon="door" onClick=${() => setType("no_access")}>${t("end.no_access")}<//>`}
    ${may("refused") && html`<${Button} icon="cross" onClick=${() => setType("refused")}>${t("end.refused")}<//>`}
    ${type && html`<${ReasonDialog} title=${t(`end.${type}.why`)} place=${{ id: visit.id, field: `reason.${type}`, label: t(`end.${type}.why`) }} reasons=${REASONS[type].map((code) => t(`end.${type}.${code}`))} onClose=${() => setType(null)} onChoose=${end} />`}
  </div>`;
}

/**
 * A reason from a list or in own words. Closed, it keeps what was written; opened again, it is there.
 * @param {{title: string, place: import("./drafting.js").Field, reasons: string[], onClose: () => void, onChoose: (reason: string) => void}} props
 */
export function ReasonDialog({ title, place, reasons, onClose, onChoose }) {
  const [text, type] = useDraft(place, "");
  useEffect(() => dismissToast(), []);
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <div class="reasons">${reasons.map((reason) => html`<${Button} onClick=${() => onChoose(reason)}>${reason}<//>`)}</div>
    <label class="field"><span>${t(reasons.length ? "tab.reason.own" : "tab.comment.own")}</span><textarea rows="2" maxlength="500" value=${text} onInput=${(/** @type {any} */ event) => type(event.target.value)}></textarea></label>
    ${text.trim() && html`<footer><${Button} kind="primary" icon="check" onClick=${() => onChoose(text.trim())}>${t("action.save")}<//></footer>`}
  <//>`;
}
