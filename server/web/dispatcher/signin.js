// Sign-in of the office. The field that is wrong keeps what was typed.
import { useRef, useState } from "preact/hooks";
import { Button, ErrorBox, Segmented } from "../shared/components.js";
import { html } from "../shared/html.js";
import { locale, setLocale, t } from "../shared/i18n.js";
import { Mark } from "../shared/icons.js";
import { api, me } from "./store.js";

/** @param {{onDone: () => void}} props */
export function SignIn({ onDone }) {
  const [fault, setFault] = useState(/** @type {any} */ (null));
  const [sending, setSending] = useState(false);
  const email = useRef(/** @type {HTMLInputElement | null} */ (null));
  const password = useRef(/** @type {HTMLInputElement | null} */ (null));

  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setSending(true);
    setFault(null);
    try {
      await api("POST", "/auth/login", { email: email.current?.value.trim(), password: password.current?.value });
      onDone();
    } catch (error) {
      setFault(error);
      password.current?.focus();
      password.current?.select();
    }
    setSending(false);
  };

  return html`<main class="sign-in" id="main">
    <form onSubmit=${send}>
      <h1><${Mark} size=${32} /> Rounds</h1>
      <p class="secondary">${t("signin.what")}</p>
      <${ErrorBox} error=${fault} />
      <label class="field"
        ><span>${t("signin.email")}</span
        ><input ref=${email} name="email" type="email" autocomplete="username" required aria-invalid=${fault?.status === 401 ? "true" : undefined}
      /></label>
      <label class="field"
        ><span>${t("signin.password")}</span
        ><input ref=${password} name="password" type="password" autocomplete="current-password" required aria-invalid=${fault?.status === 401 ? "true" : undefined}
      /></label>
      <${Button} kind="primary" type="submit" reason=${sending ? t("signin.sending") : undefined}>${t("signin.go")}<//>
      <p class="sign-in-foot">
        <a href="/tablet/">${t("signin.tablet")}</a>
        <${Segmented}
          label=${t("office.language")}
          value=${locale.value}
          options=${[
            { value: "en", text: "EN" },
            { value: "ru", text: "RU" },
          ]}
          onChange=${setLocale}
        />
      </p>
    </form>
  </main>`;
}

/** Where a technician is sent who signs in here: the office's pages are not theirs. @param {{name: string, onLeave: () => void}} props */
export function ForTablets({ name, onLeave }) {
  const leave = async () => {
    await api("POST", "/auth/logout").catch(() => {});
    localStorage.removeItem("rounds.signed-in");
    me.value = null;
    onLeave();
  };
  return html`<main class="sign-in" id="main">
    <form onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <h1><${Mark} size=${32} /> ${name}</h1>
      <p>${t("signin.for_tablets")}</p>
      <p class="secondary">${t("signin.for_tablets.code")}</p>
      <a class="button primary" href="/tablet/">${t("signin.tablet.open")}</a>
      <${Button} onClick=${leave}>${t("office.sign_out")}<//>
    </form>
  </main>`;
}
