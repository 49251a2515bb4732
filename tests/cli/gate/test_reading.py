"""What a summary says about a measure."""

from typing import Any

import pytest

from cli.gate.measure import DISTRIBUTIONS, MEASURES, NUMBERS
from cli.gate.reading import Reading, read
from tests.cli import documents


def spread(**changes: Any) -> dict[str, Any]:
    return {
        **documents.spread(*(float(number) for number in range(100))),
        "mean": 50.0,
        "stdev": 10.0,
        "p95_ci95": [90.0, 98.0],
        **changes,
    }


def of(name: str, statistic: str | None = None, **changes: Any) -> Reading:
    return read(MEASURES[name], statistic, documents.summary(**changes))


def test_a_percentile_has_the_interval_of_the_summary() -> None:
    found = of("ttft_ms", "p95", ttft_ms=spread(p95=95.0))
    assert found == Reading(95.0, 100, (90.0, 98.0))


def test_a_percentile_of_too_few_values_says_how_many_its_interval_needs() -> None:
    by_request = of("ttft_ms", "p95", ttft_ms=spread(p95_ci95=None))
    assert (by_request.interval, by_request.by_number) == (None, False)
    assert by_request.reason == "an interval of p95 needs 72 requests"
    by_prompt = of("ttft_ms", "p50", ttft_ms=spread(interval_basis="prompts"))
    assert by_prompt.reason == "an interval of p50 needs 6 different prompts"


def test_values_that_depend_on_each_other_are_judged_by_the_number() -> None:
    found = of("inter_chunk_latency_ms", "p95", inter_chunk_latency_ms=spread(p95_ci95=None, interval_basis=None))
    assert (found.by_number, found.reason) == (True, "p95 has no interval, because its values depend on each other")


@pytest.mark.parametrize("statistic", ["min", "max", "p90", "stdev"])
def test_statistics_without_an_interval_are_judged_by_the_number(statistic: str) -> None:
    found = of("ttft_ms", statistic, ttft_ms=spread())
    assert (found.by_number, found.reason) == (True, f"{statistic} has no interval")


def test_a_mean_has_students_interval_if_its_values_are_independent() -> None:
    low, high = of("ttft_ms", "mean", ttft_ms=spread()).interval or (0, 0)
    assert (low, high) == pytest.approx((50 - 1.9842, 50 + 1.9842), abs=1e-3)
    repeated = of("ttft_ms", "mean", ttft_ms=spread(interval_basis="prompts"))
    assert (repeated.interval, repeated.by_number) == (None, True)


def test_a_percentile_that_is_null_says_what_it_needs() -> None:
    found = of("ttft_ms", "p99", ttft_ms=spread(count=50, p99=None))
    assert (found.value, found.reason) == (None, "p99 needs 100 values, and there are 50")


@pytest.mark.parametrize("missing", [None, documents.spread()])
def test_a_distribution_without_values_says_so(missing: Any) -> None:
    found = of("effective_latency_ms", "p50", effective_latency_ms=missing)
    assert (found.value, found.reason) == (None, "no succeeded request has this number")


def test_an_error_rate_counts_failures_among_attempts() -> None:
    requests = {**documents.summary()["requests"], "succeeded": 90, "errored": 5, "timed_out": 3, "truncated": 2}
    found = of("error_rate", requests={**requests, "cancelled": 7, "dropped": 8, "incomplete": 9})
    assert (found.value, found.n) == (0.1, 100)
    assert found.interval == pytest.approx((0.0552, 0.1744), abs=1e-4)


def test_an_error_rate_of_repeated_prompts_asks_for_each_prompt_and_only_then() -> None:
    asked = []

    def groups() -> list[tuple[int, int]]:
        asked.append(True)
        return [(10, 10), (0, 90)]

    summary = documents.summary(succeeded=90, errored=10)
    alone = read(MEASURES["error_rate"], None, summary, groups)
    assert asked == []
    summary["ttft_ms"]["interval_basis"] = "prompts"
    repeated = read(MEASURES["error_rate"], None, summary, groups)
    assert asked == [True]
    assert alone.interval is not None
    assert repeated.interval is not None
    assert repeated.interval[1] > alone.interval[1] + 0.2


