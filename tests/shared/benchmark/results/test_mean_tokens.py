"""The mean number of tokens, from summaries of this version and of older ones."""

from typing import Any

import pytest

from shared.benchmark.results.mean_tokens import mean_tokens

OLD = {"tokens": {"output_tokens": 1_000}, "requests": {"succeeded": 10}}


@pytest.mark.parametrize(
    ("summary", "mean"),
    [
        ({**OLD, "tokens_reported": {"output_tokens": 5}}, 200),
        ({**OLD, "tokens_reported": {"output_tokens": 20}, "requests": {"succeeded": 10, "truncated": 10}}, 50),
        ({**OLD, "tokens_reported": {"output_tokens": 0}, "tokens": {"output_tokens": None}}, None),
        (OLD, 100),
        ({**OLD, "requests": {"succeeded": 10, "errored": 1}}, None),
        ({**OLD, "requests": {"succeeded": 10, "incomplete": 1}}, None),
        ({**OLD, "flags": {"usage_missing": 3}}, None),
        ({**OLD, "flags": {"usage_contradictory": 3}}, None),
        ({**OLD, "flags": {"buffered": 3}}, 100),
        ({}, None),
    ],
)
def test_the_mean_is_over_the_requests_that_reported_tokens(summary: dict[str, Any], mean: float | None) -> None:
    assert mean_tokens(summary, "output_tokens") == mean
