// Sets the reader's theme before the page is painted: it is in the head and not deferred. `app.js` has the switch.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const chosen = localStorage.getItem("theme");
    if (!root.dataset.theme && (chosen === "light" || chosen === "dark")) root.dataset.theme = chosen;
  } catch {
    // Without storage the system's choice holds.
  }
})();
