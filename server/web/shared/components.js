// The parts every page is made of. They hold looks and behaviour, no words of their own beyond the shared catalogue.
import { useEffect, useRef } from "preact/hooks";
import { signal } from "@preact/signals";
import { html } from "./html.js";
import { formatMoney, formatTime, hasText, reasonText, register, t } from "./i18n.js";
import { COVERAGE_ICONS, Icon } from "./icons.js";
import en from "./text/en.js";
import ru from "./text/ru.js";

register({ en, ru });

/** @typedef {import("./api.js").ProblemError} ProblemError */

/**
 * A button with a verb. `reason` says why it cannot be pressed now; it is shown to all readers.
 * @param {{kind?: "primary" | "quiet" | "danger" | "", icon?: string, action?: boolean, reason?: string, class?: string,
 *   children?: any, label?: string, type?: "button" | "submit", [rest: string]: any}} props
 */
export function Button({ kind = "", icon, action = false, reason, class: extra = "", children, label, type = "button", ...rest }) {
  const alone = !children;
  return html`<button type=${type} class=${`button ${kind} ${action ? "action" : ""} ${alone ? "icon-only" : ""} ${extra}`}
    aria-label=${label} title=${reason ?? (alone ? label : undefined)} disabled=${Boolean(reason) || rest.disabled} ...${rest}>
    ${icon && html`<${Icon} name=${icon} size=${action ? 24 : 20} />`}${children && html`<span>${children}</span>`}
  </button>`;
}

/** @param {{tone?: string, icon?: string, children?: any, [rest: string]: any}} props */
export function Chip({ tone = "", icon, children, class: extra = "", ...rest }) {
  const Tag = rest.onClick ? "button" : "span";
  return html`<${Tag} class=${`chip ${tone} ${extra}`} type=${rest.onClick ? "button" : undefined} ...${rest}>
    ${icon && html`<${Icon} name=${icon} size=${18} />`}<span>${children}</span>
  <//>`;
}

/** A count beside a name; nothing at all for zero. @param {{n: number, tone?: string}} props */
export function Badge({ n, tone = "" }) {
  return n > 0 ? html`<span class=${`badge ${tone}`}>${n > 99 ? "99+" : n}</span>` : null;
}

/**
 * Who pays, as shape and word, by `sum` with all that it costs. `because` follows in the same line.
 * @param {{coverage: {outcome: string, amount?: string | null, currency?: string | null} | null | undefined, because?: string, plain?: boolean, sum?: boolean}} props
 */
export function Coverage({ coverage, because, plain = false, sum = false }) {
  if (!coverage?.outcome) return null;
  const cost = sum && Number(coverage.amount) > 0 ? ` ${formatMoney(String(coverage.amount), coverage.currency ?? "")}` : "";
  const word = t(`coverage.${coverage.outcome}`) + cost;
  const icon = COVERAGE_ICONS[coverage.outcome] ?? "question";
  if (plain) return html`<span class="coverage plain"><${Icon} name=${icon} size=${20} />${word}</span>`;
  return html`<${Chip} tone=${coverage.outcome === "free" ? "ok" : ""} icon=${icon}>${because ? `${word}: ${because}` : word}<//>`;
}

/** @param {string} id */
export const lineName = (id) => (hasText(`line.${id}`) ? t(`line.${id}`) : id);

/**
 * Why it is free or paid, without the word itself, which stands before it: of several lines that cost, what each costs.
 * @param {any} coverage
 */
export function becauseOf(coverage) {
  const costs = (coverage?.lines ?? []).filter((/** @type {any} */ line) => Number(line.amount) > 0);
  if (costs.length > 1) return costs.map((/** @type {any} */ line) => `${lineName(line.line_id)} ${formatMoney(line.amount, coverage.currency)}`).join(" + ");
  const text = reasonText(coverage?.reason).replace(/\.$/, "");
  const word = t(`coverage.${coverage?.outcome}`);
  return text.startsWith(`${word}: `) ? text.slice(word.length + 2) : text;
}

