// What came from tablets without access: looked at edit by edit, imported through the ordinary door, or left with a reason.
import { useEffect, useState } from "preact/hooks";
import { Button, Chip, Dialog, ErrorBox, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatBytes, formatDate, formatTime, hasText, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { fieldName, valueText } from "./clashes.js";
import { when } from "./device-detail.js";
import { salvage } from "./fleet.js";
import { api, me } from "./store.js";

const mayDecide = () => ["manager", "admin"].includes(me.value?.role);

/** The pieces that wait, oldest first. @param {{onChange: () => void}} props */
export function SalvageInbox({ onChange }) {
  const [open, setOpen] = useState(/** @type {string | null} */ (null));
  if (!salvage.value.length && !open) return null;
  return html`<section class="salvage" aria-labelledby="salvage-title">
    <h2 id="salvage-title"><${Icon} name="box" size=${18} />${t("salvage.title")}</h2>
    <p class="hint">${t("salvage.what")}</p>
    <ul>${salvage.value.map((piece) => html`<li key=${piece.id}>
      <div><b>${piece.technician_name}</b> <span class="secondary">${piece.device_name}</span>
        <span class="hint">${[piece.count === null ? t("salvage.unreadable") : t("salvage.count", { n: piece.count }), formatBytes(piece.size), when(piece.received_at), t(`salvage.why.${piece.why}`)].join(" · ")}</span></div>
      <${Button} onClick=${() => setOpen(piece.id)}>${t("salvage.look")}<//></li>`)}</ul>
    ${open && html`<${Piece} id=${open} onClose=${() => setOpen(null)} onChange=${onChange} />`}
  </section>`;
}

/** @param {{id: string, onClose: () => void, onChange: () => void}} props */
function Piece({ id, onClose, onChange }) {
  const [piece, setPiece] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [reason, setReason] = useState(/** @type {string | null} */ (null));
  const [busy, setBusy] = useState(false);
  useEffect(() => void api("GET", `/salvage/${id}`).then(setPiece, setError), [id]);
  const decide = async (/** @type {"import" | "discard"} */ verb, /** @type {any} */ body) => {
    setBusy(true);
    setError(null);
    try {
      const done = await api("POST", `/salvage/${id}/${verb}`, body);
      setPiece({ ...piece, ...done });
      if (verb === "discard") {
        toast(t("salvage.discarded", { name: done.technician_name }));
        onClose();
      }
      onChange();
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  if (!piece) return html`<${Dialog} title=${t("salvage.title")} onClose=${onClose}><${ErrorBox} error=${error} /><//>`;
  const title = t("salvage.of", { name: piece.technician_name, device: piece.device_name });
  const waiting = piece.state === "waiting";
  const footer = !waiting
    ? html`<${Button} kind="primary" onClick=${onClose}>${t("action.close")}<//>`
    : reason !== null
      ? html`<${Button} onClick=${() => setReason(null)}>${t("action.cancel")}<//><${Button} kind="danger" disabled=${!reason.trim() || busy} onClick=${() => decide("discard", { reason: reason.trim() })}>${t("salvage.discard_go")}<//>`
      : html`<${Button} reason=${mayDecide() ? undefined : t("salvage.who")} onClick=${() => setReason("")}>${t("salvage.discard")}<//>
        <${Button} kind="primary" reason=${!mayDecide() ? t("salvage.who") : piece.readable ? undefined : t("salvage.unreadable")} disabled=${busy} onClick=${() => decide("import", {})}>${t("salvage.import", { n: piece.mutations.length })}<//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} footer=${footer}>
    <div class="salvage-piece">
      <${ErrorBox} error=${error} />
      <p>${t(`salvage.explain.${piece.why}`, { time: when(piece.received_at) })}</p>
      ${!mayDecide() && waiting && html`<p class="hint">${t("salvage.who")}</p>`}
      ${piece.outcome && html`<${Outcome} outcome=${piece.outcome} />`}
      ${reason !== null && waiting && html`<label class="field"><span>${t("salvage.reason")}</span>
        <textarea rows="2" maxlength="500" value=${reason} onInput=${(/** @type {any} */ event) => setReason(event.target.value)}></textarea></label>`}
      ${!piece.readable && html`<p class="hint">${t("salvage.unreadable")}</p>`}
      <ol>${piece.mutations.map((/** @type {any} */ one, /** @type {number} */ index) => html`<${Edit} key=${one.id || index} edit=${one} result=${piece.outcome?.results?.[index]} />`)}</ol>
    </div>
  <//>`;
}

/** @param {{outcome: any}} props */
function Outcome({ outcome }) {
  const counts = Object.entries(outcome.counts).map(([status, n]) => t(`salvage.result.${status}`, { n: /** @type {number} */ (n) }));
  return html`<p class="salvage-outcome" role="status"><${Icon} name="check" size=${18} /><span>${[...counts, ...(outcome.conflicts ? [t("salvage.conflicts", { n: outcome.conflicts })] : [])].join(" · ")}
    ${outcome.conflicts > 0 && html` <a href="/conflicts">${t("salvage.to_conflicts")}</a>`}</span></p>`;
}

/** @param {{edit: any, result: any}} props */
function Edit({ edit, result }) {
  const at = edit.made_at_corrected ?? edit.made_at;
  const what = [...Object.entries(edit.set).map(([name, value]) => [fieldName(name), valueText(value)]), ...Object.entries(edit.add).map(([name, values]) => [fieldName(name), values.map(entrySaid).join(", ")]),
    ...Object.entries(edit.remove).map(([name, values]) => [fieldName(name), `− ${values.map(entrySaid).join(", ")}`])];
  const status = result?.status ?? edit.known_as;
  return html`<li><div class="salvage-head"><b>${[edit.site_name, edit.document_title].filter((one, index, all) => one && all.indexOf(one) === index).join(": ") || t("salvage.unknown")}</b>
      <time class="hint" title=${edit.made_at ? `${t("salvage.tablet_time")} ${formatDate(edit.made_at)} ${formatTime(edit.made_at)}` : undefined}>${at ? when(at) : ""}</time></div>
    ${edit.raw_text ? html`<code>${edit.raw_text}</code>` : html`<dl>${what.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`}
    ${status && html`<${Chip} tone=${status === "rejected" ? "danger" : result ? "ok" : "info"} icon=${status === "rejected" ? "warn" : "check"}>${result && !result.repeated ? t(`salvage.status.${status}`) : t("salvage.known", { status: t(`salvage.status.${status}`) })}<//>`}</li>`;
}

/** An entry of a list in one line: the step, the text, or the value that it carries. @param {any} entry */
function entrySaid(entry) {
  if (entry === null || typeof entry !== "object") return valueText(entry);
  if (typeof entry.type === "string") return hasText(`salvage.event.${entry.type}`) ? t(`salvage.event.${entry.type}`) : entry.type;
  return valueText(entry);
}
