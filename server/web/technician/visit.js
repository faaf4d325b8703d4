// One visit: head, tabs, and the tab's content.
import { Chip } from "../shared/components.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { progress } from "./checks.js";
import { ChecksTab } from "./checks-tab.js";
import { FinishTab } from "./finish-tab.js";
import { go } from "./nav.js";
import { PhotosTab } from "./photos-tab.js";
import { Gone } from "./gone.js";
import { assetsOf, checklistOf, contact, draftFields, find, kindName, visits, whereabouts } from "./store.js";
import { WhatTab } from "./what-tab.js";

/** @param {{id: string, tab: string}} props */
export function Visit({ id, tab }) {
  const visit = visits.value.find((other) => other.id === id);
  if (!visit) return html`<${Gone} id=${id} />`;
  const site = find("site", visit.site_id);
  const checklist = checklistOf(visit);
  const done = progress(checklist?.items ?? [], visit.answers ?? [], visit.attachments ?? []);
  const fields = draftFields.value.get(id) ?? [];
  const photos = (visit.attachments ?? []).length;
  const [first] = assetsOf(visit);
  const machine = first ? [first.model?.name ?? first.model?.code, t("tab.serial", { serial: first.asset.serial })].filter(Boolean).join(" · ") : kindName(visit);
  const tabs = [
    { tab: "what", text: t("tab.what") },
    { tab: "checks", text: done.total ? `${t("tab.checks")} ${done.done}/${done.total}` : t("tab.checks") },
    { tab: "photos", text: photos ? `${t("tab.photos")} ${photos}` : t("tab.photos") },
    { tab: "finish", text: t("tab.finish") },
  ];
  return html`<div class="visit">
    <header class="visit-head"><${Back} /><div class="visit-title"><h1>${site?.name ?? visit.title}</h1><p class="hint">${machine}</p></div><${Saved} id=${id} /></header>
    <div class="tabs" role="tablist" aria-label=${t("tab.visit")}>
      ${tabs.map((one) => html`<button type="button" role="tab" id=${`tab-${one.tab}`} aria-selected=${one.tab === tab ? "true" : "false"} aria-controls="tab-panel" onClick=${() => go(`visit/${id}/${one.tab}`, { replace: true })}>${one.text}${one.tab !== tab && fields.some((field) => tabOf(field) === one.tab) && html`<i class="not-added" role="img" aria-label=${t("draft.mark")}></i>`}</button>`)}
    </div>
    <div class="tab-panel" id="tab-panel" role="tabpanel" aria-labelledby=${`tab-${tab}`} key=${tab}>
      ${tab === "checks" ? html`<${ChecksTab} visit=${visit} />` : tab === "photos" ? html`<${PhotosTab} visit=${visit} />` : tab === "finish" ? html`<${FinishTab} visit=${visit} />` : html`<${WhatTab} visit=${visit} />`}
    </div>
  </div>`;
}

/** On which tab a draft's field is. @param {string} field */
export const tabOf = (field) => (/^(item|skip|finding)\./.test(field) ? "checks" : /^(work_summary|sign\.|comment$|reason\.absent$)/.test(field) ? "finish" : "what");

export function Back() {
  return html`<button type="button" class="back" aria-label=${t("action.back")} onClick=${() => go("")}><${Icon} name="left" size=${26} /></button>`;
}

/** Where the facts of this visit are. @param {{id: string}} props */
function Saved({ id }) {
  const where = whereabouts(id);
  if (!where) return null;
  const offline = where === "saved" && contact.value.outcome !== "ok" && contact.value.outcome !== null;
  const icon = where === "needs" ? "warn" : offline ? "offline" : "check";
  return html`<${Chip} tone=${where === "needs" ? "warn" : where === "accepted" ? "ok" : "offline"} icon=${icon} onClick=${() => go("sync")} data-where=${where} aria-live="polite">${t(`where.${where}.long`)}<//>`;
}
