import htm from "htm";
import { h } from "preact";

/** Tagged template that makes Preact nodes. Text put into it stays text; there is no way to put HTML in. */
export const html = /** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */ (htm.bind(h));
