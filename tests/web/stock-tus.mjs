// Upload one file with tus-js-client as it is published: `node stock-tus.mjs '<json>'`.
// {endpoint, token, file, metadata, retries, retryMs, resume, options, abortAfter} → one line of JSON for each thing that happens.
import { createReadStream, readFileSync } from "node:fs";
import { Upload } from "tus-js-client";

const told = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const data = told.stream ? createReadStream(told.file) : readFileSync(told.file);

const upload = new Upload(data, {
  endpoint: told.endpoint,
  uploadUrl: told.resume ?? null,
  headers: { Authorization: `Bearer ${told.token}` },
  metadata: told.metadata,
  retryDelays: Array(told.retries ?? 0).fill(told.retryMs ?? 0),
  onUploadUrlAvailable: () => say({ event: "url", url: upload.url }),
  onChunkComplete: (size, accepted) => {
    say({ event: "chunk", accepted });
    if (told.abortAfter !== undefined && accepted >= told.abortAfter) void upload.abort(true).then(() => say({ event: "aborted" }));
  },
  onError: (error) => {
    say({ event: "error", status: error.originalResponse?.getStatus() ?? 0, body: error.originalResponse?.getBody() ?? String(error) });
    process.exitCode = 1;
  },
  onSuccess: () => say({ event: "success" }),
  ...told.options,
});
upload.start();
