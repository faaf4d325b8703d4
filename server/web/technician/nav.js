// Which view is shown. Addresses under /tablet/ name it, so that a reload without network comes back to it.
import { computed, signal } from "@preact/signals";
import { routeOf } from "./route.js";

const BASE = "/tablet/";

const path = signal(location.pathname);
addEventListener("popstate", () => {
  path.value = location.pathname;
});

export const route = computed(() => routeOf(path.value));

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
