// The app without a network. The server puts three constants in front of this text: VERSION; FILES, which names every
// file of the app with its SHA-256; and MAP_FILES, the same for the map's program. A version of the app is taken whole
// or not at all; the map is large and optional, and follows when it can.
/* global VERSION, FILES, MAP_FILES */

const CACHE = `rounds-app-${VERSION}`;
const MAP_CACHE = "rounds-map";
const MAP_PATHS = ["/tablet/map-worker.mjs", "/static/map/", "/static/vendor/maplibre-gl/", "/static/vendor/pmtiles/", "/static/vendor/fflate/"];

self.addEventListener("install", (event) => event.waitUntil(takeAll()));

async function takeAll() {
  const cache = await caches.open(CACHE);
  await Promise.all(Object.entries(FILES).map(([url, sum]) => takeOne(cache, url, sum)));
}

/** A file that is not the one the list names would mix two versions: then the old version goes on. */
async function takeOne(cache, url, sum) {
  const response = await fetch(url, { cache: "no-store" });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const bytes = await response.clone().arrayBuffer();
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== sum) throw new Error(`${url} is of another version`);
  await cache.put(url, response);
}

self.addEventListener("activate", (event) => event.waitUntil(settleIn()));

async function settleIn() {
  for (const name of await caches.keys()) {
    if (name.startsWith("rounds-app-") && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
  await keepMap();
}

/** The map's program; its pictures of the land are kept when they are first looked at. */
async function keepMap() {
  const cache = await caches.open(MAP_CACHE);
  for (const [url, sum] of Object.entries(MAP_FILES)) {
    const known = await cache.match(url);
    if (known?.headers.get("ETag")?.includes(sum)) continue;
    try {
      const response = await fetch(url, { cache: "no-store" });
      if (response.ok) await cache.put(url, response);
    } catch {
      return;
    }
  }
}

self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (MAP_PATHS.some((path) => url.pathname.startsWith(path))) {
    event.respondWith(fromMapCache(request, url));
  } else if (request.mode === "navigate" && url.pathname.startsWith("/tablet")) {
    event.respondWith(fromCache("/tablet/", request));
  } else if (FILES[url.pathname]) {
    event.respondWith(fromCache(url.pathname, request));
  }
});

async function fromCache(key, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(key)) ?? fetch(request);
}

/** The map is kept when it is first looked at; pieces of the basemap are cut from the kept file. */
async function fromMapCache(request, url) {
  const cache = await caches.open(MAP_CACHE);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("Range") ?? "");
  let kept = await cache.match(url.pathname);
  if (!kept) {
    const response = await fetch(url.pathname);
    if (!response.ok) return response;
    await cache.put(url.pathname, response.clone());
    kept = response;
  } else {
    void refresh(cache, url.pathname, kept.headers.get("ETag"));
  }
  if (!range) return kept;
  const whole = await kept.blob();
  const from = Number(range[1]);
  const to = Math.min(range[2] ? Number(range[2]) : whole.size - 1, whole.size - 1);
  return new Response(whole.slice(from, to + 1), {
    status: 206,
    headers: {
      "Content-Range": `bytes ${from}-${to}/${whole.size}`,
      "Content-Length": String(to - from + 1),
      "Content-Type": kept.headers.get("Content-Type") ?? "application/octet-stream",
      ETag: kept.headers.get("ETag") ?? "",
    },
  });
}

const refreshed = new Set();

async function refresh(cache, path, tag) {
  if (refreshed.has(path)) return;
  refreshed.add(path);
  try {
    const response = await fetch(path, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (response.status === 200) await cache.put(path, response);
  } catch {
    // No contact: the kept copy serves.
  }
}
