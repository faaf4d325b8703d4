// Runs before the first paint, as a classic script, so that a dark room never flashes white.
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("rounds.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    const locale = localStorage.getItem("rounds.locale");
    if (locale === "en" || locale === "ru") root.lang = locale;
  } catch {
    // Storage may be refused by the browser; the system's theme then stands.
  }
})();
