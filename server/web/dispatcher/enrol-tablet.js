// How a tablet gets its access, and how it loses it.
import { useEffect, useState } from "preact/hooks";
import { Button, Dialog, ErrorBox, toast } from "../shared/components.js";
import { html } from "../shared/html.js";
import { formatTime, t } from "../shared/i18n.js";
import { showFault } from "./changes.js";
import { api } from "./store.js";

/**
 * An SVG made for a page, as an image of its own: as such it has to name its language.
 * @param {string} svg
 */
function imageOf(svg) {
  const named = svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(named)}`;
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
      ${code.qr_svg && html`<img class="enrol-qr" src=${imageOf(code.qr_svg)} alt=${t("devices.enrol_qr")} />`}
      <div>
        <p class="enrol-code" data-code=${code.code}>${code.code}</p>
        <${Button} kind="quiet" onClick=${copy}>${t("devices.copy")}<//>
        <p>${t("devices.enrol_how", { url: new URL(code.url ?? "/tablet/", location.href).origin + "/tablet/" })}</p>
        <p class="hint">${t("devices.enrol_several")}</p>
        <p class="hint">${t("devices.enrol_until", { time: formatTime(code.expires_at) })}</p>
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
