// The form of a new benchmark: reads prompts from a file into the text area. The file itself is not sent.
const file = document.getElementById("prompts-file");
const area = document.getElementById("f-prompts");
const format = document.getElementById("f-prompts_format");
const said = document.getElementById("prompts-read");

// How the text is to be read, by the file's name and content.
function formatOf(name, text) {
  if (/\.(json|jsonl|ndjson)$/i.test(name)) return "json";
  return /^[ \t]*---[ \t]*$/m.test(text) ? "blocks" : "lines";
}

file?.addEventListener("change", async () => {
  const [chosen] = file.files;
  if (!chosen) return;
  if (chosen.size > Number(file.dataset.maxBytes) / 3) {
    // Letters take up to three characters each in what a form sends.
    said.textContent = `${chosen.name} is too large for a form. Upload it as a dataset: llmbench datasets add ${chosen.name}`;
    return;
  }
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await chosen.arrayBuffer());
  } catch {
    said.textContent = `${chosen.name} is not UTF-8 text.`;
    return;
  }
  area.value = text.replace(/\r\n?/g, "\n");
  format.value = formatOf(chosen.name, text);
  said.textContent = `Read ${chosen.name}.`;
  area.dispatchEvent(new Event("input", { bubbles: true }));
});
