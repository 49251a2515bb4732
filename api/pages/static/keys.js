// Single keys: `/` search, `n` new, `j` and `k` rows, `x` select, `c` compare, `?` help. They can be switched off.
import { keep, kept } from "./storage.js";

const help = document.getElementById("keys");
const enabled = document.getElementById("keys-enabled");

const typing = (element) => element?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("[data-row]")];
const current = () => document.activeElement?.closest?.("[data-row]");

function move(step) {
  const all = rows();
  const here = all.indexOf(current());
  const next = all[here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step];
  next?.querySelector("a")?.focus();
}

const actions = {
  "/": () => document.querySelector("[data-search]")?.focus(),
  n: () => document.getElementById("new-benchmark")?.click(),
  j: () => move(1),
  k: () => move(-1),
  x: () => current()?.querySelector("input[type=checkbox]")?.click(),
  c: () => document.getElementById("compare")?.requestSubmit(),
  "?": () => help?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches?.("[data-search]")) event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || help?.open) return;
  if (kept("keys") === "off" || !Object.hasOwn(actions, event.key)) return;
  event.preventDefault();
  actions[event.key]();
});

document.querySelector("[data-keys-help]")?.addEventListener("click", () => help?.showModal());
if (enabled) {
  enabled.checked = kept("keys") !== "off";
  enabled.addEventListener("change", () => keep("keys", enabled.checked ? "" : "off"));
}
