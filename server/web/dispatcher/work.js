// What was done on site, so that it can be judged here: answers, readings, findings, times, photos, who signed, what follows.
import { useEffect, useState } from "preact/hooks";
import { Button } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDate, formatNumber, formatTime, locale, localDay, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { formatMeasure } from "../shared/units.js";
import { offerUndo, showFault } from "./changes.js";
import { Photos } from "./photos.js";
import { api, board, refresh, select } from "./store.js";
import { isOver } from "./state.js";

/** @typedef {import("./types.js").Visit} Visit */
/** @typedef {{at: string, raw: string | null, by_name: string | null}} When */
/** @typedef {"ok" | "not_ok" | "in" | "above" | "below" | "skipped" | "said" | "open"} Verdict */
/** @typedef {When & {key: string, kind: string, text: string, unit: string | null, min: number | null, max: number | null, mandatory: boolean, verdict: Verdict, off: number | null, value: any, note: string | null, earlier: any[]}} Check */

/**
 * @typedef {object} Work
 * @property {string} exec_state
 * @property {string | null} performed_by
 * @property {Array<{code: string, text: string}>} flags
 * @property {Array<When & {type: string, text: string, reason: string | null, undone: boolean}>} events
 * @property {string | null} checklist
 * @property {Check[]} checks
 * @property {Array<When & {meter: string, value: number, unit: string | null, machine: string | null}>} readings
 * @property {Array<When & {severity: string, severity_text: string, cause: string | null, text: string, item: string | null, machine: string | null}>} findings
 * @property {Array<When & {text: string}>} notes
 * @property {string | null} summary
 * @property {(When & {name: string, strokes: number[][][]}) | null} signature
 * @property {import("./photos.js").VisitFile[]} files
 * @property {{visit_id: string | null, number: string | null, kind: string, days: number, symptom: string | null, reasons: Array<{code: string, text: string}>} | null} follow_up
 */

const TOUCHED = new Set(["en_route", "on_site", "working", "paused"]);
/** @type {Record<Verdict, string>} */
const ICONS = { ok: "check", not_ok: "cross", in: "check", above: "warn", below: "warn", skipped: "minus", said: "doc", open: "question" };
const BAD = new Set(["not_ok", "above", "below"]);

/** Whether there is something on site to look at. @param {Visit} visit */
export function hasWork(visit) {
  return isOver(visit) || TOUCHED.has(visit.exec_state) || Boolean(visit.photos);
}

/**
 * The work as the server tells it, looked at anew whenever the board is.
 * @param {string} visitId
 * @returns {{work: Work | null, again: () => void}}
 */
function useWork(visitId) {
  const [work, setWork] = useState(/** @type {{id: string, work: Work} | null} */ (null));
  const [times, setTimes] = useState(0);
  const shown = board.value;
  useEffect(() => {
    let gone = false;
    api("GET", `/visits/${visitId}/work`).then((answer) => !gone && setWork({ id: visitId, work: answer }), () => {});
    return () => {
      gone = true;
    };
  }, [visitId, shown, locale.value, times]);
  return { work: work?.id === visitId ? work.work : null, again: () => setTimes(times + 1) };
}

/**
 * "9:42", with the date where it is another than the board's; what the tablet's clock said, where that was corrected.
 * @param {{one: When, tz: string}} props
 */
function At({ one, tz }) {
  if (!one.at) return null;
  const other = localDay(one.at, tz) !== board.value?.date;
  const time = `${other ? `${formatDate(one.at, { tz, year: false, weekday: false })} ` : ""}${formatTime(one.at, tz)}`;
  return html`<time datetime=${one.at} title=${[one.by_name, one.raw && t("work.raw", { time: formatTime(one.raw, tz) })].filter(Boolean).join(" · ")}>${time}${one.raw && Math.abs(Date.parse(one.raw) - Date.parse(one.at)) >= 60_000 ? html` <span class="hint">${t("work.raw", { time: formatTime(one.raw, tz) })}</span>` : ""}</time>`;
}

/** @param {any} value @param {string | null} [unit] */
function valueText(value, unit) {
  if (value === true) return t("work.yes");
  if (value === false) return t("work.no");
  if (typeof value === "number") return formatMeasure(value, unit);
  return value === null || value === undefined ? "–" : String(value);
}

