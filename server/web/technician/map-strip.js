// The map above a visit. It is loaded late, repeats the list, and its absence takes nothing away.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { locale, t } from "../shared/i18n.js";
import { shownTheme, theme } from "../shared/settings.js";
import { isOver } from "./day.js";
import { dayStart, find } from "./store.js";

/** @typedef {import("./types.js").Document} Document */

const HUE = { light: "#b4480c", dark: "#f0955c" };

/** @param {{visits: Document[], selected: Document, interactive?: boolean, onSelect?: (id: string) => void}} props */
export function MapStrip({ visits, selected, interactive = false, onSelect }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const map = useRef(/** @type {any} */ (null));
  const [failed, setFailed] = useState(false);
  const shown = shownTheme();
  const chosenTheme = theme.value;
  const language = locale.value;
  const site = find("site", selected.site_id);
  // The library arrives later than the day may change: what is drawn is read when it is drawn.
  const latest = useRef({ visits, selected });
  latest.current = { visits, selected };
  const key = visits.map((visit) => `${visit.id}${isOver(visit)}`).join() + selected.id + visits.filter((visit) => find("site", visit.site_id)).length;

  useEffect(() => {
    let gone = false;
    void (async () => {
      try {
        const [{ createMap }, { setWorkerUrl }] = await Promise.all([import("../map/map.js"), import("maplibre-gl")]);
        // Below /tablet/, where the service worker has it without a network too.
        setWorkerUrl("/tablet/map-worker.mjs");
        if (gone || !place.current || !site) return;
        const made = await createMap(place.current, /** @type {any} */ ({ center: [site.lon, site.lat], zoom: 13, theme: shown, locale: language, interactive, label: t("tab.map"), onSelect }));
        if (gone) return made.destroy();
        if (!made.supported) return setFailed(true);
        map.current = made;
        draw(made, latest.current);
      } catch {
        setFailed(true);
      }
    })();
    return () => {
      gone = true;
      map.current?.destroy();
      map.current = null;
    };
  }, [language, interactive, Boolean(site)]);

  useEffect(() => {
    if (map.current) draw(map.current, latest.current);
  }, [key]);

  useEffect(() => {
    map.current?.setTheme(shown);
    if (map.current) draw(map.current, latest.current);
  }, [shown, chosenTheme]);

  return failed ? null : html`<div class="map-strip" ref=${place} aria-hidden=${interactive ? undefined : "true"}></div>`;
}

/** @param {any} map @param {{visits: Document[], selected: Document}} day */
function draw(map, { visits, selected }) {
  const hue = HUE[shownTheme()];
  const start = dayStart();
  const stops = visits.flatMap((visit, index) => {
    const site = find("site", visit.site_id);
    return site ? [{ id: visit.id, lon: site.lon, lat: site.lat, label: String(index + 1), done: isOver(visit), title: site.name }] : [];
  });
  const line = stops.map((stop) => [stop.lon, stop.lat]);
  if (start && line.length) line.unshift([start.lon, start.lat]);
  map.setRoutes([{ id: "day", letter: "", hue, line, stops }], "day");
  map.select(selected.id);
  if (line.length) map.fitTo(line, { padding: 40, maxZoom: 14 });
}
