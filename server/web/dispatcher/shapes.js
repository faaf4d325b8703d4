// The shape of a visit's state: the kit's icons, and the one it does not have.
import { html } from "../shared/html.js";
import { Icon } from "../shared/icons.js";

/** @param {{name: string | null, size?: number}} props */
export function Shape({ name, size = 14 }) {
  if (!name) return null;
  if (name !== "maybe") return html`<${Icon} name=${name} size=${size} />`;
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true">
    <circle cx="12" cy="12" r="9" stroke-dasharray="3.4 2.6" />
    <path d="M9.3 9.4c.2-1.4 1.3-2.3 2.7-2.3 1.5 0 2.7 1 2.7 2.4 0 1.9-2.7 2.2-2.7 4.2M12 16.7v.2" />
  </svg>`;
}
