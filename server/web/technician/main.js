// Starts the tablet: the database first, then the screen, then the exchange with the office.
import { render } from "preact";
import { request } from "../shared/api.js";
import { html } from "../shared/html.js";
import { toast } from "../shared/components.js";
import { locale, localeChosen, register, setLocale, t } from "../shared/i18n.js";
import { lastPress, onEdit } from "./actions.js";
import { App } from "./app.js";
import { readMeta } from "./db.js";
import { photoLane } from "./photo-lane.js";
import { listen } from "../shared/stream.js";
import { contact, db, drafts, follow, storage, updateReady } from "./store.js";
import { exchange, keepInContact, pushBeside } from "./sync.js";
import en from "./text/en.js";
import ru from "./text/ru.js";

register({ en, ru });
document.documentElement.lang = locale.value;

follow();
// A page that is put away may never come back: what was typed last goes to the disk now.
addEventListener("pagehide", () => void drafts.flush());
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && void drafts.flush());
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));

void speakLikeTheTechnician();
void askForRoom();
void startWorker();

/** @type {import("./sync.js").Ask} */
const ask = (method, path, options) => request(method, path, options);

const lane = photoLane({ db, ask, watched: () => document.visibilityState === "visible" });
const runner = keepInContact({
  round: async () => {
    const before = await readMeta(db, "firstSync");
    const result = await exchange(db, ask, { onProgress: (progress) => (contact.value = { ...contact.value, progress }), onPushed: () => void sendWaitingPhotos() });
    if (!before && (await readMeta(db, "firstSync"))) toast(t("sync.first.done"), { seconds: 5 });
    return result;
  },
  beside: async () => void ((await pushBeside(db, ask)) && sendWaitingPhotos()),
  onChange: (round, running) => {
    contact.value = round ? { ...contact.value, outcome: round.outcome, problem: round.problem, running } : { ...contact.value, running };
    if (round?.outcome === "too_old") void navigator.serviceWorker?.getRegistration().then((known) => known?.update());
  },
  page: { addEventListener: (type, listener) => (type === "visibilitychange" ? document : window).addEventListener(type, listener) },
  alone: async (run) => void (await (navigator.locks ? navigator.locks.request("rounds-exchange", run) : run())),
  listening: () => line.isOpen(),
});
const line = listen({
  where: async () => {
    const [device, cursor, signedOut] = await Promise.all(["device", "cursor", "signedOut"].map((key) => readMeta(db, key)));
    if (!device || signedOut) return null;
    return { path: "/sync/v1/stream", headers: { Authorization: `Bearer ${device.token}`, ...(cursor ? { "Last-Event-ID": cursor } : {}) } };
  },
  onNews: () => runner.heard(),
  page: { visible: () => document.visibilityState === "visible", addEventListener: (type, listener) => document.addEventListener(type, listener) },
  alone: async (run) => void (await (navigator.locks ? navigator.locks.request("rounds-stream", run) : run())),
});
onEdit.run = () => {
  lane.pause();
  runner.soon();
};
addEventListener("rounds:send-now", () => void runner.now());
addEventListener("rounds:enrolled", () => line.again());

/** Photos go when no fact waits; the next edit pauses them, and they go on when it is at the office. */
async function sendWaitingPhotos() {
  const send = () => lane.run().catch((error) => (typeof error.status === "number" ? undefined : Promise.reject(error)));
  // A run that has just given way holds the lock a moment longer: it is told, and goes on by itself.
  await (navigator.locks ? navigator.locks.request("rounds-photos", { ifAvailable: true }, (lock) => (lock || lane.isRunning() ? send() : undefined)) : send());
}

async function speakLikeTheTechnician() {
  if (localeChosen()) return;
  const device = await readMeta(db, "device");
  if (device?.technician.locale === "ru" || device?.technician.locale === "en") setLocale(device.technician.locale, { remember: false });
}

async function askForRoom() {
  if (!navigator.storage?.estimate) return;
  const persisted = (await navigator.storage.persisted()) || (await navigator.storage.persist());
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  storage.value = { persisted, usage, quota };
}

/** Keep the app for work without a network. A new version takes over when nobody is in the middle of something. */
async function startWorker() {
  if (!navigator.serviceWorker) return;
  let reloading = false;
  const controlled = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (controlled && !reloading) {
      reloading = true;
      location.reload();
    }
  });
  const registration = await navigator.serviceWorker.register("/tablet/sw.js", { scope: "/tablet/" });
  const offer = () => {
    const { waiting } = registration;
    if (waiting && navigator.serviceWorker.controller) updateReady.value = () => waiting.postMessage("take-over");
  };
  offer();
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", offer);
  });
  setInterval(() => void registration.update().catch(() => {}), 3_600_000);
}

// The line under an undo is gone when its time is.
setInterval(() => {
  if (lastPress.value && lastPress.value.until < Date.now()) lastPress.value = null;
}, 1000);
