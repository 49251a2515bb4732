// Copy buttons: `<button data-copy hidden>` in a `.copyable` copies its `code`; `data-copy="text"` copies that text.
function reveal(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-copy]");
  if (!button) return;
  const text = button.dataset.copy || button.closest(".copyable")?.querySelector("code")?.textContent || "";
  const label = button.dataset.label ?? (button.dataset.label = button.textContent);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not copied";
  }
  setTimeout(() => (button.textContent = label), 1500);
});

reveal(document);
document.addEventListener("htmx:after:swap", () => reveal(document));
