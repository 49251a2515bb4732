"""Whole files: facts, limits, and the first errors."""

import io
import json

import numpy as np
import pytest
from pydantic import ValidationError

from shared.workloads.formats.options import ReadOptions
from shared.workloads.formats.reading import read_file
from shared.workloads.formats.report import LineError
from tests.shared.workloads.formats.read import errors, read, words


def test_lengths_are_those_of_numpy() -> None:
    sizes = [1, 5, 9, 30, 77]
    lines = [json.dumps({"prompt": "x " * size, "system": "s", "max_tokens": 2 * size}) for size in sizes]
    facts = read("\n".join(lines), "jsonl")[1]
    found = facts.input_tokens
    assert found is not None
    own = [size + 1 for size in sizes]
    assert (found.count, found.total, found.min, found.max, found.mean) == (5, sum(own), 2, 78, np.mean(own))
    assert [found.p50, found.p90, found.p99] == list(np.percentile(own, [50, 90, 99]))
    assert facts.output_tokens is not None
    assert facts.output_tokens.p50 == 18
    assert facts.span_s is None


def test_reading_ends_after_twenty_wrong_lines() -> None:
    found = errors("x\n" * 50_000, "jsonl")
    assert [line for line, _ in found] == list(range(1, 21))


def test_a_file_without_rows_is_wrong_and_says_what_was_left_out() -> None:
    assert errors("\n \n", "jsonl") == [(0, "the file has no rows")]
    assert errors(b"", "csv") == [(0, "the file has no rows")]
    assert errors('[{"conversations": []}]', "sharegpt") == [
        (0, "the file has no rows; all were left out: too_few_turns 1")
    ]


def test_a_file_with_too_many_rows_is_wrong() -> None:
    def found(rows: int) -> list[LineError]:
        file = io.BytesIO(b'{"prompt": "a"}\n' * rows)
        return read_file(file, ReadOptions(format="jsonl"), words, lambda _: None, max_rows=2).errors

    assert found(2) == []
    assert found(3) == [LineError(0, "the file has more than 2 rows")]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"format": "jsonl", "column": "x"}, "column"),
        ({"format": "csv", "max_pairs": 2}, "max_pairs"),
        ({"format": "xml"}, "format"),
    ],
)
def test_options_of_other_formats_are_refused(options: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        ReadOptions.model_validate(options)
    assert [error["loc"] for error in raised.value.errors()] == [(field,)]


def test_bounds_that_nothing_can_be_within_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_prompt_tokens must be at most max_prompt_tokens"):
        ReadOptions(format="sharegpt", min_prompt_tokens=9, max_prompt_tokens=8)


def test_a_format_keeps_only_its_own_options() -> None:
    assert ReadOptions(format="csv").of_format() == {"column": "prompt"}
    assert ReadOptions(format="azure").of_format() == {}
