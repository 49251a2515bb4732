"""Names that are made of requests."""

from typing import Any

import pytest

from shared.benchmark.derived_name import NAME_LENGTH, derived_name


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({"prompts": ["a"]}, "m, 1 prompt"),
        ({"prompts": ["a", "b"], "repetitions": 3, "concurrency": 4}, "m, 2 prompts × 3, concurrency 4"),
        ({"workload": {"source": "generated"}, "load": {"sweep": {}}}, "m, generated, sweep"),
        ({"prompts": ["a"], "load": {"request_rate": 2.5, "duration_s": 60}}, "m, 1 prompt, 2.5 requests/s, 60 s"),
        ({}, "m, 1 prompt"),
        ({"prompts": "a", "load": 3, "workload": []}, "m, 1 prompt"),
    ],
)
def test_a_name_says_what_is_sent_and_how(spec: dict[str, Any], name: str) -> None:
    """The request need not be valid."""
    assert derived_name({"model": "m", **spec}) == name


def test_a_long_name_is_cut() -> None:
    name = derived_name({"model": "m" * 300, "prompts": ["a"]})
    assert len(name) == NAME_LENGTH
    assert name.endswith("…")
