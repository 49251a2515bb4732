// Connects the live part of a running benchmark, and says that the connection is lost until it is there again.
import "./vendor/hx-sse.min.js";

const part = document.getElementById("live");
// After htmx has started: it may do so before the extension is there, and would then not know the attribute.
setTimeout(() => {
  part.setAttribute("hx-sse:connect", part.dataset.connect);
  htmx.process(part);
});

const notice = () => document.getElementById("live-lost");

document.addEventListener("htmx:sse:error", (event) => {
  // The session has ended: the page itself leads to the login.
  if (event.detail?.status === 401) location.reload();
  if (notice()) notice().hidden = false;
});
for (const name of ["htmx:sse:after:connection", "htmx:sse:after:message"])
  document.addEventListener(name, () => {
    if (notice()) notice().hidden = true;
  });