def test_without_an_attempt_there_is_no_error_rate() -> None:
    assert of("error_rate", requests={**documents.summary()["requests"], "succeeded": 0}).value is None


def test_attainment_has_wilsons_interval_and_needs_slos() -> None:
    slo = {"attempted": 100, "met": 95, "goodput": 4.5}
    found = of("attainment", slo=slo)
    assert (found.value, found.n) == (0.95, 100)
    assert found.interval == pytest.approx((0.8882, 0.9785), abs=1e-4)
    assert of("goodput", slo=slo).value == 4.5
    for name in ("attainment", "goodput"):
        assert of(name, slo=None).reason == "the benchmark has no SLOs"


def test_the_attainment_of_repeated_prompts_is_less_certain() -> None:
    summary = {**documents.summary(succeeded=100), "slo": {"attempted": 100, "met": 90, "goodput": 4.5}}
    alone = read(MEASURES["attainment"], None, summary, goods=lambda: [(10, 10)] * 9 + [(0, 10)])
    summary["ttft_ms"]["interval_basis"] = "prompts"
    repeated = read(MEASURES["attainment"], None, summary, goods=lambda: [(10, 10)] * 9 + [(0, 10)])
    assert alone.interval == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert repeated.interval is not None
    assert repeated.interval[0] < 0.6


def test_costs_and_throughputs_are_judged_by_the_number() -> None:
    assert of("cost_usd_per_1000").value == pytest.approx(0.0214)
    assert of("total_cost_usd").value == 0.0000428
    assert of("request_throughput") == Reading(2.0, 2, by_number=True, reason="it has no interval")
    unknown = {**documents.summary()["cost"], "per_succeeded_usd": None, "total_usd": None}
    for name in ("cost_usd_per_1000", "total_cost_usd"):
        assert of(name, cost=unknown).reason == "no cost is known"


def _half_known(**changes: Any) -> dict[str, Any]:
    cost = {"total_usd": 0.03, "per_succeeded_usd": 0.001, "priced_succeeded": 30, "unpriced_requests": 30}
    return {**documents.summary()["cost"], **cost, **changes}


def test_a_cost_is_of_the_requests_of_known_cost_and_says_how_many_it_leaves_out() -> None:
    requests = documents.summary(succeeded=60)["requests"]
    for name, value in (("cost_usd_per_1000", 1.0), ("total_cost_usd", 0.03)):
        found = of(name, cost=_half_known(), requests=requests)
        assert (found.value, found.n) == (pytest.approx(value), 30)
        assert found.left_out == "30 of 60 requests have no known cost and are left out"


def test_without_a_succeeded_request_of_known_cost_there_is_no_cost_of_a_request() -> None:
    found = of("cost_usd_per_1000", cost=_half_known(per_succeeded_usd=None, priced_succeeded=0))
    assert (found.value, found.n, found.reason) == (None, 0, "no request that succeeded has a known cost")


def test_a_grade_is_that_of_the_measurement() -> None:
    assert of("grade", measurement={"grade": "B"}).value == "B"
    assert of("grade", measurement=None).reason == "nothing was measured"


@pytest.mark.parametrize("measure", [*DISTRIBUTIONS, *NUMBERS], ids=lambda item: item.name)
def test_every_measure_can_be_read_and_without_a_summary_says_so(measure: Any) -> None:
    statistic = "p50" if measure.statistics else None
    whole = documents.summary(succeeded=9, measurement={"grade": "A"}, slo={"attempted": 9, "met": 9, "goodput": 1.0})
    whole |= {"effective_latency_ms": whole["ttft_ms"], "input_token_throughput": 1.0, "total_token_throughput": 1.0}
    assert read(measure, statistic, whole).value is not None
    assert read(measure, statistic, None) == Reading(None, reason="the benchmark has no summary")
