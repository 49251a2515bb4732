// Says that the connection of the live part is lost, until it is there again. htmx connects again by itself.
const notice = () => document.getElementById("live-lost");

document.addEventListener("htmx:sse:error", () => {
  if (notice()) notice().hidden = false;
});
for (const name of ["htmx:sse:after:connection", "htmx:sse:after:message"])
  document.addEventListener(name, () => {
    if (notice()) notice().hidden = true;
  });
