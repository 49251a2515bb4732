"""Differences of two runs. What differs is found, what does not is not, and as sure as the prompts allow."""

import random
import time
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.outcome import FAILURES
from shared.comparison.comparison import difference_of
from shared.comparison.measure import COST, MEASURES, QUANTILES, Difference, Margins
from shared.comparison.verdict import verdict_of
from tests.shared.benchmark.results.test_aggregate import observed
from tests.shared.comparison.runs import rows

P50, P95, P99 = (measure for measure in QUANTILES if measure.metric == "ttft_ms")


def lognormal(count: int, seed: int, factor: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(5, 0.5, count) * factor


def width(difference: Difference) -> float:
    assert difference.interval_95 is not None
    return difference.interval_95[1] - difference.interval_95[0]


def test_a_difference_is_that_of_the_quantiles_and_within_its_intervals() -> None:
    first, second = lognormal(400, 1), lognormal(400, 2, 1.5)
    found = difference_of(P95, rows(first), rows(second), same_texts=False)
    values = np.quantile(first, 0.95), np.quantile(second, 0.95)
    assert (found.reference.value, found.other.value) == (pytest.approx(values[0]), pytest.approx(values[1]))
    assert found.value == pytest.approx(values[1] - values[0])
    assert found.ratio == pytest.approx(values[1] / values[0])
    for interval, value in (
        (found.interval_95, found.value),
        (found.interval_90, found.value),
        (found.ratio_interval, found.ratio),
        (found.other.interval, found.other.value),
    ):
        assert interval is not None
        assert value is not None
        assert interval[0] < value < interval[1]
    assert found.interval_95 is not None
    assert found.interval_90 is not None
    assert found.interval_95[0] < found.interval_90[0] < found.interval_90[1] < found.interval_95[1]
    assert found.interval_95[0] > 0
    assert verdict_of(found, Margins().of(P95, values[0])) == "different"


def test_the_same_runs_give_the_same_intervals() -> None:
    first, second = rows(lognormal(300, 1)), rows(lognormal(300, 2))
    assert difference_of(P50, first, second, same_texts=True) == difference_of(P50, first, second, same_texts=True)


def test_intervals_hold_the_true_difference() -> None:
    """At least 90 of 100 times; 95 are promised."""
    held = 0
    for seed in range(100):
        found = difference_of(P50, rows(lognormal(200, seed)), rows(lognormal(200, 900 + seed, 1.2)), same_texts=False)
        assert found.interval_95 is not None
        held += found.interval_95[0] <= np.exp(5) * 0.2 <= found.interval_95[1]
    assert held >= 90


def test_a_run_that_was_cut_short_raises_no_false_alarms() -> None:
    """Its blocks are not the requests of the other's blocks, though prompts and blocks of both are drawn together."""
    alarms = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        effects = generator.normal(5, 0.8, 200)
        whole, half = np.exp(effects), np.exp(effects[:100] + generator.normal(0, 0.1, 100))
        found = difference_of(P50, rows(whole), rows(half), same_texts=True).interval_95
        assert found is not None
        alarms += found[0] > 0 or found[1] < 0
    assert alarms <= 6


def test_the_same_prompts_make_a_difference_surer() -> None:
    """What the prompts of both runs share cancels out."""
    generator = np.random.default_rng(3)
    prompts = np.tile(np.arange(50), 4)
    effects = generator.normal(0, 0.8, 50)[prompts]
    first, second = (np.exp(5 + effects + generator.normal(0, 0.1, 200)) for _ in range(2))
    paired = difference_of(P50, rows(first, prompts), rows(second, prompts), same_texts=True)
    apart = difference_of(P50, rows(first, prompts), rows(second, prompts), same_texts=False)
    assert paired.value == apart.value
    assert width(paired) < 0.6 * width(apart)


def test_requests_of_one_prompt_do_not_count_as_many() -> None:
    """Ten times as many requests of the same prompts make nothing surer about other prompts."""
    generator = np.random.default_rng(4)
    effects = generator.normal(0, 0.8, (2, 20))

    def run(side: int, repeats: int) -> tuple[np.ndarray, np.ndarray]:
        prompts = np.tile(np.arange(20), repeats)
        return np.exp(5 + effects[side][prompts] + generator.normal(0, 0.05, len(prompts))), prompts

    few = difference_of(P50, rows(*run(0, 2)), rows(*run(1, 2)), same_texts=False)
    many = difference_of(P50, rows(*run(0, 20)), rows(*run(1, 20)), same_texts=False)
    assert many.basis == "prompts"
    assert width(many) > 0.6 * width(few)


def test_failed_requests_and_unknown_values_do_not_count() -> None:
    values = lognormal(100, 5)
    values[7] = np.nan
    found = difference_of(P50, rows(values, failed=range(20, 40)), rows(lognormal(100, 6)), same_texts=False)
    assert (found.reference.n, found.other.n) == (79, 100)


@pytest.mark.parametrize(("measure", "least"), [(P50, 6), (P95, 72), (P99, 1_000)])
def test_a_percentile_needs_so_many_values(measure: object, least: int) -> None:
    measure = next(item for item in QUANTILES if item is measure)
    enough = rows(lognormal(least, 1))
    found = difference_of(measure, enough, rows(lognormal(least, 2)), same_texts=False)
    assert found.interval_95 is not None
    found = difference_of(measure, enough, rows(lognormal(least - 1, 2)), same_texts=False)
    assert (found.value, found.other.value, found.other.n, found.needed) == (None, None, least - 1, least)


def test_slow_and_fast_times_are_too_early_while_the_run_is_short() -> None:
    drift = np.linspace(100, 300, 60)
    found = difference_of(P50, rows(drift), rows(drift * 1.3), same_texts=False)
    assert (found.value is not None, found.interval_95) == (True, None)
    assert found.needed is not None
    assert found.needed > 60


def test_equal_values_are_practically_equal() -> None:
    found = difference_of(P50, rows([100.0] * 50), rows([100.0] * 50), same_texts=False)
    assert (found.value, found.interval_95) == (0.0, (0.0, 0.0))
    assert verdict_of(found, 10) == "practically_equal"


def test_the_cost_of_a_thousand_includes_what_failures_cost() -> None:
    """As `cost.per_succeeded_usd` of the summary."""
    first, second = rows(lognormal(50, 1), cost_usd=0.002), rows(lognormal(50, 2), failed=range(25), cost_usd=0.002)
    found = difference_of(COST, first, second, same_texts=False)
    assert (found.reference.value, found.other.value) == (pytest.approx(2.0), pytest.approx(4.0))
    assert found.ratio == pytest.approx(2.0)
    assert verdict_of(found, Margins().of(COST, 2.0)) == "different"
    unpriced = difference_of(COST, first, rows(lognormal(50, 2)), same_texts=False)
    assert (unpriced.value, unpriced.other.value, unpriced.other.n) == (None, None, 0)


def test_requests_of_unknown_cost_are_in_neither_number_of_the_cost() -> None:
    costs = np.full(60, 0.001)
    costs[::2] = np.nan
    every, half = rows(lognormal(60, 1), cost_usd=0.001), rows(lognormal(60, 2), cost_usd=costs)
    found = difference_of(COST, every, half, same_texts=False)
    assert (found.reference.n, found.other.n) == (60, 30)
    assert (found.reference.value, found.other.value) == (pytest.approx(1.0), pytest.approx(1.0))
    assert verdict_of(found, Margins().of(COST, 1.0)) == "practically_equal"


def test_a_cost_needs_requests_that_succeeded_and_have_a_known_one() -> None:
    """Not requests that failed, whatever they cost, and not those of unknown cost."""
    costs = np.full(20, 0.001)
    costs[5:10] = np.nan
    short = rows(lognormal(20, 2), failed=range(10, 20), cost_usd=costs)
    found = difference_of(COST, rows(lognormal(20, 1), cost_usd=0.001), short, same_texts=False)
    assert (found.other.n, found.other.value, found.value, found.needed) == (5, None, None, 6)


def test_a_run_costs_the_same_in_its_summary_and_in_a_comparison() -> None:
    """With failed and cut-off requests and unknown costs of all kinds."""
    generator = random.Random(4)
    results = [observed(number, generator) for number in range(400)]
    results = [
        replace(item, cost_usd=item.cost_usd and Decimal(generator.randrange(1, 900)) / 10**6) for item in results
    ]
    whole = RunAggregate(4)
    for item in results:
        whole.add(item)
    compared = [item for item in results if not item.warmup and item.outcome in ("succeeded", *FAILURES)]
    run = rows(
        lognormal(len(compared), 1),
        failed=[place for place, item in enumerate(compared) if item.outcome != "succeeded"],
        cost_usd=np.array([item.cost_usd for item in compared], dtype=float),
    )
    known = difference_of(COST, run, run, same_texts=True).reference
    assert whole.costs.per_succeeded_usd is not None
    assert known.value == pytest.approx(1_000 * float(whole.costs.per_succeeded_usd))
    assert 100 < known.n == whole.costs.priced_succeeded < whole.succeeded


def test_two_runs_of_10_000_take_a_moment() -> None:
    """All measures; of the processor's time, since others use this machine too. Some 0.5 s where it was measured."""
    first, second = rows(lognormal(10_000, 1), cost_usd=0.001), rows(lognormal(10_000, 2), cost_usd=0.001)
    begin = time.thread_time()
    for measure in MEASURES:
        difference_of(measure, first, second, same_texts=True)
    assert time.thread_time() - begin < 2
