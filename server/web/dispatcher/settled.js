// One thing that happened and was settled, by rule or by a person: what stands, and on a press all that is known of it.
import { html } from "../shared/html.js";
import { formatDate, formatTime, localDay, reasonText, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { ruleName } from "./bulk.js";
import { fieldName, rawMineAt, rowText, valueText } from "./clashes.js";

/** @typedef {import("./clashes.js").Conflict} Conflict */

const MOST_LINES = 3;

/** @param {Conflict} each */
const rowOf = (each) => ({ key: each.id, field: each.field, collection: each.collection, parts: [each], first: each, byDefault: /** @type {const} */ ("mine") });

/** @param {string | null} at @param {string | undefined} tz */
const moment = (at, tz) => (at ? `${formatDate(at, { tz, weekday: false, year: false })} ${formatTime(at, tz)}` : "–");

/**
 * Base, both sides with who and when, what the tablet's clock said, the class and the rule.
 * @param {{one: Conflict, tz: string | undefined}} props
 */
function Log({ one, tz }) {
  const raw = rawMineAt(rowOf(one));
  const clock = one.uncertainty_s === null || one.uncertainty_s === undefined ? "" : t("conflicts.clock", { seconds: Math.max(1, Math.ceil(one.uncertainty_s)) });
  const side = (/** @type {any} */ value, /** @type {(string | null | undefined)[]} */ by) => html`<dd>${valueText(value, tz)}<br /><span class="hint">${by.filter(Boolean).join(" · ")}</span></dd>`;
  return html`<dl class="clash-log">
    <dt>${t("conflicts.before")}</dt><dd>${valueText(one.base, tz)}</dd>
    <dt>${t("conflicts.office")}</dt>${side(one.theirs, [one.theirs_by?.name, moment(one.theirs_at, tz)])}
    <dt>${t("conflicts.site")}</dt>${side(one.mine, [one.mine_by?.name, moment(one.mine_at_corrected ?? one.mine_at, tz), raw && t("work.raw", { time: formatTime(raw, tz) }), clock])}
    <dt>${t("conflicts.rule")}</dt><dd>${ruleName(one.policy ?? "")} · ${t(`conflicts.class.${one.class}`)}</dd>
  </dl>`;
}

/**
 * @param {{event: Conflict[], reopen: (ids: string[], name: string) => void, restore: (event: Conflict[], choice: "mine" | "theirs") => void}} props
 *   one thing that happened, whatever number of values it settled
 */
export function Settled({ event, reopen, restore }) {
  const one = /** @type {Conflict} */ (event[0]);
  const tz = one.tz ?? undefined;
  const at = one.resolved_at ?? one.created_at;
  const today = localDay(Date.now(), tz) === localDay(at, tz);
  const time = today ? formatTime(at, tz) : formatDate(at, { tz, weekday: false, year: false });
  const name = one.site_name ?? one.document_title;
  const values = [...new Map(event.map((each) => [each.field, each])).values()];
  const lines = values.map((each) => {
    const stands = each.state === "resolved" && each.resolution ? each.resolution.value : each.value;
    return t("conflicts.settled_as", { field: fieldName(each.field), value: rowText(rowOf({ ...each, value_now: stands }), "value_now", tz) });
  });
  // The side that the rule has not chosen; of what was merged of both there is none.
  const other = one.chosen === "mine" ? "theirs" : one.chosen === "theirs" ? "mine" : null;
  const restorable = one.state === "settled" && one.kind === "value" && other && event.every(({ chosen }) => chosen === one.chosen);
  return html`<li class="settled-one">
    <${Icon} name="check" size=${14} />
    <div>
      <p class="clash-head"><span>${name}</span><span class="hint">${time}</span></p>
      ${lines.slice(0, MOST_LINES).map((line) => html`<p class="hint">${line}</p>`)}
      ${lines.length > MOST_LINES && html`<p class="hint">${t("conflicts.more", { n: lines.length - MOST_LINES })}</p>`}
      <p class="hint">${one.resolved_by ?? reasonText(one.reason)}</p>
      <details><summary>${t("conflicts.log")}</summary>${values.map((each) => html`<h3>${fieldName(each.field)}</h3><${Log} one=${each} tz=${tz} />`)}</details>
      ${restorable && html`<button type="button" class="more" onClick=${() => restore(event, other)}>${t(`conflicts.restore.${other}`)}</button>`}
      ${one.state === "resolved" && html`<button type="button" class="more" onClick=${() => reopen(event.map(({ id }) => id), name)}>${t("conflicts.reopen")}</button>`}
    </div>
  </li>`;
}
