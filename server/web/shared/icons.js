// Line icons on a 24 grid, 1.75 px stroke. A path that starts with "F" is filled instead of stroked.
import { html } from "./html.js";

/** @type {Record<string, string[]>} */
const PATHS = {
  list: ["M9 6h12", "M9 12h12", "M9 18h12", "M3.5 6h1", "M3.5 12h1", "M3.5 18h1"],
  pin: ["M12 21.5s7-6.2 7-11.8a7 7 0 1 0-14 0c0 5.6 7 11.8 7 11.8z", "M12 12.2a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"],
  plus: ["M12 4.5v15", "M4.5 12h15"],
  minus: ["M4.5 12h15"],
  sync: ["M20 9.5A8.4 8.4 0 0 0 5.2 7L3.5 9", "M3.5 4.5V9H8", "M4 14.5A8.4 8.4 0 0 0 18.8 17l1.7-2", "M20.5 19.5V15H16"],
  more: ["F M5 13.6a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2z", "F M12 13.6a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2z", "F M19 13.6a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2z"],
  right: ["M9 5l7 7-7 7"],
  left: ["M15 5l-7 7 7 7"],
  down: ["M5 9l7 7 7-7"],
  up: ["M5 15l7-7 7 7"],
  arrow: ["M4 12h16", "M13.5 5.5L20 12l-6.5 6.5"],
  check: ["M4.5 12.5l5 5L19.5 7"],
  cross: ["M6 6l12 12", "M18 6L6 18"],
  warn: ["M12 3.8L2.8 19.7h18.4z", "M12 10v4.5", "M12 17v.2"],
  alert: ["M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3z", "M12 7.8v5.2", "M12 16.2v.2"],
  info: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 11v5.5", "M12 7.7v.2"],
  clock: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 7v5.3l3.2 1.9"],
  shield: ["M12 2.8l7.5 2.7v5.6c0 4.8-3.1 8.4-7.5 10.1-4.4-1.7-7.5-5.3-7.5-10.1V5.5z", "M8.6 12l2.5 2.5 4.4-4.6"],
  "shield-half": ["M12 2.8l7.5 2.7v5.6c0 4.8-3.1 8.4-7.5 10.1-4.4-1.7-7.5-5.3-7.5-10.1V5.5z", "F M12 3.6v16.7C8 18.6 5.3 15.4 5.3 11.1V6.1z"],
  coin: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M14.8 9.2c-.3-1.2-1.4-1.8-2.8-1.8-1.6 0-2.8.8-2.8 2.2 0 3.2 5.8 1.5 5.8 4.7 0 1.5-1.3 2.3-3 2.3s-2.8-.8-3-2.1", "M12 5.7v1.7", "M12 16.6v1.7"],
  question: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M9.3 9.4c.2-1.4 1.3-2.3 2.7-2.3 1.5 0 2.7 1 2.7 2.4 0 1.9-2.7 2.2-2.7 4.2", "M12 16.7v.2"],
  phone: ["M6.2 3.5h3l1.5 4.2-2 1.6a12 12 0 0 0 6 6l1.6-2 4.2 1.5v3c0 1.3-1 2.3-2.3 2.2C10.6 19.5 4.5 13.4 4 5.8c-.1-1.3.9-2.3 2.2-2.3z"],
  offline: ["M3 3l18 18", "M2.5 9.5A14 14 0 0 1 7 6.6", "M11 5.2a14 14 0 0 1 10.5 4.3", "M5.8 13a9 9 0 0 1 4-2.4", "M14.3 10.6A9 9 0 0 1 18.2 13", "M9 16.3a4.6 4.6 0 0 1 5.2-.6", "M12 19.7v.2"],
  online: ["M2.5 9.5a14 14 0 0 1 19 0", "M5.8 13a9 9 0 0 1 12.4 0", "M9 16.3a4.6 4.6 0 0 1 6 0", "M12 19.7v.2"],
  flag: ["M5 21.5V3.5", "M5 4.5h14l-3.2 4.8 3.2 4.7H5"],
  enlarge: ["M14 4h6v6", "M20 4l-7 7", "M10 20H4v-6", "M4 20l7-7"],
  shrink: ["M20 10h-6V4", "M14 10l6.5-6.5", "M4 14h6v6", "M10 14l-6.5 6.5"],
  camera: ["M3 8.5a2 2 0 0 1 2-2h2.7l1.6-2.5h5.4l1.6 2.5H19a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z", "M12 16.7a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4z"],
  box: ["M12 2.8l8.2 4.6v9.2L12 21.2l-8.2-4.6V7.4z", "M3.8 7.4L12 12l8.2-4.6", "M12 12v9.2"],
  doc: ["M6 2.8h8.5L19 7.3v13.9H6z", "M14.3 2.8v4.7H19", "M9.3 12.5h6.2", "M9.3 16.3h4"],
  half: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "F M12 3a9 9 0 0 1 0 18z"],
  "half-check": ["M4.5 12.5l5 5", "M12 14.5l3-3"],
  door: ["M6 21.2V3h12v18.2", "M3.5 21.2h17", "M3.5 9.5l17 6", "M14.5 12v.2"],
  pause: ["M8.5 5v14", "M15.5 5v14"],
  play: ["M7 4.5l12.5 7.5L7 19.5z"],
  conflict: ["M12 2.8l9.2 9.2-9.2 9.2L2.8 12z", "M8.8 10.5h6.4", "M8.8 13.8h6.4"],
  lock: ["M5.5 10.5h13v10h-13z", "M8.3 10.5V7.3a3.7 3.7 0 0 1 7.4 0v3.2"],
  unlock: ["M5.5 10.5h13v10h-13z", "M8.3 10.5V7.3a3.7 3.7 0 0 1 7.2-1.2"],
  pencil: ["M4 20l1-4.5L16.5 4a2 2 0 0 1 2.8 0l.7.7a2 2 0 0 1 0 2.8L8.5 19z", "M14.5 6l3.5 3.5"],
  undo: ["M8.5 4L4 8.5 8.5 13", "M4 8.5h10a6 6 0 0 1 0 12h-4"],
  redo: ["M15.5 4L20 8.5 15.5 13", "M20 8.5H10a6 6 0 0 0 0 12h4"],
  backspace: ["M8 5h13v14H8l-5.5-7z", "M11.5 9.3l5.4 5.4", "M16.9 9.3l-5.4 5.4"],
  sun: ["M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z", "M12 2v2.5", "M12 19.5V22", "M2 12h2.5", "M19.5 12H22", "M4.9 4.9l1.8 1.8", "M17.3 17.3l1.8 1.8", "M19.1 4.9l-1.8 1.8", "M6.7 17.3l-1.8 1.8"],
  moon: ["M20.5 14.2A8.7 8.7 0 0 1 9.8 3.5a8.7 8.7 0 1 0 10.7 10.7z"],
  globe: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M3 12h18", "M12 3c2.5 2.6 3.7 5.6 3.7 9s-1.2 6.4-3.7 9c-2.5-2.6-3.7-5.6-3.7-9S9.5 5.6 12 3z"],
  person: ["M12 12a4.3 4.3 0 1 0 0-8.6A4.3 4.3 0 0 0 12 12z", "M3.8 20.8c.8-3.7 4.2-5.8 8.2-5.8s7.4 2.1 8.2 5.8"],
  search: ["M10.7 18a7.3 7.3 0 1 0 0-14.6 7.3 7.3 0 0 0 0 14.6z", "M16 16l5 5"],
  home: ["M3.5 11L12 3.5 20.5 11", "M5.8 9.5v11h12.4v-11", "M10 20.5v-6h4v6"],
  map: ["M3 6l6-2.5 6 2.5 6-2.5v14.5L15 20.5 9 18l-6 2.5z", "M9 3.5V18", "M15 6v14.5"],
  trash: ["M4 6.5h16", "M9 6.5v-3h6v3", "M6 6.5l1 14h10l1-14"],
  calendar: ["M4 5.5h16v15H4z", "M4 10h16", "M8.5 3v4", "M15.5 3v4"],
  car: ["M3 16.5v-4l2-5.5h14l2 5.5v4z", "M3 12.5h18", "M5.5 16.5v2.5", "M18.5 16.5v2.5"],
  key: ["M8 15.8a4.3 4.3 0 1 0 0-8.6 4.3 4.3 0 0 0 0 8.6z", "M12.3 11.5H21v4", "M17 11.5v3"],
  signature: ["M3 20.5h18", "M4 16c3-1 6-9 7.5-11.5s3-.5 1.5 3-4.5 8.5-2.5 9 3.5-4 5-4 0 3 1.5 3 2-1.5 3-1.5"],
  gauge: ["M4.5 18.5a9.5 9.5 0 1 1 15 0", "M12 14l4-5"],
  device: ["M6 2.8h12v18.4H6z", "M10.5 18.3h3"],
  photo: ["M3.5 4.5h17v15h-17z", "M3.5 16l5-5 4.5 4.5 3-3 4.5 4.5", "M15.5 9v.2"],
  wrench: ["M14.5 6.5a4.5 4.5 0 0 1 5.8-2.8l-3 3 .8 2.2 2.2.8 1-1.3a4.5 4.5 0 0 1-6.8 4.8L7.3 20.5a2.3 2.3 0 0 1-3.3-3.3l7.4-7.2"],
  grip: ["M9 5v.2", "M15 5v.2", "M9 12v.2", "M15 12v.2", "M9 19v.2", "M15 19v.2"],
  out: ["M14 4H5v16h9", "M10 12h11", "M17 8l4 4-4 4"],
  layers: ["M12 3l9 5-9 5-9-5z", "M3 12.5l9 5 9-5", "M3 17l9 5 9-5"],
  print: ["M7 8V3h10v5", "M4 8h16v9h-3", "M7 17H4V8", "M7 13.5h10V21H7z"],
};

