// The exchange without a network, step by step: what waits goes to the office as a file or as pictures, and its answer is
// taken in.
import { useState } from "preact/hooks";
import { Button, Dialog, Segmented } from "../shared/components.js";
import { fits } from "../shared/frames.js";
import { html } from "../shared/html.js";
import { formatBytes, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { FrameReader, Frames } from "../shared/pictures.js";
import { PHOTO_BYTES, takeFile, writeFile } from "./exchange-file.js";
import { count, db } from "./store.js";
import { SELF } from "./sync.js";

/** Bytes of photos that come along. */
const SOME = 4 * 1024 * 1024;
const LEAST_MS = 1000;

/** One exchange at a time, whichever way. @param {() => Promise<any>} run */
const alone = (run) => (navigator.locks ? navigator.locks.request("rounds-exchange", run) : run());

/** @param {{onClose: () => void}} props */
export function ExchangeDialog({ onClose }) {
  return html`<${Dialog} title=${t("carry.title")} onClose=${onClose}>
    <div class="carry"><p class="secondary">${t("carry.what")}</p><${Give} /><${Get} /></div>
  <//>`;
}

/** To the office. */
function Give() {
  const [room, setRoom] = useState("0");
  const [made, setMade] = useState(/** @type {any} */ (null));
  const [showing, setShowing] = useState(false);
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const { photos, photoBytes, waiting } = count.value;
  const write = async () => {
    setBusy(true);
    setTrouble("");
    setShowing(false);
    try {
      setMade(await alone(() => writeFile(db, { photoBytes: Number(room), now: Date.now(), self: SELF })));
    } catch (error) {
      setTrouble(wordOf(error));
    }
    setBusy(false);
  };
  return html`<section><h3><span class="carry-step" aria-hidden="true">1</span>${t("carry.give")}</h3>
    <p>${t("carry.waiting", { n: waiting })}</p>
    ${photos > 0 && html`<div class="carry-photos"><span id="carry-photos">${t("carry.photos", { n: photos, size: formatBytes(photoBytes) })}</span>
      <${Segmented} label=${t("carry.photos.label")} value=${room} onChange=${(/** @type {string} */ value) => { setRoom(value); setMade(null); }}
        options=${[{ value: "0", text: t("carry.photos.none") }, { value: String(SOME), text: t("carry.photos.some", { size: formatBytes(SOME) }) }, { value: String(PHOTO_BYTES), text: t("carry.photos.all") }]} /></div>`}
    ${!made && html`<${Button} kind="primary" action icon="doc" disabled=${busy} onClick=${write}>${busy ? t("carry.writing") : t("carry.write")}<//>`}
    ${made && html`<p class="carry-done" role="status"><${Icon} name="check" size=${22} /><span>${t("carry.written", { number: made.n, n: made.edits, size: formatBytes(made.data.length) })}
        ${made.photos > 0 ? ` ${t("carry.written.photos", { n: made.photos })}` : ""} ${t("carry.kept")}</span></p>
      <div class="carry-ways">
        <${Button} action icon="down" onClick=${() => download(made)}>${t("carry.download")}<//>
        ${canShare(made) && html`<${Button} action icon="out" onClick=${() => share(made)}>${t("carry.share")}<//>`}
        ${fits(made.data.length) && html`<${Button} action icon="grip" aria-expanded=${showing ? "true" : "false"} onClick=${() => setShowing(!showing)}>${t("carry.show")}<//>`}
      </div>
      ${!fits(made.data.length) && html`<p class="hint">${t("carry.too_large")}</p>`}
      ${showing && html`<p class="hint">${t("carry.show.how")}</p><${Frames} data=${made.data} />`}`}
    <${Trouble} word=${trouble} />
  </section>`;
}

/** From the office. */
function Get() {
  const [taken, setTaken] = useState(/** @type {import("./exchange-file.js").Taken | null} */ (null));
  const [trouble, setTrouble] = useState("");
  const [reading, setReading] = useState(false);
  const take = async (/** @type {Uint8Array<ArrayBuffer>} */ data) => {
    setTrouble("");
    setTaken(null);
    try {
      setTaken(await alone(() => takeFile(db, data, { now: Date.now() })));
      setReading(false);
    } catch (error) {
      setTrouble(wordOf(error));
    }
  };
  const choose = async (/** @type {any} */ event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file) await take(new Uint8Array(await file.arrayBuffer()));
  };
  return html`<section><h3><span class="carry-step" aria-hidden="true">2</span>${t("carry.get")}</h3>
    <div class="carry-ways">
      <label class="button action"><${Icon} name="doc" size=${24} /><span>${t("carry.choose")}</span><input class="visually-hidden" type="file" data-carry="file" onChange=${choose} /></label>
      <${Button} action icon="camera" aria-expanded=${reading ? "true" : "false"} onClick=${() => setReading(!reading)}>${t("carry.read")}<//>
    </div>
    ${reading && html`<${FrameReader} onFile=${take} />`}
    ${taken && html`<p class=${taken.outcome === "taken" ? "carry-done" : "carry-note"} role="status"><${Icon} name=${taken.outcome === "taken" ? "check" : "info"} size=${22} /><span>${t(`carry.outcome.${taken.outcome}`)}
      ${taken.outcome === "taken" ? ` ${t("carry.brought", { n: taken.answers, changes: taken.changes })}` : ""}${taken.more ? ` ${t("carry.more")}` : ""}</span></p>`}
    <${Trouble} word=${trouble} />
  </section>`;
}

/** @param {{word: string}} props */
const Trouble = ({ word }) => (word ? html`<p class="carry-trouble" role="alert"><${Icon} name="alert" size=${22} /><span>${t(word)}</span></p>` : null);

/** @param {any} error */
function wordOf(error) {
  if (typeof error.code !== "string") throw error;
  return `carry.fault.${error.code}`;
}

/** @param {{data: Uint8Array<ArrayBuffer>, n: number}} made */
const fileOf = ({ data, n }) => new File([data], `rounds-${n}.rndx`, { type: "application/octet-stream" });

/** @param {any} made */
const canShare = (made) => Boolean(navigator.canShare?.({ files: [fileOf(made)] }));

/** @param {any} made */
const share = (made) => navigator.share({ files: [fileOf(made)] }).catch(() => {});

/** @param {any} made */
function download(made) {
  const file = fileOf(made);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), LEAST_MS);
}
