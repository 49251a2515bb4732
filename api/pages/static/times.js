// Times in the reader's zone: relative under a day, then the date. The title keeps the instant in UTC.
const DAY = 86_400_000;
const pad = (number) => String(number).padStart(2, "0");

function absolute(date) {
  const day = [date.getFullYear(), pad(date.getMonth() + 1), pad(date.getDate())].join("-");
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

function relative(passed) {
  const seconds = Math.floor(Math.abs(passed) / 1000);
  if (seconds < 5) return "now";
  const amount =
    seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
  return passed > 0 ? `${amount} ago` : `in ${amount}`;
}

function show(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const date = new Date(element.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    const passed = Date.now() - date.getTime();
    const text = "absolute" in element.dataset || Math.abs(passed) >= DAY ? absolute(date) : relative(passed);
    if (element.textContent !== text) element.textContent = text;
  }
}

show(document);
document.addEventListener("htmx:after:swap", () => show(document));
setInterval(() => show(document), 15_000);
