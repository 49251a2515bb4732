"""When a rule passes, fails, or is undecided."""

from typing import Any

import pytest

from cli.gate.judge import Reference, Run, Verdict, judge
from cli.gate.parse import parse
from tests.cli import documents


def spread(value: float, interval: list[float] | None, **changes: Any) -> dict[str, Any]:
    return {**documents.spread(*[value] * 100), "p50": value, "p50_ci95": interval, **changes}


def run(benchmark_id: int = 2, **changes: Any) -> Run:
    return Run(benchmark_id, documents.summary(succeeded=100, **changes))


def ttft(value: float, interval: list[float] | None = None, **changes: Any) -> Run:
    return run(ttft_ms=spread(value, interval, **changes))


@pytest.mark.parametrize(
    ("rule", "value", "interval", "outcome"),
    [
        ("ttft_ms.p50 > 800", 700, [650, 750], "passed"),
        ("ttft_ms.p50 > 800", 790, [700, 900], "passed"),
        ("ttft_ms.p50 > 800", 800, [700, 900], "passed"),
        ("ttft_ms.p50 > 800", 820, [790, 850], "undecided"),
        # An interval that only touches the bound holds a value that is not beyond it.
        ("ttft_ms.p50 > 800", 820, [800, 850], "undecided"),
        ("ttft_ms.p50 > 800", 900, [801, 950], "failed"),
        ("ttft_ms.p50 >= 800", 900, [800, 950], "failed"),
        ("ttft_ms.p50 < 800", 700, [600, 799], "failed"),
        ("ttft_ms.p50 < 800", 700, [600, 800], "undecided"),
        ("ttft_ms.p50 <= 800", 700, [600, 800], "failed"),
        ("ttft_ms.p50 < 800", 900, [700, 950], "passed"),
    ],
)
def test_a_rule_fails_only_if_number_and_interval_are_beyond_the_bound(
    rule: str, value: float, interval: list[float], outcome: str
) -> None:
    assert judge(parse(rule), ttft(value, interval)).outcome == outcome


def test_reasons_say_number_bound_and_interval() -> None:
    rule = parse("ttft_ms.p50 > 800")
    assert judge(rule, ttft(900, [850, 950])).reason == (
        "900.0 ms is over 800.0 ms, and so is its 95% interval, 850.0 ms to 950.0 ms"
    )
    assert judge(rule, ttft(820, [790, 850])).reason == (
        "820.0 ms is over 800.0 ms, but its 95% interval, 790.0 ms to 850.0 ms, holds values that are not: more "
        "requests would decide"
    )
    assert judge(rule, ttft(700, [650, 750])).reason == "700.0 ms is not over 800.0 ms"
    assert judge(rule, ttft(790, [700, 900])).reason == (
        "790.0 ms is not over 800.0 ms, but not for certain: its 95% interval, 700.0 ms to 900.0 ms, reaches beyond"
    )


def test_too_few_values_for_an_interval_leave_a_rule_undecided_only_if_it_is_broken() -> None:
    broken = judge(parse("ttft_ms.p50 > 800"), ttft(900))
    assert (broken.outcome, "needs 6 requests" in broken.reason) == ("undecided", True)
    assert judge(parse("ttft_ms.p50 > 800"), ttft(700)).outcome == "passed"


def test_numbers_without_an_interval_are_judged_alone_and_say_so() -> None:
    for text, outcome in (("ttft_ms.max > 800", "failed"), ("ttft_ms.max > 1000", "passed")):
        verdict = judge(parse(text), ttft(900))
        assert (verdict.outcome, "judged by the number alone" in verdict.reason) == (outcome, True)


@pytest.mark.parametrize("text", ["effective_latency_ms.p50 > 1", "attainment < 0.1", "grade > D", "goodput < 0"])
def test_a_rule_without_a_value_fails(text: str) -> None:
    verdict = judge(parse(text), run(measurement=None))
    assert verdict.outcome == "failed"
    assert verdict.reason.startswith("there is no value: ")


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("grade > B", "failed"), ("grade > C", "passed"), ("grade >= C", "failed"), ("grade < C", "passed")],
)
def test_a_worse_grade_is_the_larger_one(text: str, outcome: str) -> None:
    verdict = judge(parse(text), run(measurement={"grade": "C"}))
    assert (verdict.outcome, verdict.reason) == (outcome, "the grade is C")


def test_an_error_rate_needs_enough_requests() -> None:
    rule = parse("error_rate > 1%")
    for succeeded, failed, outcome in ((98, 2, "undecided"), (900, 100, "failed"), (1_000, 5, "passed")):
        assert judge(rule, Run(2, documents.summary(succeeded, failed))).outcome == outcome


