// What an address below /tablet/ names. Pure.

/** @typedef {{view: "today" | "sync" | "more" | "nowhere"} | {view: "visit", id: string, tab: string}} Route */

const PAGES = ["sync", "more"];
const TABS = ["what", "checks", "photos", "finish"];

/** @param {string} path such as `/tablet/visit/<id>/checks` @returns {Route} `nowhere` for an address that leads to nothing */
export function routeOf(path) {
  const [view, id, tab = "what", ...rest] = path.replace(/^\/tablet\/?/, "").replace(/\/$/, "").split("/");
  if (view === "visit" && id && TABS.includes(tab) && !rest.length) return { view, id, tab };
  if (id !== undefined) return { view: "nowhere" };
  if (view === "") return { view: "today" };
  return PAGES.includes(view) ? { view: /** @type {"sync" | "more"} */ (view) } : { view: "nowhere" };
}
