// What stands on the map: shapes made of elements, so that they carry the colours of the page.

/** @typedef {import("./map.js").Pin} Pin */
/** @typedef {import("./map.js").Stop} Stop */

/**
 * @param {string} text
 * @returns {HTMLElement}
 */
function labelElement(text) {
  const label = document.createElement("span");
  label.className = "map-label";
  label.textContent = text;
  return label;
}

/**
 * @param {Pin} pin
 * @returns {HTMLElement}
 */
export function pinElement(pin) {
  const node = document.createElement("div");
  node.className = `map-pin map-pin-${pin.kind}${pin.stale ? " is-stale" : ""}`;
  const shape = document.createElement("span");
  shape.className = "map-shape";
  if (pin.letter) shape.textContent = pin.letter;
  if (pin.hue) shape.style.setProperty("--hue", pin.hue);
  node.append(shape);
  if (pin.label) node.append(labelElement(pin.label));
  node.title = pin.title;
  return node;
}

/**
 * @param {Stop} stop
 * @param {string} hue
 * @returns {HTMLElement}
 */
export function stopElement(stop, hue) {
  const node = document.createElement("div");
  node.className = `map-pin map-pin-stop${stop.done ? " is-done" : ""}`;
  const shape = document.createElement("span");
  shape.className = "map-shape";
  shape.style.setProperty("--hue", hue);
  shape.textContent = stop.done ? "✓" : stop.label;
  node.append(shape);
  if (stop.note) node.append(labelElement(stop.note));
  node.title = stop.title;
  return node;
}
