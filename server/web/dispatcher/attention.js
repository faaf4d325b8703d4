// What cannot go on without the dispatcher.
import { html } from "../shared/html.js";
import { locale, t } from "../shared/i18n.js";
import { routeOf } from "./consequence.js";
import { Shape } from "./shapes.js";
import { isOver } from "./state.js";
import { allVisits, board, select } from "./store.js";

/** @typedef {import("./types.js").Attention} Attention */

/** Shape and tone by what the code is about; anything else is news. @type {Array<[RegExp, string, string]>} */
const LOOKS = [
  [/conflict/, "conflict", "conflict"],
  [/at-once/, "half", "warn"],
  [/broken|late|overdue/, "alert", "danger"],
  [/risk|promise/, "warn", "warn"],
  [/^device-salvage/, "box", "warn"],
  [/^device-(server|went)/, "sync", "info"],
  [/^device-/, "device", "danger"],
  [/quiet|device|offline|contact/, "offline", "offline"],
  [/unplace|unassigned|cannot|must/, "alert", "danger"],
  [/clock/, "clock", "warn"],
  [/part|box|material/, "box", "info"],
];

/** @param {string} code @returns {{icon: string, tone: string}} */
export function attentionLook(code) {
  const found = LOOKS.find(([pattern]) => pattern.test(code));
  return found ? { icon: found[1], tone: found[2] } : { icon: "info", tone: "info" };
}

/** @param {Attention} item @returns {string | null} the visit of this board it speaks of; of a technician, the next one */
function visitOf(item) {
  const [kind, id] = (item.link ?? "").split(":");
  if (kind === "visit") return allVisits.value.some((visit) => visit.id === id) ? /** @type {string} */ (id) : null;
  if (kind !== "technician" || !board.value) return null;
  const route = routeOf(board.value, /** @type {string} */ (id));
  return (route.find((visit) => !isOver(visit)) ?? route[0])?.id ?? null;
}

/** @param {{item: Attention}} props */
function Item({ item }) {
  const { icon, tone } = attentionLook(item.code);
  const visit = visitOf(item);
  const href = item.link && /^\/(conflicts|devices|board)/.test(item.link) ? item.link : null;
  const inner = html`<span class=${`need-icon tone-${tone}`}><${Shape} name=${icon} size=${16} /></span><span>${item.text}</span>`;
  if (visit) return html`<li><button type="button" class="need" onClick=${() => select(visit)}>${inner}</button></li>`;
  if (href) return html`<li><a class="need" href=${href}>${inner}</a></li>`;
  return html`<li><span class="need">${inner}</span></li>`;
}

/** @param {{items: Attention[]}} props */
export function NeedsYou({ items }) {
  locale.value;
  return html`<section class="needs" aria-labelledby="needs-title">
    <header class="pane-head"><h2 id="needs-title">${t("board.needs")}</h2><span class="hint">${items.length || ""}</span></header>
    <ul class="pane-body">
      ${items.map((item, index) => html`<${Item} key=${`${item.code}:${item.link ?? index}`} item=${item} />`)}
      ${!items.length && html`<li class="need-none">${t("board.needs_none")}</li>`}
    </ul>
  </section>`;
}
