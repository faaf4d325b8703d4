// The end of a visit: what was done, who pays and why, who accepts it.
import { useEffect, useRef, useState } from "preact/hooks";
import { becauseOf, Button, Coverage, lineName, Segmented } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDuration, formatMoney, formatTime, locale, setLocale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { formatMeasure } from "../shared/units.js";
import { finish, note, workSummary } from "./actions.js";
import { isFault, latest, progress } from "./checks.js";
import { isOver, promise } from "./day.js";
import { useDraft } from "./drafting.js";
import { LANGUAGES } from "./enrol.js";
import { go } from "./nav.js";
import { SignaturePad, SignaturePicture } from "./signature.js";
import { LEGAL_FROM, workedSeconds } from "./states.js";
import { checklistOf, kindName, named, now, zoneOf } from "./store.js";
import { ReasonDialog } from "./what-tab.js";

/** @typedef {import("./types.js").Document} Document */

/** @param {{visit: Document}} props */
export function FinishTab({ visit }) {
  const field = (/** @type {string} */ name, /** @type {string} */ label) => ({ id: visit.id, field: name, label });
  const [summary, setSummary] = useDraft(field("work_summary", t("finish.summary")), visit.work_summary ?? "");
  const [name, setName] = useDraft(field("sign.name", t("finish.name")), visit.signature?.name ?? "");
  const [strokes, setStrokes] = useDraft(field("sign.strokes", t("finish.signature")), /** @type {number[][][]} */ ([]));
  const [outcome, setOutcome] = useDraft(field("sign.outcome", t("finish.outcome")), "done");
  const [dialog, setDialog] = useState(/** @type {"absent" | "comment" | null} */ (null));
  const over = isOver(visit);
  const items = checklistOf(visit)?.items ?? [];
  const left = progress(items, visit.answers ?? [], visit.attachments ?? []).mandatoryOpen;

  // Written down while it is typed; the last pause before leaving counts too.
  const typed = useRef({ saved: visit.work_summary ?? "", text: summary });
  typed.current.text = summary;
  const keep = async () => {
    if (isOver(visit) || typed.current.text === typed.current.saved) return;
    typed.current.saved = typed.current.text;
    await workSummary(visit, typed.current.text);
  };
  useEffect(() => {
    const timer = setTimeout(keep, 600);
    return () => clearTimeout(timer);
  }, [summary]);
  useEffect(() => () => void keep(), []);

  const blocker = over ? null
    : !LEGAL_FROM.done.includes(visit.exec_state ?? "") ? t("finish.not_started")
      : outcome === "done" && left.length ? t("finish.left", { n: left.length })
        : !strokes.length ? t("finish.no_signature") : !name.trim() ? t("finish.no_name") : null;
  const end = async (/** @type {string | null} */ reason = null) => {
    typed.current.saved = summary;
    await finish(visit, { outcome, summary: summary.trim(), reason, signature: reason ? null : { name: name.trim(), strokes } });
    setDialog(null);
    go("");
  };
  const mayEndUnsigned = LEGAL_FROM.done.includes(visit.exec_state ?? "") && !(outcome === "done" && left.length);
  return html`<div class="tab-scroll finish">
      <section class="act">
        <div class="act-head"><h2>${t("finish.act")}</h2><${Segmented} label=${t("tab.language")} options=${LANGUAGES} value=${locale.value} onChange=${(/** @type {any} */ language) => setLocale(language, { remember: false })} /></div>
        <${ActLines} visit=${visit} items=${items} />
        ${!over && html`<div class="field"><span>${t("finish.outcome")}</span><${Segmented} label=${t("finish.outcome")} value=${outcome} onChange=${setOutcome} options=${[{ value: "done", text: t("finish.done") }, { value: "partly_done", text: t("finish.partly") }]} /></div>`}
        <label class="field"><span>${t("finish.summary")}</span>
          <textarea rows="3" maxlength="4000" value=${summary} readonly=${over} onInput=${(/** @type {any} */ event) => setSummary(event.target.value)} onBlur=${keep}></textarea></label>
      </section>
      <section class="sign">
        <${PromiseKept} visit=${visit} />
        <label class="field"><span>${t("finish.name")}</span><input maxlength="120" autocomplete="off" value=${name} readonly=${over} onInput=${(/** @type {any} */ event) => setName(event.target.value)} /></label>
        ${over ? visit.signature ? html`<${SignaturePicture} signature=${visit.signature} />` : html`<p class="secondary">${t("finish.unsigned")}</p>` : html`<${SignaturePad} drawn=${strokes} onChange=${setStrokes} />`}
        <p class="hint">${t("finish.meaning")}</p>
      </section>
    </div>
    <footer class="dock">
      ${blocker && html`<p class="blocker" id="finish-blocker"><${Icon} name="info" size=${20} />${blocker}</p>`}
      ${!over && html`<div class="dock-row finish-row">
        <${Button} action icon="pencil" onClick=${() => setDialog("comment")}>${t("finish.comment")}<//>
        <${Button} action onClick=${() => setDialog("absent")} reason=${mayEndUnsigned ? undefined : (blocker ?? undefined)}>${t("finish.absent")}<//>
        <${Button} kind="primary" action icon="check" class="main" aria-describedby=${blocker ? "finish-blocker" : undefined} reason=${blocker ?? undefined} onClick=${() => end()}>${t("finish.sign")}<//>
      </div>`}
    </footer>
    ${dialog === "absent" && html`<${ReasonDialog} title=${t("finish.absent.why")} place=${field("reason.absent", t("finish.absent.why"))} reasons=${["away", "no_right", "will_not"].map((code) => t(`finish.absent.${code}`))} onClose=${() => setDialog(null)} onChoose=${end} />`}
    ${dialog === "comment" && html`<${ReasonDialog} title=${t("finish.comment")} place=${field("comment", t("finish.comment"))} reasons=${[]} onClose=${() => setDialog(null)} onChoose=${async (/** @type {string} */ text) => {
      await note(visit, t("finish.comment.note", { text }), ["comment"]);
      setDialog(null);
    }} />`}`;
}

