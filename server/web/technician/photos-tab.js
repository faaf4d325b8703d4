// Photos of a visit: seen at once from the tablet, each with where it is.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { request } from "../shared/api.js";
import { Empty } from "../shared/components.js";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { addPhoto } from "./actions.js";
import { CameraButton } from "./checks-tab.js";
import { checklistOf, device, named, photos } from "./store.js";

/** @typedef {import("./types.js").Document} Document */

/**
 * The photos that the visit names, with the bytes and the state this tablet knows.
 * @param {Document} visit @returns {any[]}
 */
export function photosOf(visit) {
  const here = new Map(photos.value.map((photo) => [photo.sha256, photo]));
  return (visit.attachments ?? [])
    .filter((/** @type {any} */ entry) => entry.kind === "photo")
    .map((/** @type {any} */ entry) => ({ ...entry, here: here.get(entry.sha256) ?? null }));
}

/** What the office says of photos that are not on this tablet, by hash. @type {import("@preact/signals").Signal<Map<string, string>>} */
const elsewhere = signal(new Map());

/** Where a photo is: as this tablet knows, else as the office last said, else nobody can tell. @param {any} photo @returns {string | null} */
const stateOf = (photo) => photo.here?.state ?? elsewhere.value.get(photo.sha256) ?? null;

/** @param {string[]} hashes */
async function learnOf(hashes) {
  try {
    const { receipts } = await request("POST", "/sync/v1/attachments/receipts", { token: device.value?.token, body: { sha256: hashes } });
    elsewhere.value = new Map([...elsewhere.value, ...receipts.map((/** @type {any} */ one) => /** @type {[string, string]} */ ([one.sha256, one.state]))]);
  } catch {
    // No contact: then nothing is said of them.
  }
}

/** @param {{visit: Document}} props */
export function PhotosTab({ visit }) {
  const items = new Map((checklistOf(visit)?.items ?? []).map((/** @type {any} */ item) => [item.key, named(item.text)]));
  const list = photosOf(visit);
  const unknown = list.filter((photo) => !photo.here).map((photo) => photo.sha256).slice(0, 100);
  useEffect(() => void (unknown.length && learnOf(unknown)), [unknown.join()]);
  const missing = list.filter((photo) => ["saved", "sending", "waiting"].includes(stateOf(photo) ?? "")).length;
  return html`<div class="tab-scroll">
      ${missing > 0 && html`<p class="hint photos-missing" role="status"><${Icon} name="clock" size=${18} /> ${t("photo.missing", { n: missing })}</p>`}
      ${list.length ? html`<ul class="tiles">${list.map((photo) => html`<li key=${photo.id}><${PhotoTile} photo=${photo} large /><span class="hint">${photo.item ? items.get(photo.item) : ""}</span></li>`)}</ul>` : html`<${Empty} icon="camera" text=${t("photo.none")} />`}
    </div>
    <footer class="dock"><div class="dock-row"><${CameraButton} class="action main" primary onFile=${(/** @type {File} */ file) => addPhoto(visit, file)}>${t("photo.take")}<//></div></footer>`;
}

/** @param {{photo: any, large?: boolean}} props */
export function PhotoTile({ photo, large = false }) {
  const [source, setSource] = useState("");
  const [broken, setBroken] = useState(false);
  const blob = photo.here?.blob;
  useEffect(() => {
    let address = "";
    let gone = false;
    if (blob) setSource((address = URL.createObjectURL(blob)));
    else void fromOffice(photo.sha256).then((fetched) => !gone && fetched && setSource((address = URL.createObjectURL(fetched))));
    return () => {
      gone = true;
      if (address) URL.revokeObjectURL(address);
    };
  }, [photo.sha256, Boolean(blob)]);
  const state = stateOf(photo);
  const strip = state === "sending" && photo.here.sent > 0 ? t("photo.percent", { n: Math.floor((100 * photo.here.sent) / photo.here.size) }) : state ? t(`photo.${state}`) : "";
  return html`<figure class=${`tile ${large ? "large" : ""}`} data-state=${state}>
    ${source && !broken ? html`<img src=${source} alt=${photo.name ?? t("photo.alt")} onError=${() => setBroken(true)} />` : html`<span class="no-picture"><${Icon} name="photo" size=${28} />${broken && html`<span>${t("photo.unreadable")}</span>`}</span>`}
    ${strip && html`<figcaption>${strip}</figcaption>`}
  </figure>`;
}

/** The small picture: the tablet looks at photos, it does not study them. @param {string} sha256 @returns {Promise<Blob | null>} */
async function fromOffice(sha256) {
  try {
    const response = await fetch(`/sync/v1/attachments/${sha256}/thumbnail`, { headers: { Authorization: `Bearer ${device.value?.token}` } });
    return response.ok ? await response.blob() : null;
  } catch {
    return null;
  }
}
