"""Whether one result meets its SLOs."""

from dataclasses import replace
from random import Random

import pytest

from shared.benchmark.results.observed import Observed
from shared.benchmark.slo.slo import SloVerdict, judge
from shared.benchmark.slo.slo_spec import SloSpec
from tests.shared.benchmark.results.test_aggregate import observed


def result(outcome: str = "succeeded", queue_ms: float = 0, **metrics: float | None) -> Observed:
    plain = observed(0, Random(1))
    known = {"ttft_ms": 100.0, "latency_ms": 900.0, "tpot_ms": 20.0, "tokens_per_second": 50.0}
    return replace(plain, outcome=outcome, queue_ms=queue_ms, metrics={**plain.metrics, **known, **metrics})


@pytest.mark.parametrize(
    ("slos", "expected"),
    [
        (SloSpec(ttft_ms=100, latency_ms=900), SloVerdict("met")),
        (SloSpec(ttft_ms=99.9, latency_ms=900), SloVerdict("missed", ("ttft_ms",))),
        (SloSpec(tokens_per_second=50), SloVerdict("met")),
        (SloSpec(tokens_per_second=50.1), SloVerdict("missed", ("tokens_per_second",))),
        (SloSpec(effective_latency_ms=900), SloVerdict("met")),
    ],
)
def test_a_bound_itself_is_met(slos: SloSpec, expected: SloVerdict) -> None:
    assert judge(result(), slos) == expected


def test_effective_latency_includes_the_wait_before_the_send() -> None:
    slos = SloSpec(effective_latency_ms=900)
    assert judge(result(queue_ms=0.1), slos) == SloVerdict("missed", ("effective_latency_ms",))
    assert judge(result(latency_ms=None), slos) == SloVerdict("undetermined", (), ("effective_latency_ms",))


def test_a_missing_metric_is_undetermined_unless_another_slo_is_broken() -> None:
    slos = SloSpec(ttft_ms=100, tpot_ms=30)
    assert judge(result(tpot_ms=None), slos) == SloVerdict("undetermined", (), ("tpot_ms",))
    assert judge(result(tpot_ms=None, ttft_ms=101), slos) == SloVerdict("missed", ("ttft_ms",), ("tpot_ms",))


@pytest.mark.parametrize("outcome", ["errored", "timed_out", "truncated"])
def test_a_failed_request_misses_every_slo(outcome: str) -> None:
    assert judge(result(outcome), SloSpec(ttft_ms=500)) == SloVerdict("missed", ("ttft_ms",))


@pytest.mark.parametrize("outcome", ["cancelled", "incomplete", "dropped"])
def test_what_was_no_attempt_is_not_judged(outcome: str) -> None:
    assert judge(result(outcome), SloSpec(ttft_ms=500)) is None
