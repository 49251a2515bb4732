"""About 200 prompts of several kinds and lengths that ship with the service."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import orjson

from shared.benchmark.prompt import Message, Prompt
from shared.workloads.corpus import novel
from shared.workloads.seeded import uniform

# Where the excerpt stands in a prompt.
_TEXT = "{text}"


def builtin_prompts(kinds: Collection[str] | None = None) -> tuple[Prompt, ...]:
    """The prompts of these kinds, or all. Always the same ones in the same order."""
    return tuple(prompt for kind, prompt in _prompts() if kinds is None or kind in kinds)


@lru_cache
def _prompts() -> tuple[tuple[str, Prompt], ...]:
    lines = (files("shared.workloads") / "texts" / "prompts.jsonl").read_bytes().splitlines()
    return tuple((entry["kind"], _prompt(number, entry)) for number, entry in enumerate(map(orjson.loads, lines)))


def _prompt(number: int, entry: Mapping[str, Any]) -> Prompt:
    text: str = entry["prompt"]
    if "excerpt" in entry:
        text = text.replace(_TEXT, _excerpt(number, entry["excerpt"]))
    return Prompt(system=entry.get("system"), messages=(Message(role="user", content=text),))


def _excerpt(number: int, characters: int) -> str:
    """A piece of the novel of about this length, from the beginning of a paragraph to the end of one.

    Its length is the same with every tokenizer, so that these prompts are the same for all models.
    """
    text = novel()
    start = int(uniform(0, "excerpt", number) * (len(text) - characters))
    start = text.index("\n\n", start) + 2
    # The last paragraphs may be nearer to the end of the novel than the length.
    end = text.find("\n\n", start + characters)
    return text[start : end if end >= 0 else len(text)].rstrip()
