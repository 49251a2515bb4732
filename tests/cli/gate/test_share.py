"""Intervals of shares, with and without repeated prompts."""

import pytest

from cli.gate.share import failures_by_prompt, goods_by_prompt, share_interval
from shared.numbers.wilson import wilson_interval


def test_independent_requests_have_wilsons_interval() -> None:
    assert share_interval(5, 100) == wilson_interval(5, 100)


def test_prompts_that_fail_alike_change_nothing() -> None:
    """20 of 200, the same share of each of four prompts."""
    assert share_interval(20, 200, [(5, 50)] * 4) == wilson_interval(20, 200)


def test_one_prompt_that_always_fails_says_less_than_as_many_failures_everywhere() -> None:
    low, high = share_interval(20, 200, [(20, 50), (0, 50), (0, 50), (0, 50)])
    even_low, even_high = share_interval(20, 200, [(5, 50)] * 4)
    assert low < even_low / 4
    assert high > even_high * 3
    assert low < 0.1 < high


def test_the_effective_number_of_requests_is_that_of_rao_and_scott() -> None:
    """Ten prompts of ten requests, of which two always fail; t has 9 degrees of freedom."""
    low, high = share_interval(20, 100, [(10, 10), (10, 10), *[(0, 10)] * 8])
    effect = (2 * 8**2 + 8 * 2**2) * 10 / 9 / 100**2 / (0.2 * 0.8 / 100)
    effective = 100 / effect * (1.959964 / 2.262157) ** 2
    assert effective == pytest.approx(6.76, abs=0.01)
    assert (low, high) == pytest.approx(wilson_interval(0.2 * effective, effective), abs=1e-6)


@pytest.mark.parametrize("failed", [0, 50])
def test_if_all_requests_are_alike_nothing_is_known_of_the_prompts(failed: int) -> None:
    assert share_interval(failed, 50, [(failed // 5, 10)] * 5) == wilson_interval(failed, 50)


def test_good_requests_are_counted_by_prompt() -> None:
    """A failed request is not good, nor is one that lacks a metric."""
    metrics: list[tuple[int, str, float | None]] = [(0, "succeeded", 100), (0, "succeeded", 101), (1, "errored", 5)]
    metrics += [(1, "succeeded", None), (1, "incomplete", 5), (2, "succeeded", 5)]
    results = [
        {"prompt_index": prompt, "outcome": outcome, "queue_ms": 0.0, "ttft_ms": ttft_ms, "latency_ms": ttft_ms}
        for prompt, outcome, ttft_ms in metrics
    ]
    assert goods_by_prompt(results, {"ttft_ms": 100, "effective_latency_ms": 100}) == [(1, 2), (0, 2), (1, 1)]


def test_requests_are_counted_by_prompt_and_those_that_say_nothing_are_left_out() -> None:
    results = [
        {"prompt_index": prompt, "outcome": outcome}
        for prompt, outcome in (
            *((0, "succeeded"), (0, "errored"), (1, "timed_out"), (1, "truncated"), (1, "succeeded")),
            *((1, "cancelled"), (2, "dropped"), (2, "incomplete")),
        )
    ]
    assert failures_by_prompt(results) == [(1, 2), (2, 3)]
