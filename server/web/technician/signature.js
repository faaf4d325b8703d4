// A signature as points: drawn with a finger, kept as [x, y, t], drawn again by us.
import { useEffect, useRef } from "preact/hooks";
import SignaturePadLibrary from "signature_pad";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";

/** @param {{onChange: (strokes: number[][][]) => void}} props */
export function SignaturePad({ onChange }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const pad = useRef(/** @type {SignaturePadLibrary | null} */ (null));
  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const made = new SignaturePadLibrary(element, { penColor: getComputedStyle(element).color, minWidth: 1.2, maxWidth: 2.8 });
    pad.current = made;
    made.addEventListener("endStroke", () => onChange(strokesOf(made)));
    // A turned tablet changes the pad's size: what was drawn stays.
    const fit = () => {
      const ratio = Math.max(1, devicePixelRatio);
      const drawn = made.toData();
      element.width = element.offsetWidth * ratio;
      element.height = element.offsetHeight * ratio;
      element.getContext("2d")?.scale(ratio, ratio);
      made.clear();
      made.fromData(drawn);
    };
    const watch = new ResizeObserver(fit);
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.off();
    };
  }, []);
  const clear = () => {
    pad.current?.clear();
    onChange([]);
  };
  return html`<div class="signature"><div class="signature-head"><span class="hint">${t("finish.signature")}</span>
      <button type="button" class="clear" onClick=${clear}><${Icon} name="undo" size=${20} />${t("finish.clear")}</button></div>
    <div class="signature-pad"><canvas ref=${canvas} aria-label=${t("finish.signature")} role="img"></canvas><${Icon} name="cross" size=${26} class="sign-here" /><i class="sign-line"></i></div></div>`;
}

/** Points to a tenth of a pixel, times from the first touch. @param {SignaturePadLibrary} pad @returns {number[][][]} */
function strokesOf(pad) {
  const groups = pad.toData();
  const start = groups[0]?.points[0]?.time ?? 0;
  return groups.map((group) => group.points.map((point) => [Math.round(point.x * 10) / 10, Math.round(point.y * 10) / 10, Math.round(point.time - start)]));
}

/** @param {{signature: {name: string, strokes: number[][][]}}} props */
export function SignaturePicture({ signature }) {
  const points = signature.strokes.flat();
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const box = [Math.min(...xs) - 8, Math.min(...ys) - 8, Math.max(...xs) - Math.min(...xs) + 16, Math.max(...ys) - Math.min(...ys) + 16];
  return html`<div class="signature-pad"><svg viewBox=${box.join(" ")} role="img" aria-label=${`${t("finish.signature")}: ${signature.name}`} fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round">
    ${signature.strokes.map((stroke) => html`<path d=${stroke.map(([x, y], index) => `${index ? "L" : "M"}${x} ${y}`).join("") + (stroke.length === 1 ? "h0.1" : "")} />`)}</svg></div>`;
}