/** @param {{options: {value: string, text: string}[], value: string, label: string, onChange: (value: any) => void}} props */
export function Segmented({ options, value, label, onChange }) {
  return html`<div class="segmented" role="group" aria-label=${label}>
    ${options.map((option) => html`<button type="button" aria-pressed=${option.value === value ? "true" : "false"} onClick=${() => onChange(option.value)}>${option.text}</button>`)}
  </div>`;
}

/** @param {{icon?: string, text: string, action?: string, onAction?: () => void}} props */
export function Empty({ icon = "check", text, action, onAction }) {
  return html`<div class="empty"><${Icon} name=${icon} size=${32} /><p>${text}</p>
    ${action && html`<${Button} onClick=${onAction}>${action}<//>`}</div>`;
}

/**
 * What happened, what to do, and the code to tell the office. No contact is a fact and not red.
 * @param {{error: ProblemError | null | undefined, onRetry?: () => void}} props
 */
export function ErrorBox({ error, onRetry }) {
  if (!error) return null;
  const offline = error.code === "no-contact";
  return html`<div class=${`error-box ${offline ? "offline" : ""}`} role="status">
    <${Icon} name=${offline ? "offline" : "alert"} size=${22} />
    <strong>${error.title}</strong>
    ${error.detail && html`<span>${error.detail}</span>`}
    ${!offline && error.requestId && html`<code>${t("error.code", { code: error.requestId })} · ${formatTime(error.at)}</code>`}
    ${onRetry && html`<div class="actions"><${Button} icon="sync" onClick=${onRetry}>${t("action.retry")}<//></div>`}
  </div>`;
}

/**
 * A native modal dialog: focus is kept inside, Esc closes it, focus returns where it was.
 * @param {{title: string, onClose: () => void, children?: any, footer?: any}} props
 */
export function Dialog({ title, onClose, children, footer }) {
  const place = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const dialog = place.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  /** @param {Event} event */
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog class="dialog" ref=${place} onCancel=${cancel} aria-labelledby="dialog-title">
    <header><h2 id="dialog-title">${title}</h2><${Button} kind="quiet" icon="cross" label=${t("action.close")} onClick=${onClose} /></header>
    ${children}
    ${footer && html`<footer>${footer}</footer>`}
  </dialog>`;
}

/** @typedef {{id: number, text: string, undo?: () => void, seconds: number}} ToastMessage */

/** @type {import("@preact/signals").Signal<ToastMessage | null>} */
const shown = signal(/** @type {ToastMessage | null} */ (null));
let nextToast = 1;

/** Say what was done; one at a time. @param {string} text @param {{undo?: () => void, seconds?: number}} [options] */
export function toast(text, { undo, seconds = 8 } = {}) {
  shown.value = { id: nextToast++, text, undo, seconds };
}

export function dismissToast() {
  shown.value = null;
}

/** Where toasts appear; put once on each page. It stays while the pointer or the focus is in it. */
export function Toasts() {
  const message = shown.value;
  const hold = useRef(false);
  useEffect(() => {
    if (!message) return undefined;
    let left = message.seconds * 1000;
    const timer = setInterval(() => {
      if (hold.current) return;
      left -= 250;
      if (left <= 0 && shown.value?.id === message.id) shown.value = null;
    }, 250);
    return () => clearInterval(timer);
  }, [message?.id]);
  /** @param {boolean} value */
  const holding = (value) => () => {
    hold.current = value;
  };
  const undo = () => {
    message?.undo?.();
    shown.value = null;
  };
  return html`<div class="toast-place" role="status" aria-live="polite">
    ${message && html`<div class="toast" key=${message.id} onFocusIn=${holding(true)} onFocusOut=${holding(false)}
        onMouseEnter=${holding(true)} onMouseLeave=${holding(false)}>
      <span>${message.text}</span>
      ${message.undo && html`<button type="button" onClick=${undo}>${t("action.undo")}</button>`}
      <i class="left" style=${{ animationDuration: `${message.seconds}s` }}></i>
    </div>`}
  </div>`;
}
