"""The prompts that ship with the service."""

import re
from collections import Counter
from importlib.resources import files
from typing import get_args

import orjson

from shared.benchmark.workload.workload_spec import Kind
from shared.workloads.builtin import builtin_prompts
from shared.workloads.corpus import novel

ENTRIES = [
    orjson.loads(line) for line in (files("shared.workloads") / "texts" / "prompts.jsonl").read_bytes().splitlines()
]


def test_there_are_about_two_hundred_of_every_kind() -> None:
    kinds = Counter(entry["kind"] for entry in ENTRIES)
    assert 190 <= len(ENTRIES) <= 230
    assert set(kinds) == set(get_args(Kind))
    assert min(kinds.values()) >= 15


def test_no_two_are_the_same() -> None:
    assert len({entry["id"] for entry in ENTRIES}) == len(ENTRIES)
    prompts = builtin_prompts()
    assert len({(prompt.system, prompt.text) for prompt in prompts}) == len(prompts) == len(ENTRIES)


def test_entries_have_no_unknown_fields_and_name_their_place_for_a_text() -> None:
    for entry in ENTRIES:
        assert entry.keys() <= {"id", "kind", "prompt", "system", "excerpt"}
        assert ("excerpt" in entry) == ("{text}" in entry["prompt"])


def test_excerpts_are_whole_paragraphs_of_about_the_length_that_is_asked_for() -> None:
    paragraphs = set(novel().rstrip().split("\n\n"))
    for entry, prompt in zip(ENTRIES, builtin_prompts(), strict=True):
        if "excerpt" in entry:
            before, after = entry["prompt"].split("{text}")
            excerpt = prompt.text.removeprefix(before).removesuffix(after)
            assert set(excerpt.split("\n\n")) <= paragraphs
            assert 0.85 * entry["excerpt"] < len(excerpt) < entry["excerpt"] + 4_000


def test_they_come_in_many_lengths() -> None:
    lengths = sorted(len(prompt.text) for prompt in builtin_prompts())
    assert lengths[0] < 60
    assert lengths[len(lengths) // 2] < 500
    assert lengths[-1] > 90_000


def test_they_are_plain_text() -> None:
    for prompt in builtin_prompts():
        assert not re.search(r"[\x00-\x08\x0b-\x1f]", prompt.text)
        assert prompt.text == prompt.text.strip()
