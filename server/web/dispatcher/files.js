// Files that a person must look at: what they are, who sent them, and the decision with its reason.
import { useEffect, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { Button, Chip, Dialog, Empty, ErrorBox, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatBytes, formatDate, formatTime, locale, t } from "../shared/i18n.js";
import { showFault } from "./changes.js";
import { api } from "./store.js";

const POLL_MS = 15_000;

/**
 * @typedef {object} Held
 * @property {string} id
 * @property {string | null} name
 * @property {number} size
 * @property {string | null} claimed_type
 * @property {string | null} found_type
 * @property {string} text why it was put aside
 * @property {"quarantined" | "released" | "discarded"} state
 * @property {string} created_at
 * @property {string | null} device_name
 * @property {string | null} technician_name
 * @property {string[]} visit_ids
 * @property {boolean} may_release
 * @property {string | null} decision
 * @property {string | null} decided_at
 */

/** @type {import("@preact/signals").Signal<Held[] | null>} */
const open = signal(null);
/** @type {import("@preact/signals").Signal<Held[]>} */
const decided = signal([]);
/** @type {import("@preact/signals").Signal<any>} */
const fault = signal(null);
/** @type {import("@preact/signals").Signal<{file: Held, what: "release" | "discard"} | null>} */
const deciding = signal(null);

async function load() {
  try {
    const { items } = await api("GET", "/quarantine?limit=200");
    open.value = items.filter((/** @type {Held} */ one) => one.state === "quarantined");
    decided.value = items.filter((/** @type {Held} */ one) => one.state !== "quarantined").slice(0, 30);
    fault.value = null;
  } catch (error) {
    fault.value = error;
  }
}

function Decide() {
  const [reason, setReason] = useState("");
  useEffect(() => setReason(""), [deciding.value]);
  if (!deciding.value) return null;
  const { file, what } = deciding.value;
  const close = () => (deciding.value = null);
  const go = async (/** @type {Event} */ event) => {
    event.preventDefault();
    close();
    try {
      await api("POST", `/quarantine/${file.id}/${what}`, { reason: reason.trim() });
      toast(t(`files.${what}.done`, { name: file.name ?? "" }));
    } catch (error) {
      showFault(error);
    }
    load();
  };
  return html`<${Dialog} title=${t(`files.${what}.title`, { name: file.name ?? "" })} onClose=${close}>
    <form class="move" onSubmit=${go}>
      <p>${t(`files.${what}.what`)}</p>
      <label class="field"><span>${t("files.reason")}</span><input required maxlength="1000" autofocus value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)} /></label>
      <footer><${Button} onClick=${close}>${t("action.cancel")}<//><${Button} kind=${what === "discard" ? "danger" : "primary"} type="submit" disabled=${!reason.trim()}>${t(`files.${what}`)}<//></footer>
    </form>
  <//>`;
}

/** @param {{file: Held}} props */
function Row({ file }) {
  const waits = file.state === "quarantined";
  const types = file.found_type && file.claimed_type && file.found_type !== file.claimed_type ? t("files.types", { claimed: file.claimed_type, found: file.found_type }) : (file.found_type ?? file.claimed_type ?? "");
  return html`<tr data-file=${file.id}>
    <th scope="row"><span class="file-name">${file.name ?? t("files.unnamed")}</span><span class="hint">${[formatBytes(file.size), types].filter(Boolean).join(" · ")}</span></th>
    <td>${file.text}${file.decision && html`<span class="hint">${t("files.decided", { reason: file.decision })}</span>`}</td>
    <td>${file.technician_name ?? "–"}<span class="hint">${[file.device_name, `${formatDate(file.created_at, { weekday: false })} ${formatTime(file.created_at)}`].filter(Boolean).join(" · ")}</span></td>
    <td>${file.visit_ids.map((id) => html`<a href=${`/board?visit=${id}`}>${t("files.visit")}</a> `)}</td>
    <td class="device-actions">${waits
      ? html`<a class="button" href=${`/api/v1/quarantine/${file.id}/file`} download>${t("files.download")}</a>
          <${Button} reason=${file.may_release ? undefined : t("files.release.no")} onClick=${() => (deciding.value = { file, what: "release" })}>${t("files.release")}<//>
          <${Button} kind="danger" onClick=${() => (deciding.value = { file, what: "discard" })}>${t("files.discard")}<//>`
      : html`<${Chip} icon=${file.state === "released" ? "check" : "cross"}>${t(`files.${file.state}`)}<//>`}</td>
  </tr>`;
}

/** @param {{files: Held[], label: string}} props */
function Table({ files, label }) {
  return html`<div class="device-table files-table"><table aria-label=${label}>
    <thead><tr>${["file", "why", "who", "visits"].map((key) => html`<th scope="col">${t(`files.column.${key}`)}</th>`)}<td></td></tr></thead>
    <tbody>${files.map((file) => html`<${Row} key=${file.id} file=${file} />`)}</tbody>
  </table></div>`;
}

export function FilesPage() {
  locale.value;
  useEffect(() => {
    load();
    const timer = setInterval(() => document.visibilityState === "visible" && load(), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (open.value) load();
  }, [locale.value]);
  const waiting = open.value;
  return html`<main class="devices files" id="main">
    <header><div><h1>${t("files.title")}</h1><p class="secondary">${t("files.about")}</p></div></header>
    <${ErrorBox} error=${fault.value} onRetry=${load} />
    ${waiting && waiting.length > 0 && html`<${Table} files=${waiting} label=${t("files.title")} />`}
    ${waiting && !waiting.length && html`<${Empty} icon="check" text=${t("files.none")} />`}
    ${decided.value.length > 0 && html`<h2>${t("files.decided_title")}</h2><${Table} files=${decided.value} label=${t("files.decided_title")} />`}
    <${Decide} />
  </main>`;
}
