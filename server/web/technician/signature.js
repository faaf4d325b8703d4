// A signature as points: drawn with a finger, kept as [x, y, t], drawn again by us.
import { useEffect, useRef } from "preact/hooks";
import SignaturePadLibrary from "signature_pad";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";

/** Between two looks at a stroke that is being drawn: what is drawn so far is kept too. */
const LOOK_MS = 200;

/** @param {{drawn: number[][][], onChange: (strokes: number[][][]) => void}} props `drawn`: what was drawn before, to go on from */
export function SignaturePad({ drawn: before, onChange }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const pad = useRef(/** @type {SignaturePadLibrary | null} */ (null));
  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const made = new SignaturePadLibrary(element, { penColor: getComputedStyle(element).color, minWidth: 1.2, maxWidth: 2.8 });
    pad.current = made;
    if (before.length) made.fromData(groupsOf(before));
    let looked = 0;
    made.addEventListener("endStroke", () => onChange(strokesOf(made)));
    made.addEventListener("afterUpdateStroke", () => {
      if (Date.now() - looked < LOOK_MS) return;
      looked = Date.now();
      onChange(strokesOf(made));
    });
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

/**
 * The other way round. Times go on from now, so that what is drawn next comes later.
 * @param {number[][][]} strokes @returns {any[]} groups without a style: they take the pad's
 */
function groupsOf(strokes) {
  const last = strokes.at(-1)?.at(-1)?.[2] ?? 0;
  const start = Date.now() - last;
  return strokes.map((points) => ({ points: points.map(([x, y, time]) => ({ x, y, time: start + (time ?? 0), pressure: 0.5 })) }));
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
