// A technician in a row: the letter tile, and what is known of the tablet.
import { html } from "../shared/html.js";
import { formatDuration, t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { Shape } from "./shapes.js";
import { now } from "./store.js";
import { clock, ms } from "./time.js";

/** @typedef {import("./types.js").Technician} Technician */

const CLOCK_WORTH_SAYING_S = 60;

/** @param {{technician: {letter: string}, index: number}} props */
export function Letter({ technician, index }) {
  return html`<span class="letter" style=${{ "--hue": `var(--route-${(index % 8) + 1})` }} aria-hidden="true">${technician.letter}</span>`;
}

/** @param {string} looks @param {string | null} icon @param {string} words */
function line(looks, icon, words) {
  return html`<span class=${looks} title=${words}><${Shape} name=${icon} /><span>${words}</span></span>`;
}

/**
 * When the tablet last spoke, what it may still hold, whether its clock is right.
 * @param {{technician: Technician, tz: string}} props
 */
export function DeviceLine({ technician, tz }) {
  const { device, shift } = technician;
  const at = now.value;
  const unsent = device.unsent ? t("board.device.unsent", { n: device.unsent }) : null;
  if (device.state === "quiet" && device.last_seen_at) {
    const words = t("board.device.quiet", { time: formatDuration((at - ms(device.last_seen_at)) / 1000) });
    return line("tl-device is-offline", "offline", [words, unsent].filter(Boolean).join(" · "));
  }
  if (device.notices) return line("tl-device is-odd", "alert", t("board.device.notices", { n: device.notices }));
  const offset = Math.round((device.clock_offset_s ?? 0) / 60);
  if (Math.abs(device.clock_offset_s ?? 0) >= CLOCK_WORTH_SAYING_S) {
    return line("tl-device is-clock", "clock", t("board.device.clock", { minutes: offset > 0 ? `+${offset}` : `−${-offset}` }));
  }
  if (!shift) return line("tl-device", null, t("board.off_today"));
  if (ms(shift.start) > at && ms(shift.start) - at < 86_400_000) {
    return line("tl-device", null, t("board.shift_starts", { time: clock(shift.start, tz) }));
  }
  if (device.state === "never" || !device.last_seen_at) {
    return line("tl-device", "device", t("board.device.never"));
  }
  const seen = t("board.device.seen", { time: formatDuration(Math.max(60, (at - ms(device.last_seen_at)) / 1000)) });
  return line("tl-device", "device", [seen, unsent, device.app_is_old && t("board.device.old")].filter(Boolean).join(" · "));
}

/** In rows of one line only what is out of the ordinary is shown, as a shape. @param {{technician: Technician}} props */
export function DeviceMark({ technician }) {
  const { device } = technician;
  if (device.state === "quiet" && device.last_seen_at) {
    return html`<${Icon} name="offline" size=${14} class="tl-mark is-offline" label=${t("board.device.quiet", { time: formatDuration((now.value - ms(device.last_seen_at)) / 1000) })} />`;
  }
  if (device.notices) return html`<${Icon} name="alert" size=${14} class="tl-mark is-odd" label=${t("board.device.notices", { n: device.notices })} />`;
  if (Math.abs(device.clock_offset_s ?? 0) < CLOCK_WORTH_SAYING_S) return null;
  return html`<${Icon} name="clock" size=${14} class="tl-mark is-clock" label=${t("board.device.clock", { minutes: Math.round((device.clock_offset_s ?? 0) / 60) })} />`;
}
