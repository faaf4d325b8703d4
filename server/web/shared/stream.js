// Hearing of news from the office as it happens: one open line while the page is looked at. Whoever listens still asks
// now and then by itself; without a line it only asks more often.

const RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 120_000;
/** The office's line beats every 15 s; one that is silent for so long is broken. */
const SILENT_MS = 45_000;

/** @typedef {{kind: string, id: string, data: string}} StreamEvent */

/**
 * Takes in text as it comes and gives the events that are whole.
 * @returns {(text: string) => StreamEvent[]}
 */
export function eventReader() {
  let rest = "";
  let kind = "";
  let id = "";
  /** @type {string[]} */ let data = [];
  return (text) => {
    /** @type {StreamEvent[]} */ const found = [];
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (!line) {
        if (data.length) found.push({ kind: kind || "message", id, data: data.join("\n") });
        kind = "";
        data = [];
        continue;
      }
      const at = line.indexOf(":");
      const name = at < 0 ? line : line.slice(0, at);
      const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
      if (name === "event") kind = value;
      else if (name === "data") data.push(value);
      else if (name === "id") id = value;
    }
    return found;
  };
}

/**
 * Keep a line open for as long as the page is looked at.
 * @param {object} parts
 * @param {() => Promise<{path: string, headers?: Record<string, string>} | null>} parts.where asked before each try; null: not now
 * @param {() => void} parts.onNews
 * @param {{visible: () => boolean, addEventListener: (type: string, listener: () => void) => void}} parts.page
 * @param {(run: () => Promise<void>) => Promise<void>} [parts.alone] keeps two tabs from holding a line each
 * @param {typeof fetch} [parts.get]
 * @returns {{isOpen: () => boolean, again: () => void, stop: () => void}} `again`: somebody else is signed in, begin anew
 */
export function listen({ where, onNews, page, alone = (run) => run(), get = fetch }) {
  let open = false;
  let stopped = false;
  let failures = 0;
  let trying = false;
  /** @type {AbortController | null} */ let line = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;

  /** @param {number} ms */
  const plan = (ms) => {
    clearTimeout(timer);
    if (!stopped && page.visible()) timer = setTimeout(() => void attempt(), ms);
  };
  const attempt = async () => {
    if (trying || stopped || !page.visible()) return;
    trying = true;
    let wait = RETRY_MS;
    try {
      await alone(async () => {
        if (!stopped && page.visible()) wait = await hold();
      });
    } finally {
      trying = false;
      plan(wait);
    }
  };
  /** Hold the line until it ends. @returns {Promise<number>} ms until the next try */
  const hold = async () => {
    const place = await where();
    if (!place) return LONGEST_RETRY_MS;
    const cut = (line = new AbortController());
    let silence = setTimeout(() => cut.abort(), SILENT_MS);
    try {
      const answer = await get(place.path, { headers: { Accept: "text/event-stream", ...place.headers }, cache: "no-store", credentials: "same-origin", signal: cut.signal });
      if (!answer.ok || !answer.body) {
        await answer.body?.cancel();
        return Math.max(Number(answer.headers.get("Retry-After")) * 1000 || 0, later());
      }
      open = true;
      const read = eventReader();
      const decoder = new TextDecoder();
      const reader = answer.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return later();
        clearTimeout(silence);
        silence = setTimeout(() => cut.abort(), SILENT_MS);
        failures = 0;
        for (const event of read(decoder.decode(value, { stream: true }))) {
          if (event.kind === "news") onNews();
          else if (event.kind === "end") {
            const reason = endOf(event.data);
            if (reason === "revoked") onNews();
            if (reason === "revoked" || reason === "replaced") return LONGEST_RETRY_MS;
          }
        }
      }
    } catch {
      return later();
    } finally {
      open = false;
      line = null;
      clearTimeout(silence);
      cut.abort();
    }
  };
  const later = () => Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.min(failures++, 6)) * (0.75 + Math.random() / 2);
  page.addEventListener("visibilitychange", () => (page.visible() ? plan(0) : line?.abort()));
  plan(0);
  return {
    isOpen: () => open,
    again: () => {
      line?.abort();
      plan(0);
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      line?.abort();
    },
  };
}

/** @param {string} data */
function endOf(data) {
  try {
    return JSON.parse(data).reason;
  } catch {
    return null;
  }
}
