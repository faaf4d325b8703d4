// What is wrong beyond the checklist: noted at any time, with its machine, its weight, its cause and photos.
import { useState } from "preact/hooks";
import { Button, Dialog, Segmented } from "../shared/components.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { addPhoto, noteFinding } from "./actions.js";
import { CameraButton, Cause } from "./checks-tab.js";
import { CAUSES, freeFindings } from "./coverage.js";
import { drafted, useDraft } from "./drafting.js";
import { PhotoTile, photosOf } from "./photos-tab.js";
import { all, assetsOf, find } from "./store.js";
import { uuid7 } from "./uuid.js";

/** @typedef {import("./types.js").Document} Document */
/** @typedef {{key: string, asset: string | null, severity: string, cause: string | null}} Form */

const SEVERITIES = ["minor", "major", "critical"];

/** Is a finding being written that was not added yet? @param {Document} visit */
export const findingBegun = (visit) => ["finding.text", "finding.form"].some((field) => drafted({ id: visit.id, field, label: "" }) !== undefined);

/** Equipment that may be meant: the visit's first, then what else stands there. @param {Document} visit @returns {{id: string, name: string}[]} */
function machines(visit) {
  const own = assetsOf(visit).map((/** @type {any} */ { asset }) => asset);
  const others = all("asset").filter((asset) => asset.site_id === visit.site_id && !own.some((/** @type {Document} */ one) => one.id === asset.id));
  return [...own, ...others].map((asset) => {
    const model = find("product_model", asset.model_id);
    return { id: asset.id, name: [model?.name ?? model?.code, asset.serial && t("tab.serial", { serial: asset.serial }), asset.position].filter(Boolean).join(" · ") };
  });
}

/** The findings outside of the checklist, and the way to one more. @param {{visit: Document, items: {key: string}[], onNote: () => void}} props */
export function OtherFindings({ visit, items, onNote }) {
  const found = freeFindings(visit, items);
  return html`<section class="findings" aria-label=${t("finding.title")}>
    <h2 class="group">${t("finding.title")}</h2>
    ${found.map((finding) => html`<${Found} key=${finding.item ?? finding.id} visit=${visit} finding=${finding} />`)}
    <${Button} icon=${findingBegun(visit) ? "pencil" : "plus"} onClick=${onNote}>${t(findingBegun(visit) ? "finding.continue" : "finding.note")}<//>
  </section>`;
}

/** @param {{visit: Document, finding: any}} props */
function Found({ visit, finding }) {
  const machine = finding.asset_id && machines(visit).find(({ id }) => id === finding.asset_id)?.name;
  const photos = photosOf(visit).filter((photo) => finding.item && photo.item === finding.item);
  return html`<div class="found">
    <p class=${`finding ${finding.severity}`}><strong>${finding.text}</strong><span>${t(`check.finding.${finding.severity}`)}</span>${machine && html`<span class="hint">${machine}</span>`}</p>
    <div class="check-more">
      ${photos.map((photo) => html`<${PhotoTile} key=${photo.sha256} photo=${photo} />`)}
      ${finding.item && html`<${CameraButton} class="tile" onFile=${(/** @type {File} */ file) => addPhoto(visit, file, finding.item)}>${t("photo.one")}<//>`}
      ${finding.item && html`<${Cause} visit=${visit} finding=${finding} />`}
    </div>
  </div>`;
}

/** The form: closed, it keeps what was entered; the photos are with the visit the moment they are taken. @param {{visit: Document, onClose: () => void}} props */
export function FindingDialog({ visit, onClose }) {
  const known = machines(visit);
  const [text, setText] = useDraft({ id: visit.id, field: "finding.text", label: t("finding.one") }, "");
  const [fresh] = useState(() => /** @type {Form} */ ({ key: `finding:${uuid7()}`, asset: known[0]?.id ?? null, severity: "major", cause: null }));
  const [form, setForm] = useDraft({ id: visit.id, field: "finding.form", label: t("finding.one") }, fresh);
  const [missing, setMissing] = useState(false);
  const photos = photosOf(visit).filter((photo) => photo.item === form.key);
  const set = (/** @type {Partial<Form>} */ change) => setForm({ ...form, ...change });
  const photo = (/** @type {File} */ file) => {
    // What a photo refers to must outlive the form.
    setForm({ ...form });
    void addPhoto(visit, file, form.key);
  };
  const add = async () => {
    if (!text.trim()) return setMissing(true);
    await noteFinding(visit, { ...form, text: text.trim() });
    onClose();
  };
  return html`<${Dialog} title=${t("finding.note")} onClose=${onClose}><div class="finding-form">
    <label class="field"><span>${t("finding.text")}</span><textarea rows="3" maxlength="4000" value=${text} aria-invalid=${missing && !text.trim() ? "true" : undefined} onInput=${(/** @type {any} */ event) => setText(event.target.value)}></textarea>
      ${missing && !text.trim() && html`<span class="fault" role="alert">${t("finding.text.missing")}</span>`}</label>
    <div class="field"><span>${t("finding.severity")}</span><${Segmented} label=${t("finding.severity")} value=${form.severity} onChange=${(/** @type {string} */ severity) => set({ severity })} options=${SEVERITIES.map((value) => ({ value, text: t(`severity.${value}`) }))} /></div>
    <label class="field"><span>${t("tab.machine")}</span><select value=${form.asset ?? ""} onChange=${(/** @type {any} */ event) => set({ asset: event.target.value || null })}>
      ${known.map(({ id, name }) => html`<option value=${id} selected=${id === form.asset}>${name}</option>`)}<option value="" selected=${!form.asset}>${t("finding.no_machine")}</option></select></label>
    <label class="field"><span>${t("finding.cause")}</span><select value=${form.cause ?? ""} onChange=${(/** @type {any} */ event) => set({ cause: event.target.value || null })}>
      <option value="" selected=${!form.cause}>${t("cause.unknown")}</option>${CAUSES.map((cause) => html`<option value=${cause} selected=${cause === form.cause}>${t(`cause.${cause}`)}</option>`)}</select></label>
    <div class="check-more">${photos.map((one) => html`<${PhotoTile} key=${one.sha256} photo=${one} />`)}<${CameraButton} class="tile" onFile=${photo}>${t("photo.one")}<//></div>
    <${Button} kind="primary" icon="check" onClick=${add}>${t("finding.add")}<//>
  </div><//>`;
}
