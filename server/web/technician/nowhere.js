// An address that leads to nothing on this tablet: said so, with the way back.
import { Button } from "../shared/components.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { go } from "./nav.js";
import { firstSync } from "./store.js";

/** A page of the frame that is none. */
export const Nowhere = () => html`<div class="nowhere">
  <header class="page-head"><h1>${t("nowhere.title")}</h1></header>
  <main class="scroll"><${Why} title=${t("nowhere.page")} text=${t("nowhere.page.detail")} /></main>
  <${Way} />
</div>`;

/** A visit that never was on this tablet. While the first load goes on it may still come. */
export const NoVisit = () => html`<div class="visit nowhere">
  <header class="visit-head"><button type="button" class="back" aria-label=${t("action.back")} onClick=${() => go("")}><${Icon} name="left" size=${26} /></button>
    <div class="visit-title"><h1>${t("nowhere.title")}</h1></div></header>
  <main class="scroll">${firstSync.value
    ? html`<${Why} title=${t("nowhere.visit")} text=${t("nowhere.visit.detail")} />`
    : html`<${Why} title=${t("nowhere.visit.loading")} text=${t("tab.first")} />`}</main>
  <${Way} />
</div>`;

/** @param {{title: string, text: string}} props */
const Why = ({ title, text }) => html`<section class="gone-why"><${Icon} name="info" size=${28} /><div><h2>${title}</h2><p>${text}</p></div></section>`;

const Way = () => html`<footer class="dock"><div class="dock-row"><${Button} kind="primary" action icon="list" class="main" onClick=${() => go("")}>${t("tab.gone.action")}<//></div></footer>`;
