// The map beside a list. It repeats what the list says: everything on it can be reached without it.
import { pinElement, stopElement } from "./pins.js";
import { REGIONS, regionAt } from "./regions.js";
import { dayLayers, routeFeatures } from "./routes.js";
import { basemapStyle } from "./style.js";

/** @typedef {import("./style.js").Theme} Theme */
/** @typedef {[number, number]} LonLat longitude, latitude */

/**
 * @typedef {object} Pin a thing at a place
 * @property {string} id
 * @property {"technician" | "unscheduled" | "visit" | "depot" | "value"} kind
 * @property {number} lon
 * @property {number} lat
 * @property {string} title said by a pointer resting on it
 * @property {string} [letter] on a technician's tile or a value's pin
 * @property {string} [hue] colour of a technician's tile or a value's pin
 * @property {boolean} [stale] last position is old
 * @property {string} [label] shown beside the pin: a value's always, any other while it is selected
 */

/**
 * @typedef {object} Stop
 * @property {string} id
 * @property {number} lon
 * @property {number} lat
 * @property {string} label place in the route ("3")
 * @property {boolean} done
 * @property {string} title
 * @property {string} [note] shown beside the stop while it is selected
 */

/**
 * @typedef {object} Route one technician's day
 * @property {string} id
 * @property {string} letter
 * @property {string} hue
 * @property {boolean} [quiet] drawn thin, as ground for the selected one
 * @property {LonLat[]} line from the start through every stop
 * @property {Stop[]} stops
 */

/**
 * @typedef {object} RoundsMap
 * @property {boolean} supported false where the browser cannot draw a map; every method then does nothing
 * @property {(pins: Pin[]) => void} setMarkers
 * @property {(routes: Route[], selectedRoute?: string | null) => void} setRoutes
 * @property {(id: string | null) => void} select marks one pin or stop
 * @property {(points: LonLat[], options?: {padding?: number, maxZoom?: number}) => void} fitTo
 * @property {(point: LonLat) => void} reveal brings a point into view, and does nothing when it is there already
 * @property {(theme: Theme) => void} setTheme
 * @property {() => void} resize
 * @property {() => void} destroy
 */

/**
 * @typedef {object} MapOptions
 * @property {LonLat} center
 * @property {number} [zoom]
 * @property {Theme} [theme]
 * @property {string} [locale] language of place names
 * @property {boolean} [interactive]
 * @property {string} [region] id of a basemap; found from the centre when left out
 * @property {string} [label] what the map shows, for those who do not see it
 * @property {string} [missing] said in place of the map where it cannot be drawn
 * @property {(id: string) => void} [onSelect] a pin or stop was pressed
 */

const ATTRIBUTION =
  '<a href="https://www.openstreetmap.org/copyright" target="_blank" rel="noreferrer">© OpenStreetMap contributors</a>';
const STYLESHEETS = ["/static/vendor/maplibre-gl/maplibre-gl.css", "/static/map/map.css"];

/** @type {Promise<any> | null} */
let library = null;

/** Load MapLibre once and teach it to read PMTiles. @returns {Promise<any>} */
function loadLibrary() {
  library ??= Promise.all([import("maplibre-gl"), import("pmtiles")]).then(([maplibre, { Protocol }]) => {
    maplibre.addProtocol("pmtiles", new Protocol().tile);
    return maplibre;
  });
  return library;
}

function linkStylesheets() {
  for (const href of STYLESHEETS) {
    if (document.querySelector(`link[href="${href}"]`)) continue;
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    document.head.append(link);
  }
}

/** @returns {boolean} */
function canDraw() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

/**
 * @param {HTMLElement} el
 * @param {string} text
 * @returns {RoundsMap}
 */
function plainMessage(el, text) {
  const note = document.createElement("p");
  note.className = "map-missing";
  note.textContent = text;
  el.replaceChildren(note);
  const nothing = () => {};
  return {
    supported: false,
    setMarkers: nothing,
    setRoutes: nothing,
    select: nothing,
    fitTo: nothing,
    reveal: nothing,
    setTheme: nothing,
    resize: nothing,
    destroy: () => el.replaceChildren(),
  };
}

/**
 * Draw a map into `el`. Returns at once; the tiles come when they come.
 *
 * No request leaves the server the page came from. Where WebGL is missing the element says so in words and the
 * returned object does nothing, so that callers need no second path.
 *
 * @param {HTMLElement} el
 * @param {MapOptions} options
 * @returns {RoundsMap}
 */
