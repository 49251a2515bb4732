// The SLO line of a load curve: drag it, or move it with the arrow keys. The server then says what is within it.
const form = document.getElementById("slo");
const grip = document.querySelector(".grip");
const chart = grip?.closest("svg.chart");
const line = document.querySelector("path.rule.slo");

if (form && grip && chart) {
  const field = form.elements.namedItem("at_most");
  const { y0, y1, bottom, top } = Object.fromEntries(
    ["y0", "y1", "bottom", "top"].map((name) => [name, Number(chart.dataset[name])]),
  );
  const pixel = (value) => bottom + ((value - y0) / (y1 - y0)) * (top - bottom);

  const show = (value) => {
    const limited = Math.min(Math.max(value, (y1 - y0) / 1000), y1);
    field.value = Number(limited.toPrecision(3));
    grip.setAttribute("aria-valuenow", field.value);
    for (const path of [grip, line]) {
      path?.setAttribute("d", path.getAttribute("d").replace(/,[-\d.]+/, `,${pixel(limited).toFixed(1)}`));
    }
  };
  const at = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
    return y0 + ((point.y - bottom) / (top - bottom)) * (y1 - y0);
  };

  grip.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    event.stopPropagation();
    grip.setPointerCapture(event.pointerId);
    const move = (moved) => show(at(moved));
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", () => form.requestSubmit(), { once: true });
    grip.addEventListener("lostpointercapture", () => grip.removeEventListener("pointermove", move), { once: true });
  });
  grip.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 1.05, ArrowRight: 1.05, ArrowDown: 1 / 1.05, ArrowLeft: 1 / 1.05 }[event.key];
    if (step) {
      event.preventDefault();
      show(Number(field.value) * step);
    } else if (event.key === "Enter") {
      form.requestSubmit();
    }
  });
}
