// Runs before the first paint: the reader's theme, if one was chosen, and the word that scripts run here.
(() => {
  const ORDER = ["auto", "light", "dark"];
  const root = document.documentElement;
  root.dataset.js = "";
  let theme = "auto";
  try {
    theme = localStorage.getItem("theme") ?? "auto";
  } catch {
    // Storage may be forbidden: then the choice lasts as long as the page.
  }
  let at = Math.max(0, ORDER.indexOf(theme));
  const apply = () => {
    if (at === 0) delete root.dataset.theme;
    else root.dataset.theme = ORDER[at];
  };
  apply();
  const label = (button) => {
    const name = ORDER[at];
    button.textContent = name.charAt(0).toUpperCase() + name.slice(1);
    button.setAttribute("aria-label", `Colour theme: ${name}`);
  };
  addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-toggle]");
    if (button !== null) label(button);
  });
  // On the document, so that it works while the page still streams.
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-theme-toggle]");
    if (!button) return;
    at = (at + 1) % ORDER.length;
    apply();
    label(button);
    try {
      localStorage.setItem("theme", ORDER[at]);
    } catch {
      // As above.
    }
  });
})();
