// The checklist: one tap for what is in order, a keypad on the page for what is measured.
import { useEffect, useRef, useState } from "preact/hooks";
import { becauseOf, Button, Chip, Coverage, Dialog, Empty } from "../shared/components.js";
import { html } from "../shared/html.js";
import { decimalMark, formatMoney, formatNumber, parseNumber, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { formatMeasure, unitWord } from "../shared/units.js";
import { addPhoto, answer, answerRestOk, giveCause } from "./actions.js";
import { isFault, latest, progress, restIsOk, verdict } from "./checks.js";
import { CAUSES, causesOf, findingOf, withCauses } from "./coverage.js";
import { isOver } from "./day.js";
import { UndoLine } from "./dock.js";
import { drafted, keepDraft, useDraft } from "./drafting.js";
import { FindingDialog, OtherFindings } from "./findings.js";
import { Keypad } from "./keypad.js";
import { go, wide } from "./nav.js";
import { PhotoTile, photosOf } from "./photos-tab.js";
import { Scale } from "./scale.js";
import { asOfficeDecided, checklistOf, named, visits } from "./store.js";
import { ReasonDialog } from "./what-tab.js";

/** @typedef {import("./types.js").Document} Document */
/** @typedef {import("./types.js").Item} Item */
/** @typedef {import("./types.js").Answer} Answer */

/** @param {{visit: Document}} props */
export function ChecksTab({ visit }) {
  const checklist = checklistOf(visit);
  // Digits that were typed and not yet counted, when the tablet went off, are there again.
  const [active, setActive] = useState(/** @type {() => string | null} */ (() => checklist?.items?.find((/** @type {Item} */ item) => isNumber(item) && drafted(placeOf(visit, item)))?.key ?? null));
  const [skipping, setSkipping] = useState(/** @type {Item | null} */ (null));
  const [typed, setTyped] = useState(() => drafted({ id: visit.id, field: `item.${active}`, label: "" }) ?? "");
  const open = useRef({ visit, active, typed, items: /** @type {Item[]} */ ([]) });
  open.current = { visit, active, typed, items: checklist?.items ?? [] };
  useEffect(() => () => void keepTyped(open.current), []);
  const [noting, setNoting] = useState(false);
  const findings = html`<${OtherFindings} visit=${visit} items=${checklist?.items ?? []} onNote=${() => setNoting(true)} />${noting && html`<${FindingDialog} visit=${visit} onClose=${() => setNoting(false)} />`}`;
  if (!checklist?.items?.length) return html`<div class="tab-scroll"><${Empty} icon="list" text=${t("tab.checks.none")} />${findings}</div>`;

  const items = /** @type {Item[]} */ (checklist.items);
  const answers = latest(visit.answers ?? []);
  const state = progress(items, visit.answers ?? [], visit.attachments ?? []);
  const rest = restIsOk(items, visit.answers ?? []);
  const current = items.find((item) => item.key === active) ?? null;

  const activate = async (/** @type {string | null} */ key) => {
    await keepTyped(open.current);
    const item = items.find((one) => one.key === key);
    setTyped(item ? (drafted(placeOf(visit, item)) ?? shown(answers.get(item.key))) : "");
    setActive(key);
  };
  const enter = (/** @type {string} */ text) => {
    setTyped(text);
    if (current) keepDraft(placeOf(visit, current), text, shown(answers.get(current.key)));
  };
  const following = (/** @type {Item} */ item) => {
    const later = items.slice(items.indexOf(item) + 1).find((other) => isNumber(other) && !answers.has(other.key));
    return later?.key ?? null;
  };
  const skip = async (/** @type {string} */ reason) => {
    if (skipping) await answer(visit, skipping, "skipped", { note: reason });
    setSkipping(null);
    setTyped("");
    setActive(null);
  };
  return html`<div class="checks-view">
    <div class="tab-scroll"><ol class="checks">
      ${items.map((item, index) => html`<${CheckItem} key=${item.key} item=${item} index=${index} visit=${visit} given=${answers.get(item.key)} active=${item.key === active} typed=${typed}
        onActivate=${() => activate(item.key)} onType=${enter} onSkip=${() => setSkipping(item)} onNext=${() => activate(following(item))} />`)}
    </ol>${findings}</div>
    ${skipping && html`<${ReasonDialog} title=${t("check.skip.why")} place=${{ id: visit.id, field: `skip.${skipping.key}`, label: `${t("check.skip.why")} ${named(skipping.text)}` }} reasons=${["access", "not_fitted", "no_tool", "running"].map((code) => t(`check.skip.${code}`))} onClose=${() => setSkipping(null)} onChoose=${skip} />`}
    ${current && isNumber(current)
      ? html`<${Keypad} text=${typed} onType=${enter} onNext=${() => activate(following(current))} onSkip=${() => setSkipping(current)} onPhoto=${(/** @type {File} */ file) => addPhoto(visit, file, current.key)} onClose=${() => activate(null)} />`
      : html`<footer class="dock">${wide.value && html`<${Side} items=${items} answers=${answers} state=${state} />`}<${UndoLine} visit=${visit} /><div class="dock-row">
          <${Button} action icon="flag" class="side" label=${t("finding.note")} onClick=${() => setNoting(true)} />
          ${rest.length > 0 && html`<${Button} action icon="check" class="main" onClick=${() => answerRestOk(visit, items)}>${t("check.rest", { n: rest.length })}<//>`}
          ${rest.length === 0 && html`<${Button} kind=${isOver(visit) ? "" : "primary"} action icon="arrow" class="main" onClick=${() => go(`visit/${visit.id}/finish`, { replace: true })}>${state.open.length ? t("check.left", { n: state.open.length }) : t("check.to.finish")}<//>`}
        </div></footer>`}
  </div>`;
}

/** Beside the list, where there is room: how far it is and what was found. @param {{items: Item[], answers: Map<string, Answer>, state: ReturnType<typeof progress>}} props */
function Side({ items, answers, state }) {
  const faults = items.filter((item) => isFault(item, answers.get(item.key)));
  return html`<div class="checks-side"><h2>${t("tab.progress", { done: state.done, total: state.total })}</h2>
    <div class="day-bar" aria-hidden="true">${items.map((item) => html`<i><b style=${{ width: state.open.includes(item) ? 0 : "100%" }}></b></i>`)}</div>
    ${faults.length > 0 && html`<ul>${faults.map((item) => {
      const value = answers.get(item.key)?.value;
      return html`<li class="fault-line"><${Icon} name="alert" size=${20} /><span>${named(item.text)}${typeof value === "number" ? `: ${formatMeasure(value, item.unit)}` : ""}</span></li>`;
    })}</ul>`}</div>`;
}

/** @param {Item} item */
const isNumber = (item) => item.kind === "measure" || item.kind === "reading";

/** What a keypad shows of a number given before. @param {Answer | undefined} given */
const shown = (given) => (typeof given?.value === "number" ? formatNumber(given.value, { useGrouping: false }) : "");

/** Where the answer to an item is kept while it is entered. @param {Document} visit @param {Item} item */
const placeOf = (visit, item) => ({ id: visit.id, field: `item.${item.key}`, label: named(item.text) });

/** What is typed counts, however the item is left. @param {{visit: Document, active: string | null, typed: string, items: Item[]}} open */
async function keepTyped({ visit, active, typed, items }) {
  const item = items.find((other) => other.key === active);
  const value = parseNumber(typed);
  if (!item || !isNumber(item) || value === null || latest(visit.answers ?? []).get(item.key)?.value === value) return;
  await answer(visit, item, value);
}

/**
 * @param {{item: Item, index: number, visit: Document, given: Answer | undefined, active: boolean, typed: string,
 *   onActivate: () => void, onType: (text: string) => void, onSkip: () => void, onNext: () => void}} props
 */
function CheckItem({ item, index, visit, given, active, typed, onActivate, onType, onSkip, onNext }) {
  const [reopened, setReopened] = useState(() => item.kind === "text" && drafted(placeOf(visit, item)) !== undefined);
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const faulty = isFault(item, given);
  const photos = photosOf(visit).filter((/** @type {any} */ photo) => photo.item === item.key);
  const finding = faulty && findingOf(visit, item.key);
  const closed = given !== undefined && !reopened && !active;
  useEffect(() => {
    if (active) place.current?.scrollIntoView({ block: "nearest" });
  }, [active, (visit.answers ?? []).length]);

  const choose = async (/** @type {boolean} */ value) => {
    setReopened(false);
    await answer(visit, item, value);
  };
  const head = html`<span class="check-n">${index + 1}</span><span class="check-text">${named(item.text)}${!item.mandatory && !given ? html` <span class="hint">${t("check.optional")}</span>` : ""}</span>`;
  return html`<li ref=${place} class=${`check ${active ? "active" : ""} ${closed && !faulty ? "closed" : ""}`} data-item=${item.key}>
    ${closed
      ? html`<button type="button" class="check-head" onClick=${() => (isNumber(item) ? onActivate() : setReopened(true))}>${head}${!(isNumber(item) && faulty) && html`<${Given} item=${item} given=${given} />`}</button>`
      : html`<div class="check-head">${isNumber(item) && !active ? html`<button type="button" class="check-open" onClick=${onActivate}>${head}</button>` : html`${head}${item.kind !== "photo" || photos.length === 0 ? html`<button type="button" class="skip" onClick=${onSkip}>${t("check.skip")}</button>` : ""}`}</div>`}
    ${item.kind === "check" && !closed && html`<div class="halves">
        <button type="button" class="half ok" aria-pressed=${given?.value === true ? "true" : "false"} onClick=${() => choose(true)}><${Icon} name="check" size=${24} />${t("check.ok")}</button>
        <button type="button" class="half bad" aria-pressed=${given?.value === false ? "true" : "false"} onClick=${() => choose(false)}><${Icon} name="cross" size=${24} />${t("check.bad")}</button>
      </div>`}
    ${isNumber(item) && active && html`<${Entry} item=${item} visit=${visit} typed=${typed} onType=${onType} onNext=${onNext} />`}
    ${isNumber(item) && closed && faulty && html`<${Measured} item=${item} visit=${visit} value=${given?.value} />`}
    ${item.kind === "text" && !closed && html`<${TextEntry} item=${item} visit=${visit} given=${given} onDone=${() => setReopened(false)} />`}
    ${item.kind === "photo" && photos.length === 0 && !given && html`<div class="halves"><${CameraButton} onFile=${(/** @type {File} */ file) => addPhoto(visit, file, item.key)}>${t("photo.take")}<//></div>`}
    ${(photos.length > 0 || finding) && html`<div class="check-more">
      ${photos.map((/** @type {any} */ photo) => html`<${PhotoTile} key=${photo.sha256} photo=${photo} />`)}
      ${finding && photos.length === 0 && html`<${CameraButton} class="tile" onFile=${(/** @type {File} */ file) => addPhoto(visit, file, item.key)}>${t("photo.one")}<//>`}
      ${finding && html`<p class="finding"><strong>${t("check.finding")}</strong><span>${t(`check.finding.${finding.severity}`)}</span></p>`}
      ${finding && html`<${Cause} visit=${visit} finding=${finding} />`}
    </div>`}
  </li>`;
}

/** Why it is wrong decides who pays; what that comes to is said at once. @param {{visit: Document, finding: any}} props */
export function Cause({ visit, finding }) {
  const [asking, setAsking] = useState(false);
  return html`<div class="cause"><${Button} icon="wrench" onClick=${() => setAsking(true)} disabled=${isOver(visit)}>${finding.cause ? t("cause.is", { cause: t(`cause.${finding.cause}`) }) : t("cause.ask")}<//>
    ${visit.coverage?.suggested && html`<p class="suggested"><${Coverage} coverage=${visit.coverage} because=${becauseOf(visit.coverage)} /><span class="hint">${t("coverage.suggested")}</span></p>`}
    ${asking && html`<${CauseDialog} visit=${visit} finding=${finding} onClose=${() => setAsking(false)} />`}</div>`;
}

/** @param {{visit: Document, finding: any, onClose: () => void}} props */
function CauseDialog({ visit, finding, onClose }) {
  const choose = async (/** @type {string | null} */ cause) => {
    if (cause !== (finding.cause ?? null)) await giveCause(visit, finding, cause);
    onClose();
  };
  const others = causesOf((visit.findings ?? []).filter((/** @type {any} */ one) => one.item !== finding.item));
  const decided = asOfficeDecided(visit);
  const comesTo = (/** @type {string} */ cause) => {
    const then = withCauses(decided, [...others, cause]);
    if (!then || then === decided) return null;
    return [t(`coverage.${then.outcome}`), then.amount && Number(then.amount) > 0 ? formatMoney(then.amount, then.currency) : ""].filter(Boolean).join(" · ");
  };
  return html`<${Dialog} title=${t("cause.title")} onClose=${onClose}><div class="reasons">
    ${CAUSES.map((cause) => html`<${Button} icon=${finding.cause === cause ? "check" : undefined} onClick=${() => choose(cause)}><span>${t(`cause.${cause}`)}</span>${comesTo(cause) && html`<span class="hint">${comesTo(cause)}</span>`}<//>`)}
    <${Button} onClick=${() => choose(null)}>${t("cause.unknown")}<//></div><//>`;
}

/** @param {{item: Item, given: Answer | undefined}} props */
function Given({ item, given }) {
  if (given?.value === "skipped") return html`<span class="given skipped">${t("check.skipped")}<span class="hint">${given.note}</span></span>`;
  if (item.kind === "check") return given?.value ? html`<span class="given ok"><${Icon} name="check" size=${22} />${t("check.ok")}</span>` : html`<span class="given bad"><${Icon} name="cross" size=${22} />${t("check.bad")}</span>`;
  if (typeof given?.value === "number") return html`<span class="given ok">${verdict(item, given.value).state === "in" && html`<${Icon} name="check" size=${22} />`}${formatMeasure(given.value, item.unit)}</span>`;
  return html`<span class="given"><${Icon} name="check" size=${22} /></span>`;
}

/** The same item's value the last time somebody measured it on this machine, if that visit is on the tablet. @param {Document} visit @param {Item} item */
function lastTime(visit, item) {
  const shared = (/** @type {Document} */ other) => other.id !== visit.id && (other.asset_ids ?? []).some((/** @type {string} */ id) => (visit.asset_ids ?? []).includes(id));
  const values = visits.value.filter(shared).flatMap((other) => (other.answers ?? []).filter((/** @type {Answer} */ one) => one.item === item.key && typeof one.value === "number"));
  return values.sort((a, b) => (a.at < b.at ? 1 : -1))[0]?.value ?? null;
}

/** @param {{item: Item, visit: Document, value: number}} props */
function Measured({ item, visit, value }) {
  return html`<div class="measured"><span class="value fault">${formatNumber(value)} <small>${unitWord(item.unit, value)}</small></span><${VerdictChip} item=${item} value=${value} /></div>
    <${Scale} item=${item} value=${value} last=${lastTime(visit, item)} />`;
}

/** @param {{item: Item, value: number | null}} props */
function VerdictChip({ item, value }) {
  const { state, distance } = verdict(item, value);
  if (state === "open" || (typeof item.min !== "number" && typeof item.max !== "number")) return null;
  if (state === "in") return html`<${Chip} tone="ok" icon="check">${t("check.in")}<//>`;
  return html`<${Chip} tone="danger" icon="alert">${t(`check.${state}`, { by: formatMeasure(distance, item.unit) })}<//>`;
}

/** @param {{item: Item, visit: Document, typed: string, onType: (text: string) => void, onNext: () => void}} props */
function Entry({ item, visit, typed, onType, onNext }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => field.current?.focus({ preventScroll: true }), []);
  const value = parseNumber(typed);
  const known = lastTime(visit, item);
  // inputmode none: the keypad is on the page, and the device's own must not cover it; real keys still work.
  return html`<div class="entry"><label><span class="visually-hidden">${named(item.text)}</span>
      <input ref=${field} inputmode="none" autocomplete="off" value=${typed} placeholder=${`0${decimalMark()}0`}
        onInput=${(/** @type {any} */ event) => onType(event.target.value.replace(/[^\d.,-]/g, ""))} onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && onNext()} />
      <span class="unit">${unitWord(item.unit, value ?? 0)}</span></label>
      <${VerdictChip} item=${item} value=${value} /></div>
    <${Scale} item=${item} value=${value} last=${known} />`;
}

/** @param {{item: Item, visit: Document, given: Answer | undefined, onDone: () => void}} props */
function TextEntry({ item, visit, given, onDone }) {
  const [text, setText] = useDraft(placeOf(visit, item), typeof given?.value === "string" && given.value !== "skipped" ? given.value : "");
  const save = async () => {
    if (text.trim() && text.trim() !== given?.value) await answer(visit, item, text.trim());
    onDone();
  };
  return html`<label class="field"><span class="visually-hidden">${named(item.text)}</span><textarea rows="2" maxlength="4000" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onBlur=${save}></textarea></label>
    ${text.trim() && text.trim() !== given?.value && html`<div class="halves"><${Button} icon="check" onClick=${save}>${t("action.save")}<//></div>`}`;
}

/** A button that opens the device's camera. @param {{onFile: (file: File) => void, children?: any, class?: string, primary?: boolean}} props */
export function CameraButton({ onFile, children, class: extra = "", primary = false }) {
  return html`<label class=${`button camera ${primary ? "primary" : ""} ${extra}`}><${Icon} name="camera" size=${24} /><span>${children}</span>
    <input class="visually-hidden" type="file" accept="image/*" capture="environment" onChange=${(/** @type {any} */ event) => {
      for (const file of event.target.files) onFile(file);
      event.target.value = "";
    }} /></label>`;
}
