// One tablet, whole: what it told, what is odd about it, what may be on it, and what became of what it sent.
import { useEffect, useState } from "preact/hooks";
import { Button, Dialog, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatBytes, formatDate, formatNumber, formatTime, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { showFault } from "./changes.js";
import { fieldName } from "./clashes.js";
import { hasAccess } from "./fleet.js";
import { api } from "./store.js";

/** @param {string} moment */
export const when = (moment) => `${formatDate(moment, { weekday: false, year: false })} ${formatTime(moment)}`;

/** @param {{device: any, onClose: () => void, onRevoke: () => void, onChange: () => void}} props */
export function DeviceDetail({ device, onClose, onRevoke, onChange }) {
  const [refused, setRefused] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    if (device.refused) api("GET", `/mutations?device_id=${device.id}&status=rejected&limit=10`).then(({ items }) => setRefused(items), showFault);
  }, [device.id, device.refused]);
  const close = async (/** @type {any} */ notice) => {
    try {
      await api("POST", `/devices/notices/${notice.id}/close`);
      toast(t("devices.notice_closed"));
    } catch (error) {
      showFault(error);
    }
    onChange();
  };
  const footer = html`${hasAccess(device) && html`<${Button} kind="danger" onClick=${onRevoke}>${t("devices.revoke")}<//>`}<${Button} kind="primary" onClick=${onClose}>${t("action.close")}<//>`;
  return html`<${Dialog} title=${`${device.technician_name}: ${device.name}`} onClose=${onClose} footer=${footer}>
    <div class="device-detail">
      ${device.notices.length > 0 && html`<ul class="device-notices">${device.notices.map((/** @type {any} */ notice) => html`<${NoticeLine} key=${notice.id} notice=${notice} onClose=${() => close(notice)} />`)}</ul>`}
      <dl class="facts">${factsOf(device).map(([name, value]) => html`<dt>${t(`devices.fact.${name}`)}</dt><dd>${value}</dd>`)}</dl>
      ${device.may_have_started.length > 0 && html`<section><h3>${t("devices.begun")}</h3><ul>${device.may_have_started.map(
        (/** @type {any} */ visit) => html`<li><a href=${`/board?visit=${visit.id}`}>${visit.site_name}</a> <span class="hint">${visit.number} · ${when(visit.planned_start)}</span></li>`,
      )}</ul></section>`}
      ${refused.length > 0 && html`<section><h3>${t("devices.refused")}</h3><ul>${refused.map(
        (one) => html`<li><b>${one.result.problem?.title ?? ""}</b> <span class="hint">${when(one.received_at)} · ${Object.keys({ ...one.payload.set, ...one.payload.add }).map((name) => fieldName(name)).join(", ")}</span></li>`,
      )}</ul></section>`}
    </div>
  <//>`;
}

/** @param {{notice: any, onClose: () => void}} props */
export function NoticeLine({ notice, onClose }) {
  return html`<li><${Icon} name="alert" size=${18} /><div><p>${notice.text}</p>
    <span class="hint">${notice.count > 1 ? t("devices.notice_times", { n: notice.count, first: when(notice.first_at), last: when(notice.last_at) }) : when(notice.last_at)}</span></div>
    <${Button} onClick=${onClose}>${t("devices.notice_close")}<//></li>`;
}

/** @param {any} device @returns {Array<[string, string]>} */
function factsOf(device) {
  /** @type {Array<[string, string | null]>} */
  const facts = [
    ["last", device.last_seen_at ? when(device.last_seen_at) : t("devices.never")],
    ["unsent", unsentWords(device)],
    ["missing", device.missing.length ? device.missing.map((/** @type {number[]} */ [first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ") : null],
    ["photos", device.photos ? t("devices.photos", { n: device.photos, size: formatBytes(device.photo_bytes ?? 0) }) : null],
    ["clock", clockWords(device)],
    ["room", device.room_quota ? t("devices.room", { used: formatBytes(device.room_used ?? 0), of: formatBytes(device.room_quota) }) : null],
    ["version", device.app_version ? `${device.app_version}${device.app_is_old ? ` · ${t("devices.old")}` : ""}` : null],
    ["enrolled", when(device.enrolled_at)],
    ["revoked", device.revoked_at ? when(device.revoked_at) : null],
    ["wiped", device.revoked_at ? (device.wipe_told_at ? when(device.wipe_told_at) : t("devices.wipe_waits")) : null],
  ];
  return /** @type {Array<[string, string]>} */ (facts.filter(([, value]) => value !== null));
}

/** @param {any} device */
function unsentWords(device) {
  if (!device.unsent_estimate) return device.told_at ? t("devices.unsent_none", { time: when(device.told_at) }) : t("devices.unsent_unknown");
  const told = device.unsent_told !== null ? t("devices.unsent_told", { n: device.unsent_told, time: when(device.told_at) }) : null;
  return [`~${formatNumber(device.unsent_estimate)}`, told].filter(Boolean).join(" · ");
}

/** @param {any} device */
function clockWords(device) {
  if (device.clock_offset_s === null) return null;
  const bound = formatNumber(Math.max(1, Math.ceil(device.clock_uncertainty_s ?? 0)));
  const minutes = Math.round(Math.abs(device.clock_offset_s) / 60);
  return minutes < 1 ? t("devices.clock_right", { s: bound }) : t(device.clock_offset_s < 0 ? "devices.clock_ahead" : "devices.clock_behind", { n: minutes, s: bound });
}