/** @param {Check} check */
function verdictText(check) {
  switch (check.verdict) {
    case "above":
    case "below":
      return t(`work.${check.verdict}`, { off: valueText(check.off, check.unit) });
    case "in":
      return t("work.in");
    case "skipped":
    case "open":
      return t(`work.${check.verdict}`);
  }
  return "";
}

/** @param {{min: number | null, max: number | null, unit: string | null}} limits */
function limitsText({ min, max, unit }) {
  if (min === null && max === null) return "";
  if (max === null) return t("work.at_least", { value: valueText(min, unit) });
  if (min === null) return t("work.at_most", { value: valueText(max, unit) });
  return `${formatNumber(/** @type {number} */ (min))} – ${valueText(max, unit)}`;
}

/** @param {{check: Check, tz: string}} props */
function CheckRow({ check, tz }) {
  const bad = BAD.has(check.verdict);
  const word = verdictText(check);
  const long = check.verdict === "said" && typeof check.value === "string" && check.value.length > 24;
  return html`<li class=${`check ${bad ? "is-bad" : ""} is-${check.verdict}`}>
    <${Icon} name=${ICONS[check.verdict]} size=${15} />
    <span class="check-what">${check.text}${limitsText(check) && html` <span class="hint">${limitsText(check)}</span>`}</span>
    <span class="check-value">${check.value !== null && !long && html`<b>${valueText(check.value, check.unit)}</b>`}${word && html` <span>${word}</span>`}</span>
    ${long && html`<p class="check-more">${check.value}</p>`}
    ${check.note && html`<p class="check-more">${check.note}</p>`}
    ${check.earlier.length > 0 && html`<p class="check-more hint">${t("work.earlier")} ${check.earlier.map((one) => html`<span>${valueText(one.value, check.unit)} (<${At} one=${one} tz=${tz} />) </span>`)}</p>`}
  </li>`;
}

/** What is at a glance: how many checks, what is out of limits, what is missing. @param {{work: Work}} props */
function Glance({ work }) {
  const { checks, findings } = work;
  const bad = checks.filter(({ verdict }) => BAD.has(verdict)).length;
  const open = checks.filter(({ verdict, mandatory }) => verdict === "open" && mandatory).length;
  const answered = checks.filter(({ verdict }) => verdict !== "open").length;
  return html`<ul class="glance">
    ${checks.length > 0 && html`<li><${Icon} name="list" size=${14} /> ${t("work.glance.checks", { n: answered, all: checks.length })}</li>`}
    ${bad > 0 && html`<li class="is-bad"><${Icon} name="warn" size=${14} /> ${t("work.glance.bad", { n: bad })}</li>`}
    ${open > 0 && html`<li class="is-bad"><${Icon} name="question" size=${14} /> ${t("work.glance.open", { n: open })}</li>`}
    ${findings.length > 0 && html`<li><${Icon} name="flag" size=${14} /> ${t("work.glance.findings", { n: findings.length })}</li>`}
    <li><${Icon} name="pencil" size=${14} /> ${work.signature ? t("work.glance.signed", { name: work.signature.name }) : t("work.glance.unsigned")}</li>
  </ul>`;
}

/** The customer's signature, drawn from its points. @param {{signature: NonNullable<Work["signature"]>, tz: string}} props */
function Signature({ signature, tz }) {
  const points = signature.strokes.flat();
  const xs = points.map((point) => /** @type {number} */ (point[0]));
  const ys = points.map((point) => /** @type {number} */ (point[1]));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left || 1, Math.max(...ys) - top || 1];
  const pad = Math.max(width, height) * 0.05;
  const path = signature.strokes.map((stroke) => `M${stroke.map(([x, y]) => `${x} ${y}`).join("L")}`).join("");
  return html`<figure class="signed">
    <svg viewBox=${`${left - pad} ${top - pad} ${width + 2 * pad} ${height + 2 * pad}`} role="img" aria-label=${t("work.signature_of", { name: signature.name })}><path d=${path} vector-effect="non-scaling-stroke" /></svg>
    <figcaption>${signature.name}, <${At} one=${signature} tz=${tz} /></figcaption>
  </figure>`;
}

