// The photos and files that a visit names, each with where it is. What is not here yet has its place all the same.
import { useEffect, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { formatTime, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { api } from "./store.js";

/**
 * @typedef {object} VisitFile
 * @property {string} id
 * @property {string} sha256
 * @property {string | null} name
 * @property {string | null} at
 * @property {string | null} by_name
 * @property {"waiting" | "verified" | "quarantined" | "discarded"} state
 * @property {boolean} shown
 * @property {boolean} thumbnail
 * @property {{title: string, detail: string} | null} problem
 */

const ICONS = { waiting: "clock", verified: "check", quarantined: "warn", discarded: "cross" };

/** @param {{file: VisitFile, tz: string}} props */
function Tile({ file, tz }) {
  const address = `/api/v1/attachments/${file.sha256}`;
  const told = [file.at && formatTime(file.at, tz), file.by_name].filter(Boolean).join(" · ");
  const what = file.thumbnail
    ? html`<img src=${`${address}/thumbnail`} alt=${file.name ?? t("files.photo")} loading="lazy" />`
    : html`<span class="no-picture"><${Icon} name=${file.state === "verified" ? "box" : "photo"} size=${22} /></span>`;
  return html`<li class="photo" data-state=${file.state} title=${[file.name, told, file.problem?.detail].filter(Boolean).join("\n")}>
    ${file.state === "verified" ? html`<a href=${address} target="_blank" rel="noopener" aria-label=${t(file.shown ? "files.open" : "files.save", { name: file.name ?? "" })}>${what}</a>` : what}
    ${file.state !== "verified" && html`<span class="photo-state"><${Icon} name=${ICONS[file.state]} size=${12} /> ${t(`files.state.${file.state}`)}</span>`}
    ${told && html`<span class="hint">${told}</span>`}
  </li>`;
}

/**
 * The files of a visit in their places, and how many are still on their way or wait for a look.
 * @param {{files: VisitFile[], tz: string}} props
 */
export function Photos({ files, tz }) {
  if (!files.length) return null;
  const missing = files.filter(({ state }) => state === "waiting").length;
  const held = files.filter(({ state }) => state === "quarantined").length;
  return html`<section class="photos" aria-label=${t("files.of_visit")}>
    <h4>${t("files.count", { n: files.length })}${missing > 0 && html`<span class="photos-missing"><${Icon} name="clock" size=${13} /> ${t("files.awaited", { n: missing })}</span>`}</h4>
    <ul>${files.map((file) => html`<${Tile} key=${file.id} file=${file} tz=${tz} />`)}</ul>
    ${held > 0 && html`<p><a href="/files">${t("files.look", { n: held })}</a></p>`}
  </section>`;
}

/** The same where only the visit is known. @param {{visitId: string, tz: string}} props */
export function PhotosOfVisit({ visitId, tz }) {
  const [files, setFiles] = useState(/** @type {VisitFile[]} */ ([]));
  useEffect(() => {
    let gone = false;
    setFiles([]);
    api("GET", `/visits/${visitId}/attachments`).then(({ items }) => !gone && setFiles(items), () => {});
    return () => {
      gone = true;
    };
  }, [visitId]);
  return html`<${Photos} files=${files} tz=${tz} />`;
}
