"""Prompts in a text area: one on each line, blocks between `---`, or JSON. Both ways."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from api.pages.forms.json_text import json_lines, json_value

Format = Literal["lines", "blocks", "json"]
# Stands alone on a line between two blocks.
SEPARATOR = "---"


def prompts_of(text: str, form: str) -> list[Any]:
    """The prompts as `POST /benchmarks` takes them. Raises Unreadable for wrong JSON; the API checks the rest."""
    if form == "json":
        # An array, or JSON lines.
        return list(json_value(text)) if text.lstrip().startswith("[") else json_lines(text)
    if form == "blocks":
        return [block for block in map(str.strip, _blocks(text)) if block]
    return [line for line in text.split("\n") if line.strip()]


def text_of(prompts: Sequence[Any]) -> tuple[str, Format]:
    """The text area's content for these prompts, in the plainest format that keeps each character."""
    texts = [prompt for prompt in prompts if isinstance(prompt, str)]
    if len(texts) == len(prompts) and not any("\r" in text for text in texts):
        forms: tuple[tuple[Format, str], ...] = (
            ("lines", "\n".join(texts)),
            ("blocks", f"\n{SEPARATOR}\n".join(texts)),
        )
        for form, text in forms:
            if prompts_of(text, form) == texts:
                return text, form
    return "\n".join(json.dumps(prompt, ensure_ascii=False) for prompt in prompts), "json"


def _blocks(text: str) -> Iterator[str]:
    block: list[str] = []
    for line in text.split("\n"):
        if line.strip() == SEPARATOR:
            yield "\n".join(block)
            block = []
        else:
            block.append(line)
    yield "\n".join(block)
