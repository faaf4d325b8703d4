// Which view is shown. Addresses under /tablet/ name it, so that a reload without network comes back to it.
import { computed, signal } from "@preact/signals";

const BASE = "/tablet/";

/** @typedef {{view: "today"} | {view: "sync"} | {view: "more"} | {view: "visit", id: string, tab: string}} Route */

const path = signal(location.pathname);
addEventListener("popstate", () => {
  path.value = location.pathname;
});

/** @type {import("@preact/signals").ReadonlySignal<Route>} */
export const route = computed(() => {
  const [view, id, tab] = path.value.slice(BASE.length).split("/");
  if (view === "visit" && id) return { view, id, tab: tab || "what" };
  return view === "sync" || view === "more" ? { view } : { view: "today" };
});

/** @param {string} to below /tablet/ @param {{replace?: boolean}} [options] */
export function go(to, { replace = false } = {}) {
  if (BASE + to === path.value) return;
  history[replace ? "replaceState" : "pushState"](null, "", BASE + to);
  path.value = BASE + to;
}

const wideQuery = matchMedia("(min-width: 900px)");
/** Room for list and detail side by side. */
export const wide = signal(wideQuery.matches);
wideQuery.addEventListener("change", () => {
  wide.value = wideQuery.matches;
});
