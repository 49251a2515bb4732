// Charts: a crosshair with values; drag to zoom, double click to go back. The drawing itself comes from the server.
//
// What is shown stands in the URL (`zoom.<figure>=100..300`), and the server draws it. The form below each figure does
// the same by keyboard.
const SVG = "http://www.w3.org/2000/svg";
const shapes = new WeakMap();

const significant = (value) =>
  value === 0 ? "0" : value.toLocaleString("en", { maximumSignificantDigits: 3, useGrouping: true });

// From a pixel of an axis to its value.
function value(svg, axis, pixel) {
  const [low, high, start, end, kind] =
    axis === "x"
      ? [svg.dataset.x0, svg.dataset.x1, svg.dataset.left, svg.dataset.right, svg.dataset.scale]
      : [svg.dataset.y0, svg.dataset.y1, svg.dataset.bottom, svg.dataset.top, svg.dataset.yscale];
  const part = (pixel - start) / (end - start);
  return kind === "log" ? low * (high / low) ** part : +low + part * (high - low);
}

// The pointer in the drawing's own pixels.
function place(svg, event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return { x: Math.min(Math.max(point.x, +svg.dataset.left), +svg.dataset.right), y: point.y };
}

// Points of the paths of a chart, read once: lines as runs of points, clouds as points, bars as boxes.
function read(svg) {
  if (shapes.has(svg)) return shapes.get(svg);
  const found = [...svg.querySelectorAll("path.line, path.dots, path.bars")].map((path) => {
    const runs = path.getAttribute("d").split("M").slice(1);
    const kind = path.classList[0];
    if (kind === "bars")
      return { kind, name: "", boxes: runs.map((run) => run.split(/[VHZ,]/).map(Number)) };
    const points = runs.map((run) => run.replace(/h0$/, "").split(/[L ]/).map((pair) => pair.split(",").map(Number)));
    return { kind, name: path.dataset.name, runs: points };
  });
  shapes.set(svg, found);
  return found;
}

function heightAt(runs, x) {
  for (const run of runs) {
    if (x < run[0][0] || x > run.at(-1)[0]) continue;
    let low = 0;
    let high = run.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (run[middle][0] <= x) low = middle;
      else high = middle;
    }
    const [[x0, y0], [x1, y1]] = [run[low], run[high]];
    return x1 === x0 ? y1 : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
  }
  return null;
}

function nearest(runs, at) {
  let best = null;
  let distance = 144;
  for (const [point] of runs) {
    const away = (point[0] - at.x) ** 2 + (point[1] - at.y) ** 2;
    if (away < distance) [best, distance] = [point, away];
  }
  return best;
}

// What stands below the crosshair, in words.
function words(svg, at) {
  const parts = [`${svg.dataset.xTitle}: ${significant(value(svg, "x", at.x))}`];
  for (const shape of read(svg)) {
    const before = shape.name ? `${shape.name}: ` : `${svg.dataset.yTitle}: `;
    if (shape.kind === "line") {
      const height = heightAt(shape.runs, at.x);
      if (height !== null) parts.push(before + significant(value(svg, "y", height)));
    } else if (shape.kind === "dots") {
      const point = nearest(shape.runs, at);
      if (point)
        parts.push(`${before}${significant(value(svg, "y", point[1]))} at ${significant(value(svg, "x", point[0]))}`);
    } else {
      const box = shape.boxes.find(([left, , , right]) => left <= at.x && at.x <= right + 1);
      parts.push(before + significant(box ? Math.round(value(svg, "y", box[2])) : 0));
    }
  }
  return parts.join(" · ");
}

function overlay(svg, name) {
  let element = svg.querySelector(`:scope > .${name}`);
  if (!element) {
    element = document.createElementNS(SVG, name === "cross" ? "path" : "rect");
    element.setAttribute("class", name);
    svg.append(element);
  }
  return element;
}

const clear = (svg, name) => svg.querySelector(`:scope > .${name}`)?.remove();

// Asks the server for the figure again, with what the URL says now.
export function redraw(figure, changes) {
  const page = new URL(location.href);
  const source = new URL(figure.dataset.url ?? location.href, location.href);
  for (const [name, chosen] of Object.entries(changes))
    for (const url of [page, source])
      if (chosen) url.searchParams.set(name, chosen);
      else url.searchParams.delete(name);
  history.replaceState(history.state, "", page);
  const open = figure.querySelector("details.data")?.open;
  const done = htmx.ajax("GET", source.pathname + source.search, {
    source: figure,
    target: figure,
    select: `#${CSS.escape(figure.id)}`,
    swap: "outerHTML",
  });
  Promise.resolve(done).then(() => {
    const details = document.getElementById(figure.id)?.querySelector("details.data");
    if (details && open) details.open = true;
  });
}

let drag = null;

document.addEventListener("pointerdown", (event) => {
  const svg = event.target.closest?.("[data-zooms] svg.chart");
  if (!svg || event.button !== 0 || event.pointerType === "touch") return;
  drag = { svg, from: place(svg, event).x, to: null };
});

document.addEventListener("pointermove", (event) => {
  const svg = drag?.svg ?? event.target.closest?.(".figure svg.chart:not(.key)");
  if (!svg || !("left" in svg.dataset)) return;
  const at = place(svg, event);
  const { top, bottom } = svg.dataset;
  overlay(svg, "cross").setAttribute("d", `M${at.x},${top}V${bottom}`);
  const line = svg.closest(".figure").querySelector(".values");
  if (line) line.textContent = words(svg, at);
  if (!drag) return;
  event.preventDefault();
  drag.to = at.x;
  const chosen = overlay(svg, "chosen");
  chosen.setAttribute("x", Math.min(drag.from, at.x));
  chosen.setAttribute("width", Math.abs(at.x - drag.from));
  chosen.setAttribute("y", top);
  chosen.setAttribute("height", bottom - top);
});

document.addEventListener("pointerup", () => {
  if (!drag) return;
  const { svg, from, to } = drag;
  drag = null;
  clear(svg, "chosen");
  if (to === null || Math.abs(to - from) < 6) return;
  const [low, high] = [Math.min(from, to), Math.max(from, to)].map((pixel) =>
    Number(value(svg, "x", pixel).toPrecision(4)),
  );
  const figure = svg.closest(".figure");
  redraw(figure, { [`zoom.${figure.id}`]: `${low}..${high}` });
});

document.addEventListener("pointerout", (event) => {
  const svg = event.target.closest?.(".figure svg.chart");
  if (!svg || drag || svg.contains(event.relatedTarget)) return;
  clear(svg, "cross");
  const line = svg.closest(".figure").querySelector(".values");
  if (line) line.textContent = "";
});

document.addEventListener("dblclick", (event) => {
  const figure = event.target.closest?.("svg.chart")?.closest("[data-zooms]");
  if (figure) redraw(figure, { [`zoom.${figure.id}`]: null });
});

document.addEventListener("submit", (event) => {
  const figure = event.target.matches?.("form.zoom") ? event.target.closest(".figure") : null;
  if (!figure) return;
  event.preventDefault();
  const fields = event.target.querySelectorAll("[name^='zoom.'], [name^='scale.']");
  redraw(figure, Object.fromEntries([...fields].map((field) => [field.name, field.value.trim()])));
});
