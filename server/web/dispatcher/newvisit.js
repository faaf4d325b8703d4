// A new visit: where, what for, how long, when it was promised; then it waits for the plan or is placed by hand.
import { useEffect, useRef, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { Button, Dialog, ErrorBox, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { locale, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { offerUndo } from "./changes.js";
import { moving } from "./move.js";
import { bodyOf, FIELDS, faultsOf, missing } from "./request.js";
import { allVisits, api, board, refresh, select } from "./store.js";

/** @typedef {import("./request.js").Form} Form */
/** @typedef {import("./request.js").Faults} Faults */
/** @typedef {{id: string, name: string, city: string | null, address: string | null, customer_id: string}} FoundSite */

export const making = signal(false);

const SHOWN = 8;
const WAIT_MS = 150;
const PRIORITIES = [0, 1, 2, 3];

/** @returns {Form} */
const blank = () => ({ site: null, kind: "", assets: [], title: "", symptom: "", minutes: "", priority: 1, skills: [], day: "", from: "", to: "", due: "", hard: false });

/**
 * Sites of the branch by their own name or place, then those of customers who are called so.
 * @param {string} query
 * @param {string} branch
 * @returns {Promise<Array<FoundSite & {customer: string}>>}
 */
async function sitesFor(query, branch) {
  const q = encodeURIComponent(query.trim());
  const [own, customers] = await Promise.all([api("GET", `/sites?branch_id=${branch}&limit=${SHOWN}&q=${q}`), api("GET", `/customers?limit=4&q=${q}`)]);
  const theirs = await Promise.all(customers.items.map((/** @type {any} */ one) => api("GET", `/sites?branch_id=${branch}&limit=4&customer_id=${one.id}`)));
  const all = new Map([...own.items, ...theirs.flatMap(({ items }) => items)].map((site) => [site.id, site]));
  const names = new Map(customers.items.map((/** @type {any} */ one) => [one.id, one.name]));
  return [...all.values()].slice(0, SHOWN).map((site) => ({ ...site, customer: names.get(site.customer_id) ?? "" }));
}

/**
 * A field with its fault below it.
 * @param {{name: import("./request.js").Field, label: string, faults: Faults, children?: any, hint?: string, class?: string}} props
 */
function Field({ name, label, faults, children, hint, class: extra = "" }) {
  const fault = faults[name];
  return html`<div class=${`field new-${name} ${extra}`} data-field=${name} role="group" aria-label=${label}>
    <span>${label}</span>${children}
    ${hint && !fault && html`<p class="hint">${hint}</p>`}
    ${fault && html`<p class="fault" role="alert">${fault.startsWith("new.") ? t(fault) : fault}</p>`}
  </div>`;
}

/** @param {{site: Form["site"], pick: (site: any) => void, bad: boolean}} props */
function SitePicker({ site, pick, bad }) {
  const [query, setQuery] = useState("");
  const [found, setFound] = useState(/** @type {Array<FoundSite & {customer: string}> | null} */ (null));
  const [at, setAt] = useState(0);
  const asked = useRef(0);
  const branch = /** @type {import("./types.js").Board} */ (board.value).branch.id;
  useEffect(() => {
    const ask = ++asked.current;
    if (query.trim().length < 2) return setFound(null);
    const timer = setTimeout(() => {
      sitesFor(query, branch).then((sites) => {
        if (ask !== asked.current) return;
        setFound(sites);
        setAt(0);
      }, () => {});
    }, WAIT_MS);
    return () => clearTimeout(timer);
  }, [query]);
  const choose = (/** @type {FoundSite} */ one) => {
    setQuery("");
    setFound(null);
    pick(one);
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (!found?.length) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setAt((at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(/** @type {FoundSite} */ (found[at]));
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      setQuery("");
    }
  };
  if (site) {
    return html`<div class="new-chosen"><${Icon} name="home" size=${16} /><b>${site.name}</b><button type="button" class="button quiet" onClick=${() => pick(null)}>${t("new.other_site")}</button></div>`;
  }
  return html`<div class="new-search">
    <input type="search" role="combobox" autocomplete="off" autofocus aria-label=${t("new.site")} aria-expanded=${found ? "true" : "false"} aria-controls="new-sites" aria-invalid=${bad ? "true" : undefined}
      aria-activedescendant=${found?.length ? `new-site-${at}` : undefined} placeholder=${t("new.site_find")} value=${query} onInput=${(/** @type {any} */ event) => setQuery(event.target.value)} onKeyDown=${keys} />
    ${found &&
    html`<div id="new-sites" class="new-found" role="listbox" aria-label=${t("new.site")}>
      ${found.map(
        (one, index) => html`<div id=${`new-site-${index}`} class="found-row" role="option" key=${one.id} aria-selected=${index === at ? "true" : "false"} onPointerDown=${(/** @type {Event} */ event) => {
          event.preventDefault();
          choose(one);
        }}><b>${one.name}</b><span class="hint">${[one.customer, one.address, one.city].filter(Boolean).join(" · ")}</span></div>`,
      )}
      ${!found.length && html`<p class="found-none" role="option" aria-selected="false">${t("new.site_none", { query })}</p>`}
    </div>`}
  </div>`;
}

/** Skills that somebody has or a kind of work asks for. @param {any[]} kinds @returns {string[]} */
function knownSkills(kinds) {
  const held = (board.value?.technicians ?? []).flatMap(({ skills }) => skills.map(({ code }) => code));
  return [...new Set([...held, ...kinds.flatMap(({ skills }) => skills)])].sort();
}

export function NewVisitDialog() {
  return making.value && board.value ? html`<${NewVisitForm} />` : null;
}

function NewVisitForm() {
  locale.value;
  const shown = /** @type {import("./types.js").Board} */ (board.value);
  const [form, setForm] = useState(blank);
  const [kinds, setKinds] = useState(/** @type {any[]} */ ([]));
  const [assets, setAssets] = useState(/** @type {any[]} */ ([]));
  const [models, setModels] = useState(/** @type {Map<string, string>} */ (new Map()));
  const [faults, setFaults] = useState(/** @type {Faults} */ ({}));
  const [error, setError] = useState(/** @type {any} */ (null));
  const [sending, setSending] = useState(false);
  const place = useRef(/** @type {HTMLFormElement | null} */ (null));
  const change = (/** @type {Partial<Form>} */ part, /** @type {import("./request.js").Field} */ name) => {
    setForm({ ...form, ...part });
    if (faults[name]) setFaults({ ...faults, [name]: undefined });
  };
  const typed = (/** @type {keyof Form} */ key, /** @type {import("./request.js").Field} */ name) => (/** @type {any} */ event) => change({ [key]: event.target.value }, name);
  useEffect(() => {
    api("GET", "/service-kinds?active=true&limit=200").then(({ items }) => setKinds(items), setError);
    api("GET", "/product-models?limit=200").then(({ items }) => setModels(new Map(items.map((/** @type {any} */ one) => [one.id, one.name]))), () => {});
  }, []);
  useEffect(() => {
    setAssets([]);
    if (form.site) api("GET", `/assets?site_id=${form.site.id}&in_service=true&limit=50`).then(({ items }) => setAssets(items), () => {});
  }, [form.site?.id]);
  const called = (/** @type {any} */ kind) => kind.name[locale.value] ?? kind.name.en;
  const inOrder = [...kinds].sort((a, b) => called(a).localeCompare(called(b), locale.value));
  const kind = kinds.find(({ code }) => code === form.kind);
  const skills = knownSkills(kinds);
  const close = () => (making.value = false);
  const pickKind = (/** @type {any} */ event) => {
    const next = kinds.find(({ code }) => code === event.target.value);
    // What nobody has typed over is the kind's own.
    const minutes = !form.minutes || form.minutes === String(kind?.minutes) ? String(next?.minutes ?? "") : form.minutes;
    const own = JSON.stringify(form.skills) === JSON.stringify(kind?.skills ?? []);
    change({ kind: event.target.value, minutes, skills: own ? [...(next?.skills ?? [])] : form.skills }, "kind");
  };
  const toggled = (/** @type {string[]} */ list, /** @type {string} */ one) => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);
  const show = (/** @type {Faults} */ found) => {
    setFaults(found);
    const first = FIELDS.find((name) => found[name]);
    if (first) requestAnimationFrame(() => /** @type {HTMLElement | null | undefined} */ (place.current?.querySelector(`[data-field="${first}"] :is(input, select, textarea, button)`))?.focus());
  };

  /** @param {boolean} byHand */
  const send = async (byHand) => {
    setError(null);
    const found = missing(form);
    if (Object.keys(found).length) return show(found);
    setSending(true);
    try {
      const made = await api("POST", "/visits", bodyOf(form, shown.branch.tz));
      close();
      await refresh({ own: true });
      select(made.id);
      const name = form.site?.name ?? "";
      offerUndo(t("new.done", { number: made.number, name }), () => api("POST", `/visits/${made.id}/cancel`, { reason: t("cancel.not_needed") }));
      const visit = allVisits.value.find(({ id }) => id === made.id);
      if (byHand && visit) moving.value = { visit, technicianId: null, start: null };
      else if (!visit) toast(t("new.done_later", { number: made.number, name }));
    } catch (problem) {
      const told = faultsOf(/** @type {any} */ (problem));
      if (Object.keys(told).length) show(told);
      else setError(problem);
      setSending(false);
    }
  };
  const bad = (/** @type {import("./request.js").Field} */ name) => (faults[name] ? "true" : undefined);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    send(false);
  };
  return html`<${Dialog} title=${t("new.title")} onClose=${close}>
    <form class="move new-visit" onSubmit=${submit} novalidate ref=${place}>
      <${ErrorBox} error=${error} />
      <${Field} name="site" label=${t("new.site")} faults=${faults}><${SitePicker} site=${form.site} bad=${Boolean(faults.site)} pick=${(/** @type {any} */ site) => change({ site, assets: [] }, "site")} /><//>
      ${assets.length > 0 &&
      html`<${Field} name="assets" label=${t("new.assets")} faults=${faults}><div class="new-checks">
        ${assets.map((one) => html`<label key=${one.id}><input type="checkbox" checked=${form.assets.includes(one.id)} onChange=${() => change({ assets: toggled(form.assets, one.id) }, "assets")} /><span>${[models.get(one.model_id), one.serial, one.position].filter(Boolean).join(" · ")}</span></label>`)}
      </div><//>`}
      <div class="new-two">
        <${Field} name="kind" label=${t("new.kind")} faults=${faults}><select aria-label=${t("new.kind")} value=${form.kind} aria-invalid=${bad("kind")} onChange=${pickKind}><option value="" disabled>${t("new.kind_choose")}</option>${inOrder.map((one) => html`<option value=${one.code} selected=${one.code === form.kind}>${called(one)}</option>`)}</select><//>
        <${Field} name="minutes" label=${t("new.minutes")} faults=${faults}><input type="text" inputmode="numeric" aria-label=${t("new.minutes")} value=${form.minutes} aria-invalid=${bad("minutes")} onInput=${typed("minutes", "minutes")} /><//>
        <${Field} name="priority" label=${t("new.priority")} faults=${faults}><select aria-label=${t("new.priority")} value=${form.priority} onChange=${(/** @type {any} */ event) => change({ priority: Number(event.target.value) }, "priority")}>${PRIORITIES.map((one) => html`<option value=${one} selected=${one === form.priority}>${t(`new.priority.${one}`)}</option>`)}</select><//>
      </div>
      <${Field} name="title" label=${t("new.name")} faults=${faults}><input type="text" aria-label=${t("new.name")} value=${form.title} placeholder=${kind ? called(kind) : ""} aria-invalid=${bad("title")} onInput=${typed("title", "title")} /><//>
      <${Field} name="symptom" label=${t("new.symptom")} faults=${faults}><textarea rows="2" aria-label=${t("new.symptom")} value=${form.symptom} aria-invalid=${bad("symptom")} onInput=${typed("symptom", "symptom")}></textarea><//>
      <${Field} name="hours" label=${t("new.hours")} hint=${t("new.hours_hint")} faults=${faults}><div class="new-hours">
        <input type="date" aria-label=${t("new.day")} value=${form.day} aria-invalid=${bad("hours")} onInput=${typed("day", "hours")} />
        <label><span>${t("new.from")}</span><input type="text" inputmode="numeric" autocomplete="off" placeholder="09:00" aria-label=${t("new.from")} value=${form.from} aria-invalid=${bad("hours")} onInput=${typed("from", "hours")} onFocus=${() => !form.day && change({ day: shown.date }, "hours")} /></label>
        <label><span>${t("new.to")}</span><input type="text" inputmode="numeric" autocomplete="off" placeholder="12:00" aria-label=${t("new.to")} value=${form.to} aria-invalid=${bad("hours")} onInput=${typed("to", "hours")} onFocus=${() => !form.day && change({ day: shown.date }, "hours")} /></label>
      </div><//>
      <${Field} name="due" label=${t("new.due")} faults=${faults}><div class="new-hours">
        <input type="date" aria-label=${t("new.due")} value=${form.due} aria-invalid=${bad("due")} onInput=${typed("due", "due")} />
        <label class="new-hard"><input type="checkbox" checked=${form.hard} onChange=${() => change({ hard: !form.hard }, "due")} /><span>${t("new.hard")}</span></label>
      </div><//>
      ${skills.length > 0 &&
      html`<${Field} name="skills" label=${t("new.skills")} faults=${faults}><div class="new-skills">
        ${skills.map((one) => html`<button type="button" key=${one} class="filter" aria-pressed=${form.skills.includes(one) ? "true" : "false"} onClick=${() => change({ skills: toggled(form.skills, one) }, "skills")}>${one}</button>`)}
      </div><//>`}
      <footer>
        <${Button} onClick=${close}>${t("action.cancel")}<//>
        <${Button} reason=${sending ? t("signin.sending") : undefined} onClick=${() => send(true)}>${t("new.place")}<//>
        <${Button} kind="primary" type="submit" reason=${sending ? t("signin.sending") : undefined}>${t("new.go")}<//>
      </footer>
    </form>
  <//>`;
}
