// Language, light, who is signed in, and how to change that without leaving work behind.
import { useState } from "preact/hooks";
import { Chip, Segmented, Button } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatBytes, formatDate, formatTime, locale, setLocale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { setTheme, theme } from "../shared/settings.js";
import { EnrolForm, LANGUAGES } from "./enrol.js";
import { safeToSignOut } from "./outbox.js";
import { count, device, homeZone, lastContact, signedOut, storage } from "./store.js";
import { APP_VERSION } from "./sync.js";

export function More() {
  const [enrolling, setEnrolling] = useState(false);
  const safe = safeToSignOut(count.value);
  const here = device.value;
  return html`<div class="more">
    <header class="page-head"><h1>${t("nav.more")}</h1></header>
    <main class="scroll">
      <section class="person"><span class="letter" aria-hidden="true">${here?.technician.name.slice(0, 1)}</span><div><strong>${here?.technician.name}</strong><span class="secondary">${here?.device_name}</span></div>
        <${Chip} tone=${safe ? "ok" : "warn"} icon=${safe ? "check" : "warn"}>${safe ? t("sync.safe") : t("sync.not_safe")}<//></section>
      ${signedOut.value || enrolling
        ? html`<section class="setting"><h2>${t("more.enrol")}</h2><p class="secondary">${t("tab.enrol.detail")}</p><${EnrolForm} /></section>`
        : null}
      <section class="setting"><h2>${t("tab.language")}</h2><${Segmented} label=${t("tab.language")} options=${LANGUAGES.map(({ value }) => ({ value, text: t(`more.${value}`) }))} value=${locale.value} onChange=${setLocale} /></section>
      <section class="setting"><h2>${t("more.theme")}</h2><${Segmented} label=${t("more.theme")} options=${["system", "light", "dark"].map((value) => ({ value, text: t(`theme.${value}`) }))} value=${theme.value} onChange=${setTheme} /><p class="hint">${t("more.theme.hint")}</p></section>
      <section class="setting"><h2>${t("more.tablet")}</h2><dl class="facts">
        <dt>${t("more.company")}</dt><dd>${here?.company?.name ?? ""}</dd>
        <dt>${t("more.contact")}</dt><dd>${lastContact.value ? `${formatDate(lastContact.value, { tz: homeZone.value, year: false })} ${formatTime(lastContact.value, homeZone.value)}` : "—"}</dd>
        <dt>${t("more.room")}</dt><dd>${formatBytes(storage.value.usage)}${storage.value.persisted === null ? "" : ` · ${t(storage.value.persisted ? "more.persisted" : "more.not_persisted")}`}</dd>
        <dt>${t("more.version")}</dt><dd>${APP_VERSION}</dd></dl>
        ${!signedOut.value && !enrolling && html`<${Button} icon="key" onClick=${() => setEnrolling(true)}>${t("more.other")}<//><p class="hint">${safe ? t("more.other.safe") : t("more.other.kept")}</p>`}
      </section>
    </main>
  </div>`;
}
