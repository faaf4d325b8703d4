// First start: a code from the office makes this tablet somebody's.
import { useState } from "preact/hooks";
import { ErrorBox, Button, Segmented } from "../shared/components.js";
import { request } from "../shared/api.js";
import { html } from "../shared/html.js";
import { locale, localeChosen, setLocale, t } from "../shared/i18n.js";
import { Icon, Mark } from "../shared/icons.js";
import { count, db, device } from "./store.js";
import { enrol } from "./sync.js";

export const LANGUAGES = [{ value: "en", text: "EN" }, { value: "ru", text: "RU" }];

export function Enrol() {
  return html`<main class="enrol">
    <header><div class="brand"><${Mark} size=${44} /><div><h1>${t("app.name")}</h1><p class="secondary">${t("tab.enrol.tagline")}</p></div></div>
      <${Segmented} label=${t("tab.language")} options=${LANGUAGES} value=${locale.value} onChange=${setLocale} /></header>
    <section><h2>${t("tab.enrol.title")}</h2><p class="secondary">${t("tab.enrol.detail")}</p><${EnrolForm} /></section>
  </main>`;
}

/** The form alone; also used to sign in again, with all that waits kept. */
export function EnrolForm() {
  const [code, setCode] = useState(codeFromAddress());
  const [name, setName] = useState(device.value?.device_name ?? t("tab.enrol.name.default"));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [missing, setMissing] = useState(false);
  const [busy, setBusy] = useState(false);

  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    if (!code.trim()) {
      setMissing(true);
      document.getElementById("enrol-code")?.focus();
      return;
    }
    setBusy(true);
    setError(null);
    try {
      await enrol(db, (method, path, options) => request(method, path, options), { code, deviceName: name.trim() });
      const language = device.value?.technician.locale;
      if (!localeChosen() && (language === "en" || language === "ru")) setLocale(language, { remember: false });
      if (location.hash) history.replaceState(null, "", location.pathname);
      dispatchEvent(new Event("rounds:send-now"));
      dispatchEvent(new Event("rounds:enrolled"));
    } catch (problem) {
      setError(problem);
      setBusy(false);
      document.getElementById("enrol-code")?.focus();
    }
  };
  const unsent = count.value.waiting + count.value.photos;
  return html`<form class="enrol-form" onSubmit=${send} novalidate>
    <label class="field"><span>${t("tab.enrol.code")}</span>
      <input id="enrol-code" class="code" value=${code} autocomplete="one-time-code" autocapitalize="characters" spellcheck=${false}
        aria-invalid=${missing || (error && error.code !== "no-contact") ? "true" : undefined} aria-describedby=${missing ? "enrol-missing" : undefined}
        onInput=${(/** @type {any} */ event) => {
          setCode(event.target.value);
          setMissing(false);
        }} /></label>
    ${missing && html`<p class="missing" id="enrol-missing" role="alert"><${Icon} name="info" size=${20} />${t("tab.enrol.needs")}</p>`}
    <label class="field"><span>${t("tab.enrol.name")}</span>
      <input value=${name} maxlength="80" onInput=${(/** @type {any} */ event) => setName(event.target.value)} /></label>
    ${unsent > 0 && html`<p class="hint">${t("tab.enrol.kept", { n: unsent })}</p>`}
    <${ErrorBox} error=${error} />
    <${Button} kind="primary" action type="submit" icon="device">${busy ? t("tab.enrol.busy") : t("tab.enrol.action")}<//>
  </form>`;
}

/** The office's QR code carries the code behind `#`, where no server log sees it. */
function codeFromAddress() {
  return /^#(?:code=)?([A-Za-z0-9-]{6,40})$/.exec(location.hash)?.[1] ?? "";
}
