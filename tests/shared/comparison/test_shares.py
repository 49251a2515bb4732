"""Error shares: Newcombe's interval of the difference; failures in bursts or of one prompt count as fewer."""

import numpy as np
import pytest

from shared.comparison.measure import ERRORS, Margins
from shared.comparison.shares import error_difference
from shared.comparison.verdict import more_requests, verdict_of
from shared.numbers.wilson import wilson_interval
from tests.shared.comparison.runs import rows


def scattered(count: int, failures: int, seed: int = 1) -> list[int]:
    return sorted(np.random.default_rng(seed).permutation(count)[:failures].tolist())


def evenly(count: int, failures: int) -> list[int]:
    """So that no failure is near another by chance."""
    return [place for place in range(count) if place * failures // count != (place - 1) * failures // count]


def test_the_interval_is_newcombes() -> None:
    """His example (1998, table II, a): 56 of 70 and 48 of 80 differ by 0.2, from 0.0524 to 0.3339."""
    failed = [evenly(70, 56), evenly(80, 48)]
    second, first = rows([1.0] * 70, failed=failed[0]), rows([1.0] * 80, failed=failed[1])
    found = error_difference(first, second)
    assert found.value == pytest.approx(0.2)
    assert found.interval_95 == pytest.approx((0.0524, 0.3339), abs=1e-3)
    assert found.interval_90 is not None
    assert found.interval_90[0] > 0.0524


def test_the_interval_of_a_share_is_wilsons() -> None:
    found = error_difference(rows([1.0] * 100), rows([1.0] * 100))
    assert found.reference.interval == pytest.approx(wilson_interval(0, 100))
    assert (found.value, found.ratio) == (0.0, None)


def test_no_failures_of_few_requests_are_too_early_and_of_many_equal() -> None:
    few = error_difference(rows([1.0] * 24), rows([1.0] * 24))
    margin = Margins().of(ERRORS, 0.0)
    assert verdict_of(few, margin) == "too_early"
    more = more_requests(few, margin)
    assert more is not None
    assert more > 100
    many = error_difference(rows([1.0] * 2_000), rows([1.0] * 2_000))
    assert verdict_of(many, margin) == "practically_equal"


@pytest.mark.parametrize("kind", ["burst", "prompts"])
def test_failures_that_go_together_count_as_fewer(kind: str) -> None:
    """40 failures in a row, or all of the same prompts, are hardly more than one."""
    prompts = np.tile(np.arange(20), 20)
    failed = range(200, 240) if kind == "burst" else np.flatnonzero(prompts < 2)
    alone = error_difference(rows([1.0] * 400, prompts), rows([1.0] * 400, prompts, failed=scattered(400, 40)))
    together = error_difference(rows([1.0] * 400, prompts), rows([1.0] * 400, prompts, failed=list(failed)))
    assert alone.value == together.value == 0.1
    assert alone.interval_95 is not None
    assert together.interval_95 is not None
    assert together.interval_95[0] < alone.interval_95[0] / 2
    assert together.interval_95[1] > alone.interval_95[1] * 1.5


def test_a_run_of_nothing_has_no_share() -> None:
    found = error_difference(rows([]), rows([1.0]))
    assert (found.value, found.reference.value, found.interval_95) == (None, None, None)


def test_all_failed_is_a_share_too() -> None:
    found = error_difference(rows([1.0] * 50), rows([1.0] * 50, failed=range(50)))
    assert found.value == 1.0
    assert verdict_of(found, 0.01) == "different"