/**
 * An icon is decoration beside a word; alone, it needs `label`.
 * @param {{name: keyof typeof PATHS | string, size?: number, label?: string, class?: string}} props
 */
export function Icon({ name, size = 20, label, class: extra = "" }) {
  return html`<svg class=${`icon ${extra}`} width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
    stroke-width=${size >= 24 ? 1.75 : 2} stroke-linecap="round" stroke-linejoin="round"
    role=${label ? "img" : undefined} aria-label=${label} aria-hidden=${label ? undefined : "true"}>
    ${(PATHS[name] ?? []).map((path) =>
      path.startsWith("F") ? html`<path d=${path.slice(1)} fill="currentColor" stroke="none" />` : html`<path d=${path} />`,
    )}
  </svg>`;
}

/** The product's mark: a round with its stop. @param {{size?: number}} props */
export function Mark({ size = 28 }) {
  return html`<svg class="icon mark" width=${size} height=${size} viewBox="0 0 32 32" fill="none" aria-hidden="true">
    <path d="M24.3 9.5A11 11 0 1 0 27 16" stroke="var(--accent)" stroke-width="4" stroke-linecap="round" />
    <circle cx="24.8" cy="8.2" r="3.6" fill="var(--accent)" /><circle cx="16" cy="16" r="4.2" fill="var(--accent)" />
  </svg>`;
}

/** Shape that stands for a visit's state on site. @type {Record<string, string>} */
export const STATE_ICONS = {
  en_route: "arrow", on_site: "pin", working: "half", paused: "pause", done: "check", reviewed: "check", closed: "check",
  partly_done: "half-check", no_access: "door", refused: "cross",
};

/** Shape that stands for who pays. @type {Record<string, string>} */
export const COVERAGE_ICONS = { free: "shield", paid: "coin", partly: "shield-half", needs_quote: "question" };
