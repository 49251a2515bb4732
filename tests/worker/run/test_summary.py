"""The summary of a run, from results with known numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import ConstantRate, RampedLoop
from shared.benchmark.load.plan import Stage
from shared.benchmark.load.rate_profile import RateProfile
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.observe import of_row
from shared.benchmark.slo.slo_spec import SloSpec
from shared.benchmark.spec import BenchmarkSpec
from shared.numbers.metrics import DISTRIBUTED
from shared.numbers.timeline import EventKind, TimelineEvent, encode
from shared.workloads.loads import load_of
from worker.run.summary import Plan, load_in_numbers, summarize, summary_of_stage

START = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


def stream(*content_ms: float) -> bytes:
    events = [TimelineEvent(round(at * 1_000), EventKind.CONTENT, 1) for at in content_ms]
    return encode([*events, TimelineEvent(round(content_ms[-1] * 1_000), EventKind.END, 0)])


@dataclass
class Row:
    """A stored result: sent `at_ms` after the start, ended `close` ms later."""

    prompt_index: int = 0
    repetition: int = 0
    at_ms: float = 0
    close: float = 100
    outcome: str = "succeeded"
    warmup: bool = False
    output_tokens: int | None = 2
    input_tokens: int | None = 10
    cost_usd: Decimal | None = Decimal("0.001")
    error: dict[str, Any] | None = None
    flags: list[str] = field(default_factory=list)
    timeline: bytes | None = field(default_factory=lambda: stream(50, 100))
    ttft_ms: float | None = 50
    queue_ms: float = 0
    reasoning_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    total_input_tokens: int | None = None
    provider_cost_usd: Decimal | None = None
    served_model: str | None = None
    service_tier: str | None = None
    finish_reason: str | None = "stop"
    # Versions before did not store it.
    ended_at: datetime | None = None

    @property
    def sent_at(self) -> datetime:
        return START + timedelta(milliseconds=self.at_ms)

    @property
    def stream_close_ms(self) -> float:
        return self.close

    @property
    def latency_ms(self) -> float:
        return self.close

    def __getattr__(self, name: str) -> Any:
        if name in DISTRIBUTED:
            return None
        raise AttributeError(name)


def with_timeline(row: Row) -> Row:
    return replace(row, timeline=stream(50, 100))


def folded(*rows: Row, concurrency: int = 1, sent_in_vain: Mapping[int, int] = MappingProxyType({})) -> RunAggregate:
    """What the rows add up to. `sent_in_vain`: by prompt, how often a request may have been sent before."""
    results = RunAggregate(concurrency)
    for row in rows:
        results.add(of_row(row, RequestId(row.prompt_index)), sent_in_vain=sent_in_vain.get(row.prompt_index, 0))
    return results


def summary(
    *rows: Row,
    planned: int = 0,
    concurrency: int = 1,
    interrupted: bool = False,
    request_rate: float | None = None,
    sent_in_vain: Mapping[int, int] = MappingProxyType({}),
) -> dict[str, Any]:
    plan = Plan(planned, concurrency, request_rate, interrupted, sum(sent_in_vain.values()))
    return summarize(folded(*rows, concurrency=concurrency, sent_in_vain=sent_in_vain), plan)


def test_statistics_are_over_succeeded_measured_requests_alone() -> None:
    rows = [Row(ttft_ms=10), Row(ttft_ms=30), Row(ttft_ms=1, warmup=True), Row(ttft_ms=2, outcome="errored")]
    result = summary(*rows)
    assert (result["ttft_ms"]["count"], result["ttft_ms"]["p50"]) == (2, 20)


def test_an_interval_takes_prompts_for_independent_where_one_was_sent_more_than_once() -> None:
    once = [Row(prompt_index=number, ttft_ms=number) for number in range(60)]
    again = [replace(row, repetition=1) for row in once]
    few = [replace(row, prompt_index=row.prompt_index % 5, repetition=row.prompt_index // 5) for row in once]
    by_request, by_prompt, too_few = (summary(*rows)["ttft_ms"] for rows in (once, [*once, *again], few))
    assert by_request["interval_basis"] == "requests"
    assert by_prompt["interval_basis"] == too_few["interval_basis"] == "prompts"
    # The second round says nothing new, so it narrows nothing.
    assert by_prompt["p50_ci95"] == by_request["p50_ci95"]
    assert (too_few["p50"], too_few["p50_ci95"]) == (by_request["p50"], None)


def test_a_prompt_that_is_listed_twice_is_one_prompt() -> None:
    results = folded(*[Row(prompt_index=number, ttft_ms=number) for number in range(60)])
    plan = Plan(60, 1, None, interrupted=False, sent_in_vain=0, equal_prompts=dict.fromkeys(range(1, 60), 0))
    found = summarize(results, plan)
    for name in ("ttft_ms", "latency_ms", "error_latency_ms"):
        assert found[name]["p50_ci95"] is None


def test_gaps_of_one_stream_have_no_interval() -> None:
    """However many there are: those of one stream depend on each other."""
    rows = [Row(prompt_index=number, timeline=stream(*range(10, 200, 3))) for number in range(20)]
    found = summary(*rows)["inter_chunk_latency_ms"]
    assert (found["count"], found["p99"]) == (20 * 63, 3)
    assert (found["p50_ci95"], found["p95_ci95"], found["p99_ci95"], found["interval_basis"]) == (
        None,
        None,
        None,
        None,
    )


def test_cancelled_requests_are_in_no_statistic() -> None:
    result = summary(Row(), Row(outcome="cancelled", at_ms=5_000, error={"kind": "cancelled"}))
    assert result["requests"]["cancelled"] == 1
    assert result["duration_s"] == pytest.approx(0.1)
    assert result["error_latency_ms"]["count"] == 0


def test_fast_failures_have_latencies_of_their_own() -> None:
    failed = [Row(outcome="errored", close=1, error={"kind": "server_error"}) for _ in range(5)]
    result = summary(Row(close=500), *failed)
    assert result["latency_ms"]["p50"] == 500
    assert (result["error_latency_ms"]["count"], result["error_latency_ms"]["p50"]) == (5, 1)
    assert result["error_kinds"] == {"server_error": 5}


def test_throughput_is_over_the_whole_run() -> None:
    result = summary(Row(at_ms=0), Row(at_ms=100), Row(at_ms=200), Row(at_ms=300))
    assert result["duration_s"] == pytest.approx(0.4)
    assert result["request_throughput"] == pytest.approx(10)
    assert result["output_token_throughput"] == pytest.approx(20)


def test_an_interrupted_run_counts_active_time_only() -> None:
    rows = [Row(at_ms=0), Row(at_ms=50), Row(at_ms=60_000)]
    assert summary(*rows, interrupted=True)["duration_s"] == pytest.approx(0.25)
    assert summary(*rows)["duration_s"] == pytest.approx(60.1)


def test_the_steady_window_leaves_out_the_first_wave_and_the_tail() -> None:
    # Two slots: 0-100, 100-200, 200-300 and 0-100, 100-200, 200-900.
    rows = [Row(at_ms=at) for at in (0, 0, 100, 100, 200)] + [Row(at_ms=200, close=700)]
    window = summary(*rows, concurrency=2)["steady_window"]
    assert window["duration_s"] == pytest.approx(0.1)
    assert window["request_throughput"] == pytest.approx(20)


def test_a_run_of_one_wave_has_no_steady_window() -> None:
    assert summary(Row(), Row(), concurrency=2)["steady_window"] is None


def test_the_observed_peak_stands_beside_the_requested_concurrency() -> None:
    result = summary(Row(at_ms=0), Row(at_ms=50), Row(at_ms=100), concurrency=8)
    assert result["concurrency"] == {"requested": 8, "peak": 2, "mean": 1.5}


def test_an_open_loop_counts_from_when_requests_were_due_and_says_the_rate_that_was_kept() -> None:
    rows = [Row(at_ms=500 * number + late, queue_ms=late, close=100) for number, late in enumerate((0, 0, 300))]
    found = summary(*rows, concurrency=2, request_rate=2.0)
    assert (found["effective_latency_ms"]["min"], found["effective_latency_ms"]["max"]) == (100, 400)
    rates = found["request_rate"]
    assert (rates["requested"], rates["achieved"]) == (2.0, pytest.approx(2 / 1.3))
    assert (rates["lateness_ms"]["count"], rates["lateness_ms"]["max"]) == (3, 300)
    assert (rates["late"], rates["dropped"]) == (1, 0)


def test_a_closed_loop_has_no_rate_and_no_effective_latency() -> None:
    found = summary(Row(), Row(at_ms=500))
    assert (found["request_rate"], found["effective_latency_ms"]) == (None, None)


def test_gaps_between_chunks_are_pooled() -> None:
    result = summary(Row(timeline=stream(10, 20, 40)), Row(timeline=stream(10, 15)))
    assert result["inter_chunk_latency_ms"]["count"] == 3
    assert result["inter_chunk_latency_ms"]["max"] == 20


def test_without_timelines_gaps_are_unknown_but_throughput_is_not() -> None:
    rows = [Row(at_ms=100 * number, timeline=None) for number in range(4)]
    result = summary(*rows)
    assert result["inter_chunk_latency_ms"] is None
    assert result["output_token_throughput"] == summary(*map(with_timeline, rows))["output_token_throughput"] == 20
    assert result["steady_window"]["output_token_throughput"] is None


def test_unknown_costs_and_tokens_are_not_zero() -> None:
    result = summary(Row(cost_usd=None, output_tokens=None, input_tokens=None), Row(cost_usd=None, output_tokens=None))
    assert result["cost"]["total_usd"] is None
    assert result["cost"]["unpriced_requests"] == 2
    assert result["tokens"]["output_tokens"] is None
    assert result["tokens"]["input_tokens"] == 10
    assert (result["tokens_reported"]["output_tokens"], result["tokens_reported"]["input_tokens"]) == (0, 1)


def test_the_cost_of_a_request_is_over_requests_of_known_cost() -> None:
    """What failed requests cost counts where it is known. Cut-off ones are in neither number."""
    rows = [
        *[Row(cost_usd=Decimal("0.1"))] * 2,
        *[Row(cost_usd=None)] * 3,
        Row(outcome="errored", cost_usd=None),
        Row(outcome="truncated", cost_usd=Decimal("0.04")),
        Row(outcome="cancelled", cost_usd=Decimal("0.5")),
        Row(outcome="incomplete", cost_usd=None),
        Row(outcome="dropped", cost_usd=None),
        Row(warmup=True, cost_usd=None),
        Row(warmup=True, cost_usd=Decimal("0.3")),
    ]
    cost = summary(*rows)["cost"]
    assert Decimal(cost["per_succeeded_usd"]) == Decimal("0.12")
    assert (cost["priced_succeeded"], cost["unpriced_requests"], cost["unpriced_warmup"]) == (2, 5, 1)
    assert (cost["measured_usd"], cost["total_usd"]) == ("0.74", "1.04")


def test_without_a_succeeded_request_of_known_cost_a_request_has_none() -> None:
    cost = summary(Row(cost_usd=None), Row(outcome="truncated", cost_usd=Decimal("0.04")))["cost"]
    assert (cost["per_succeeded_usd"], cost["priced_succeeded"], cost["measured_usd"]) == (None, 0, "0.04")


def test_costs_are_added_exactly() -> None:
    result = summary(*[Row(cost_usd=Decimal("0.1"))] * 3, Row(cost_usd=Decimal("0.2"), warmup=True))
    assert (result["cost"]["measured_usd"], result["cost"]["total_usd"]) == ("0.3", "0.5")
    assert Decimal(result["cost"]["per_succeeded_usd"]) == Decimal("0.1")


def test_an_empty_run_has_a_summary_without_numbers() -> None:
    result = summary(planned=3)
    assert result["duration_s"] is None
    assert result["request_throughput"] is None
    assert result["ttft_ms"]["p50"] is None
    assert result["concurrency"]["peak"] == 0


def test_what_was_sent_in_vain_costs_what_its_answer_did_and_is_no_part_of_the_cost() -> None:
    rows = [Row(prompt_index=0, cost_usd=Decimal("0.1")), Row(prompt_index=1, cost_usd=None), Row(prompt_index=2)]
    result = summary(*rows, interrupted=True, sent_in_vain={0: 2, 1: 1, 7: 1})
    assert result["possible_duplicates"] == {"requests": 4, "cost_usd": "0.2", "unpriced_requests": 2}
    assert result["cost"]["total_usd"] == "0.101"


def test_a_request_that_was_sent_again_over_a_new_connection_is_a_possible_duplicate() -> None:
    renewed = ["connection_renewed"]
    rows = [
        Row(prompt_index=0, flags=renewed, cost_usd=Decimal("0.1")),
        Row(prompt_index=1, flags=renewed, cost_usd=None, outcome="truncated"),
        Row(prompt_index=2, flags=renewed, cost_usd=Decimal("0.2"), warmup=True),
        Row(prompt_index=3),
    ]
    result = summary(*rows, sent_in_vain={0: 1})
    assert result["possible_duplicates"] == {"requests": 4, "cost_usd": "0.4", "unpriced_requests": 1}
    assert result["flags"]["connection_renewed"] == 2


def test_a_run_that_nothing_interrupted_has_no_duplicates() -> None:
    assert summary(Row())["possible_duplicates"] == {"requests": 0, "cost_usd": None, "unpriced_requests": 0}


def _cached(read: int, **plan: Any) -> list[str]:
    row = Row(cache_read_tokens=read, total_input_tokens=100)
    notices: list[str] = summarize(folded(row, row), Plan(2, 1, None, False, 0, **plan))["notices"]
    return notices


def test_a_run_whose_input_came_from_a_prompt_cache_says_so_and_why() -> None:
    assert _cached(4, repetitions=5) == []
    assert summary(Row())["notices"] == []
    (notice,) = _cached(5, repetitions=5)
    assert notice == (
        "5% of the input tokens were read from a prompt cache: TTFT and latency are those of cache hits. "
        "The cache may have been filled by repetitions of the same prompt."
    )
    (notice,) = _cached(100, repetitions=5, warmup_is_measured=True)
    assert notice.endswith("by repetitions of the same prompt or warm-up requests with the same prompts.")
    (notice,) = _cached(83)
    assert notice.startswith("83% of the input")
    assert notice.endswith("by an earlier run, or a beginning that the prompts share.")


def test_the_summary_of_a_stage_leaves_its_ramp_out_of_the_steady_window() -> None:
    rows = [Row(prompt_index=number, at_ms=100 * number) for number in range(20)]
    slos = SloSpec(ttft_ms=40)
    results = RunAggregate(1, slos)
    for row in rows:
        results.add(of_row(row, RequestId(row.prompt_index)))
    ramped = Stage(0, Phase(RampedLoop(2, 1, 1.0)))
    found = summary_of_stage(ramped, results, slos)
    assert found["steady_window"]["begin_s"] == 1
    assert (found["slo"]["missed"], found["concurrency"]["requested"]) == (20, 2)
    at_a_rate = summary_of_stage(Stage(0, Phase(ConstantRate(RateProfile([(0, 0), (0.5, 10)]), 9))), results)
    assert (at_a_rate["steady_window"]["begin_s"], at_a_rate["slo"]) == (0.5, None)


def _asked(**load: Any) -> dict[str, Any]:
    spec = BenchmarkSpec.model_validate({"name": "n", "model": "m", "prompts": ["p"], "load": load}).with_defaults()
    return dict(load_in_numbers(spec, load_of(spec)))


def test_a_run_says_which_load_was_asked_for() -> None:
    """The short form says it itself; a load of one stage has that stage's numbers; several stages have no one rate."""
    short = BenchmarkSpec(name="n", model="m", prompts=("p",), request_rate=5.0, concurrency=7)  # type: ignore[arg-type]
    asked = {"concurrency": 7, "request_rate": 5, "ramp_s": 0}
    assert load_in_numbers(short, load_of(short)) == load_in_numbers(short, None) == asked
    ramp = _asked(request_rate=20, max_concurrency=9, requests=10, ramp={"from": 20, "over_s": 3})
    assert ramp == {"concurrency": 9, "request_rate": 20, "ramp_s": 3}
    # From 0 to 20 within 4 s are 40 requests, and 120 in the 6 s after that.
    timed = _asked(request_rate=20, max_concurrency=9, duration_s=10, ramp={"from": 0, "over_s": 4})
    assert timed == {"concurrency": 9, "request_rate": 16, "ramp_s": 4}
    assert _asked(concurrency=4, requests=10) == {"concurrency": 4, "request_rate": None, "ramp_s": 0}
    staged = _asked(stages=[{"concurrency": 2, "requests": 5}, {"concurrency": 6, "requests": 5}])
    assert staged == {"concurrency": 6, "request_rate": None, "ramp_s": None}
    rates = [{"request_rate": rate, "duration_s": 5, "max_concurrency": 9} for rate in (5, 20)]
    assert _asked(stages=rates, transition="seamless") == {"concurrency": 9, "request_rate": None, "ramp_s": None}


def test_a_run_whose_load_never_stays_the_same_has_no_steady_window() -> None:
    results = folded(*[Row(prompt_index=number, at_ms=100 * number) for number in range(20)])
    assert summarize(results, Plan(20, 1, None, False, 0))["steady_window"] is not None
    assert summarize(results, Plan(20, 1, None, False, 0, ramp_s=None))["steady_window"] is None
