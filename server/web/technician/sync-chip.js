// In sight on every view: what is only here, what the office has.
import { html } from "../shared/html.js";
import { formatTime, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { go } from "./nav.js";
import { contact, count, homeZone, lastContact } from "./store.js";

/**
 * One state for the chip and the sync centre. Being without contact is a fact, never an error.
 * @returns {"needs" | "sending" | "no_contact" | "photos" | "all_sent" | "waiting"}
 */
export function syncState() {
  const { outcome, running } = contact.value;
  const left = count.value;
  if (left.needs > 0) return "needs";
  if (running && left.waiting > 0) return "sending";
  if (outcome !== null && outcome !== "ok") return "no_contact";
  if (left.waiting > 0) return "waiting";
  return left.photos > 0 ? "photos" : "all_sent";
}

/** @type {Record<string, {icon: string, tone: string}>} */
export const LOOKS = {
  needs: { icon: "warn", tone: "warn" }, sending: { icon: "sync", tone: "offline" }, no_contact: { icon: "offline", tone: "offline" },
  waiting: { icon: "clock", tone: "offline" }, photos: { icon: "camera", tone: "offline" }, all_sent: { icon: "check", tone: "sent" },
};

export function SyncChip() {
  const state = syncState();
  const left = count.value;
  const time = lastContact.value ? formatTime(lastContact.value, homeZone.value) : null;
  const { progress } = contact.value;
  const title = {
    needs: t("sync.needs", { n: left.needs }),
    sending: progress ? t("sync.sending.of", { done: progress.sent, total: progress.total }) : t("sync.sending"),
    no_contact: t("sync.no_contact"),
    waiting: t("sync.waiting"),
    photos: t("sync.photos.only"),
    all_sent: time ? t("sync.all_sent", { time }) : t("sync.none_yet"),
  }[state];
  const more = [
    left.waiting > 0 && t("sync.saved", { n: left.waiting }),
    state !== "all_sent" && time && t("sync.sent", { time }),
    left.photos > 0 && t("sync.photos", { n: left.photos }),
  ].filter(Boolean).join(" · ");
  return html`<button type="button" class=${`band ${LOOKS[state].tone}`} data-sync=${state} onClick=${() => go("sync")} aria-live="polite">
    <${Icon} name=${LOOKS[state].icon} size=${26} /><span><strong>${title}</strong>${more && ` ${more}`}</span><${Icon} name="right" size=${20} class="band-end" />
  </button>`;
}
