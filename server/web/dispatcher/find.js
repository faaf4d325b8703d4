// Find a visit of the shown day, or one that waits, by site, customer, number or what it is about.
import { useRef, useState } from "preact/hooks";
import { html } from "../shared/html.js";
import { t } from "../shared/i18n.js";
import { Icon } from "../shared/icons.js";
import { allVisits, board, select } from "./store.js";
import { clock } from "./time.js";

const SHOWN = 8;

/** Case and accents do not matter. @param {string} text */
export function plain(text) {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replaceAll("ё", "е");
}

/**
 * @param {import("./types.js").Visit[]} visits
 * @param {string} query every word must be found
 */
export function matching(visits, query) {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  return visits.filter((visit) => {
    const text = plain([visit.number, visit.site.name, visit.site.city, visit.customer_name, visit.title].join(" "));
    return words.every((word) => text.includes(word));
  });
}

export function Find() {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const found = matching(allVisits.value, query);
  const listed = found.slice(0, SHOWN);
  const names = new Map(board.value?.technicians.map(({ id, name }) => [id, name]) ?? []);
  const tz = board.value?.branch.tz ?? "UTC";

  const choose = (/** @type {string} */ id) => {
    select(id);
    setQuery("");
    input.current?.blur();
    document.querySelector(`[data-bar="${id}"], [data-todo="${id}"]`)?.scrollIntoView({ block: "nearest" });
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation();
    if (event.key === "Escape") {
      setQuery("");
      input.current?.blur();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((at + step + listed.length) % Math.max(1, listed.length));
    } else if (event.key === "Enter" && listed[at]) {
      choose(listed[at].id);
    }
  };
  return html`<div class="find" role="search">
    <${Icon} name="search" size=${16} />
    <input
      ref=${input}
      id="find"
      type="search"
      role="combobox"
      autocomplete="off"
      aria-label=${t("board.find")}
      aria-expanded=${query ? "true" : "false"}
      aria-controls="found"
      aria-activedescendant=${listed[at] ? `found-${at}` : undefined}
      placeholder=${t("board.find")}
      value=${query}
      onInput=${(/** @type {any} */ event) => {
        setQuery(event.target.value);
        setAt(0);
      }}
      onKeyDown=${keys}
      onBlur=${() => setTimeout(() => setQuery(""), 150)}
    />
    <kbd>/</kbd>
    <div id="found" class="found" role="listbox" aria-label=${t("board.found")} hidden=${!query}>
      ${listed.map(
        (visit, index) => html`<div
          id=${`found-${index}`}
          class="found-row"
          role="option"
          aria-selected=${index === at ? "true" : "false"}
          onPointerDown=${() => choose(visit.id)}
        >
          <b>${visit.site.name}</b>
          <span>${visit.title}</span>
          <span class="hint">${visit.planned_start ? `${clock(visit.planned_start, tz)} · ${names.get(visit.assignee_id ?? "") ?? ""}` : t("board.unscheduled")} · ${visit.number}</span>
        </div>`,
      )}
      ${query && !found.length && html`<p class="found-none" role="option" aria-selected="false">${t("board.found_none", { query })}</p>`}
      ${found.length > SHOWN && html`<p class="found-none" role="option" aria-selected="false">${t("board.found_more", { n: found.length - SHOWN })}</p>`}
    </div>
  </div>`;
}
