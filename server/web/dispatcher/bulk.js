// Several conflicts settled alike: chosen by what they have in common, looked at, then kept together or each that can be.
import { useState } from "preact/hooks";
import { Button, Dialog, ErrorBox, Segmented, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatDate, formatTime, hasText, locale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { fieldName, valueText } from "./clashes.js";
import { groupsOf, verdictOf, WAYS } from "./groups.js";
import { api } from "./store.js";

/** @typedef {import("./clashes.js").Conflict} Conflict */
/** @typedef {{id: string, changes: Record<string, [any, any]>, problem: {code: string, title: string, detail: string} | null, seen: number | null}} Outcome */

/** What a policy is called. @param {string} policy */
export const ruleName = (policy) => (hasText(`conflicts.policy.${policy}`) ? t(`conflicts.policy.${policy}`) : policy);
/** @param {string} at @param {string | null | undefined} tz */
const moment = (at, tz) => `${formatDate(at, { tz: tz ?? undefined, weekday: false, year: false })} ${formatTime(at, tz ?? undefined)}`;

/**
 * @param {{conflicts: Conflict[], onClose: () => void, onDone: (ids: string[]) => void}} props conflicts: open ones and those that a rule has settled
 */
export function BulkDialog({ conflicts, onClose, onDone }) {
  locale.value;
  const [way, setWay] = useState(/** @type {import("./groups.js").Way} */ ("visit"));
  const [chosen, setChosen] = useState(/** @type {Set<string>} */ (new Set()));
  const [choice, setChoice] = useState(/** @type {"mine" | "theirs" | "default"} */ ("theirs"));
  const [outcomes, setOutcomes] = useState(/** @type {Outcome[] | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [sending, setSending] = useState(false);
  const groups = groupsOf(conflicts, way, ruleName, moment);
  const picked = conflicts.filter(({ id }) => chosen.has(id));
  const again = () => {
    setOutcomes(null);
    setError(null);
  };
  const set = (/** @type {string[]} */ ids, /** @type {boolean} */ on) => {
    const next = new Set(chosen);
    for (const id of ids) on ? next.add(id) : next.delete(id);
    setChosen(next);
    again();
  };
  /** @param {() => Promise<any>} act */
  const ask = async (act) => {
    setSending(true);
    setError(null);
    try {
      return await act();
    } catch (problem) {
      const told = /** @type {any} */ (problem).body?.outcomes;
      if (told) setOutcomes(told);
      setError(problem);
      return null;
    } finally {
      setSending(false);
    }
  };
  const items = (/** @type {Outcome[] | null} */ seen) => picked.map(({ id, document_version: version }) => ({ id, seen: seen?.find((one) => one.id === id)?.seen ?? version ?? null }));
  const look = async () => {
    const answer = await ask(() => api("POST", "/conflicts/settle/preview", { items: picked.map(({ id }) => ({ id })), choice }));
    if (answer) setOutcomes(answer.outcomes);
  };
  /** @param {boolean} together */
  const keep = async (together) => {
    const answer = await ask(() => api("POST", "/conflicts/settle", { items: items(outcomes), choice, together }));
    if (!answer) return;
    const done = answer.outcomes.filter((/** @type {Outcome} */ one) => !one.problem).map((/** @type {Outcome} */ one) => one.id);
    onDone(done);
    if (done.length === answer.outcomes.length) return onClose();
    setOutcomes(answer.outcomes);
    setChosen(new Set(answer.outcomes.filter((/** @type {Outcome} */ one) => one.problem).map((/** @type {Outcome} */ one) => one.id)));
    toast(t("bulk.some", { n: done.length }));
  };
  const refused = (outcomes ?? []).filter(({ problem }) => problem).length;
  const footer = outcomes
    ? html`<${Button} onClick=${again}>${t("bulk.back")}<//>
        ${refused > 0 && refused < outcomes.length && html`<${Button} reason=${sending ? t("conflicts.keeping") : undefined} onClick=${() => keep(false)}>${t("bulk.keep_possible", { n: outcomes.length - refused })}<//>`}
        <${Button} kind="primary" reason=${sending ? t("conflicts.keeping") : refused ? t("bulk.in_the_way") : undefined} onClick=${() => keep(true)}>${t("bulk.keep", { n: outcomes.length })}<//>`
    : html`<${Button} onClick=${onClose}>${t("action.cancel")}<//><${Button} kind="primary" reason=${!picked.length ? t("bulk.choose_first") : sending ? t("signin.sending") : undefined} onClick=${look}>${t("bulk.look")}<//>`;
  return html`<${Dialog} title=${t(outcomes ? "bulk.preview" : "bulk.title")} onClose=${onClose} footer=${footer}>
    <div class="bulk">
      <${ErrorBox} error=${error} />
      ${outcomes
        ? html`<ul class="diff">${outcomes.map((outcome) => html`<${OutcomeRow} key=${outcome.id} outcome=${outcome} conflict=${conflicts.find(({ id }) => id === outcome.id)} />`)}</ul>`
        : html`<div class="bulk-how">
              <p class="hint">${t("bulk.by")}</p><${Segmented} label=${t("bulk.by")} value=${way} options=${WAYS.map((value) => ({ value, text: t(`bulk.by.${value}`) }))} onChange=${setWay} />
              <p class="hint">${t("bulk.stand")}</p><${Segmented} label=${t("bulk.stand")} value=${choice} options=${["theirs", "mine", "default"].map((value) => ({ value, text: t(`bulk.stand.${value}`) }))} onChange=${setChoice} />
            </div>
            <div class="bulk-list">
              ${groups.map((group) => {
                const ids = group.conflicts.map(({ id }) => id);
                const all = ids.every((id) => chosen.has(id));
                return html`<fieldset key=${group.key} class="bulk-group">
                  <legend><label><input type="checkbox" checked=${all} onChange=${() => set(ids, !all)} /> <b>${group.name}</b> <span class="hint">${t("conflicts.values", { n: ids.length })}</span></label></legend>
                  ${group.conflicts.map(
                    (one) => html`<label class="bulk-one" key=${one.id}><input type="checkbox" checked=${chosen.has(one.id)} onChange=${() => set([one.id], !chosen.has(one.id))} />
                      <span><b>${fieldName(one.field)}</b>${way === "visit" ? "" : ` · ${one.site_name ?? one.document_title}`}<br /><span class="hint">${t("conflicts.office")}: ${valueText(one.theirs, one.tz ?? undefined)} · ${t("conflicts.site")}: ${valueText(one.mine, one.tz ?? undefined)}</span></span></label>`,
                  )}
                </fieldset>`;
              })}
              ${!groups.length && html`<p class="secondary">${t("bulk.none")}</p>`}
            </div>`}
    </div>
  <//>`;
}

/** @param {{outcome: Outcome, conflict: Conflict | undefined}} props */
function OutcomeRow({ outcome, conflict }) {
  const verdict = verdictOf(outcome);
  const tz = conflict?.tz ?? undefined;
  const names = conflict?.names ?? {};
  const said = (/** @type {any} */ value) => valueText(names[value] ?? value, tz);
  return html`<li class=${`diff-one bulk-outcome is-${verdict}`}><h3><${Icon} name=${outcome.problem ? "alert" : verdict === "same" ? "minus" : "check"} size=${15} /> ${conflict?.site_name ?? conflict?.document_title ?? ""} <span class="hint">${conflict ? fieldName(conflict.field) : ""}</span></h3>
    ${Object.entries(outcome.changes).map(([name, [before, after]]) => html`<p>${fieldName(name)}: <s>${said(before)}</s> → <b>${said(after)}</b></p>`)}
    ${verdict === "same" && html`<p class="hint">${t("bulk.same")}</p>`}
    ${outcome.problem && html`<p class="fault">${outcome.problem.title}. ${outcome.problem.detail}</p>`}
  </li>`;
}
