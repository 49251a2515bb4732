// The page of one benchmark: when a chart is zoomed, the table below shows the requests that were chosen.
document.addEventListener("htmx:after:swap", (event) => {
  const table = document.getElementById("requests");
  if (!table || !event.detail?.ctx?.sourceElement?.matches?.(".figure")) return;
  const chosen = new URLSearchParams(location.search);
  chosen.delete("cursor");
  htmx.ajax("GET", `${table.dataset.part}?${chosen}`, { target: "#requests", swap: "outerHTML" });
});
