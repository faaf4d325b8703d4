// Changing visits: done at once, said what was done, and undone as one.
import { toast } from "../shared/components.js";
import { t } from "../shared/i18n.js";
import { api, branchId, day, refresh, undoStack } from "./store.js";

/** @typedef {import("./types.js").Visit} Visit */

const UNDO_DEPTH = 50;

/**
 * @param {string} text what was done, in the reader's language
 * @param {() => Promise<void>} undo
 */
export function offerUndo(text, undo) {
  const entry = { text, undo };
  undoStack.value = [...undoStack.value.slice(-UNDO_DEPTH + 1), entry];
  toast(text, { undo: () => undoEntry(entry) });
}

/** @param {{text: string, undo: () => Promise<void>}} entry */
async function undoEntry(entry) {
  if (!undoStack.value.includes(entry)) return;
  undoStack.value = undoStack.value.filter((other) => other !== entry);
  try {
    await entry.undo();
    toast(t("board.undone", { what: entry.text }));
  } catch (error) {
    showFault(error);
  }
  await refresh({ own: true });
}

export async function undoLast() {
  const entry = undoStack.value.at(-1);
  if (entry) await undoEntry(entry);
}

/** @param {any} error a problem of the server, or no answer at all */
export function showFault(error) {
  toast([error?.title, error?.detail].filter(Boolean).join(". ") || t("error.unexpected"));
}

/**
 * @typedef {object} Move where a visit goes in the draft; without a technician it leaves its route
 * @property {string} visit_id
 * @property {string | null} technician_id
 * @property {string | null} start_at
 * @property {string | null} end_at
 */

/**
 * Move visits in the day's draft, all of them undone as one. Nobody is told before it is published.
 * @param {Move[]} moves
 * @param {string} text what was done
 * @returns {Promise<boolean>}
 */
export async function moveInDraft(moves, text) {
  const send = (/** @type {Move[]} */ list) => api("POST", "/board/moves", { date: day.value, branch_id: branchId.value, moves: list });
  try {
    const { undo } = await send(moves);
    offerUndo(text, () => send(undo));
  } catch (error) {
    showFault(error);
    await refresh({ own: true });
    return false;
  }
  await refresh({ own: true });
  return true;
}

/** The fields a change may touch, and so what undo puts back. */
const KEPT = /** @type {const} */ (["locked"]);

/**
 * Change visits one after another; all of them are undone as one.
 * @param {Array<{visit: Visit, set: Partial<Visit>}>} changes
 * @param {string} text what was done
 * @returns {Promise<boolean>}
 */
export async function change(changes, text) {
  /** @type {Array<{visit: Visit, set: Partial<Visit>}>} */
  const done = [];
  const back = async () => {
    for (const { visit, set } of [...done].reverse()) {
      const keys = KEPT.filter((key) => key in set);
      const old = Object.fromEntries(keys.map((key) => [key, visit[key]]));
      await api("PATCH", `/visits/${visit.id}`, old);
    }
  };
  try {
    for (const item of changes) {
      await api("PATCH", `/visits/${item.visit.id}`, item.set);
      done.push(item);
    }
  } catch (error) {
    if (done.length) await back().catch(() => {});
    showFault(error);
    await refresh({ own: true });
    return false;
  }
  offerUndo(text, back);
  await refresh({ own: true });
  return true;
}
