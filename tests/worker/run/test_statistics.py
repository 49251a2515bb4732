"""Goodput, windows, failure-adjusted percentiles and rates, from results whose numbers are known."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.observe import tokens_of
from shared.benchmark.results.observed import Observed
from shared.benchmark.slo.slo_spec import SloSpec
from shared.numbers.digest import Digest
from shared.numbers.metrics import DISTRIBUTED, REPORTED
from worker.run.statistics import Plan, statistics

START_US = 1_700_000_000_000_000
CLOSED = Plan(0, 1, None, interrupted=False, sent_in_vain=0)
OPEN = replace(CLOSED, request_rate=10.0)


def result(
    number: int = 0, *, at_ms: float = 0, took_ms: float = 100, turn: int = 0, **metrics: float | None
) -> Observed:
    """A succeeded request of 10 tokens in and 20 out, sent `at_ms` after the start."""
    sent_us, took_us = START_US + round(at_ms * 1_000), round(took_ms * 1_000)
    counts: dict[str, int | None] = dict.fromkeys(REPORTED)
    return Observed(
        id=RequestId(number, turn),
        prompt_index=number,
        repetition=0,
        warmup=False,
        outcome="succeeded",
        sent_us=sent_us,
        ended_us=sent_us + took_us,
        queue_ms=0.0,
        metrics={
            **dict.fromkeys(DISTRIBUTED),
            "ttft_ms": took_ms / 2,
            "latency_ms": took_ms,
            "tpot_ms": 2.0,
            **metrics,
        },
        counts={**counts, "total_input_tokens": 10, "output_tokens": 20},
        cost_usd=None,
        provider_cost_usd=None,
        served_model=None,
        service_tier=None,
        finish_reason="stop",
        error_kind=None,
        flags=(),
        gaps_ms=Digest(),
        tokens=tokens_of([took_us // 2, took_us], sent_us, 20),
    )


def failed(number: int = 0, outcome: str = "errored", **fields: Any) -> Observed:
    return replace(result(number, **fields), outcome=outcome, error_kind="server_error")


def folded(*results: Observed, slos: SloSpec | None = None, wave: int = 1) -> RunAggregate:
    aggregate = RunAggregate(wave, slos)
    for item in results:
        aggregate.add(item)
    return aggregate


def test_throughput_counts_tokens_read_and_written() -> None:
    found = statistics(folded(*[result(number, at_ms=100 * number) for number in range(10)]), CLOSED)
    assert (found["request_throughput"], found["duration_s"]) == (10, 1)
    names = ("input_token_throughput", "output_token_throughput", "total_token_throughput")
    assert [found[name] for name in names] == [100, 200, 300]


def silent(number: int, **fields: Any) -> Observed:
    """Its 20 tokens were billed, but it has no text: hidden reasoning used up `max_tokens`."""
    unknown = dict.fromkeys(("ttft_ms", "latency_ms", "tpot_ms"))
    return replace(result(number, **fields, **unknown), tokens=tokens_of([], START_US, 20))


@pytest.mark.parametrize("answer", [silent, result])
def test_tokens_of_answers_without_text_were_written_too(answer: Any) -> None:
    """At the end of their answers."""
    results = [answer(number, at_ms=100 * number) for number in range(1, 10)]
    found = statistics(folded(result(0), *results), CLOSED)
    assert (found["output_token_throughput"], found["total_token_throughput"]) == (200, 300)
    assert found["steady_window"]["output_token_throughput"] == pytest.approx(200)


def test_token_throughput_is_unknown_without_usage() -> None:
    nothing = replace(result(), counts=dict.fromkeys(REPORTED), tokens=tokens_of([1], START_US, None))
    found = statistics(folded(nothing), CLOSED)
    names = ("input_token_throughput", "output_token_throughput", "total_token_throughput")
    assert [found[name] for name in names] == [None, None, None]


def test_goodput_counts_requests_that_met_all_slos_and_attainment_is_over_all_attempts() -> None:
    slos = SloSpec(ttft_ms=60, tpot_ms=3, attainment=0.3)
    results = [
        result(0, at_ms=0),
        result(1, at_ms=100, took_ms=200),
        result(2, at_ms=300, tpot_ms=None),
        result(3, at_ms=400, took_ms=600, tpot_ms=None),
        failed(4, at_ms=500),
        replace(failed(5, "cancelled"), error_kind="cancelled"),
        failed(6, "incomplete"),
        failed(7, "dropped"),
    ]
    found = statistics(folded(*results, slos=slos), replace(CLOSED, slos=slos))["slo"]
    assert (found["attempted"], found["met"], found["missed"], found["undetermined"]) == (5, 1, 3, 1)
    assert (found["attainment"], found["attained"], found["target"]) == (0.2, False, 0.3)
    assert found["by_slo"] == {"ttft_ms": {"missed": 3, "undetermined": 0}, "tpot_ms": {"missed": 1, "undetermined": 2}}
    assert (found["goodput"], found["output_token_goodput"]) == (1, 20)


def test_without_slos_there_is_no_goodput() -> None:
    found = statistics(folded(result(), result(1, at_ms=100), result(2, at_ms=200)), CLOSED)
    assert (found["slo"], found["steady_window"]["goodput"]) == (None, None)


def test_the_steady_window_has_goodput_concurrency_and_percentiles_of_its_own() -> None:
    """Two streams of 100 ms; the first wave and the last answer, which take 500 ms, are outside."""
    slos = SloSpec(latency_ms=100)
    results = [result(0, took_ms=500), result(1, took_ms=500)]
    results += [result(2 + n, at_ms=500 + n // 2 * 100, took_ms=100 if n % 4 else 99) for n in range(18)]
    results += [result(20, at_ms=1_400, took_ms=500), result(21, at_ms=1_400, took_ms=100)]
    found = statistics(folded(*results, slos=slos, wave=2), replace(CLOSED, concurrency=2, slos=slos))
    window = found["steady_window"]
    assert (window["begin_s"], window["duration_s"]) == (0.5, pytest.approx(0.9))
    assert window["request_throughput"] == pytest.approx(18 / 0.9)
    assert window["goodput"] == pytest.approx(18 / 0.9)
    assert window["output_token_goodput"] == pytest.approx(18 * 20 / 0.9)
    assert window["mean_concurrency"] == pytest.approx(2, abs=0.03)
    assert (window["latency_ms"]["count"], window["latency_ms"]["max"]) == (18, 100)
    assert (window["tpot_ms"]["p50"], window["sampled_share"]) == (2.0, 1.0)
    assert found["latency_ms"]["max"] == 500


def test_the_steady_window_of_an_open_loop_is_from_the_end_of_the_ramp_to_the_last_scheduled_send() -> None:
    # Due every 100 ms; the last one is sent 250 ms late.
    results = [result(number, at_ms=100 * number) for number in range(10)]
    results.append(replace(result(10, at_ms=1_250), queue_ms=250.0))
    window = statistics(folded(*results), replace(OPEN, ramp_s=0.3))["steady_window"]
    assert (window["begin_s"], window["duration_s"]) == (0.3, pytest.approx(0.7))
    # Those that ended after 300 ms and up to 1,000 ms: sent at 300 to 900, one of which before the window's begin.
    assert window["request_throughput"] == pytest.approx(7 / 0.7)
    assert window["latency_ms"]["count"] == 7


def test_a_ramp_is_no_part_of_the_steady_window_of_a_closed_loop() -> None:
    results = [result(number, at_ms=100 * number) for number in range(10)]
    window = statistics(folded(*results), replace(CLOSED, ramp_s=0.45))["steady_window"]
    assert window["begin_s"] == 0.45
    assert statistics(folded(*results), replace(CLOSED, ramp_s=60))["steady_window"] is None


@pytest.mark.heavy
def test_percentiles_of_a_window_in_a_long_run_come_from_a_random_sample() -> None:
    generator, aggregate = random.Random(5), RunAggregate(1)
    values = [generator.lognormvariate(4, 0.5) for _ in range(20_000)]
    for number, value in enumerate(values):
        aggregate.add(result(number, at_ms=10 * number, took_ms=9, ttft_ms=value))
    window = statistics(aggregate, CLOSED)["steady_window"]
    assert (window["sampled_share"], window["ttft_ms"]["count"]) == (0.25, pytest.approx(5_000, abs=3))
    for percent in (50, 95):
        # Five standard errors of the rank of a percentile of 5,000 values.
        spread = 5 * (percent * (100 - percent) / 5_000) ** 0.5
        low, high = np.percentile(values, [percent - spread, percent + spread])
        assert low < window["ttft_ms"][f"p{percent}"] < high


@pytest.mark.parametrize(("failures", "finite"), [(0, True), (4, True), (6, False), (20, False)])
def test_a_failed_request_counts_as_infinitely_slow(failures: int, finite: bool) -> None:
    generator = random.Random(failures)
    values = [generator.uniform(10, 500) for _ in range(100 - failures)]
    results = [result(number, ttft_ms=value) for number, value in enumerate(values)]
    results += [failed(1_000 + number) for number in range(failures)]
    found = statistics(folded(*results), CLOSED)["failure_adjusted"]
    adjusted = found["ttft_ms"]
    assert found["failed"] == failures
    # Numpy's own percentile, with a number in place of infinity that only an infinite percentile reaches.
    truth = np.percentile([*values, *[1e12] * failures], [50, 90, 95, 99])
    expected = [value if value < 1e6 else None for value in truth]
    assert [adjusted[f"p{percent}"] for percent in (50, 90, 95, 99)] == pytest.approx(expected)
    assert (adjusted["p95"] is not None) is finite
    assert (adjusted["reason"] is None) is (failures == 0)
    if failures == 6:
        assert adjusted["reason"] == (
            "6.0% of the attempted requests failed, and a failed request counts as infinitely slow: "
            "P95, P99 would be infinite"
        )


def test_a_failure_adjusted_percentile_of_few_requests_is_null_without_a_reason() -> None:
    found = statistics(folded(*[result(number) for number in range(15)]), OPEN)["failure_adjusted"]
    for name in ("ttft_ms", "latency_ms", "effective_latency_ms"):
        assert found[name]["p90"] is not None
        assert (found[name]["p95"], found[name]["reason"]) == (None, None)
    assert statistics(folded(result()), CLOSED)["failure_adjusted"]["effective_latency_ms"] is None


def test_mean_concurrency_weighs_by_time() -> None:
    # One request for 900 ms, a second one for 100 ms of them.
    found = statistics(folded(result(0, took_ms=900), result(1, at_ms=100, took_ms=100)), CLOSED)
    assert found["concurrency"] == {"requested": 1, "peak": 2, "mean": pytest.approx(1_000 / 900)}


def test_mean_concurrency_of_an_interrupted_run_counts_active_time_only() -> None:
    results = [result(0, took_ms=100), result(1, took_ms=100), result(2, at_ms=60_000, took_ms=100)]
    found = statistics(folded(*results), replace(CLOSED, interrupted=True))
    assert found["concurrency"]["mean"] == pytest.approx(1.5)


def test_a_stall_of_two_seconds_moves_the_p99_of_effective_latency() -> None:
    """With room for one request, the server stands still for 2 s: nothing is sent, and the schedule goes on."""
    results, free_ms = [], 0.0
    for number in range(200):
        due_ms = 20.0 * number
        sent_ms = max(due_ms, free_ms)
        took_ms = 2_000 if number == 50 else 10
        free_ms = sent_ms + took_ms
        results.append(replace(result(number, at_ms=sent_ms, took_ms=took_ms), queue_ms=sent_ms - due_ms))
    found = statistics(folded(*results), OPEN)
    assert found["latency_ms"]["p95"] == 10
    assert found["effective_latency_ms"]["p95"] > 1_500
    assert found["request_rate"]["late"] > 90


def test_statistics_by_turn_are_those_of_the_turn() -> None:
    turns = [(number, turn) for number in range(4) for turn in range(6)]
    results = [result(number, turn=turn, took_ms=100 * (turn + 1)) for number, turn in turns]
    assert statistics(folded(*[item for item in results if item.id.turn == 0]), CLOSED)["turns"] is None
    found = statistics(folded(*results), CLOSED)["turns"]
    assert list(found) == ["0", "1", "2", "3+"]
    assert [found[name]["latency_ms"]["count"] for name in found] == [4, 4, 4, 12]
    assert [found[name]["latency_ms"]["min"] for name in found] == [100, 200, 300, 400]
    assert found["3+"]["ttft_ms"]["max"] == 300


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("repetitions", "bases"), [(1, ["requests", "requests", "requests", None]), (2, [None, None, None, None])]
)
def test_a_turn_of_a_long_run_has_intervals_only_if_each_prompt_was_sent_once(
    repetitions: int, bases: list[str | None]
) -> None:
    """The sketch does not know prompts, and later turns of one conversation are counted together."""
    whole = RunAggregate(1)
    for number in range(5_001):
        for turn in range(4):
            one = result(number, turn=turn, took_ms=100 + number % 50)
            whole.add(replace(one, prompt_index=number // repetitions, repetition=number % repetitions))
    found = statistics(RunAggregate.decode(whole.encode()) or whole, CLOSED)
    assert found["latency_ms"]["interval_basis"] is None
    assert [turn["latency_ms"]["interval_basis"] for turn in found["turns"].values()] == bases


def test_the_round_trip_of_the_network_stands_beside_the_numbers_if_it_is_known() -> None:
    assert statistics(folded(result()), CLOSED)["network_rtt_ms"] is None
    found = statistics(folded(replace(result(), network_rtt_ms=12.5)), CLOSED)["network_rtt_ms"]
    assert (found["count"], found["p50"], found["interval_basis"]) == (1, 12.5, None)


def paced(*waits_ms: float | None, delay_ms: float | None = 0.1, gap_ms: float = 100) -> dict[str, Any]:
    """The rates of requests due every `gap_ms`, each sent so late. None: dropped. Of each wait `delay_ms` was ours."""
    whole = RunAggregate(1)
    for number, wait_ms in enumerate(waits_ms):
        sent = result(number, at_ms=number * gap_ms + (wait_ms or 0))
        late = replace(sent, queue_ms=wait_ms or 0.0, send_delay_ms=delay_ms)
        whole.add(late if wait_ms is not None else replace(late, outcome="dropped"))
    rates: dict[str, Any] = statistics(RunAggregate.decode(whole.encode()) or whole, OPEN)["request_rate"]
    return rates


def test_a_schedule_that_is_kept_is_limited_by_nothing() -> None:
    kept = paced(*[0.2] * 50)
    assert (kept["due"], kept["achieved"], kept["limited_by"]) == (pytest.approx(10), pytest.approx(10), None)
    late = paced(0, *[500.0] * 20, *[0.2] * 29)
    assert (late["late"], late["limited_by"]) == (20, None), "the rate was reached, and the lateness says the rest"


def test_requests_that_waited_for_room_say_that_the_server_is_too_slow() -> None:
    slow = paced(*[number * 50.0 for number in range(50)])
    assert (slow["due"], slow["achieved"]) == (pytest.approx(10), pytest.approx(10 / 1.5))
    assert slow["limited_by"] == "max_concurrency"
    assert paced(*[0.2, None] * 25)["limited_by"] == "max_concurrency", "nothing was sent late, but half was dropped"


def test_requests_that_were_sent_late_although_there_was_room_are_our_fault() -> None:
    assert paced(*[number * 50.0 for number in range(50)], delay_ms=10_000)["limited_by"] == "this host"
    assert paced(*[200.0, None] * 25, delay_ms=200)["limited_by"] == "this host"


def test_our_delay_is_the_cause_only_if_the_server_would_have_kept_up_without_it() -> None:
    """Sent at 6.7 of 10 requests/s. Each used its room for 100 ms, after the room had lain idle for some time."""
    waits = [number * 50.0 for number in range(50)]
    assert paced(*waits, delay_ms=40)["limited_by"] == "max_concurrency"
    assert paced(*waits, delay_ms=60)["limited_by"] == "this host"


def test_requests_that_the_end_cut_off_were_sent_like_the_others() -> None:
    """On schedule at 10 requests/s. Every second answer was still open when the grace was over."""
    whole = RunAggregate(1)
    for number in range(100):
        one = replace(result(number, at_ms=number * 100 + 0.2), queue_ms=0.2, send_delay_ms=0.1)
        whole.add(one if number % 2 else replace(one, outcome="incomplete", ended_us=START_US + 40_000_000))
    late = replace(result(100, at_ms=10_012), queue_ms=12.0, send_delay_ms=0.1, outcome="incomplete")
    whole.add(replace(late, ended_us=START_US + 40_000_000))
    rates = statistics(RunAggregate.decode(whole.encode()) or whole, OPEN)["request_rate"]
    assert (rates["due"], rates["achieved"]) == (pytest.approx(10), pytest.approx(10, rel=0.002))
    assert rates["limited_by"] is None


@pytest.mark.parametrize("outcome", ["cancelled", "incomplete", "errored"])
def test_the_lateness_is_that_of_all_requests_that_were_sent(outcome: str) -> None:
    sent = [replace(result(number), queue_ms=20.0, outcome=outcome) for number in range(3)]
    rates = statistics(folded(*sent, replace(result(3), queue_ms=30.0, outcome="dropped")), OPEN)["request_rate"]
    assert (rates["lateness_ms"]["count"], rates["lateness_ms"]["max"], rates["late"]) == (3, 20, 3)


def test_what_is_not_known_is_nobodys_fault() -> None:
    """Results that were read from the database do not say since when there was room."""
    assert paced(*[number * 50.0 for number in range(50)], delay_ms=None)["limited_by"] is None


def test_the_faults_of_all_parts_of_a_run_count() -> None:
    first, second = RunAggregate(1), RunAggregate(1)
    first.add(replace(result(0), queue_ms=50.0, send_delay_ms=40.0))
    second.add(replace(result(1), queue_ms=50.0, send_delay_ms=1.0))
    second.add(replace(result(2), queue_ms=50.0, send_delay_ms=1.0))
    first.merge(second)
    assert (first.late, first.late_idle_us, first.late_busy_us) == (3, 42_000, 300_000)
