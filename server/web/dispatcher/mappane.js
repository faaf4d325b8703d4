// The map of the shown day. It repeats the list; the selection is the same.
import { useEffect, useRef } from "preact/hooks";
import { html } from "../shared/html.js";
import { locale, t } from "../shared/i18n.js";
import { shownTheme, theme } from "../shared/settings.js";
import { createMap } from "../map/map.js";
import { routeHue } from "../map/style.js";
import { routeOf } from "./consequence.js";
import { barName, isOver } from "./state.js";
import { select, selected } from "./store.js";
import { clock } from "./time.js";

/** @typedef {import("./types.js").Board} Board */

/** Hues tell so many routes apart; with more, only the selected one is coloured. */
const COLOURED = 8;
const QUIET_ROUTE = { light: "#7F7B73", dark: "#7D878C" };

/**
 * Where each technician last was, as far as is known: the tablet's own fix, the last site, else where the day starts.
 * @param {Board} shown
 * @param {"light" | "dark"} mode
 * @returns {import("../map/map.js").Pin[]}
 */
export function technicianPins(shown, mode) {
  return shown.technicians.flatMap((technician, index) => {
    const { device, home } = technician;
    const reached = routeOf(shown, technician.id).filter((visit) => visit.started_at).at(-1)?.site;
    const place = device.lat && device.lon ? { lat: device.lat, lon: device.lon } : (reached ?? home);
    if (!place || (!technician.shift && !reached)) return [];
    return [
      {
        id: `technician:${technician.id}`,
        kind: /** @type {const} */ ("technician"),
        lat: place.lat,
        lon: place.lon,
        letter: technician.letter,
        hue: routeHue(index, mode),
        stale: device.state === "quiet",
        title: technician.name,
      },
    ];
  });
}

/**
 * @param {Board} shown
 * @param {"light" | "dark"} mode
 * @param {string | null} selectedRoute
 * @returns {import("../map/map.js").Route[]}
 */
export function dayRoutes(shown, mode, selectedRoute) {
  const plain = shown.technicians.length > COLOURED;
  return shown.technicians.map((technician, index) => {
    const visits = routeOf(shown, technician.id);
    const start = technician.home ? [technician.home] : [];
    return {
      id: technician.id,
      letter: technician.letter,
      hue: plain && technician.id !== selectedRoute ? QUIET_ROUTE[mode] : routeHue(index, mode),
      quiet: plain && technician.id !== selectedRoute,
      line: /** @type {Array<[number, number]>} */ ([...start, ...visits.map(({ site }) => site)].map(({ lon, lat }) => [lon, lat])),
      stops: visits.map((visit, place) => ({
        id: visit.id,
        lon: visit.site.lon,
        lat: visit.site.lat,
        label: String(place + 1),
        done: isOver(visit),
        note: `${barName(visit.site.name)} ${visit.planned_start ? clock(visit.planned_start, shown.branch.tz) : ""}`.trim(),
        title: `${visit.site.name}, ${visit.title}`,
      })),
    };
  });
}

/** @param {{shown: Board}} props */
export function MapPane({ shown }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const map = useRef(/** @type {import("../map/map.js").RoundsMap | null} */ (null));
  const language = locale.value;
  const mode = (theme.value, shownTheme());

  useEffect(() => {
    const el = /** @type {HTMLDivElement} */ (box.current);
    map.current = createMap(el, {
      center: [shown.branch.lon, shown.branch.lat],
      zoom: 10.5,
      theme: mode,
      locale: language,
      label: t("board.map"),
      missing: t("board.map_missing"),
      onSelect: (id) => {
        const technician = id.startsWith("technician:") ? id.slice("technician:".length) : null;
        if (!technician) return select(id);
        const route = routeOf(shown, technician);
        const next = route.find((visit) => !isOver(visit)) ?? route[0];
        if (next) select(next.id);
      },
    });
    const points = [...shown.visits, ...shown.unscheduled].map(({ site }) => /** @type {[number, number]} */ ([site.lon, site.lat]));
    map.current.fitTo(points.length ? points : [[shown.branch.lon, shown.branch.lat]], { padding: 36, maxZoom: 14 });
    const observer = new ResizeObserver(() => map.current?.resize());
    observer.observe(el);
    return () => {
      observer.disconnect();
      map.current?.destroy();
      map.current = null;
    };
  }, [shown.branch.id, shown.date, language]);

  useEffect(() => map.current?.setTheme(mode), [mode]);

  const id = selected.value;
  const chosen = shown.visits.find((visit) => visit.id === id) ?? null;
  const chosenRoute = chosen?.assignee_id ?? null;
  useEffect(() => {
    map.current?.setMarkers([
      ...shown.unscheduled.map((visit) => ({
        id: visit.id,
        kind: /** @type {const} */ ("unscheduled"),
        lat: visit.site.lat,
        lon: visit.site.lon,
        title: `${visit.site.name}, ${visit.title}`,
        label: barName(visit.site.name),
      })),
      ...technicianPins(shown, mode),
    ]);
    map.current?.setRoutes(dayRoutes(shown, mode, chosenRoute), chosenRoute);
    map.current?.select(id);
  }, [shown, mode, chosenRoute, language]);
  useEffect(() => {
    map.current?.select(id);
    const visit = chosen ?? shown.unscheduled.find((one) => one.id === id);
    if (visit) map.current?.reveal([visit.site.lon, visit.site.lat]);
  }, [id]);

  return html`<section class="map-pane" aria-label=${t("board.map")}>
    <div class="map-box" ref=${box}></div>
    <ul class="map-legend" aria-hidden="true">
      <li><i class="map-key-technician"></i>${t("board.map.technician")}</li>
      <li><i class="map-key-stale"></i>${t("board.map.stale")}</li>
      <li><i class="map-key-unscheduled"></i>${t("board.map.unscheduled")}</li>
    </ul>
  </section>`;
}