export function createMap(el, options) {
  const { center, zoom = 11, locale = "en", interactive = true, onSelect } = options;
  if (!canDraw()) return plainMessage(el, options.missing ?? "This browser cannot draw the map. The list has everything.");

  linkStylesheets();
  el.classList.add("map");
  if (options.label) {
    el.setAttribute("role", "region");
    el.setAttribute("aria-label", options.label);
  }

  let theme = options.theme ?? "light";
  const region = options.region ? REGIONS.find(({ id }) => id === options.region) : regionAt(center);
  /** @type {any} */
  let map = null;
  /** @type {any} */
  let maplibre = null;
  let gone = false;
  /** @type {Array<() => void>} */
  const waiting = [];
  /** @type {Pin[]} */
  let pins = [];
  /** @type {Route[]} */
  let routes = [];
  /** @type {string | null} */
  let selectedRoute = null;
  /** @type {string | null} */
  let selectedPin = null;
  /** Shows all again after a change of size, until a hand has moved the map. @type {(() => void) | null} */
  let fit = null;
  /** @type {Map<string, any>} */
  const pinMarkers = new Map();
  /** @type {Map<string, any>} */
  const stopMarkers = new Map();

  const style = () =>
    basemapStyle({
      tiles: region ? new URL(region.tiles, location.href).href : null,
      theme,
      locale,
      attribution: ATTRIBUTION,
    });

  const whenReady = (/** @type {() => void} */ action) => {
    if (map) action();
    else waiting.push(action);
  };

  const press = (/** @type {string} */ id) => (/** @type {Event} */ event) => {
    event.stopPropagation();
    onSelect?.(id);
  };

  /** @param {Map<string, any>} markers */
  function clear(markers) {
    for (const marker of markers.values()) marker.remove();
    markers.clear();
  }

  function markSelected() {
    for (const [id, marker] of [...pinMarkers, ...stopMarkers]) {
      marker.getElement().classList.toggle("is-selected", id === selectedPin);
    }
  }

  /**
   * @param {Map<string, any>} markers
   * @param {string} id
   * @param {HTMLElement} element
   * @param {LonLat} at
   */
  function place(markers, id, element, at) {
    element.addEventListener("click", press(id));
    const anchor = element.classList.contains("map-pin-value") ? "bottom" : "center";
    markers.set(id, new maplibre.Marker({ element, anchor }).setLngLat(at).addTo(map));
    element.removeAttribute("aria-label");
    element.setAttribute("aria-hidden", "true");
    element.removeAttribute("tabindex");
  }

  function drawPins() {
    clear(pinMarkers);
    for (const pin of pins) place(pinMarkers, pin.id, pinElement(pin), [pin.lon, pin.lat]);
    markSelected();
  }

  function drawRoutes() {
    clear(stopMarkers);
    const { lines, dots } = routeFeatures(routes, selectedRoute);
    map.getSource("routes")?.setData(lines);
    map.getSource("stops")?.setData(dots);
    const chosen = routes.find(({ id }) => id === selectedRoute);
    for (const stop of chosen?.stops ?? []) {
      place(stopMarkers, stop.id, stopElement(stop, /** @type {Route} */ (chosen).hue), [stop.lon, stop.lat]);
    }
    markSelected();
  }

  function addDay() {
    const { lines, dots } = routeFeatures(routes, selectedRoute);
    map.addSource("routes", { type: "geojson", data: lines });
    map.addSource("stops", { type: "geojson", data: dots });
    // Names stay readable: routes go under them.
    const under = map.getLayer("road-name") ? "road-name" : undefined;
    for (const layer of dayLayers(theme === "dark" ? "#191D1F" : "#FFFFFF")) map.addLayer(layer, under);
  }

  loadLibrary().then((loaded) => {
    if (gone) return;
    maplibre = loaded;
    try {
      map = new maplibre.Map({
        container: el,
        style: style(),
        center,
        zoom,
        interactive,
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        maxZoom: 18,
        fadeDuration: 0,
        refreshExpiredTiles: false,
      });
    } catch {
      plainMessage(el, options.missing ?? "");
      return;
    }
    map.touchZoomRotate?.disableRotation();
    map.addControl(new maplibre.AttributionControl({ compact: false, customAttribution: region ? "" : ATTRIBUTION }));
    map.getCanvas().setAttribute("aria-label", options.label ?? "");
    if (!interactive) map.getCanvas().setAttribute("tabindex", "-1");
    map.on("style.load", addDay);
    for (const gesture of ["dragstart", "wheel", "dblclick", "touchstart"]) map.on(gesture, () => (fit = null));
    map.on("click", "stop-dot", (/** @type {any} */ event) => onSelect?.(event.features[0].properties.id));
    map.on("mouseenter", "stop-dot", () => (map.getCanvas().style.cursor = "pointer"));
    map.on("mouseleave", "stop-dot", () => (map.getCanvas().style.cursor = ""));
    map.once("idle", () => el.setAttribute("data-ready", "true"));
    for (const action of waiting.splice(0)) action();
  });

  return {
    supported: true,
    setMarkers(next) {
      pins = next;
      whenReady(drawPins);
    },
    setRoutes(next, selected = null) {
      routes = next;
      selectedRoute = selected;
      whenReady(drawRoutes);
    },
    select(id) {
      selectedPin = id;
      whenReady(markSelected);
    },
    fitTo(points, { padding = 48, maxZoom = 14 } = {}) {
      if (!points.length) return;
      whenReady(() => {
        const bounds = new maplibre.LngLatBounds();
        for (const point of points) bounds.extend(point);
        fit = () => map.fitBounds(bounds, { padding, maxZoom, animate: false });
        fit();
      });
    },
    reveal(point) {
      whenReady(() => {
        if (map.getBounds().contains(point)) return;
        fit = null;
        map.jumpTo({ center: point });
      });
    },
    setTheme(next) {
      if (next === theme) return;
      theme = next;
      whenReady(() => map.setStyle(style(), { diff: false }));
    },
    resize() {
      map?.resize();
      fit?.();
    },
    destroy() {
      gone = true;
      map?.remove();
      map = null;
    },
  };
}
