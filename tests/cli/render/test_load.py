"""What a run carried, and what a benchmark would send: lines for people."""

from collections.abc import Iterable
from typing import Any

import pytest

from api.schemas.estimate import EstimateOut
from api.schemas.throughput import FailureAdjusted, RequestRateOut, SloOut, SteadyWindow, TurnStatistics
from cli.render.benchmark import benchmark_lines
from cli.render.estimate import dry_run_lines
from cli.terminal.output import Line
from tests.cli import documents

SLO = {
    "bounds": {"ttft_ms": 500, "tokens_per_second": 20},
    "target": 0.95,
    "attempted": 120,
    "met": 113,
    "missed": 6,
    "undetermined": 1,
    "attainment": 113 / 120,
    "attained": False,
    "by_slo": {
        "ttft_ms": {"missed": 6, "undetermined": 0},
        "tokens_per_second": {"missed": 2, "undetermined": 1},
    },
    "goodput": 4.31,
    "output_token_goodput": 198.2,
}
STEADY = {
    "begin_s": 2.1,
    "duration_s": 21.7,
    "request_throughput": 4.6,
    "input_token_throughput": 88.2,
    "output_token_throughput": 220.3,
    "total_token_throughput": 308.5,
    "mean_concurrency": 3.98,
    "goodput": 4.4,
    "output_token_goodput": 210.7,
    "ttft_ms": documents.spread(*[142.0] * 20),
    "latency_ms": documents.spread(*[812.0] * 20),
    "tpot_ms": documents.spread(),
    "sampled_share": 0.25,
}


def _text(lines: Iterable[Line | str]) -> str:
    return "\n".join(line if isinstance(line, str) else line.text for line in lines)


def _shown(**changes: Any) -> str:
    return _text(benchmark_lines(documents.benchmark(summary=documents.summary(**changes))))


def test_throughput_names_all_tokens_and_the_steady_part_has_times_of_its_own() -> None:
    SteadyWindow.model_validate(STEADY)
    text = _shown(input_token_throughput=12.0, total_token_throughput=44.0, steady_window=STEADY)
    assert "Throughput   2.00 requests/s, 12.0 input, 32.0 output, 44.0 total tokens/s over the whole run" in text
    assert "308.5 total tokens/s, without ramp-up and tail (21.70 s), 3.98 in flight on average" in text
    assert (
        "TTFT 142.0 ms (p50), 142.0 ms (p95); latency 812.0 ms (p50), 812.0 ms (p95); from a sample of 25.0% of the "
        "requests"
    ) in text


def test_goodput_says_how_many_met_the_slos_and_what_the_others_missed() -> None:
    SloOut.model_validate(SLO)
    text = _shown(slo=SLO, steady_window=STEADY)
    assert "Goodput      4.31 requests/s, 198.2 output tokens/s; 4.40 requests/s in the steady part" in text
    assert "SLOs         113 of 120 met all SLOs: 94.2%, 95.0% wanted; 1 undetermined" in text
    assert "ttft_ms ≤ 500: 6 missed\n" in text
    assert "tokens_per_second ≥ 20: 2 missed, 1 without this number" in text


def test_without_slos_there_is_no_goodput() -> None:
    assert "Goodput" not in _shown(slo=None)


def test_percentiles_with_failures_stand_below_if_any_failed() -> None:
    values = {"p50": 143.0, "p90": 203.7, "p95": None, "p99": None, "reason": "6.0% … would be infinite"}
    adjusted = {"failed": 7, "ttft_ms": values, "latency_ms": values, "effective_latency_ms": None}
    FailureAdjusted.model_validate(adjusted)
    text = _shown(failure_adjusted=adjusted, errored=7)
    assert "  TTFT       143.0 ms (p50), 203.7 ms (p90), – ms (p95), – ms (p99)" in text
    assert "– 6.0% … would be infinite" in text
    assert "infinitely slow" not in _shown(failure_adjusted={**adjusted, "failed": 0})


def test_an_open_loop_says_how_late_requests_were_sent() -> None:
    rates = {"requested": 5.0, "achieved": 4.98, "late": 3, "late_after_ms": 10, "dropped": 2}
    late = {**rates, "lateness_ms": documents.spread(0.2, 0.4, 20.0)}
    RequestRateOut.model_validate(late)
    text = _shown(request_rate=late)
    assert "Rate         5.00 requests/s requested, 4.98 sent" in text
    assert "  lateness   0.4 ms (p50), 20.0 ms at most after the due time; 3 more than 10 ms late" in text
    assert "limited by" not in text


@pytest.mark.parametrize("limit", ["max_concurrency", "this host"])
def test_an_open_loop_that_fell_behind_says_whose_fault_it_is(limit: str) -> None:
    rates = {"requested": 5.0, "due": 5.0, "achieved": 4.0, "limited_by": limit}
    RequestRateOut.model_validate(rates)
    assert f"  limited by {limit}: requests" in _shown(request_rate=rates)


def test_the_mean_concurrency_stands_beside_the_peak() -> None:
    text = _shown(concurrency={"requested": 4, "peak": 4, "mean": 3.87})
    assert "Concurrency  4 requested, 3.87 on average, 4 at the peak" in text


def test_turns_of_conversations_have_a_line_each() -> None:
    turn = {"ttft_ms": documents.spread(10.0), "latency_ms": documents.spread(20.0)}
    TurnStatistics.model_validate(turn)
    assert "Turn 3+      TTFT 10.0 ms, latency 20.0 ms (p50) over 1 requests" in _shown(turns={"0": turn, "3+": turn})


def test_a_dry_run_says_what_would_be_sent() -> None:
    estimate = documents.estimate(notes=["careful"])
    EstimateOut.model_validate(estimate)
    assert _text(dry_run_lines({"provider": "openai", "notices": ["!!"], "estimate": estimate})) == (
        "! !!\n"
        "! careful\n"
        "Endpoint     openai\n"
        "Requests     300, 10 of them warm-up\n"
        "Input        about 4,800 tokens (4 bytes of text are taken for one)\n"
        "Output       0 to 76,800 tokens\n"
        "Duration     60 s to 11 min if every request takes until its deadline\n"
        "Cost         $0.00120 to $0.0972\n"
        "Nothing was stored or sent."
    )


def test_a_dry_run_shows_a_dash_for_what_is_not_known() -> None:
    names = ("requests", "warmup_requests", "input_tokens", "output_tokens", "duration_s", "cost_usd")
    unknown = documents.estimate(**dict.fromkeys(names))
    text = _text(dry_run_lines({"provider": "p", "notices": [], "estimate": unknown}))
    assert "Requests     –\nInput        –\nOutput       –\nDuration     –\nCost         – (" in text
    bound = documents.estimate(duration_s={"low": None, "high": 90.0})
    assert "Duration     at most 90 s if" in _text(dry_run_lines({"provider": "p", "notices": [], "estimate": bound}))
