// An edit in a few words: "started, 7 checks, 1 finding".
import { t } from "../shared/i18n.js";
import { STATE_ICONS } from "../shared/icons.js";
import { LEADS_TO } from "./states.js";

/** @typedef {import("./types.js").OutboxEntry} OutboxEntry */

const COUNTED = ["answers", "findings", "readings", "notes", "attachments"];
/** @type {Record<string, string>} */
const ICONS = { answers: "list", findings: "alert", readings: "gauge", notes: "pencil", attachments: "camera" };

/** @param {OutboxEntry[]} entries @returns {{icon: string, text: string}} */
export function describe(entries) {
  /** @type {Record<string, number>} */ const sums = {};
  /** @type {string[]} */ const words = [];
  let icon = "";
  for (const { mutation } of entries) {
    for (const event of mutation.add.events ?? []) {
      words.push(t(`pressed.${event.type}`));
      icon = event.type === "undo" ? "undo" : (STATE_ICONS[LEADS_TO[event.type]] ?? icon);
    }
    for (const field of COUNTED) sums[field] = (sums[field] ?? 0) + (mutation.add[field]?.length ?? 0);
    for (const field of Object.keys(mutation.set)) words.push(t(`edit.${field}`));
  }
  for (const field of COUNTED) {
    if (!sums[field]) continue;
    words.push(t(`edit.${field}`, { n: sums[field] }));
    icon ||= ICONS[field];
  }
  return { icon: icon || "doc", text: [...new Set(words)].join(", ") };
}
