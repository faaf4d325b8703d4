// The basemaps that come with the product. `script/basemap` makes more.

/** @typedef {{id: string, tiles: string, bounds: [number, number, number, number]}} Region */

/** Bounds are west, south, east, north in degrees. @type {Region[]} */
export const REGIONS = [
  { id: "andorra", tiles: "/static/map/andorra.pmtiles", bounds: [1.35, 42.4, 1.85, 42.7] },
  { id: "moscow-centre", tiles: "/static/map/moscow-centre.pmtiles", bounds: [37.6, 55.74, 37.68, 55.79] },
];

/**
 * The region a point lies in, or null when no basemap covers it.
 * @param {[number, number]} point longitude, latitude
 * @returns {Region | null}
 */
export function regionAt([lon, lat]) {
  const inside = (/** @type {Region} */ { bounds: [west, south, east, north] }) =>
    lon >= west && lon <= east && lat >= south && lat <= north;
  return REGIONS.find(inside) ?? null;
}
