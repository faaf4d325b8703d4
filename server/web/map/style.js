// The look of the basemap: quieter than anything drawn on top of it.

/** @typedef {"light" | "dark"} Theme */

/**
 * @typedef {object} MapColours
 * @property {string} land
 * @property {string} wood
 * @property {string} grass
 * @property {string} built
 * @property {string} rock
 * @property {string} water
 * @property {string} road
 * @property {string} casing
 * @property {string} path
 * @property {string} building
 * @property {string} border
 * @property {string} name
 * @property {string} halo
 */

/** @type {Record<Theme, MapColours>} */
export const COLOURS = {
  light: {
    land: "#F0EEE6",
    wood: "#E3E8DA",
    grass: "#E9ECDF",
    built: "#EAE6DC",
    rock: "#EBE8DF",
    water: "#BFD3DC",
    road: "#FFFFFF",
    casing: "#B9B19C",
    path: "#CFC8B6",
    building: "#E2DCCE",
    border: "#A79F8C",
    name: "#55544C",
    halo: "#F0EEE6",
  },
  dark: {
    land: "#1B2022",
    wood: "#1C2724",
    grass: "#1D2523",
    built: "#21272A",
    rock: "#1E2325",
    water: "#22333C",
    road: "#4A5559",
    casing: "#15191B",
    path: "#333B3F",
    building: "#262D30",
    border: "#5A666B",
    name: "#A6AFB2",
    halo: "#1B2022",
  },
};

/** Route hues of ui.md, one per technician in view; beyond eight they repeat. @type {Record<Theme, string[]>} */
export const ROUTE_HUES = {
  light: ["#1F6FB2", "#B4480C", "#5B4BB5", "#0B7A6B", "#A3265F", "#6B6A00", "#3F5A6B", "#8A4B2A"],
  dark: ["#7FB6EA", "#F0955C", "#B0A4F2", "#5FCBB8", "#EE8DB6", "#CFCB58", "#A9BFCC", "#DDA27F"],
};

/**
 * The hue of the n-th technician (0-based).
 * @param {number} index
 * @param {Theme} theme
 * @returns {string}
 */
export function routeHue(index, theme) {
  const hues = ROUTE_HUES[theme];
  return /** @type {string} */ (hues[index % hues.length]);
}

/**
 * Width of a line by zoom: `[zoom, px]` pairs.
 * @param {Array<[number, number]>} stops
 * @returns {any}
 */
function width(stops) {
  return ["interpolate", ["exponential", 1.5], ["zoom"], ...stops.flat()];
}

/**
 * A MapLibre style for the region's tiles, or a bare ground colour where there is no basemap.
 * @param {{tiles: string | null, theme: Theme, locale: string, attribution: string}} options
 * @returns {any} a style specification
 */
export function basemapStyle({ tiles, theme, locale, attribution }) {
  const c = COLOURS[theme];
  const background = { id: "land", type: "background", paint: { "background-color": c.land } };
  if (!tiles) return { version: 8, sources: {}, layers: [background] };

  const name = ["coalesce", ["get", locale === "ru" ? "name_ru" : "name_en"], ["get", "name"]];
  const kind = (/** @type {string[]} */ ...kinds) => ["in", ["get", "kind"], ["literal", kinds]];
  const line = (/** @type {string} */ id, /** @type {any} */ filter, /** @type {string} */ colour, /** @type {any} */ w, extra = {}) => ({
    id,
    type: "line",
    source: "base",
    "source-layer": "road",
    filter,
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": colour, "line-width": w, ...extra },
  });
  const fill = (/** @type {string} */ id, /** @type {string} */ layer, /** @type {any} */ filter, /** @type {string} */ colour) => ({
    id,
    type: "fill",
    source: "base",
    "source-layer": layer,
    ...(filter ? { filter } : {}),
    paint: { "fill-color": colour, "fill-antialias": false },
  });
  const label = (/** @type {any} */ layer) => ({
    type: "symbol",
    source: "base",
    ...layer,
    layout: { "text-font": ["sans-serif"], "text-field": name, "text-padding": 6, ...layer.layout },
    paint: { "text-color": c.name, "text-halo-color": c.halo, "text-halo-width": 1.4, ...layer.paint },
  });

  return {
    version: 8,
    sources: { base: { type: "vector", url: `pmtiles://${tiles}`, attribution } },
    layers: [
      background,
      fill("rock", "land", kind("rock"), c.rock),
      fill("wood", "land", kind("wood"), c.wood),
      fill("built", "land", kind("built"), c.built),
      fill("grass", "land", kind("grass"), c.grass),
      fill("water", "water", null, c.water),
      {
        id: "waterway",
        type: "line",
        source: "base",
        "source-layer": "waterway",
        paint: { "line-color": c.water, "line-width": width([[8, 0.5], [14, 2]]) },
      },
      { ...fill("building", "building", null, c.building), minzoom: 14 },
      {
        id: "border",
        type: "line",
        source: "base",
        "source-layer": "border",
        paint: { "line-color": c.border, "line-width": 1, "line-dasharray": [4, 2, 1, 2] },
      },
      {
        id: "rail",
        type: "line",
        source: "base",
        "source-layer": "rail",
        paint: { "line-color": c.casing, "line-width": 1, "line-dasharray": [4, 3] },
      },
      line("path", kind("path"), c.path, width([[13, 0.4], [17, 1.5]]), { "line-dasharray": [2, 2] }),
      line("minor-case", kind("minor"), c.casing, width([[12, 0.6], [15, 5], [18, 14]]), { "line-opacity": theme === "dark" ? 1 : 0.75 }),
      line("middle-case", kind("middle"), c.casing, width([[10, 1.2], [14, 5.5], [18, 18]])),
      line("main-case", kind("main"), c.casing, width([[8, 1.2], [11, 3.2], [14, 7], [18, 22]])),
      line("motorway-case", kind("motorway"), c.casing, width([[8, 1.4], [11, 4], [14, 8], [18, 24]])),
      line("minor", kind("minor"), c.road, width([[12, 0.3], [15, 3.6], [18, 12]])),
      line("middle", kind("middle"), c.road, width([[10, 0.5], [14, 4], [18, 16]])),
      line("main", kind("main"), c.road, width([[8, 0.5], [11, 1.8], [14, 5.2], [18, 20]])),
      line("motorway", kind("motorway"), c.road, width([[8, 0.6], [11, 2.4], [14, 6], [18, 22]])),
      label({
        id: "road-name",
        "source-layer": "road",
        minzoom: 14,
        filter: ["has", "name"],
        layout: { "symbol-placement": "line", "text-size": 10.5, "text-field": ["get", "name"] },
      }),
      label({
        id: "peak",
        "source-layer": "peak",
        minzoom: 10.5,
        layout: {
          "text-field": ["concat", "▲ ", name, ["case", ["has", "ele"], ["concat", " ", ["to-string", ["get", "ele"]]], ""]],
          "text-size": 11,
          "text-padding": 24,
        },
        paint: { "text-opacity": 0.9 },
      }),
      label({
        id: "hamlet",
        "source-layer": "place",
        minzoom: 12.5,
        filter: kind("hamlet", "suburb"),
        layout: { "text-size": 11 },
      }),
      label({
        id: "village",
        "source-layer": "place",
        minzoom: 10.5,
        filter: kind("village"),
        layout: { "text-size": 12 },
      }),
      label({
        id: "town",
        "source-layer": "place",
        filter: kind("city", "town"),
        layout: { "text-size": 13, "symbol-sort-key": ["match", ["get", "kind"], "city", 0, 1] },
      }),
    ],
  };
}
