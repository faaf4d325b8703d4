// Where the keyboard is: at a visit, wherever it is drawn. Data that arrives or a dialog that closes never takes it away.

/** The visit that an element stands for. @param {Element | null} element */
function visitAt(element) {
  const holder = element?.closest("[data-bar], [data-todo], [data-day]");
  return holder?.getAttribute("data-bar") ?? holder?.getAttribute("data-todo") ?? holder?.getAttribute("data-day") ?? null;
}

/** The visit that has the focus. @returns {string | null} */
export function focusedVisit() {
  return visitAt(document.activeElement);
}

/** @param {string | null} id @returns {HTMLElement | null} */
export function elementOf(id) {
  if (!id) return null;
  const named = CSS.escape(id);
  return document.querySelector(`button[data-bar="${named}"], [data-todo="${named}"] .todo-main, [data-day="${named}"]`);
}

/** Bring the focus to a visit once it is drawn. @param {string | null} id */
export function focusVisit(id) {
  requestAnimationFrame(() => {
    const element = elementOf(id);
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest" });
  });
}

/** Give the focus back to a visit if what had it is gone. @param {string | null} id */
export function keepFocus(id) {
  if (!id) return;
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      if (document.activeElement === document.body || !document.activeElement) elementOf(id)?.focus({ preventScroll: true });
    }),
  );
}
