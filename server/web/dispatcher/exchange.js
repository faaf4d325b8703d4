// The exchange with tablets that have no network: their files are taken in here, and files with the answers are made.
import { useEffect, useRef, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { Button, Chip, Dialog, Empty, ErrorBox } from "../shared/components.js";
import { ProblemError } from "../shared/api.js";
import { fits } from "../shared/frames.js";
import { html } from "../shared/html.js";
import { formatBytes, hasText, locale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { FrameReader, Frames } from "../shared/pictures.js";
import { when } from "./device-detail.js";
import { api } from "./store.js";

/** @typedef {{device_id: string, device_name: string, technician_name: string, taken_n: number, taken_at: string | null, made_n: number, made_at: string | null}} Item */
/** @typedef {{device_id: string, n: number, filename: string, data: string, size: number, answers: number, changes: number, whole: boolean}} Made */

/** @type {import("@preact/signals").Signal<Item[] | null>} */
const items = signal(null);
/** @type {import("@preact/signals").Signal<any>} */
const fault = signal(null);
/** What was taken in since the page was opened, the newest first. @type {import("@preact/signals").Signal<{key: number, name: string, came?: any, error?: any}[]>} */
const log = signal([]);
/** @type {import("@preact/signals").Signal<{item: {device_id: string, device_name: string, technician_name: string}, made: Made} | null>} */
const made = signal(null);

async function load() {
  try {
    items.value = (await api("GET", "/exchange")).items;
    fault.value = null;
  } catch (error) {
    fault.value = error;
  }
}

/** @param {string} name @param {BodyInit} body */
async function take(name, body) {
  const entry = await send(body).then((came) => ({ came }), (error) => ({ error }));
  log.value = [{ key: Date.now() + log.value.length, name, ...entry }, ...log.value];
  void load();
}

/** @param {BodyInit} body @returns {Promise<any>} */
async function send(body) {
  const headers = { Accept: "application/json, application/problem+json", "Accept-Language": locale.value, "Content-Type": "application/octet-stream" };
  let response;
  try {
    response = await fetch("/api/v1/exchange", { method: "POST", headers, body, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new ProblemError({ title: t("error.no-contact"), detail: t("error.no-contact.detail"), code: "no-contact" });
  }
  const told = await response.json().catch(() => null);
  if (response.ok && told) return told;
  throw new ProblemError({ title: t("error.unexpected"), detail: t("error.unexpected.detail"), ...told, status: response.status, requestId: told?.request_id });
}

/** @param {{device_id: string, device_name: string, technician_name: string}} item */
async function make(item) {
  try {
    made.value = { item, made: await api("POST", `/devices/${item.device_id}/exchange`, {}) };
    fault.value = null;
  } catch (error) {
    fault.value = error;
  }
  void load();
}

/** Where files are dropped, chosen, or read from pictures. */
function Inbox() {
  const [over, setOver] = useState(false);
  const [reading, setReading] = useState(false);
  const depth = useRef(0);
  const takeAll = async (/** @type {Iterable<File>} */ files) => {
    for (const file of files) await take(file.name, file);
  };
  const drop = (/** @type {any} */ event) => {
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    void takeAll([...event.dataTransfer.files]);
  };
  const choose = (/** @type {any} */ event) => {
    const files = [...event.target.files];
    event.target.value = "";
    void takeAll(files);
  };
  const enter = (/** @type {number} */ by) => (/** @type {Event} */ event) => {
    event.preventDefault();
    depth.current += by;
    setOver(depth.current > 0);
  };
  return html`<section class="exchange-in" aria-labelledby="exchange-in">
    <h2 id="exchange-in">${t("exchange.in")}</h2>
    <div class=${`exchange-drop ${over ? "is-over" : ""}`} onDragEnter=${enter(1)} onDragLeave=${enter(-1)} onDragOver=${(/** @type {Event} */ event) => event.preventDefault()} onDrop=${drop}>
      <${Icon} name="box" size=${28} /><p>${t("exchange.drop")}</p>
      <div class="exchange-ways"><label class="button primary"><${Icon} name="doc" size=${20} /><span>${t("exchange.choose")}</span><input class="visually-hidden" type="file" multiple data-exchange="file" onChange=${choose} /></label>
        <${Button} icon="camera" aria-expanded=${reading ? "true" : "false"} onClick=${() => setReading(!reading)}>${t("exchange.pictures")}<//></div>
    </div>
    ${reading && html`<div class="exchange-read"><p class="hint">${t("exchange.pictures.how")}</p><${FrameReader} onFile=${(/** @type {Uint8Array<ArrayBuffer>} */ data) => take(t("exchange.from_pictures"), data)} /></div>`}
    <ul class="exchange-log" aria-live="polite">${log.value.map((entry) => html`<li key=${entry.key}>${entry.error ? html`<p class="hint">${entry.name}</p><${ErrorBox} error=${entry.error} />` : html`<${Came} name=${entry.name} came=${entry.came} />`}</li>`)}</ul>
  </section>`;
}

/** What a file brought, in a few words, and the way on. @param {{name: string, came: any}} props */
function Came({ name, came }) {
  const counts = Object.entries(came.counts).map(([status, n]) => t(`salvage.result.${status}`, { n: /** @type {number} */ (n) }));
  const files = came.files.filter((/** @type {any} */ one) => one.state === "verified").length;
  const refused = came.files.filter((/** @type {any} */ one) => one.state !== "verified");
  const told = came.ended
    ? t(came.salvaged === null ? "exchange.ended.empty" : came.salvaged ? "exchange.ended.kept" : "exchange.ended.full")
    : came.again ? t("exchange.again") : counts.join(" · ") || t("exchange.no_edits");
  return html`<div class="exchange-came"><div><b>${came.technician_name}</b> <span class="secondary">${came.device_name}</span>
      <span class="hint">${t("exchange.file", { n: came.n, time: when(came.made_at), name })}</span></div>
    <p><${Icon} name=${came.ended || came.again ? "info" : "check"} size=${18} /> ${told}
      ${came.conflicts > 0 && !came.again && html` · <a href="/conflicts">${t("salvage.conflicts", { n: came.conflicts })}</a>`}
      ${came.ended && came.salvaged && html` <a href="/devices">${t("exchange.to_salvage")}</a>`}</p>
    ${files > 0 && html`<p><${Icon} name="photo" size=${18} /> ${t("exchange.photos", { n: files })}</p>`}
    ${refused.map((/** @type {any} */ one) => html`<p class="exchange-refused"><${Icon} name="warn" size=${18} /> ${one.name ?? one.sha256.slice(0, 12)}: ${one.problem?.title ?? t(`exchange.photo.${hasText(`exchange.photo.${one.state}`) ? one.state : "waiting"}`)}</p>`)}
    ${!came.ended && html`<${Button} icon="doc" onClick=${() => make(came)}>${t("exchange.answer")}<//>`}</div>`;
}

/** @param {{item: Item}} props */
function Row({ item }) {
  const since = (/** @type {number} */ n, /** @type {string | null} */ at) => (n && at ? t("exchange.number", { n, time: when(at) }) : "–");
  return html`<tr data-device=${item.device_id}>
    <th scope="row">${item.technician_name}</th><td>${item.device_name}</td>
    <td>${since(item.taken_n, item.taken_at)}</td><td>${since(item.made_n, item.made_at)}</td>
    <td class="device-actions"><${Button} icon="doc" onClick=${() => make(item)}>${t("exchange.make")}<//></td>
  </tr>`;
}

/** A file that was just made: to save, or to show as pictures. */
function Ready() {
  const [showing, setShowing] = useState(false);
  const ready = made.value;
  useEffect(() => setShowing(false), [ready]);
  if (!ready) return null;
  const { item, made: file } = ready;
  const data = Uint8Array.from(atob(file.data), (one) => one.charCodeAt(0));
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([data], { type: "application/octet-stream" }));
    link.download = file.filename;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const small = fits(data.length);
  const footer = html`${small && html`<${Button} icon="grip" aria-expanded=${showing ? "true" : "false"} onClick=${() => setShowing(!showing)}>${t("exchange.show")}<//>`}<${Button} kind="primary" icon="down" onClick=${save}>${t("exchange.save")}<//>`;
  return html`<${Dialog} title=${t("exchange.ready", { name: item.technician_name })} onClose=${() => (made.value = null)} footer=${footer}>
    <div class="exchange-ready">
      <p>${t("exchange.ready.what", { n: file.answers, changes: file.changes, size: formatBytes(file.size) })}</p>
      <p class="secondary">${t("exchange.ready.how", { device: item.device_name })}</p>
      ${!file.whole && html`<p><${Chip} tone="warn" icon="info">${t("exchange.part")}<//></p>`}
      ${!small && html`<p class="hint">${t("exchange.too_large")}</p>`}
      ${showing && html`<${Frames} data=${data} />`}
    </div>
  <//>`;
}

export function ExchangePage() {
  locale.value;
  useEffect(() => void load(), []);
  const all = items.value;
  return html`<main class="devices exchange" id="main">
    <header><div><h1>${t("exchange.title")}</h1><p class="secondary">${t("exchange.what")}</p></div></header>
    <${ErrorBox} error=${fault.value} onRetry=${load} />
    <${Inbox} />
    <section aria-labelledby="exchange-out"><h2 id="exchange-out">${t("exchange.out")}</h2>
    ${all && all.length > 0 && html`<div class="device-table"><table aria-labelledby="exchange-out">
      <thead><tr>${["devices.technician", "devices.device", "exchange.taken", "exchange.made"].map((key) => html`<th scope="col">${t(key)}</th>`)}<td></td></tr></thead>
      <tbody>${all.map((item) => html`<${Row} key=${item.device_id} item=${item} />`)}</tbody></table></div>`}
    ${all && !all.length && html`<${Empty} icon="device" text=${t("exchange.none")} />`}</section>
    <${Ready} />
  </main>`;
}
