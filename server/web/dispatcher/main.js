// The office's pages: which one the address names, who is reading, in which language.
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { ErrorBox, Toasts } from "../shared/components.js";
import { html } from "../shared/html.js";
import { locale, localeChosen, register, setLocale, t } from "../shared/i18n.js";
import { theme } from "../shared/settings.js";
import { Header } from "./header.js";
import { ForTablets, SignIn } from "./signin.js";
import { api, me } from "./store.js";
import en from "./text/en.js";
import ru from "./text/ru.js";

register({ en, ru });

/** @type {import("@preact/signals").Signal<any>} */
const fault = signal(null);
const known = signal(false);
/** Pages are loaded when they are looked at; the sign-in page carries none of them. @type {import("@preact/signals").Signal<any>} */
const page = signal(null);

/** @type {Record<string, {title: string, load: () => Promise<any>}>} */
const PAGES = {
  "/board": { title: "nav.board", load: () => import("./board.js").then((module) => module.BoardPage) },
  "/conflicts": { title: "nav.conflicts", load: () => import("./conflicts.js").then((module) => module.ConflictsPage) },
  "/files": { title: "nav.files", load: () => import("./files.js").then((module) => module.FilesPage) },
  "/exchange": { title: "exchange.title", load: () => import("./exchange.js").then((module) => module.ExchangePage) },
  "/devices": { title: "nav.tablets", load: () => import("./devices.js").then((module) => module.DevicesPage) },
};

/** That somebody signed in on this browser; without it there is no session worth asking for. */
const SIGNED_IN = "rounds.signed-in";

async function begin() {
  fault.value = null;
  const entrance = ["/", "/login"].includes(location.pathname) && !localStorage.getItem(SIGNED_IN);
  try {
    if (!entrance) me.value = await api("GET", "/auth/me");
    if (me.value) localStorage.setItem(SIGNED_IN, "yes");
    if (me.value?.locale && !localeChosen()) setLocale(me.value.locale);
  } catch (error) {
    if (/** @type {any} */ (error).status === 401) localStorage.removeItem(SIGNED_IN);
    else fault.value = error;
  }
  known.value = true;
  await show();
}

function enter() {
  localStorage.setItem(SIGNED_IN, "yes");
  return begin();
}

async function show() {
  if (!me.value || me.value.role === "technician") return;
  if (!(location.pathname in PAGES)) {
    const next = new URLSearchParams(location.search).get("next");
    history.replaceState(null, "", next && next.startsWith("/") && next.split("?")[0] in PAGES ? next : "/board");
  }
  const Page = await PAGES[location.pathname].load();
  page.value = () => html`<${Page} />`;
}

function App() {
  locale.value;
  theme.value;
  const title = PAGES[location.pathname]?.title;
  useEffect(() => {
    document.documentElement.lang = locale.value;
    document.title = me.value && title ? `${t(title)} · Rounds` : "Rounds";
  });
  if (fault.value) return html`<main class="alone"><${ErrorBox} error=${fault.value} onRetry=${begin} /></main>`;
  if (!known.value) return null;
  if (!me.value) return html`<${SignIn} onDone=${enter} /><${Toasts} />`;
  if (me.value.role === "technician") return html`<${ForTablets} name=${me.value.name} onLeave=${begin} /><${Toasts} />`;
  const Page = page.value;
  return html`<a class="skip" href="#main">${t("office.skip")}</a><${Header} />${Page && html`<${Page} />`}<${Toasts} />`;
}

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
render(html`<${App} />`, root);
begin();
