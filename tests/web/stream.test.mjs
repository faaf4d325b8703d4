import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { eventReader, listen } from "../../server/web/shared/stream.js";
import { waitMs } from "../../server/web/technician/sync.js";

const settle = async () => { for (let n = 0; n < 10; n += 1) await new Promise((resolve) => setImmediate(resolve)); };

/** A page that can be looked away from, and an office that hands out lines. */
function setting({ status = 200, retryAfter = null } = {}) {
  const listeners = [];
  const page = { seen: true, visible: () => page.seen, addEventListener: (_type, listener) => listeners.push(listener) };
  const lines = [];
  const get = async (path, { headers, signal }) => {
    const line = { path, headers, signal };
    const body = new ReadableStream({ start: (controller) => (line.controller = controller) });
    signal.addEventListener("abort", () => line.controller.error(new DOMException("", "AbortError")));
    line.say = (text) => line.controller.enqueue(new TextEncoder().encode(text));
    line.end = () => line.controller.close();
    lines.push(line);
    return new Response(body, { status, headers: retryAfter ? { "Retry-After": String(retryAfter) } : {} });
  };
  const look = (seen) => { page.seen = seen; listeners.forEach((listener) => listener()); };
  let heard = 0;
  const start = (more = {}) => listen({ where: async () => ({ path: "/s", headers: { "Last-Event-ID": "c" } }), onNews: () => (heard += 1), page, get, ...more });
  return { lines, look, start, heard: () => heard };
}

test("events are read however the bytes are cut", () => {
  const text = "retry: 5000\n\n: \n\nevent: news\nid: abc\ndata: {}\n\nevent: end\r\ndata: {\"reason\":\"renew\"}\r\n\r\nevent: lost\n";
  fc.assert(fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
    const read = eventReader();
    const at = [0, ...cuts.sort((a, b) => a - b), text.length];
    const found = at.slice(1).flatMap((to, n) => read(text.slice(at[n], to)));
    assert.deepEqual(found, [{ kind: "news", id: "abc", data: "{}" }, { kind: "end", id: "abc", data: "{\"reason\":\"renew\"}" }]);
  }));
});

test("news is passed on, a line that ends is opened anew, one that nobody looks at is not held", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { lines, look, start, heard } = setting();
  const listening = start();
  context.mock.timers.tick(0);
  await settle();
  assert.equal(lines[0].headers["Last-Event-ID"], "c");
  assert.equal(listening.isOpen(), true);
  lines[0].say("event: news\ndata: {}\n\n");
  await settle();
  assert.equal(heard(), 1);
  lines[0].end();
  await settle();
  assert.equal(listening.isOpen(), false);
  context.mock.timers.tick(7000);
  await settle();
  assert.equal(lines.length, 2);
  look(false);
  await settle();
  assert.equal(lines[1].signal.aborted, true);
  context.mock.timers.tick(300_000);
  await settle();
  assert.equal(lines.length, 2);
  look(true);
  context.mock.timers.tick(0);
  await settle();
  assert.equal(lines.length, 3);
  listening.stop();
});

test("a silent line is given up, an office without room is asked again when it says", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const silent = setting();
  const first = silent.start();
  context.mock.timers.tick(0);
  await settle();
  context.mock.timers.tick(45_000);
  await settle();
  assert.equal(silent.lines[0].signal.aborted, true);
  first.stop();
  const full = setting({ status: 503, retryAfter: 60 });
  const second = full.start();
  context.mock.timers.tick(0);
  await settle();
  assert.equal(second.isOpen(), false);
  context.mock.timers.tick(59_000);
  await settle();
  assert.equal(full.lines.length, 1);
  context.mock.timers.tick(1000);
  await settle();
  assert.equal(full.lines.length, 2);
  second.stop();
});

test("who is revoked hears of it once and asks no more for a while", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { lines, start, heard } = setting();
  const listening = start();
  context.mock.timers.tick(0);
  await settle();
  lines[0].say("event: end\ndata: {\"reason\":\"revoked\"}\n\n");
  await settle();
  assert.equal(heard(), 1);
  context.mock.timers.tick(60_000);
  await settle();
  assert.equal(lines.length, 1);
  listening.stop();
});

test("with a line open the tablet asks less often, without one as before", () => {
  const ok = { outcome: "ok", problem: null, retryAfterS: null };
  assert.equal(waitMs(ok, 0, true), 180_000);
  assert.equal(waitMs(ok, 0, false), 30_000);
  assert.equal(waitMs({ ...ok, outcome: "no_contact" }, 9, true), 30_000);
});
