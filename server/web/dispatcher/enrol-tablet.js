// How a tablet gets its access, and how it loses it.
import { useEffect, useState } from "preact/hooks";
import { Button, Dialog, ErrorBox, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatTime, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { showFault } from "./changes.js";
import { api, serverNow } from "./store.js";

/**
 * An SVG made for a page, as an image of its own: as such it has to name its language.
 * @param {string} svg
 */
function imageOf(svg) {
  const named = svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(named)}`;
}

const LOOK_MS = 3000;

/**
 * What became of a code while it is shown: the tablet that it has connected, or that its time is over.
 * @param {{expires_at: string} | null} code
 * @param {string} technicianId
 * @returns {{device: string | null} | null} null while it is still good
 */
function useUse(code, technicianId) {
  const [use, setUse] = useState(/** @type {{device: string | null} | null} */ (null));
  useEffect(() => {
    setUse(null);
    if (!code) return undefined;
    /** @type {Set<string> | null} */
    let before = null;
    const look = async () => {
      const answer = await api("GET", `/devices?technician_id=${technicianId}&limit=200`).catch(() => null);
      if (!answer) return;
      const added = before && answer.items.find((/** @type {any} */ one) => !before?.has(one.id));
      before ??= new Set(answer.items.map((/** @type {any} */ one) => one.id));
      if (added) setUse({ device: added.name });
      else if (Date.parse(code.expires_at) < serverNow()) setUse({ device: null });
      else return;
      clearInterval(timer);
    };
    const timer = setInterval(look, LOOK_MS);
    look();
    return () => clearInterval(timer);
  }, [code]);
  return use;
}

/** @param {{onClose: () => void}} props */
export function Enrol({ onClose }) {
  const [technicians, setTechnicians] = useState(/** @type {any[]} */ ([]));
  const [chosen, setChosen] = useState("");
  const [code, setCode] = useState(/** @type {any} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  useEffect(() => {
    api("GET", "/technicians?limit=200&active=true&sort=name").then(({ items }) => {
      setTechnicians(items);
      setChosen(items[0]?.id ?? "");
    }, setError);
  }, []);
  const make = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setError(null);
    try {
      setCode(await api("POST", "/devices/enrolment-codes", { technician_id: chosen }));
    } catch (problem) {
      setError(problem);
    }
  };
  const use = useUse(code, chosen);
  const name = technicians.find(({ id }) => id === chosen)?.name ?? "";
  if (!code) {
    return html`<${Dialog} title=${t("devices.enrol")} onClose=${onClose}>
      <form class="move" onSubmit=${make}>
        <${ErrorBox} error=${error} />
        <label class="field"><span>${t("devices.enrol_who")}</span>
          <select value=${chosen} onChange=${(/** @type {any} */ event) => setChosen(event.target.value)}>
            ${technicians.map((one) => html`<option value=${one.id}>${one.name}</option>`)}
          </select></label>
        <footer><${Button} onClick=${onClose}>${t("action.cancel")}<//><${Button} kind="primary" type="submit" disabled=${!chosen}>${t("devices.enrol_go")}<//></footer>
      </form>
    <//>`;
  }
  const copy = () => navigator.clipboard?.writeText(code.code).then(() => toast(t("devices.copied")), showFault);
  return html`<${Dialog} title=${t("devices.enrol_title", { name })} onClose=${onClose} footer=${html`<${Button} kind="primary" onClick=${onClose}>${t("action.close")}<//>`}>
    <div class="enrol">
      ${!use && code.qr_svg && html`<img class="enrol-qr" src=${imageOf(code.qr_svg)} alt=${t("devices.enrol_qr")} />`}
      <div>
        <p class=${`enrol-code ${use ? "is-over" : ""}`} data-code=${code.code}>${code.code}</p>
        ${use && html`<p class="enrol-over" role="status"><${Icon} name=${use.device ? "check" : "clock"} size=${18} /> <b>${use.device ? t("devices.enrol_used", { device: use.device, name }) : t("devices.enrol_expired")}</b></p>
          <${Button} onClick=${() => setCode(null)}>${t("devices.enrol_another")}<//>`}
        ${!use && html`<${Button} kind="quiet" onClick=${copy}>${t("devices.copy")}<//>
        <p>${t("devices.enrol_how", { url: new URL(code.url ?? "/tablet/", location.href).origin + "/tablet/" })}</p>
        <p class="hint">${t("devices.enrol_several")}</p>
        <p class="hint">${t("devices.enrol_until", { time: formatTime(code.expires_at) })}</p>`}
      </div>
    </div>
  <//>`;
}

/** @param {{device: any, onClose: () => void, onDone: () => void}} props */
export function Revoke({ device, onClose, onDone }) {
  const go = async () => {
    onClose();
    try {
      await api("POST", `/devices/${device.id}/revoke`);
      toast(t("devices.revoked_done", { name: device.name }));
    } catch (error) {
      showFault(error);
    }
    onDone();
  };
  const footer = html`<${Button} onClick=${onClose}>${t("action.cancel")}<//><${Button} kind="danger" onClick=${go}>${t("devices.revoke_go")}<//>`;
  return html`<${Dialog} title=${t("devices.revoke_title", { name: `${device.name}, ${device.technician_name}` })} onClose=${onClose} footer=${footer}><p>${t("devices.revoke_what")}</p><//>`;
}
