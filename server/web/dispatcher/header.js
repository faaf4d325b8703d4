// The head of every office page.
import { useEffect, useRef, useState } from "preact/hooks";
import { Badge, Segmented } from "../shared/components.js";
import { html } from "../shared/html.js";
import { locale, setLocale, t } from "../shared/i18n.js";
import { Icon, Mark } from "../shared/icons.js";
import { setTheme, shownTheme, theme } from "../shared/settings.js";
import { Find } from "./find.js";
import { api, me, openConflicts } from "./store.js";

const LINKS = [
  ["/board", "nav.board"],
  ["/conflicts", "nav.conflicts"],
  ["/devices", "nav.tablets"],
  ["/files", "nav.files"],
];

/** @param {"en" | "ru"} language */
function speak(language) {
  setLocale(language);
  // The choice follows the person to other browsers; this one has it already, so a failure changes nothing here.
  api("PATCH", "/auth/me", { locale: language }).catch(() => {});
}

/** On a narrow screen it is in the account's menu. */
function Languages() {
  const options = [
    { value: "en", text: "EN" },
    { value: "ru", text: "RU" },
  ];
  return html`<${Segmented} label=${t("office.language")} value=${locale.value} options=${options} onChange=${speak} />`;
}

async function signOut() {
  await api("POST", "/auth/logout").catch(() => {});
  localStorage.removeItem("rounds.signed-in");
  location.assign("/");
}

/** @param {string} name */
function initials(name) {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((part) => part[0] ?? "")
    .join("")
    .toUpperCase();
}

/** Who is signed in, the theme, the way out. */
function UserMenu() {
  const [open, setOpen] = useState(false);
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  useEffect(() => {
    if (!open) return undefined;
    const outside = (/** @type {Event} */ event) => {
      if (!place.current?.contains(/** @type {Node} */ (event.target))) setOpen(false);
    };
    const escape = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      setOpen(false);
      place.current?.querySelector("button")?.focus();
    };
    addEventListener("pointerdown", outside);
    addEventListener("keydown", escape, true);
    return () => {
      removeEventListener("pointerdown", outside);
      removeEventListener("keydown", escape, true);
    };
  }, [open]);
  return html`<div class="user-menu" ref=${place}>
    <button type="button" class="user" aria-expanded=${open ? "true" : "false"} title=${me.value.name} onClick=${() => setOpen(!open)}>
      <span aria-hidden="true">${initials(me.value.name)}</span><span class="visually-hidden">${t("office.user", { name: me.value.name })}</span>
    </button>
    ${open &&
    html`<div class="popover">
      <p class="popover-name">${me.value.name}<br /><span class="hint">${t(`office.role.${me.value.role}`)}</span></p>
      <div class="user-language"><p class="hint">${t("office.language")}</p><${Languages} /></div>
      <p class="hint" id="theme-label">${t("office.theme")}</p>
      <${Segmented}
        label=${t("office.theme")}
        value=${theme.value}
        options=${["system", "light", "dark"].map((value) => ({ value, text: t(`theme.${value}`) }))}
        onChange=${setTheme}
      />
      <button type="button" class="button" onClick=${signOut}><${Icon} name="out" size=${16} /><span>${t("office.sign_out")}</span></button>
    </div>`}
  </div>`;
}

export function Header() {
  locale.value;
  const dark = (theme.value, shownTheme() === "dark");
  return html`<header class="head">
    <a class="logo" href="/board"><${Mark} size=${22} /><span>Rounds</span></a>
    <nav aria-label=${t("office.pages")}>
      ${LINKS.map(
        ([href, key]) =>
          html`<a href=${href} aria-current=${location.pathname === href ? "page" : undefined}
            >${t(/** @type {string} */ (key))}${href === "/conflicts" && openConflicts.value ? html`<${Badge} n=${openConflicts.value} tone="conflict" />` : null}</a
          >`,
      )}
    </nav>
    ${location.pathname === "/board" ? html`<${Find} />` : html`<span class="head-space"></span>`}
    <${Languages} />
    <button type="button" class="button icon-only quiet theme-switch" aria-label=${t(dark ? "office.to_light" : "office.to_dark")} title=${t(dark ? "office.to_light" : "office.to_dark")} onClick=${() => setTheme(dark ? "light" : "dark")}>
      <${Icon} name=${dark ? "sun" : "moon"} size=${18} />
    </button>
    <${UserMenu} />
  </header>`;
}
