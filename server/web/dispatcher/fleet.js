// What the office knows of its tablets, and in which order it should look at them. The page and its dialogs read it.
import { signal } from "@preact/signals";
import { api } from "./store.js";

/** A tablet with less of its room left than this may soon refuse photos. */
const LITTLE_ROOM = 0.1;

/** @typedef {{id: string, code: string, text: string, count: number, first_at: string, last_at: string}} Notice */

/** @type {import("@preact/signals").Signal<any[] | null>} */
export const devices = signal(null);
/** All in a few figures. @type {import("@preact/signals").Signal<any>} */
export const fleet = signal(null);
/** Pieces of salvage that wait for a decision. @type {import("@preact/signals").Signal<any[]>} */
export const salvage = signal(/** @type {any[]} */ ([]));
/** @type {import("@preact/signals").Signal<any>} */
export const fault = signal(null);

export async function load() {
  try {
    const [list, figures, kept] = await Promise.all([
      api("GET", "/devices?limit=200"),
      api("GET", "/fleet"),
      api("GET", "/salvage?state=waiting&limit=200"),
    ]);
    devices.value = inOrder(list.items);
    fleet.value = figures;
    salvage.value = kept.items;
    fault.value = null;
  } catch (error) {
    fault.value = error;
  }
}

/** @param {any} device */
export const hasAccess = (device) => device.state !== "revoked" && device.state !== "left";

/** How much a tablet asks for a look: what is odd first, then the silent ones, those without access last. @param {any} device */
function rank(device) {
  if (device.notices.length || device.salvage_waiting) return 0;
  if (!hasAccess(device)) return 4;
  if (device.state === "expired" || device.state === "silent") return 1;
  return device.state === "quiet" || device.clock_is_wrong ? 2 : 3;
}

/** @param {any[]} list */
export function inOrder(list) {
  return [...list].sort((a, b) => rank(a) - rank(b) || a.technician_name.localeCompare(b.technician_name) || (b.last_seen_at ?? "").localeCompare(a.last_seen_at ?? ""));
}

/**
 * What a row says beside its figures, most pressing first: text keys with numbers.
 * @param {any} device @returns {Array<{key: string, params: Record<string, any>, tone: string, icon: string}>}
 */
export function marksOf(device) {
  const marks = [];
  const kinds = new Set(device.notices.map((/** @type {Notice} */ notice) => notice.code));
  for (const kind of ["fork", "token-copied", "two-places", "hole", "clock-jump"]) {
    if (kinds.has(kind)) marks.push({ key: `devices.mark.${kind}`, params: {}, tone: kind === "clock-jump" ? "warn" : "danger", icon: kind === "clock-jump" ? "clock" : "alert" });
  }
  if (device.salvage_waiting) marks.push({ key: "devices.mark.salvage", params: { n: device.salvage_waiting }, tone: "warn", icon: "box" });
  if (device.needs_person) marks.push({ key: "devices.mark.needs", params: { n: device.needs_person }, tone: "warn", icon: "warn" });
  if ((roomLeft(device) ?? 1) < LITTLE_ROOM) marks.push({ key: "devices.mark.room", params: {}, tone: "warn", icon: "layers" });
  if (device.may_have_started.length) marks.push({ key: "devices.mark.begun", params: { n: device.may_have_started.length }, tone: "offline", icon: "maybe" });
  if (device.conflicts_open) marks.push({ key: "devices.mark.conflicts", params: { n: device.conflicts_open }, tone: "conflict", icon: "conflict" });
  if (device.refused) marks.push({ key: "devices.mark.refused", params: { n: device.refused }, tone: "", icon: "warn" });
  return marks;
}

/** Room left on a tablet as a share from 0 to 1; null when it did not tell. @param {any} device */
const roomLeft = (device) => (device.room_quota ? Math.max(0, 1 - (device.room_used ?? 0) / device.room_quota) : null);
