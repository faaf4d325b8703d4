// The tablets: when each last spoke, what it may hold, what is odd about it, and how a new one gets its access.
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { Button, Chip, Empty, ErrorBox } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDate, formatDuration, formatNumber, formatTime, locale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { listen } from "../shared/stream.js";
import { showFault } from "./changes.js";
import { DeviceDetail, NoticeLine, when } from "./device-detail.js";
import { Enrol, Revoke } from "./enrol-tablet.js";
import { devices, fault, fleet, hasAccess, load, marksOf } from "./fleet.js";
import { SalvageInbox } from "./salvage.js";
import { Shape } from "./shapes.js";
import { api } from "./store.js";

const POLL_MS = 15_000;
const CLOCK_WORTH_SAYING_S = 60;
/** A restore is said for so long. */
const RESTORE_WORTH_SAYING_MS = 14 * 86_400_000;

const enrolling = signal(false);
/** @type {import("@preact/signals").Signal<string | null>} */
const opened = signal(null);
/** @type {import("@preact/signals").Signal<any>} */
const revoking = signal(null);

/** @param {{device: any}} props */
function DeviceRow({ device }) {
  const ago = device.last_seen_at ? (Date.now() - Date.parse(device.last_seen_at)) / 1000 : null;
  const silent = ["quiet", "silent", "expired"].includes(device.state);
  const offset = Math.round(Math.abs(device.clock_offset_s ?? 0) / 60);
  return html`<tr class=${hasAccess(device) ? "" : "is-revoked"} data-device=${device.id}>
    <th scope="row"><button type="button" class="device-open" onClick=${() => (opened.value = device.id)}>${device.technician_name}</button></th>
    <td>${device.name}</td>
    <td title=${device.last_seen_at ? `${formatDate(device.last_seen_at)} ${formatTime(device.last_seen_at)}` : undefined}>
      ${ago === null ? t("devices.never") : html`<span class=${silent ? "is-offline" : ""}>${silent && html`<${Icon} name="offline" size=${14} />`}${t("devices.ago", { time: ago > 172_800 ? formatDate(device.last_seen_at, { weekday: false }) : formatDuration(Math.max(60, ago)) })}</span>`}
    </td>
    <td class="number" data-name=${t("devices.unsent")}>${device.unsent_estimate ? `~${formatNumber(device.unsent_estimate)}` : device.told_at ? "0" : "–"}</td>
    <td>${Math.abs(device.clock_offset_s ?? 0) < CLOCK_WORTH_SAYING_S
      ? html`<span class="hint">${device.clock_offset_s === null ? "–" : t("devices.clock_ok")}</span>`
      : html`<${Chip} tone=${device.clock_is_wrong ? "warn" : ""} icon="clock">${t(device.clock_offset_s < 0 ? "devices.clock.ahead" : "devices.clock.behind", { n: offset })}<//>`}</td>
    <td>${device.app_version ?? "–"}${device.app_is_old && html` <span class="hint">${t("devices.old")}</span>`}</td>
    <td class="device-marks"><${Marks} device=${device} /></td>
  </tr>`;
}

/** @param {{device: any}} props */
function Marks({ device }) {
  const marks = marksOf(device);
  return html`${!hasAccess(device) && html`<${Chip} tone="offline" icon="lock">${t(`devices.state.${device.state}`)}<//>`}
    ${device.state === "expired" && html`<${Chip} tone="offline" icon="key">${t("devices.state.expired")}<//>`}
    ${marks.map((mark) => html`<span class=${`chip ${mark.tone}`}><${Shape} name=${mark.icon} size=${16} /><span>${t(mark.key, mark.params)}</span></span>`)}
    ${hasAccess(device) && device.state !== "expired" && !marks.length && html`<span class="hint">${t("devices.nothing_odd")}</span>`}`;
}

/** What concerns no single tablet: the restore, and who has not sent again yet. */
function Banners() {
  const figures = fleet.value;
  if (!figures) return null;
  const restored = figures.restored_at && Date.now() - Date.parse(figures.restored_at) < RESTORE_WORTH_SAYING_MS;
  const whole = figures.sent_again >= figures.devices;
  const close = async (/** @type {any} */ notice) => {
    await api("POST", `/devices/notices/${notice.id}/close`).catch(showFault);
    load();
  };
  return html`${restored && html`<p class="fleet-restored" role="status"><${Icon} name=${whole ? "check" : "sync"} size=${18} /><span>${t(figures.restored_to ? "devices.restored_to" : "devices.restored", { at: when(figures.restored_at), to: figures.restored_to ? when(figures.restored_to) : "" })}
      ${t("devices.sent_again", { done: figures.sent_again, n: figures.devices })}</span></p>`}
    ${figures.notices.length > 0 && html`<ul class="device-notices is-fleet">${figures.notices.map((/** @type {any} */ notice) => html`<${NoticeLine} key=${notice.id} notice=${notice} onClose=${() => close(notice)} />`)}</ul>`}`;
}

function Figures() {
  const figures = fleet.value;
  if (!figures) return html`<p class="secondary">${" "}</p>`;
  const told = [
    t("devices.count", { n: figures.devices }),
    figures.silent > 0 && t("devices.silent", { n: figures.silent }),
    figures.unsent_told > 0 && t("devices.unsent_all", { n: figures.unsent_told }),
    figures.backed_up_at ? t("devices.backed_up", { time: when(figures.backed_up_at) }) : t("devices.no_backup"),
  ];
  return html`<p class="secondary">${told.filter(Boolean).join(" · ")}</p>`;
}

export function DevicesPage() {
  locale.value;
  useEffect(() => {
    load();
    const visible = () => document.visibilityState === "visible";
    const line = listen({
      where: async () => ({ path: "/api/v1/stream" }),
      onNews: load,
      page: { visible, addEventListener: (type, listener) => document.addEventListener(type, listener) },
    });
    const timer = setInterval(() => visible() && load(), POLL_MS);
    return () => {
      clearInterval(timer);
      line.stop();
    };
  }, []);
  useEffect(() => {
    if (devices.value) load();
  }, [locale.value]);
  const all = devices.value;
  const shown = all?.find(({ id }) => id === opened.value);
  const heads = ["technician", "device", "last", "unsent", "clock_head", "version", "look"];
  return html`<main class="devices" id="main">
    <header><div><h1>${t("devices.title")}</h1><${Figures} /></div>
      <div class="devices-ways"><a class="button" href="/exchange"><${Icon} name="doc" size=${20} /><span>${t("exchange.title")}</span></a>
      <${Button} kind="primary" icon="plus" onClick=${() => (enrolling.value = true)}>${t("devices.enrol")}<//></div></header>
    <${ErrorBox} error=${fault.value} onRetry=${load} />
    <${Banners} />
    <${SalvageInbox} onChange=${load} />
    ${all && all.length > 0 &&
    html`<div class="device-table"><table aria-label=${t("devices.columns")}>
      <thead><tr>${heads.map((key) => html`<th scope="col" class=${key === "unsent" ? "number" : ""}>${t(`devices.${key}`)}</th>`)}</tr></thead>
      <tbody>${all.map((device) => html`<${DeviceRow} key=${device.id} device=${device} />`)}</tbody>
    </table></div>`}
    ${all && !all.length && html`<${Empty} icon="device" text=${t("devices.none")} />`}
    ${enrolling.value && html`<${Enrol} onClose=${() => { enrolling.value = false; load(); }} />`}
    ${shown && !revoking.value && html`<${DeviceDetail} device=${shown} onClose=${() => (opened.value = null)} onRevoke=${() => (revoking.value = shown)} onChange=${load} />`}
    ${revoking.value && html`<${Revoke} device=${revoking.value} onClose=${() => (revoking.value = null)} onDone=${load} />`}
  </main>`;
}
