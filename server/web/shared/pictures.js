// Small exchange files as QR pictures: shown one after another, and read by a camera or from photos of a screen.
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "./components.js";
import { add, cut, missing, nothing, read, whole } from "./frames.js";
import { html } from "./html.js";
import { t } from "./i18n.js";
import { Icon } from "./icons.js";

/** Each picture stands so long: a plain camera reads several times a second. */
const STANDS_MS = 450;
const LOOK_MS = 90;
/** Pixels of the longer side in which a code is looked for. */
const LOOKED_AT = 1600;
const QUIET = 4;
/** So many of the missing numbers are named. */
const NAMED = 12;

/**
 * A file's frames in a loop, so that a missed one comes again; with pause and single steps. They bring themselves into view.
 * @param {{data: Uint8Array}} props
 */
export function Frames({ data }) {
  const [texts, setTexts] = useState(/** @type {string[]} */ ([]));
  const [at, setAt] = useState(0);
  const [moving, setMoving] = useState(true);
  const place = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const all = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (texts.length) all.current?.scrollIntoView({ block: "center" });
  }, [texts]);
  useEffect(() => {
    setAt(0);
    void cut(data).then(setTexts);
  }, [data]);
  useEffect(() => {
    if (!moving || texts.length < 2) return undefined;
    const timer = setInterval(() => setAt((now) => (now + 1) % texts.length), STANDS_MS);
    return () => clearInterval(timer);
  }, [moving, texts]);
  useEffect(() => {
    if (texts[at] && place.current) void draw(place.current, texts[at], at + 1);
  }, [texts, at]);
  const go = (/** @type {number} */ by) => {
    setMoving(false);
    setAt((at + by + texts.length) % texts.length);
  };
  const said = t("pictures.at", { n: at + 1, of: texts.length });
  return html`<div class="frames" ref=${all}>
    <canvas ref=${place} role="img" aria-label=${said}></canvas>
    <p class="frames-at">${said}</p>
    ${texts.length > 1 && html`<div class="frames-steps">
      <${Button} icon="left" label=${t("pictures.back")} onClick=${() => go(-1)} />
      <${Button} icon=${moving ? "pause" : "play"} onClick=${() => setMoving(!moving)}>${moving ? t("pictures.pause") : t("pictures.play")}<//>
      <${Button} icon="right" label=${t("pictures.next")} onClick=${() => go(1)} />
    </div>`}
  </div>`;
}

/** Dark on white whatever the theme, each module a whole number of pixels. @param {HTMLCanvasElement} canvas @param {string} text @param {number} number */
async function draw(canvas, text, number) {
  const { default: encode } = await import("qr");
  const rows = encode(text, "raw", { ecc: "low", encoding: "alphanumeric", border: QUIET });
  const scale = Math.max(3, Math.floor(720 / rows.length));
  canvas.width = canvas.height = rows.length * scale;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#000000";
  rows.forEach((row, y) => row.forEach((dark, x) => dark && pen.fillRect(x * scale, y * scale, scale, scale)));
  canvas.dataset.drawn = String(number);
}

/**
 * Reads frames by camera or from pictures, in any order; hands the file over once all are there.
 * @param {{onFile: (data: Uint8Array<ArrayBuffer>) => void}} props
 */
export function FrameReader({ onFile }) {
  const found = useRef(nothing());
  const [seen, setSeen] = useState(nothing());
  const [trouble, setTrouble] = useState("");
  const [looking, setLooking] = useState(false);
  const take = async (/** @type {string} */ text) => {
    const frame = read(text);
    if (!frame) return false;
    const next = add(found.current, frame);
    if (next === found.current) return true;
    setSeen((found.current = next));
    if (missing(next).length) return true;
    const data = await whole(next);
    setSeen((found.current = nothing()));
    setLooking(false);
    if (data) onFile(data);
    else setTrouble("pictures.mixed");
    return true;
  };
  const choose = async (/** @type {any} */ event) => {
    const files = [...event.target.files];
    event.target.value = "";
    setTrouble("");
    let none = 0;
    for (const file of files) {
      const text = await readPicture(file).catch(() => null);
      if (!text || !(await take(text))) none += 1;
    }
    if (none) setTrouble(none === files.length ? "pictures.none" : "pictures.some");
  };
  const left = missing(seen);
  return html`<div class="frame-reader">
    ${looking && html`<${Camera} onText=${take} onTrouble=${(/** @type {string} */ word) => { setTrouble(word); setLooking(false); }} />`}
    <div class="frame-ways">
      <${Button} icon=${looking ? "cross" : "camera"} onClick=${() => { setTrouble(""); setLooking(!looking); }}>${looking ? t("pictures.camera.close") : t("pictures.camera")}<//>
      <label class="button"><${Icon} name="photo" size=${20} /><span>${t("pictures.choose")}</span><input class="visually-hidden" type="file" accept="image/*" multiple onChange=${choose} /></label>
    </div>
    ${seen.of > 0 && html`<p class="frames-seen" role="status"><progress max=${seen.of} value=${seen.parts.size}></progress>${t("pictures.seen", { n: seen.parts.size, of: seen.of })}
      ${left.length > 0 && html`<span class="hint">${t("pictures.missing", { list: left.slice(0, NAMED).join(", ") + (left.length > NAMED ? ", …" : "") })}</span>`}</p>`}
    ${trouble && html`<p class="frames-trouble" role="alert"><${Icon} name="info" size=${20} />${t(trouble)}</p>`}
  </div>`;
}

/** The camera that looks away from the person, where there are two. @param {{onText: (text: string) => Promise<boolean>, onTrouble: (word: string) => void}} props */
function Camera({ onText, onTrouble }) {
  const place = useRef(/** @type {HTMLVideoElement | null} */ (null));
  useEffect(() => {
    /** @type {MediaStream | null} */ let stream = null;
    let stopped = false;
    const look = async () => {
      const video = place.current;
      if (stopped || !video) return;
      const text = video.videoWidth ? await codeIn(video, video.videoWidth, video.videoHeight).catch(() => null) : null;
      if (text) await onText(text);
      setTimeout(look, LOOK_MS);
    };
    const begin = async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
        if (stopped || !place.current) return end();
        place.current.srcObject = stream;
        await place.current.play();
        void look();
      } catch {
        if (!stopped) onTrouble("pictures.no_camera");
      }
    };
    const end = () => stream?.getTracks().forEach((track) => track.stop());
    void begin();
    return () => {
      stopped = true;
      end();
    };
  }, []);
  return html`<video class="frame-camera" ref=${place} muted playsinline aria-label=${t("pictures.camera")}></video>`;
}

/** @param {File} file */
async function readPicture(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    return await codeIn(picture, picture.width, picture.height);
  } finally {
    picture.close();
  }
}

/** What the code in a picture says; null without one. @param {any} source @param {number} width @param {number} height @returns {Promise<string | null>} */
async function codeIn(source, width, height) {
  const scale = Math.min(1, LOOKED_AT / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  const built = await builtIn(canvas);
  if (built) return built;
  const { default: decode } = await import("qr/decode.js");
  try {
    return decode(pen.getImageData(0, 0, canvas.width, canvas.height));
  } catch {
    return null;
  }
}

/** The browser's own reader is quicker, where there is one. @param {HTMLCanvasElement} canvas @returns {Promise<string | null>} */
async function builtIn(canvas) {
  const Detector = /** @type {any} */ (globalThis).BarcodeDetector;
  if (!Detector) return null;
  try {
    const [code] = await new Detector({ formats: ["qr_code"] }).detect(canvas);
    return code?.rawValue ?? null;
  } catch {
    return null;
  }
}
