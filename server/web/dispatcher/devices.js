// The tablets: when each last spoke, what it may hold, and how a new one gets its access.
import { useEffect, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { Button, Chip, Dialog, Empty, ErrorBox, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDate, formatDuration, formatNumber, formatTime, locale, t } from "../shared/i18n.js";
import { showFault } from "./changes.js";
import { api } from "./store.js";

const POLL_MS = 15_000;
const CLOCK_WORTH_SAYING_S = 60;
/** Longer than this without a word is worth a look: a shift has no such gaps. */
const QUIET_S = 12 * 3600;

/** @type {import("@preact/signals").Signal<any[] | null>} */
const devices = signal(null);
/** @type {import("@preact/signals").Signal<any>} */
const fault = signal(null);
const enrolling = signal(false);
/** @type {import("@preact/signals").Signal<any>} */
const revoking = signal(null);

async function load() {
  try {
    devices.value = (await api("GET", "/devices?limit=200")).items;
    fault.value = null;
  } catch (error) {
    fault.value = error;
  }
}

/**
 * An SVG made for a page, as an image of its own: as such it has to name its language.
 * @param {string} svg
 */
function imageOf(svg) {
  const named = svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(named)}`;
}

function Enrol() {
  const [technicians, setTechnicians] = useState(/** @type {any[]} */ ([]));
  const [chosen, setChosen] = useState("");
  const [code, setCode] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const close = () => {
    enrolling.value = false;
    load();
  };
  useEffect(() => {
    api("GET", "/technicians?limit=200&active=true&sort=name").then(({ items }) => {
      setTechnicians(items);
      setChosen(items[0]?.id ?? "");
    }, setError);
  }, []);
  const make = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setError(null);
    try {
      setCode(await api("POST", "/devices/enrolment-codes", { technician_id: chosen }));
    } catch (problem) {
      setError(problem);
    }
  };
  const name = technicians.find(({ id }) => id === chosen)?.name ?? "";
  if (!code) {
    return html`<${Dialog} title=${t("devices.enrol")} onClose=${close}>
      <form class="move" onSubmit=${make}>
        <${ErrorBox} error=${error} />
        <label class="field"><span>${t("devices.enrol_who")}</span>
          <select value=${chosen} onChange=${(/** @type {any} */ event) => setChosen(event.target.value)}>
            ${technicians.map((one) => html`<option value=${one.id}>${one.name}</option>`)}
          </select></label>
        <footer><${Button} onClick=${close}>${t("action.cancel")}<//><${Button} kind="primary" type="submit" disabled=${!chosen}>${t("devices.enrol_go")}<//></footer>
      </form>
    <//>`;
  }
  const copy = () => navigator.clipboard?.writeText(code.code).then(() => toast(t("devices.copied")), showFault);
  return html`<${Dialog} title=${t("devices.enrol_title", { name })} onClose=${close} footer=${html`<${Button} kind="primary" onClick=${close}>${t("action.close")}<//>`}>
    <div class="enrol">
      ${code.qr_svg && html`<img class="enrol-qr" src=${imageOf(code.qr_svg)} alt=${t("devices.enrol_qr")} />`}
      <div>
        <p class="enrol-code" data-code=${code.code}>${code.code}</p>
        <${Button} kind="quiet" onClick=${copy}>${t("devices.copy")}<//>
        <p>${t("devices.enrol_how", { url: new URL(code.url ?? "/tablet/", location.href).origin + "/tablet/" })}</p>
        <p class="hint">${t("devices.enrol_until", { time: formatTime(code.expires_at) })}</p>
      </div>
    </div>
  <//>`;
}

function Revoke() {
  const device = revoking.value;
  if (!device) return null;
  const close = () => (revoking.value = null);
  const go = async () => {
    close();
    try {
      await api("POST", `/devices/${device.id}/revoke`);
      toast(t("devices.revoked_done", { name: device.name }));
    } catch (error) {
      showFault(error);
    }
    load();
  };
  const footer = html`<${Button} onClick=${close}>${t("action.cancel")}<//><${Button} kind="danger" onClick=${go}>${t("devices.revoke_go")}<//>`;
  return html`<${Dialog} title=${t("devices.revoke_title", { name: `${device.name}, ${device.technician_name}` })} onClose=${close} footer=${footer}><p>${t("devices.revoke_what")}</p><//>`;
}

/** @param {{device: any}} props */
function DeviceRow({ device }) {
  const ago = device.last_seen_at ? (Date.now() - Date.parse(device.last_seen_at)) / 1000 : null;
  const offset = Math.round((device.clock_offset_s ?? 0) / 60);
  return html`<tr class=${device.revoked_at ? "is-revoked" : ""}>
    <th scope="row">${device.technician_name}</th>
    <td>${device.name}</td>
    <td title=${device.last_seen_at ? `${formatDate(device.last_seen_at)} ${formatTime(device.last_seen_at)}` : undefined}>
      ${ago === null ? t("devices.never") : html`<span class=${ago > QUIET_S ? "is-offline" : ""}>${t("devices.ago", { time: ago > 172_800 ? formatDate(device.last_seen_at, { weekday: false }) : formatDuration(Math.max(60, ago)) })}</span>`}
      ${Math.abs(device.clock_offset_s ?? 0) >= CLOCK_WORTH_SAYING_S && html` <${Chip} tone="warn" icon="clock">${t("devices.clock", { minutes: offset > 0 ? `+${offset}` : `−${-offset}` })}<//>`}
    </td>
    <td class="number">${formatNumber(device.unsent ?? 0)}</td>
    <td>${device.app_version ?? "–"}</td>
    <td>${device.revoked_at ? html`<${Chip} tone="offline" icon="lock">${t("devices.revoked")}<//>` : html`<${Chip} icon="check">${t("devices.active")}<//>`}</td>
    <td class="device-actions">${!device.revoked_at && html`<${Button} onClick=${() => (revoking.value = device)}>${t("devices.revoke")}<//>`}</td>
  </tr>`;
}

export function DevicesPage() {
  locale.value;
  useEffect(() => {
    load();
    const timer = setInterval(() => document.visibilityState === "visible" && load(), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const all = devices.value;
  const heads = ["technician", "device", "last", "unsent", "version", "state"];
  return html`<main class="devices" id="main">
    <header><div><h1>${t("devices.title")}</h1><p class="secondary">${all ? t("devices.count", { n: all.length }) : " "}</p></div>
      <${Button} kind="primary" icon="plus" onClick=${() => (enrolling.value = true)}>${t("devices.enrol")}<//></header>
    <${ErrorBox} error=${fault.value} onRetry=${load} />
    ${all && all.length > 0 &&
    html`<div class="device-table"><table aria-label=${t("devices.columns")}>
      <thead><tr>${heads.map((key) => html`<th scope="col" class=${key === "unsent" ? "number" : ""}>${t(`devices.${key}`)}</th>`)}<td></td></tr></thead>
      <tbody>${all.map((device) => html`<${DeviceRow} key=${device.id} device=${device} />`)}</tbody>
    </table></div>`}
    ${all && !all.length && html`<${Empty} icon="device" text=${t("devices.none")} />`}
    ${enrolling.value && html`<${Enrol} />`}<${Revoke} />
  </main>`;
}