def comparison(metric: str = "ttft_ms", statistic: str = "p50", **changes: Any) -> dict[str, Any]:
    """As `GET /compare` answers: benchmark 2 against 1."""
    difference = {
        "id": 2,
        "difference": 20.0,
        "interval_95": [10.0, 30.0],
        "interval_90": [12.0, 28.0],
        "ratio": 1.2,
        "ratio_interval": [1.1, 1.3],
        "verdict": "different",
        "more_requests": None,
        "sentence": "B's P50 TTFT is 20 ms higher [10, 30].",
    }
    return {
        "reference": 1,
        "withheld": [],
        "metrics": [{"metric": metric, "statistic": statistic, "differences": [{**difference, **changes}]}],
    }


def against(text: str, document: dict[str, Any], new: Run | None = None, base: Run | None = None) -> Verdict:
    base = base or Run(1, documents.summary(succeeded=100, ttft_ms=spread(100, [95, 105])))
    return judge(parse(text), new or ttft(120, [110, 130]), Reference(base, document))


@pytest.mark.parametrize(
    ("text", "changes", "outcome"),
    [
        ("ttft_ms.p50 > baseline", {}, "failed"),
        ("ttft_ms.p50 > baseline", {"interval_95": [-1.0, 30.0]}, "undecided"),
        ("ttft_ms.p50 > baseline + 5ms", {}, "failed"),
        ("ttft_ms.p50 > baseline + 10ms", {}, "undecided"),
        ("ttft_ms.p50 > baseline + 20ms", {}, "passed"),
        ("ttft_ms.p50 > baseline + 9%", {}, "failed"),
        ("ttft_ms.p50 > baseline * 1.15", {}, "undecided"),
        ("ttft_ms.p50 > baseline + 25%", {}, "passed"),
        ("ttft_ms.p50 < baseline", {}, "passed"),
        ("ttft_ms.p50 < baseline + 40ms", {}, "failed"),
        ("ttft_ms.p50 > baseline + 5ms", {"interval_95": None}, "undecided"),
        # Without a ratio, as of a baseline of 0, 10 % of the baseline's 100 ms are 10 ms.
        ("ttft_ms.p50 > baseline + 9%", {"ratio": None, "ratio_interval": None}, "failed"),
        ("ttft_ms.p50 > baseline + 10%", {"ratio": None, "ratio_interval": None}, "undecided"),
    ],
)
def test_against_a_baseline_the_interval_of_the_difference_decides(
    text: str, changes: dict[str, Any], outcome: str
) -> None:
    assert against(text, comparison(**changes)).outcome == outcome


def test_the_verdict_has_the_numbers_of_both_runs() -> None:
    verdict = against("ttft_ms.p50 > baseline + 10%", comparison(more_requests=340))
    assert verdict.bound == pytest.approx(110)
    assert verdict.baseline is not None
    assert (verdict.reading.value, verdict.baseline.value) == (120, 100)
    assert verdict.outcome == "undecided"
    assert verdict.reason == (
        "120.0 ms is over 110.0 ms (baseline 100.0 ms), but the 95% interval of the difference is +10.0% to +30.0%: "
        "about 340 more requests would decide"
    )


def test_the_numbers_that_are_shown_are_those_whose_difference_decides() -> None:
    """Summaries of long runs have percentiles within 0.5 %, here 120 and 100 ms; the comparison has the exact ones."""
    document = comparison(difference=19.6, interval_95=[19.0, 20.2], ratio=1.196, ratio_interval=[1.19, 1.202])
    document["metrics"][0]["values"] = [{"id": 1, "value": 100.0}, {"id": 2, "value": 119.6}]
    verdict = against("ttft_ms.p50 > baseline + 19.8ms", document)
    assert (verdict.outcome, verdict.reading.value) == ("passed", 119.6)
    assert verdict.reason.startswith("119.6 ms is not over 119.8 ms (baseline 100.0 ms)")


def test_runs_that_are_not_comparable_are_undecided_with_the_reason() -> None:
    document = {
        **comparison(),
        "runs": [{"id": 1, "label": "A"}, {"id": 2, "label": "B"}],
        "withheld": ["B: the load differs", "B: the grade differs"],
    }
    verdict = against("ttft_ms.p50 > baseline + 50%", document)
    assert (verdict.outcome, verdict.reason) == (
        "undecided",
        "the runs are not comparable: the load differs; the grade differs",
    )
    # A number without an interval is not compared either.
    assert against("request_throughput < baseline", document).outcome == "undecided"
    assert against("ttft_ms.p50 > baseline + 50%", comparison(verdict="withheld")).outcome == "undecided"


