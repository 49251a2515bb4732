// Selected rows: says how many, and lets only two to eight be compared. Without it the form compares as it is.
const MOST = 8;

function show() {
  const form = document.getElementById("compare");
  if (!form) return;
  const count = document.querySelectorAll('input[form="compare"]:checked').length;
  const button = form.querySelector("button");
  button.disabled = count < 2 || count > MOST;
  form.querySelector("[data-count]").textContent =
    count > MOST ? `${count} selected, at most ${MOST} can be compared` : count ? `${count} selected` : "Select two to eight";
  for (const box of document.querySelectorAll('input[form="compare"]'))
    box.closest("[data-row]")?.classList.toggle("selected", box.checked);
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.('input[form="compare"]')) show();
});
document.addEventListener("htmx:after:swap", show);
window.addEventListener("pageshow", show);
show();
