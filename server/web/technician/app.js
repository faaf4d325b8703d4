// The frame: rail or tabs, the view of the address, and what must always be in sight.
import { Badge, Button, Toasts } from "../shared/components.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { Enrol } from "./enrol.js";
import { More } from "./more.js";
import { go, route, wide } from "./nav.js";
import { Nowhere } from "./nowhere.js";
import { count, device, draftTrouble, loaded, signedOut, updateReady } from "./store.js";
import { SyncCentre } from "./sync-centre.js";
import { Today } from "./today.js";
import { Visit } from "./visit.js";

const PLACES = [
  { view: "today", to: "", icon: "list", word: "nav.today" },
  { view: "sync", to: "sync", icon: "sync", word: "nav.sync" },
  { view: "more", to: "more", icon: "more", word: "nav.more" },
];

export function App() {
  if (!loaded.value) return null;
  if (!device.value) return html`<${Enrol} /><${Toasts} />`;
  const here = route.value;
  if (here.view === "visit") {
    return html`<div class="frame full">${draftTrouble.value && html`<div class="notice warn" role="alert"><${Icon} name="warn" size=${24} /><span>${t("draft.full")}</span></div>`}<${Visit} id=${here.id} tab=${here.tab} key=${here.id} /></div><${Toasts} />`;
  }
  return html`<div class=${`frame ${wide.value ? "wide" : "narrow"}`}>
    <${Places} view=${here.view} />
    <div class="view">
      <${Notices} />
      ${here.view === "sync" ? html`<${SyncCentre} />` : here.view === "more" ? html`<${More} />` : here.view === "nowhere" ? html`<${Nowhere} />` : html`<${Today} />`}
    </div>
  </div><${Toasts} />`;
}

/** @param {{view: string}} props */
function Places({ view }) {
  const unsent = count.value.waiting + count.value.photos + count.value.needs;
  return html`<nav class="places" aria-label=${t("tab.places")}>
    ${PLACES.map((place) => html`<a href=${`/tablet/${place.to}`} aria-current=${view === place.view ? "page" : undefined}
        onClick=${(/** @type {Event} */ event) => { event.preventDefault(); go(place.to); }}>
      <span class="mark-place"><${Icon} name=${place.icon} size=${26} />${place.view === "sync" && html`<${Badge} n=${unsent} />`}</span>
      <span>${t(place.word)}</span>
    </a>`)}
  </nav>`;
}

/** What needs a decision but not now: it never covers anything and never takes the focus. */
function Notices() {
  if (signedOut.value) {
    return html`<div class="notice offline"><${Icon} name="key" size=${24} /><span><strong>${t("tab.signedout")}</strong> ${t("tab.signedout.detail")}</span>
      <${Button} onClick=${() => go("more")}>${t("tab.signedout.action")}<//></div>`;
  }
  if (updateReady.value) {
    return html`<div class="notice info"><${Icon} name="layers" size=${24} /><span>${t("tab.update")}</span>
      <${Button} onClick=${() => updateReady.value?.()}>${t("tab.update.action")}<//></div>`;
  }
  return null;
}