def test_what_has_no_interval_of_its_difference() -> None:
    """A number that never has an interval is judged alone; one that has could be compared otherwise."""
    slower = ttft(120, [110, 130], p95_ci95=[110, 130])
    tail = against("ttft_ms.p95 > baseline", comparison(), slower)
    assert (tail.outcome, "differences of ttft_ms.p95 are not tested" in tail.reason) == ("undecided", True)
    most = against("ttft_ms.max > baseline", comparison(), slower)
    assert (most.outcome, "judged by the numbers alone" in most.reason) == ("failed", True)
    assert against("request_throughput < baseline", comparison()).outcome == "passed"


def test_too_few_values_to_compare_say_how_many_are_needed() -> None:
    document = comparison(difference=None)
    document["metrics"][0]["values"] = [{"id": 1, "needed": None}, {"id": 2, "needed": 1_000}]
    verdict = against("ttft_ms.p50 > baseline", document)
    assert (verdict.outcome, verdict.reason) == (
        "undecided",
        "120.0 ms is over 100.0 ms (baseline 100.0 ms), but a test of its difference needs 1,000 values in each run",
    )


def _costs(benchmark_id: int, unpriced: int) -> Run:
    cost = {"total_usd": 0.1, "per_succeeded_usd": 0.001, "unpriced_requests": unpriced, "unpriced_warmup": 0}
    known = {**documents.summary()["cost"], **cost, "priced_succeeded": 100 - unpriced}
    return run(benchmark_id, cost=known)


LEFT_OUT = "40 of 100 requests have no known cost and are left out"


@pytest.mark.parametrize(
    ("rule", "outcome", "said"),
    [
        ("cost_usd_per_1000 > $1.5", "passed", f"; not for certain: {LEFT_OUT}"),
        ("total_cost_usd > $0.2", "passed", f"; not for certain: {LEFT_OUT}"),
        ("cost_usd_per_1000 > $0.8", "failed", f"it has no interval; {LEFT_OUT}"),
        ("total_cost_usd > $0.05", "failed", f"it has no interval; {LEFT_OUT}"),
        ("error_rate > 1%", "passed", ""),
    ],
)
def test_no_rule_about_money_is_silent_about_unknown_costs(rule: str, outcome: str, said: str) -> None:
    verdict = judge(parse(rule), _costs(2, 40))
    assert verdict.outcome == outcome
    assert verdict.reason.endswith(said)
    assert (LEFT_OUT in verdict.reason) == bool(said)
    assert "no known cost" not in judge(parse(rule), _costs(2, 0)).reason


@pytest.mark.parametrize("interval", [None, [0.9, 1.04]])
@pytest.mark.parametrize(
    ("new", "base", "said"),
    [
        (40, 0, f"; not for certain: {LEFT_OUT}"),
        (0, 40, f"; not for certain: of the baseline, {LEFT_OUT}"),
        (40, 40, f"; not for certain: {LEFT_OUT}; of the baseline, {LEFT_OUT}"),
    ],
)
def test_unknown_costs_of_either_side_are_said(interval: Any, new: int, base: int, said: str) -> None:
    document = comparison("cost_usd_per_1000", "mean", ratio=1.0, ratio_interval=interval)
    verdict = against("cost_usd_per_1000 > baseline + 5%", document, _costs(2, new), _costs(1, base))
    assert verdict.outcome == "passed"
    assert verdict.reason.endswith(said)


def test_a_missing_value_on_either_side_fails() -> None:
    empty = Run(1, documents.summary(succeeded=0))
    assert "the baseline has no value" in against("ttft_ms.p50 > baseline", comparison(), base=empty).reason
    verdict = against("ttft_ms.p50 > baseline", comparison(), new=Run(2, None))
    assert (verdict.outcome, verdict.reason) == ("failed", "there is no value: the benchmark has no summary")


def test_single_numbers_find_their_comparison_whatever_its_statistic_is_called() -> None:
    base = Run(1, documents.summary(100, 0))
    changes = {"difference": 0.1, "interval_95": [0.05, 0.15], "ratio": None, "ratio_interval": None}
    document = comparison("error_rate", "share", **changes)
    assert against("error_rate > baseline", document, Run(2, documents.summary(90, 10)), base).outcome == "failed"
    assert against("error_rate > baseline + 0.06", document, Run(2, documents.summary(90, 10)), base).outcome == (
        "undecided"
    )
    document = comparison("cost_usd_per_1000", "mean", ratio=1.0, ratio_interval=[0.9, 1.1])
    assert against("cost_usd_per_1000 > baseline + 5%", document, base, base).outcome == "passed"
