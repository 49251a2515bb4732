"""The load curve as a function of the stages' documents."""

import math
from typing import Any

import pytest

from shared.benchmark.results.curve import CurveSlo, curve_of
from shared.benchmark.results.curve_point import CurveStage


def stage_of(number: int, load: float, throughput: float, **changes: Any) -> CurveStage:
    """A stage of a closed loop of this concurrency, in which 400 requests took 100 ms each, more or less."""
    summary: dict[str, Any] = {
        "requests": {"succeeded": 400, "errored": 3, "timed_out": 1, "truncated": 0, "cancelled": 2},
        "request_throughput": throughput * 0.9,
        "output_token_throughput": throughput * 64,
        "steady_window": {"request_throughput": throughput, "output_token_throughput": throughput * 70},
        "concurrency": {"requested": load, "peak": load},
        "request_rate": None,
        "latency_ms": {"count": 400, "mean": 100.0, "stdev": 20.0, "p50": 99.0, "p50_ci95": [97.0, 101.0]},
        "ttft_ms": {"count": 400, "p50": 5 * load, "p95": 10 * load, "p95_ci95": [9 * load, 12 * load], "p99": None},
        "effective_latency_ms": None,
        **changes.pop("summary", {}),
    }
    label = changes.pop("label", {"concurrency": load})
    return CurveStage(number, label, changes.pop("ended_by", "requests"), summary)


def slo_of(met: int, goodput: float | None = 5.0) -> dict[str, Any]:
    return {"slo": {"attempted": 404, "met": met, "target": 0.95, "goodput": goodput}}


SATURATING = [stage_of(number, load, min(load, 8) * 10) for number, load in enumerate((1, 2, 4, 8, 16, 32))]


def test_points_have_throughput_and_latency_with_intervals() -> None:
    """The throughput of a closed loop is as sure as its mean latency."""
    curve = curve_of(SATURATING)
    assert curve["control"] == "concurrency"
    assert [point["load"] for point in curve["points"]] == [1, 2, 4, 8, 16, 32]
    point = curve["points"][2]
    # 1.96 x 20 / 100 / sqrt(400) of 40.
    assert point["request_throughput"] == {"value": 40, "ci95": pytest.approx([39.216, 40.784]), "ci95_from": "latency"}
    assert point["output_token_throughput"]["value"] == 2_800
    assert (point["succeeded"], point["failed"], point["stages"]) == (400, 4, [2])
    assert point["ttft_ms"] == {
        "p50": 20, "p50_ci95": None, "p95": 40, "p95_ci95": [36, 48], "p99": None, "p99_ci95": None
    }  # fmt: skip
    assert (point["tpot_ms"], point["effective_latency_ms"], point["attainment"]) == (None, None, None)


def test_the_knee_of_a_curve() -> None:
    """It is where throughput stops rising."""
    knee = curve_of(SATURATING)["knee"]
    assert knee["load"] == pytest.approx(8)
    assert (knee["nearest_point"], knee["request_throughput"]) == (8, pytest.approx(80))
    assert curve_of(SATURATING[:4])["knee"] is None
    assert "at least 5" in curve_of(SATURATING[:4])["knee_reason"]


def test_a_stage_without_a_steady_window_gives_its_whole_throughput() -> None:
    stage = stage_of(0, 4, 40, summary={"steady_window": None})
    assert curve_of([stage])["points"][0]["request_throughput"]["value"] == 36


def test_repeats_of_a_load_are_one_point() -> None:
    """Its interval is what the repeats say."""
    repeats = [stage_of(number, 4, throughput) for number, throughput in enumerate((40, 42, 44))]
    (point,) = curve_of(repeats)["points"]
    assert point["stages"] == [0, 1, 2]
    assert (point["succeeded"], point["request_throughput"]["ci95_from"]) == (1_200, "repeats")
    # 4.303 x 2 / sqrt(3)
    assert point["request_throughput"]["ci95"] == pytest.approx([42 - 4.969, 42 + 4.969], abs=1e-3)
    assert point["ttft_ms"]["p95_ci95"] == [40, 40]


def test_many_repeats_need_students_t_too() -> None:
    (point,) = curve_of([stage_of(number, 4, 40 + number % 2) for number in range(20)])["points"]
    # 19 degrees of freedom: t = 2.093.
    half = 2.093 * math.sqrt(5 / 19) / math.sqrt(20)
    assert point["request_throughput"]["ci95"] == pytest.approx([40.5 - half, 40.5 + half], abs=1e-3)


