// The theme: the system's choice, light or dark.
import { keep, kept } from "./storage.js";

const select = document.getElementById("theme");
if (select) {
  select.value = kept("theme");
  select.addEventListener("change", () => {
    keep("theme", select.value);
    if (select.value) document.documentElement.dataset.theme = select.value;
    else delete document.documentElement.dataset.theme;
  });
}
