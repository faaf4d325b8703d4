// The routes of a day as lines and dots under the names of the basemap.

/** @typedef {import("./map.js").Route} Route */

/**
 * @param {Route[]} routes
 * @param {string | null} selected
 */
export function routeFeatures(routes, selected) {
  const lines = routes
    .filter((route) => route.line.length > 1)
    .map((route) => ({
      type: "Feature",
      geometry: { type: "LineString", coordinates: route.line },
      properties: { hue: route.hue, selected: route.id === selected, quiet: route.quiet ?? false, faint: route.quiet || (selected !== null && route.id !== selected) },
    }));
  const dots = routes
    .filter((route) => route.id !== selected)
    .flatMap((route) =>
      route.stops.map((stop) => ({
        type: "Feature",
        geometry: { type: "Point", coordinates: [stop.lon, stop.lat] },
        properties: { id: stop.id, hue: route.hue },
      })),
    );
  return {
    lines: { type: "FeatureCollection", features: lines },
    dots: { type: "FeatureCollection", features: dots },
  };
}

/**
 * The layers of the day on top of the basemap.
 * @param {string} halo colour between a route and the ground
 */
export function dayLayers(halo) {
  const round = { "line-cap": "round", "line-join": "round" };
  return [
    {
      id: "route-halo",
      type: "line",
      source: "routes",
      layout: round,
      paint: { "line-color": halo, "line-width": ["case", ["get", "selected"], 7, ["get", "quiet"], 0, 4.5], "line-opacity": 0.8 },
    },
    {
      id: "route",
      type: "line",
      source: "routes",
      layout: { ...round, "line-sort-key": ["case", ["get", "selected"], 1, 0] },
      paint: {
        "line-color": ["get", "hue"],
        "line-width": ["case", ["get", "selected"], 4, ["get", "quiet"], 1.25, 2],
        "line-opacity": ["case", ["get", "faint"], 0.55, 1],
      },
    },
    {
      id: "stop-dot",
      type: "circle",
      source: "stops",
      paint: {
        "circle-color": ["get", "hue"],
        "circle-radius": 4,
        "circle-stroke-color": halo,
        "circle-stroke-width": 1.5,
      },
    },
  ];
}
