// The page of one benchmark: when a chart is zoomed, the table below shows the requests that were chosen.
let search = location.search;

document.addEventListener("htmx:after:swap", () => {
  const table = document.getElementById("requests");
  if (!table || location.search === search) return;
  search = location.search;
  const chosen = new URLSearchParams(search);
  chosen.delete("cursor");
  htmx.ajax("GET", `${table.dataset.part}?${chosen}`, { target: "#requests", swap: "outerHTML" });
});