def test_a_stage_that_was_broken_off_is_no_evidence() -> None:
    """It stands for its load only if nothing else does, and not in the fit of the knee."""
    broken = stage_of(6, 64, 500, ended_by="error_rate")
    curve = curve_of([*SATURATING, broken])
    assert [point["broken_off"] for point in curve["points"]] == [False] * 6 + [True]
    assert curve["knee"]["load"] == pytest.approx(8)
    again = curve_of([*SATURATING, stage_of(6, 4, 500, ended_by="saturated")])
    assert again["points"][2]["request_throughput"]["value"] == 40
    assert again["points"][2]["stages"] == [2, 6]


def test_rates_are_as_sure_as_their_count() -> None:
    """In an open loop the load is the requested rate."""
    stages = [
        stage_of(0, 500, rate, label={"name": "a"}, summary={"request_rate": {"requested": rate, "achieved": rate}})
        for rate in (10, 5)
    ]
    curve = curve_of(stages)
    assert (curve["control"], [point["load"] for point in curve["points"]]) == ("request_rate", [5, 10])
    assert curve["points"][1]["request_throughput"]["ci95"] == pytest.approx([10 * (1 - 0.098), 10 * (1 + 0.098)])
    assert curve["points"][1]["request_throughput"]["ci95_from"] == "count"


@pytest.mark.parametrize("count", [1, 2])
def test_an_open_loop_has_no_place_among_concurrencies(count: int) -> None:
    """Its concurrency is only a bound: at 64 streams nothing like 5 requests/s was measured."""
    rates = {"request_rate": {"requested": 5, "achieved": 5}, **slo_of(404)}
    opened = [stage_of(6 + number, 64, 5, label={"request_rate": 5}, summary=rates) for number in range(count)]
    curve, without = curve_of([*SATURATING, *opened]), curve_of(SATURATING)
    reason, usual = curve.pop("knee_reason"), without.pop("knee_reason")
    assert reason == f"{usual}; stages left out, because an open loop has no concurrency of its own: {count}"
    assert curve == without


def test_highest_load_that_meets_an_slo() -> None:
    """Below the first that does not, and sure only if the whole interval is within the bound."""
    assert curve_of(SATURATING, [CurveSlo("ttft_ms", 95, 85)])["highest"] == {
        "load": 8,
        "request_throughput": 80,
        "is_sure": False,
        "first_missing": 16,
    }
    assert curve_of(SATURATING, [CurveSlo("ttft_ms", 95, 100)])["highest"]["is_sure"]
    assert curve_of(SATURATING, [CurveSlo("ttft_ms", 95, 100), CurveSlo("ttft_ms", 50, 10)])["highest"]["load"] == 2
    assert curve_of(SATURATING, [CurveSlo("ttft_ms", 95, 5)])["highest"] is None
    assert curve_of(SATURATING, [CurveSlo("ttft_ms", 99, 5_000)])["highest"] is None, (
        "an unknown percentile is no proof"
    )
    assert curve_of(SATURATING, [CurveSlo("ttft_ms", 50, 5_000)])["highest"]["first_missing"] is None


def test_highest_load_that_meets_the_slos_of_the_run() -> None:
    """By attainment, of all requests of a load."""
    met = [404, 404, 388, 300]
    stages = [stage_of(number, 2**number, 10, summary=slo_of(count)) for number, count in enumerate(met)]
    highest = curve_of(stages)["highest"]
    assert (highest["load"], highest["is_sure"], highest["first_missing"]) == (4, False, 8)
    point = curve_of(stages)["points"][0]
    assert point["attainment"]["value"] == 1
    assert point["attainment"]["ci95"] == pytest.approx([0.9906, 1], abs=1e-4)
    assert point["goodput"] == 5.0
    assert curve_of(SATURATING)["highest"] is None


def test_without_stages_there_is_no_curve() -> None:
    curve = curve_of([])
    assert (curve["control"], curve["points"], curve["knee"], curve["highest"]) == (None, [], None, None)


def test_nothing_succeeded() -> None:
    """A load at which all requests fail has a throughput of 0 and no latencies."""
    empty = {"count": 0, "mean": None, "stdev": None}
    failed = {
        "requests": {"succeeded": 0, "errored": 10, "timed_out": 0, "truncated": 0},
        "request_throughput": None,
        "output_token_throughput": None,
        "steady_window": None,
        "latency_ms": empty,
        "ttft_ms": empty,
    }
    (point,) = curve_of([stage_of(0, 4, 0, summary=failed)])["points"]
    assert point["request_throughput"]["value"] == 0
    assert (point["output_token_throughput"], point["ttft_ms"]["p95"]) == (None, None)
