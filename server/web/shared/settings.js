// Theme of this browser. The language lives in i18n.js, because words depend on it.
import { signal } from "@preact/signals";

const KEY = "rounds.theme";

/** @typedef {"system" | "light" | "dark"} Theme */

/** @returns {Theme} */
function stored() {
  const value = globalThis.localStorage?.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

/** The reader's choice; `system` follows the device. */
export const theme = signal(stored());

/** @param {Theme} choice */
export function setTheme(choice) {
  theme.value = choice;
  if (choice === "system") {
    localStorage.removeItem(KEY);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(KEY, choice);
    document.documentElement.dataset.theme = choice;
  }
}

/** What is on the screen now: the choice, or the system's. @returns {"light" | "dark"} */
export function shownTheme() {
  if (theme.value !== "system") return theme.value;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
