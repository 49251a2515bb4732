"""The whole document: values, differences, verdicts that are withheld, and notes."""

from typing import Any

import numpy as np
import pytest

from shared.comparison.comparison import comparison_of
from shared.comparison.measure import Margins
from shared.comparison.run_rows import RunRows
from shared.comparison.verdict import VERDICTS
from tests.shared.comparison.runs import rows, run


def values(seed: int, factor: float = 1.0, **changes: Any) -> RunRows:
    return rows(np.random.default_rng(seed).lognormal(5, 0.3, 200) * factor, **changes)


def compared(*runs: Any, of: list[RunRows] | None = None, metrics: tuple[str, ...] = ("ttft_ms",)) -> dict[str, Any]:
    return comparison_of(runs, of or [values(number) for number in range(len(runs))], Margins(), metrics)


def of(document: dict[str, Any], metric: str, statistic: str) -> dict[str, Any]:
    return next(item for item in document["metrics"] if (item["metric"], item["statistic"]) == (metric, statistic))


def test_each_run_is_compared_with_the_first() -> None:
    document = compared(run("A"), run("B"), run("C"), of=[values(1), values(2, 1.5), values(3)])
    p50 = of(document, "ttft_ms", "p50")
    assert [item["id"] for item in p50["values"]] == [1, 2, 3]
    assert [item["id"] for item in p50["differences"]] == [2, 3]
    slower, same = p50["differences"]
    assert (slower["verdict"], slower["better"]) == ("different", False)
    assert slower["sentence"].startswith("B's P50 TTFT is ")
    assert same["verdict"] in ("practically_equal", "too_early")
    assert same["better"] is None
    assert slower["difference"] == pytest.approx(p50["values"][1]["value"] - p50["values"][0]["value"])
    assert slower["margin"] == pytest.approx(max(10, p50["values"][0]["value"] * 0.05))


def test_all_measures_are_there_with_words_for_each() -> None:
    document = compared(run("A"), run("B"), of=[values(1, cost_usd=0.1), values(2, cost_usd=0.1)], metrics=())
    assert [(item["metric"], item["statistic"]) for item in document["metrics"]] == [
        *(
            (metric, statistic)
            for metric in ("ttft_ms", "latency_ms", "tpot_ms", "tokens_per_second")
            for statistic in ("p50", "p95", "p99")
        ),
        ("cost_usd_per_1000", "mean"),
        ("error_rate", "share"),
    ]
    for item in document["metrics"]:
        (difference,) = item["differences"]
        assert difference["verdict"] in VERDICTS
        assert difference["sentence"].startswith(f"B's {item['title']}")
    p99 = of(document, "ttft_ms", "p99")
    assert p99["values"][0]["needed"] == 1_000
    assert p99["differences"][0]["more_requests"] == 800


def test_other_settings_withhold_the_verdict_of_that_run_alone() -> None:
    """The numbers stay, and it says what differs."""
    document = compared(run("A"), run("B", concurrency=9), run("C"), of=[values(1), values(2, 2), values(3, 2)])
    withheld, judged = of(document, "ttft_ms", "p50")["differences"]
    assert (withheld["verdict"], withheld["better"], withheld["more_requests"]) == ("withheld", None, None)
    assert withheld["difference"] > 100
    assert withheld["sentence"].endswith("no verdict")
    assert (judged["verdict"], judged["better"]) == ("different", False)
    assert document["withheld"] == ["B: load.concurrency differs: 1 and 9"]
    assert document["differs"] == [
        {"field": "load.concurrency", "area": "load", "values": [1, 9, 1], "withholds": True}
    ]
    assert not document["fair"]


def test_runs_at_different_times_are_no_fair_experiment() -> None:
    document = compared(run("A"), run("B", after_s=3_600))
    assert not document["fair"]
    assert "A and B ran at different times" in document["notes"][0]
    assert "44 %" in document["notes"][0]
    together = compared(run("A"), run("B", after_s=5))
    assert together["fair"]
    assert not any("different times" in note for note in together["notes"])


def test_different_error_shares_are_said_beside_percentiles() -> None:
    document = compared(run("A"), run("B"), of=[values(1), values(2, failed=range(0, 200, 4))])
    assert any("failed at different rates (25 % and 0 %)" in note for note in document["notes"])
    assert not any("different rates" in note for note in compared(run("A"), run("B"))["notes"])


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"cached_share": 0.0}, {"cached_share": 0.5}, "prompt cache (A 0 %, B 50 %)"),
        (
            {"tokens": {"output_tokens": 1_000}, "requests": {"succeeded": 10}},
            {"tokens": {"output_tokens": 2_000}, "requests": {"succeeded": 10}},
            "differ in length (tokens each: A 100, B 200)",
        ),
        ({"interrupted": True}, {}, "A was interrupted"),
        ({"measurement": {"grade": "D"}}, {"measurement": {"grade": "D"}}, "Grade D"),
        ({}, {"cost": {"unpriced_requests": 7}}, "7 requests of B have no known cost"),
    ],
)
def test_notes_name_what_else_may_explain_it(first: dict[str, Any], second: dict[str, Any], words: str) -> None:
    document = compared(run("A", summary=first), run("B", summary=second))
    assert any(words in note for note in document["notes"]), document["notes"]


def test_answers_whose_tokens_nobody_reported_are_not_short() -> None:
    whole = {"tokens": {"output_tokens": 10_000}, "requests": {"succeeded": 100}}
    part = {"tokens": {"output_tokens": 7_000}, "requests": {"succeeded": 100}, "flags": {"usage_missing": 30}}
    for less in (part, {**part, "tokens_reported": {"output_tokens": 70}}):
        notes = compared(run("A", summary=whole), run("B", summary=less))["notes"]
        assert not any("differ in length" in note for note in notes)


def test_a_run_that_is_not_whole_is_named() -> None:
    assert "A was cancelled: it is not whole." in compared(run("A", status="cancelled"), run("B"))["notes"]
    sampled = rows([100.0] * 200)
    sampled = RunRows(sampled.prompts, sampled.succeeded, sampled.metrics, sampled.cost_usd, 0.5)
    notes = compared(run("A"), run("B"), of=[values(1), sampled])["notes"]
    assert any("B is very long: 200 of its requests were read" in note for note in notes)