/** @param {{visit: Document, items: import("./types.js").Item[]}} props */
function ActLines({ visit, items }) {
  const answers = latest(visit.answers ?? []);
  const faults = items.filter((item) => isFault(item, answers.get(item.key)));
  const { coverage } = visit;
  const lines = coverage?.lines ?? [];
  const worked = workedSeconds(visit.events ?? [], now.value);
  return html`<div class="act-lines">
    <div class="act-line"><div><strong>${visit.title || kindName(visit)}</strong><span class="spent">${worked > 60 ? formatDuration(worked) : ""}</span>
        ${lines.length ? "" : coverage?.amount && Number(coverage.amount) > 0 ? html`<strong>${formatMoney(coverage.amount, coverage.currency)}</strong>` : html`<${Coverage} coverage=${coverage} plain />`}</div>
      ${coverage?.reason && !lines.length && html`<p class="secondary">${becauseOf(coverage)}</p>`}</div>
    ${lines.map((/** @type {any} */ line) => html`<div class="act-line" key=${line.line_id}><div><span>${lineName(line.line_id)}</span>${Number(line.amount) > 0 ? html`<strong>${formatMoney(line.amount, coverage.currency)}</strong>` : html`<${Coverage} coverage=${line} plain />`}</div><p class="secondary">${becauseOf(line)}</p></div>`)}
    ${answers.size > 0 && html`<div class="act-line"><div><strong>${t("finish.checks", { n: answers.size })}</strong>${faults.length === 0 && html`<span class="coverage plain"><${Icon} name="check" size=${20} />${t("finish.all_ok")}</span>`}</div>
      ${faults.map((item) => {
        const value = answers.get(item.key)?.value;
        return html`<p class="fault-line"><${Icon} name="alert" size=${18} />${named(item.text)}${typeof value === "number" ? `: ${formatMeasure(value, item.unit)}` : ""}</p>`;
      })}</div>`}
    ${coverage?.suggested && html`<p class="hint">${t("coverage.suggested")}</p>`}
    ${coverage?.amount && Number(coverage.amount) > 0 && html`<div class="act-line total"><div><strong>${t("finish.total")}</strong><strong class="sum">${formatMoney(coverage.amount, coverage.currency)}</strong></div></div>`}
  </div>`;
}

/** @param {{visit: Document}} props */
function PromiseKept({ visit }) {
  const state = promise(visit, now.value, 0);
  if (!state || (state.state !== "kept" && state.state !== "missed")) return null;
  const arrival = formatTime(Date.parse(state.by) - state.leftS * 1000, zoneOf(visit));
  return html`<p class="promise-kept"><span>${t(`promise.${state.kind}`, { time: formatTime(state.by, zoneOf(visit)) })}.</span>
    <strong class=${state.state}><${Icon} name=${state.state === "kept" ? "check" : "alert"} size=${20} />${t("promise.arrived", { time: arrival })}</strong></p>`;
}
