// What htmx sends: polls wait while nobody looks, empty filters stay out of the URL, changes have the token of the session,
// and a lost connection says so.
const messages = document.getElementById("messages");
const token = document.querySelector('meta[name="csrf"]')?.content;
let lost = null;

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement.matches("[data-poll]") && document.hidden) {
    event.preventDefault();
    return;
  }
  if (token && ctx.request.method !== "GET") ctx.request.headers["X-CSRF-Token"] = token;
  if (ctx.request.method === "GET" && ctx.request.body instanceof FormData)
    for (const [name, value] of [...ctx.request.body]) if (value === "") ctx.request.body.delete(name);
});

document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  if (ctx?.response || lost || !messages) return;
  lost = document.createElement("p");
  lost.className = "message bad";
  lost.textContent = "The server does not answer. What you see is from before; the page tries again by itself.";
  messages.append(lost);
});

document.addEventListener("htmx:after:request", () => {
  lost?.remove();
  lost = null;
});
