// What is only here, what became of the rest, and what needs a person.
import { useState } from "preact/hooks";
import { Button, Chip } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatBytes, formatDate, formatDuration, formatNumber, formatTime, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { correctSite, retry, retryPhoto } from "./actions.js";
import { isWrong, uncertaintyNow } from "./clock.js";
import { describe } from "./describe.js";
import { ExchangeDialog } from "./exchange-view.js";
import { discard, said } from "./gone.js";
import { go, wide } from "./nav.js";
import { safeToSignOut } from "./outbox.js";
import { OwnConflicts } from "./own-conflicts.js";
import { clockEstimate, completeSince, contact, count, db, device, heldDays, homeZone, lastCheck, lastContact, openDrafts, outbox, photos, storage, visits } from "./store.js";
import { LOOKS, syncState } from "./sync-chip.js";
import { tabOf } from "./visit.js";

/** @typedef {import("./types.js").OutboxEntry} OutboxEntry */
/** @typedef {import("./types.js").Photo} Photo */

export function SyncCentre() {
  const [carrying, setCarrying] = useState(false);
  const state = syncState();
  const left = count.value;
  const time = lastContact.value && formatTime(lastContact.value, homeZone.value);
  const safe = safeToSignOut(left);
  const needs = outbox.value.filter((entry) => entry.state === "needs");
  const unsent = outbox.value.filter((entry) => entry.state === "saved" || entry.state === "sent");
  const waiting = outbox.value.filter((entry) => entry.state === "waiting");
  const done = outbox.value.filter((entry) => entry.state === "accepted").reverse().slice(0, 30);
  const lane = photos.value.filter((photo) => photo.state !== "verified" && photo.state !== "held");
  const looked = photos.value.filter((photo) => photo.state === "held");
  const title = {
    needs: t("sync.title.needs", { n: left.needs }), sending: t("sync.title.sending"), no_contact: time ? t("sync.title.no_contact", { time }) : t("sync.no_contact"),
    waiting: t("sync.title.waiting"), photos: t("sync.title.photos"), all_sent: time ? t("sync.title.all_sent") : t("sync.none_yet"),
  }[state];
  return html`<div class="sync-centre">
    <header class="page-head"><h1>${t("nav.sync")}</h1><span class="secondary">${[device.value?.technician.name, device.value?.device_name].filter(Boolean).join(" · ")}</span></header>
    <main class="scroll sync-grid"><div class="sync-side">
      <section class=${`sync-state ${LOOKS[state].tone}`}>
        <h2><${Icon} name=${LOOKS[state].icon} size=${32} />${title}</h2>
        <p>${state === "all_sent" && left.drafts ? t("sync.text.drafts") : t(`sync.text.${state}`)}</p>
        <ul class="figures"><li><b>${left.waiting}</b>${t("sync.figure.waiting")}</li><li><b>${left.photos}</b>${left.photos ? t("sync.figure.photos.size", { n: left.photos, size: formatBytes(left.photoBytes) }) : t("sync.figure.photos")}</li><li><b>${left.sentToday}</b>${t("sync.figure.sent")}</li></ul>
        <${Button} icon="doc" class="carry-open" onClick=${() => setCarrying(true)}>${t("carry.open")}<//>
      </section>
      <${OwnConflicts} />
      ${wide.value && html`<${Facts} />`}</div><div>
      <div class="group-line"><h2 class="group">${t("sync.only_here")}</h2><${Chip} tone=${safe ? "ok" : "warn"} icon=${safe ? "check" : "warn"}>${safe ? t("sync.safe") : t("sync.not_safe")}<//></div>
      ${!needs.length && !unsent.length && !lane.length && !left.drafts && html`<p class="nothing">${t("sync.nothing_here")}</p>`}
      <ul class="items">
        <${NotAdded} />
        ${needs.map((entry) => html`<${Item} key=${entry.seq} entry=${entry} />`)}
        ${gathered(unsent).map((group) => html`<${Group} key=${group[0].seq} entries=${group} />`)}
        ${lane.map((photo) => html`<${PhotoItem} key=${photo.sha256} photo=${photo} />`)}
      </ul>
      ${waiting.length + looked.length > 0 && html`<h2 class="group">${t("sync.held")}</h2><ul class="items">${looked.map((photo) => html`<${PhotoItem} key=${photo.sha256} photo=${photo} />`)}${gathered(waiting).map((group) => html`<${Group} key=${group[0].seq} entries=${group} />`)}</ul>`}
      ${done.length > 0 && html`<h2 class="group">${t("sync.accepted")}</h2><ul class="items">${gathered(done.toReversed()).toReversed().map((group) => html`<${Group} key=${group[0].seq} entries=${group} />`)}</ul>`}
      ${!wide.value && html`<${Facts} />`}
    </div></main>
    ${carrying && html`<${ExchangeDialog} onClose=${() => setCarrying(false)} />`}
    <footer class="dock"><div class="dock-row"><${Button} kind="primary" action icon="sync" class="main" onClick=${() => dispatchEvent(new Event("rounds:send-now"))}>${contact.value.running ? t("sync.sending") : t("sync.now")}<//></div></footer>
  </div>`;
}