/** @param {{visit: Visit, follow: NonNullable<Work["follow_up"]>, again: () => void}} props */
function FollowUp({ visit, follow, again }) {
  const [sending, setSending] = useState(false);
  const make = async () => {
    setSending(true);
    try {
      const made = await api("POST", `/visits/${visit.id}/follow-up`);
      const back = () => api("POST", `/visits/${made.id}/cancel`, { reason: t("cancel.not_needed") });
      offerUndo(t("work.follow.done", { number: made.number, name: visit.site.name }), back);
    } catch (error) {
      showFault(error);
    }
    setSending(false);
    again();
    await refresh({ own: true });
  };
  return html`<section class="follow" aria-label=${t("work.follow")}>
    <h4><${Icon} name="flag" size=${15} /> ${t("work.follow")}</h4>
    <ul>${follow.reasons.map((one) => html`<li>${one.text}</li>`)}</ul>
    ${follow.visit_id
      ? html`<p><button type="button" class="more" onClick=${() => select(follow.visit_id)}>${t("work.follow.made", { number: follow.number })}</button></p>`
      : html`<p class="hint">${t("work.follow.within", { n: follow.days })}</p><${Button} icon="plus" reason=${sending ? t("signin.sending") : undefined} onClick=${make}>${t("work.follow.make")}<//>`}
  </section>`;
}

/** @param {{title: string, children?: any, n?: number}} props */
function Part({ title, children, n }) {
  return html`<section class="work-part"><h4>${title}${n !== undefined && html` <span class="hint">${n}</span>`}</h4>${children}</section>`;
}

/** @param {{visit: Visit, tz: string}} props */
export function WorkDone({ visit, tz }) {
  const { work, again } = useWork(visit.id);
  if (!work) return html`<p class="hint">${t("work.loading")}</p>`;
  return html`<section class="work" aria-label=${t("work.title")}>
    ${isOver(visit) && html`<${Glance} work=${work} />`}
    ${work.flags.map((flag) => html`<p class="work-flag"><${Icon} name="warn" size=${14} /> ${flag.text}</p>`)}
    ${work.follow_up && html`<${FollowUp} visit=${visit} follow=${work.follow_up} again=${again} />`}
    ${work.summary && html`<${Part} title=${t("work.summary")}><p>${work.summary}</p><//>`}
    ${work.findings.length > 0 &&
    html`<${Part} title=${t("work.findings")} n=${work.findings.length}><ul class="findings">
      ${work.findings.map((one) => html`<li class=${`finding is-${one.severity}`}><b>${one.severity_text}</b> ${one.text}
        <span class="hint">${[one.item, one.machine, one.cause && t("work.cause", { cause: one.cause })].filter(Boolean).join(" · ")} <${At} one=${one} tz=${tz} /></span></li>`)}
    </ul><//>`}
    ${work.checks.length > 0 && html`<${Part} title=${work.checklist ?? t("work.checks")} n=${work.checks.length}><ol class="checks">${work.checks.map((check) => html`<${CheckRow} key=${check.key} check=${check} tz=${tz} />`)}</ol><//>`}
    ${work.readings.length > 0 &&
    html`<${Part} title=${t("work.readings")} n=${work.readings.length}><ul>
      ${work.readings.map((one) => html`<li class="reading"><span>${one.meter}${one.machine && html` <span class="hint">${one.machine}</span>`}</span> <b>${valueText(one.value, one.unit)}</b></li>`)}
    </ul><//>`}
    ${work.notes.length > 0 && html`<${Part} title=${t("work.notes")} n=${work.notes.length}><ul>${work.notes.map((one) => html`<li>${one.text} <span class="hint">${one.by_name} <${At} one=${one} tz=${tz} /></span></li>`)}</ul><//>`}
    <${Photos} files=${work.files} tz=${tz} />
    ${work.signature && html`<${Part} title=${t("work.signature")}><${Signature} signature=${work.signature} tz=${tz} /><//>`}
    <${Part} title=${t("work.times")}><ol class="times">
      ${work.events.map((one) => html`<li class=${one.undone ? "is-undone" : ""}><${At} one=${one} tz=${tz} /> <span>${one.text}${one.undone ? `, ${t("work.undone")}` : ""}${one.reason ? `: ${one.reason}` : ""}</span> <span class="hint">${one.by_name}</span></li>`)}
    </ol><//>
  </section>`;
}
