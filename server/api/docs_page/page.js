// Draws the description of the API. All of it is put in as text: nothing that a server says becomes markup.

const WORDS = {
  en: {
    find: "Find an operation", who: "Who", open: "anybody", parameters: "Parameters", body: "Body", answers: "Answers",
    example: "Example", name: "Name", form: "Form", about: "About", needed: "needed", raw: "openapi.json",
    nothing: "Nothing has these words in it.", schemes: { bearer: "office session", session: "office cookie", device: "tablet" },
    failed: "The description did not arrive. Load the page again.",
  },
  ru: {
    find: "Найти операцию", who: "Кому", open: "всем", parameters: "Параметры", body: "Тело", answers: "Ответы",
    example: "Пример", name: "Имя", form: "Форма", about: "О чём", needed: "нужно", raw: "openapi.json",
    nothing: "Ни в одной операции нет этих слов.", schemes: { bearer: "сеанс офиса", session: "cookie офиса", device: "планшет" },
    failed: "Описание не пришло. Загрузите страницу ещё раз.",
  },
};
const words = WORDS[document.documentElement.lang] ?? WORDS.en;
const DEEPEST = 4;

/** An element with attributes and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Text with `codes` in it as elements. */
function prose(text) {
  return String(text ?? "").split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

function resolve(description, schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? { name, ...description.components.schemas[name] } : (schema ?? {});
}

/** The form of a value in a few words: `text ≤ 200`, `list of Visit`. */
function form(description, schema) {
  const found = resolve(description, schema);
  if (schema?.$ref) return found.name;
  const types = [found.type ?? "any"].flat();
  if (types.includes("array")) return `[${form(description, found.items)}]`;
  const limits = [];
  if (found.format) limits.push(found.format);
  if (found.minimum !== undefined || found.maximum !== undefined) limits.push(`${found.minimum ?? ""}…${found.maximum ?? ""}`);
  if (found.minLength !== undefined || found.maxLength !== undefined) limits.push(`${found.minLength ?? 0}…${found.maxLength ?? ""}`);
  if (found.enum) limits.push(found.enum.map(String).join(" | "));
  if (found.default !== undefined && found.default !== null) limits.push(`= ${found.default}`);
  return [types.join(" | "), ...limits].join(", ");
}

/** A value as one could look like. */
function example(description, schema, depth = 0) {
  const found = resolve(description, schema);
  if (found.example !== undefined) return found.example;
  if (found.enum) return found.enum[0];
  const type = [found.type ?? (found.properties ? "object" : "string")].flat()[0];
  if (type === "array") return depth < DEEPEST ? [example(description, found.items, depth + 1)] : [];
  if (type === "object") {
    if (depth >= DEEPEST) return {};
    return Object.fromEntries(Object.entries(found.properties ?? {}).map(([name, inner]) => [name, example(description, inner, depth + 1)]));
  }
  const formats = { uuid: "01890a5d-ac96-774b-bcce-b302099a8057", date: "2026-11-25", "date-time": "2026-11-25T09:00:00.000Z" };
  if (formats[found.format]) return formats[found.format];
  if (type === "integer" || type === "number") return found.minimum ?? 1;
  return type === "boolean" ? true : "text";
}

function table(headings, rows) {
  const head = make("tr", {}, headings.map((heading) => make("th", { scope: "col" }, heading)));
  const lines = rows.map((cells) => make("tr", {}, cells.map((cell) => make("td", {}, cell))));
  return make("div", { class: "tables" }, make("table", {}, make("thead", {}, head), make("tbody", {}, lines)));
}

function fields(description, schema) {
  const found = resolve(description, schema);
  const needed = new Set(found.required ?? []);
  const rows = Object.entries(found.properties ?? {}).map(([name, inner]) => [
    make("code", {}, name),
    [form(description, inner), needed.has(name) ? `, ${words.needed}` : ""],
    prose(inner.description),
  ]);
  return rows.length ? table([words.name, words.form, words.about], rows) : make("p", {}, form(description, schema));
}

function shownExample(value) {
  return make("details", {}, make("summary", {}, words.example), make("pre", {}, JSON.stringify(value, null, 2)));
}

function bodyOf(description, body) {
  const content = body?.content?.["application/json"];
  if (!content) return [];
  const value = content.example ?? example(description, content.schema);
  return [make("h3", {}, words.body), fields(description, content.schema), shownExample(value)];
}

function answersOf(description, responses) {
  const rows = Object.entries(responses).sort().map(([status, response]) => {
    const content = response.content?.["application/json"];
    const about = content?.schema ? [form(description, content.schema), shownExample(example(description, content.schema))] : "";
    return [make("code", {}, status), prose(response.description), about];
  });
  return [make("h3", {}, words.answers), table(["", words.about, words.form], rows)];
}

function parametersOf(description, parameters) {
  if (!parameters.length) return [];
  const rows = parameters.map((one) => [
    make("code", {}, one.name),
    [one.in, ", ", form(description, one.schema), one.required ? `, ${words.needed}` : ""],
    prose(one.description),
  ]);
  return [make("h3", {}, words.parameters), table([words.name, words.form, words.about], rows)];
}

function operationOf(description, path, method, operation, shared) {
  const schemes = (operation.security ?? []).flatMap(Object.keys).map((name) => words.schemes[name] ?? name);
  const summary = make(
    "summary", {},
    make("span", { class: "method" }, method.toUpperCase()), make("code", { class: "path" }, path),
    make("span", { class: "quiet" }, operation.summary ?? ""),
  );
  const element = make("details", { class: "operation", id: `${method}${path}` }, summary);
  // The insides are drawn when they are looked at: eighty operations at once would be slow on a tablet.
  element.addEventListener("toggle", () => {
    if (element.children.length > 1) return;
    element.append(make(
      "div", {},
      operation.description ? make("p", {}, operation.description) : null,
      make("p", { class: "quiet" }, `${words.who}: ${schemes.join(", ") || words.open}`),
      parametersOf(description, [...shared, ...(operation.parameters ?? [])]),
      bodyOf(description, operation.requestBody),
      answersOf(description, operation.responses ?? {}),
    ));
  });
  return element;
}

function draw(description) {
  const groups = new Map(description.tags.map((tag) => [tag.name, { tag, operations: [] }]));
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (method === "parameters") continue;
      const element = operationOf(description, path, method, operation, methods.parameters ?? []);
      groups.get(operation.tags[0])?.operations.push({ element, text: `${method} ${path} ${operation.summary ?? ""}`.toLowerCase() });
    }
  }
  const shown = [...groups.values()].filter((group) => group.operations.length);
  const sections = shown.map(({ tag, operations }) => make(
    "section", { id: tag.name, "aria-label": tag.description || tag.name },
    make("h2", {}, tag.description || tag.name), operations.map((one) => one.element),
  ));
  const none = make("p", { hidden: "" }, words.nothing);
  const search = make("input", { type: "search", placeholder: words.find, "aria-label": words.find });
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    shown.forEach(({ operations }, index) => {
      for (const one of operations) one.element.hidden = !one.text.includes(wanted);
      sections[index].hidden = operations.every((one) => one.element.hidden);
    });
    none.hidden = sections.some((section) => !section.hidden);
  });
  const links = shown.map(({ tag }) => make("li", {}, make("a", { href: `#${tag.name}` }, tag.description || tag.name)));
  document.body.append(make(
    "div", { class: "layout" },
    make("nav", {}, search, make("ul", {}, links), make("a", { href: "/api/openapi.json" }, words.raw)),
    make("main", {}, make("h1", {}, `${description.info.title} API`), make("p", { class: "about" }, prose(description.info.description)), none, sections),
  ));
  openNamed();
}

/** Open the operation that the address names. */
function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches("details")) named.open = true;
  named?.scrollIntoView();
}

window.addEventListener("hashchange", openNamed);
fetch("/api/openapi.json")
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
  .then(draw)
  .catch(() => document.body.append(make("p", { class: "layout" }, words.failed)));