/** What was entered and never added: it is only here, and no exchange sends it. */
function NotAdded() {
  const byDocument = Map.groupBy(openDrafts.value, (draft) => draft.document_id);
  return [...byDocument].map(([id, list]) => html`<li data-state="draft" key=${id}><${Icon} name="pencil" size=${26} /><div><strong>${list[0].title}</strong>
      <span class="where needs"><${Icon} name="pencil" size=${18} />${t("draft.title")}</span>
      ${list.filter((draft) => draft.field !== "sign.outcome").map((draft) => html`<p>${draft.label}: ${said(draft)}</p>`)}
      ${placeOf(list[0]) ? html`<${Button} icon="right" onClick=${() => go(placeOf(list[0]))}>${t("draft.open")}<//>` : html`<${SiteGone} entered=${list} />`}</div>
      <time>${formatTime(list[0].at, homeZone.value)}</time></li>`);
}

/** A correction of a place that no visit here leads to any more. @param {{entered: import("./types.js").Draft[]}} props */
function SiteGone({ entered }) {
  const send = () => entered.forEach((draft) => void correctSite(draft.document_id, /** @type {any} */ (draft.field), draft.value.trim()));
  return html`<div class="pair"><${Button} icon="trash" onClick=${() => discard(entered)}>${t("draft.discard")}<//><${Button} icon="check" onClick=${send}>${t("draft.hand_in")}<//></div>`;
}

/** Where a draft is entered: a site's at one of its visits. @param {import("./types.js").Draft} draft */
function placeOf({ collection, document_id: id, field }) {
  const visit = collection === "site" ? visits.value.find((one) => one.site_id === id)?.id : id;
  return visit ? `visit/${visit}/${tabOf(field)}` : "";
}

/** Neighbouring edits of one document in one state read as one line. @param {OutboxEntry[]} entries @returns {OutboxEntry[][]} */
function gathered(entries) {
  /** @type {OutboxEntry[][]} */ const groups = [];
  for (const entry of entries) {
    const last = groups.at(-1);
    if (last && last[0].mutation.document_id === entry.mutation.document_id && last[0].author === entry.author) last.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

/** @param {{entries: OutboxEntry[]}} props */
function Group({ entries }) {
  const { icon, text } = describe(entries);
  const [first] = entries;
  const foreign = first.author !== device.value?.technician.id;
  const state = first.state === "accepted" ? "accepted" : first.state === "waiting" ? "held" : first.state === "sent" ? "sent" : "saved";
  const where = foreign ? t("sync.item.foreign") : state === "saved" && entries.length > 1 ? t("sync.item.facts", { n: entries.length }) : t(`sync.item.${state}`);
  return html`<li data-state=${state}><${Icon} name=${icon} size=${26} /><div><strong>${first.title}${first.title ? ": " : ""}${text}</strong>
    <span class=${`where ${state}`}><${Icon} name=${state === "accepted" ? "check" : state === "held" ? "box" : "clock"} size=${18} />${where}</span></div>
    <time>${formatTime(entries[entries.length - 1].mutation.made_at, homeZone.value)}</time></li>`;
}

/** Something the office could not take: what it said, and a way on. @param {{entry: OutboxEntry}} props */
function Item({ entry }) {
  const { icon, text } = describe([entry]);
  return html`<li class="needs" data-state="needs"><${Icon} name=${icon} size=${26} /><div><strong>${entry.title}${entry.title ? ": " : ""}${text}</strong>
    <span class="where needs"><${Icon} name="warn" size=${18} />${t("sync.item.needs")}</span>
    <p>${[entry.problem?.title, entry.problem?.detail].filter(Boolean).join(". ") || t("sync.item.needs.detail")}</p>
    <${Button} icon="sync" onClick=${() => retry(Number(entry.seq))}>${t("sync.item.again")}<//></div>
    <time>${formatTime(entry.mutation.made_at, homeZone.value)}</time></li>`;
}

/** @param {{photo: Photo}} props */
function PhotoItem({ photo }) {
  const needs = photo.state === "needs";
  const held = photo.state === "held";
  const where = photo.state === "sending" && photo.sent ? t("photo.percent", { n: Math.floor((100 * photo.sent) / photo.size) }) : t(`sync.photo.${photo.state}`);
  return html`<li class=${needs ? "needs" : ""} data-state=${photo.state}><${Icon} name="camera" size=${26} /><div><strong>${t("sync.photo", { name: photo.name })}</strong>
    <span class=${`where ${needs ? "needs" : "saved"}`}><${Icon} name=${needs ? "warn" : "clock"} size=${18} />${where} · ${formatBytes(photo.size)}</span>
    ${held && html`<p>${photo.problem?.detail ?? ""}</p>`}
    ${needs && html`<p>${[photo.problem?.title, photo.problem?.detail].filter(Boolean).join(". ") || t("sync.item.needs.detail")}</p><${Button} icon="sync" onClick=${() => retryPhoto(photo.sha256)}>${t("sync.item.again")}<//>`}</div>
    <time>${formatTime(photo.made_at, homeZone.value)}</time></li>`;
}

function Facts() {
  const estimate = clockEstimate.value;
  const { persisted, usage, quota } = storage.value;
  const check = lastCheck.value;
  const held = heldDays.value;
  const checked = check && `${formatDate(check.at, { tz: homeZone.value, year: false })} ${formatTime(check.at, homeZone.value)}`;
  const lines = [
    completeSince.value && { icon: "check", text: t("sync.first", { time: `${formatDate(completeSince.value, { tz: homeZone.value, year: false })} ${formatTime(completeSince.value, homeZone.value)}` }) },
    held?.last_day && { icon: "calendar", text: t("sync.package", { from: formatDate(held.first_day, { year: false }), to: formatDate(held.last_day, { year: false }) }) },
    held && held.visits_beyond > 0 && { icon: "warn", text: t("sync.package.beyond", { n: held.visits_beyond, day: formatDate(held.first_beyond, { year: false }) }) },
    check && (check.whole
      ? { icon: "check", text: check.repaired ? t("sync.checked.repaired", { time: checked, n: check.repaired }) : t("sync.checked", { time: checked }) }
      : { icon: "warn", text: t("sync.checked.not", { time: checked }) }),
    estimate && (isWrong(estimate)
      ? { icon: "warn", text: t("sync.clock.wrong", { time: formatDuration(estimate.offsetMs / 1000) }) }
      : { icon: "clock", text: t("sync.clock", { s: formatNumber(Math.max(1, Math.ceil((Math.abs(estimate.offsetMs) + uncertaintyNow(estimate, Date.now())) / 1000))) }) }),
    quota > 0 && { icon: "layers", text: t("sync.room", { used: formatBytes(usage), of: formatBytes(quota) }) },
    persisted !== null && { icon: persisted ? "lock" : "unlock", text: t(persisted ? "sync.persisted" : "sync.not_persisted") },
  ].filter(Boolean);
  return html`<ul class="sync-facts">${lines.map((/** @type {any} */ line) => html`<li><${Icon} name=${line.icon} size=${24} /><span>${line.text}</span></li>`)}</ul>
    ${check && html`<${Button} icon="check" onClick=${checkAgain}>${t("sync.check")}<//>`}`;
}

async function checkAgain() {
  await db.meta.delete("checked");
  dispatchEvent(new Event("rounds:send-now"));
}
