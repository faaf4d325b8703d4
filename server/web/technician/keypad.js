// A keypad on the page: it leaves the question, the scale and the verdict in sight.
import { html } from "../shared/html.js";
import { decimalMark, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { type } from "./checks.js";

const DIGITS = [["7", "8", "9"], ["4", "5", "6"], ["1", "2", "3"]];

/** @param {{text: string, onType: (text: string) => void, onNext: () => void, onSkip: () => void, onPhoto: (file: File) => void, onClose: () => void}} props */
export function Keypad({ text, onType, onNext, onSkip, onPhoto, onClose }) {
  const key = (/** @type {string} */ name, /** @type {any} */ face = name, /** @type {string | undefined} */ label = undefined) =>
    html`<button type="button" class="key" aria-label=${label} onClick=${() => onType(type(text, name))}>${face}</button>`;
  const mark = decimalMark();
  return html`<footer class="keypad" role="group" aria-label=${t("keypad")}>
    ${DIGITS[0].map((digit) => key(digit))}${key("back", html`<${Icon} name="backspace" size=${26} />`, t("keypad.back"))}
    ${DIGITS[1].map((digit) => key(digit))}${key("-", "−", t("keypad.minus"))}
    ${DIGITS[2].map((digit) => key(digit))}<button type="button" class="key flat" onClick=${onSkip}>${t("check.skip")}</button>
    ${key("0")}${key(mark, mark, t("keypad.mark"))}
    <label class="key flat"><${Icon} name="camera" size=${26} label=${t("photo.take")} /><input class="visually-hidden" type="file" accept="image/*" capture="environment" onChange=${(/** @type {any} */ event) => {
      if (event.target.files[0]) onPhoto(event.target.files[0]);
      event.target.value = "";
    }} /></label>
    <button type="button" class="key go" onClick=${text ? onNext : onClose}>${text ? t("keypad.next") : t("keypad.close")}</button>
  </footer>`;
}
