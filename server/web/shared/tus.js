// tus-js-client is published for browsers as a classic script that leaves one global; this makes it a module.
// @ts-expect-error the compiler does not know addresses of the server
import "/static/vendor/tus-js-client/tus.min.js";

/** @type {typeof import("tus-js-client").Upload} */
export const Upload = /** @type {any} */ (globalThis).tus.Upload;
