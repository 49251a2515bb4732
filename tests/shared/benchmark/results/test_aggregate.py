"""One aggregate for each segment; the whole is their merge, however the run was split."""

import random
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.observe import epoch_us, gaps_of, of_record, tokens_of
from shared.benchmark.results.observed import Observed
from shared.benchmark.slo.slo_spec import SloSpec
from shared.numbers.digest import Digest
from shared.numbers.disturbance import Disturbance
from shared.numbers.metrics import DISTRIBUTED, REPORTED
from tests.shared.db.rows import make_record
from worker.run.summary import Plan, summarize

START_US = 1_700_000_000_000_000
WAVE = 4
SLOS = SloSpec(ttft_ms=500, latency_ms=700)


def observed(number: int, generator: random.Random) -> Observed:
    """A result of a closed loop of `WAVE` streams."""
    sent_us = START_US + number // WAVE * 200_000 + generator.randrange(50_000)
    outcome = generator.choices(("succeeded", "errored", "cancelled", "incomplete", "dropped"), (8, 2, 1, 1, 1))[0]
    offsets = sorted(generator.randrange(1_000, 150_000) for _ in range(generator.randrange(1, 9)))
    tokens = generator.choice((None, 0, 3, 40))
    metrics = {name: generator.choice((None, generator.uniform(0, 900))) for name in (*DISTRIBUTED, "latency_ms")}
    return Observed(
        id=RequestId(number // 3, number % 3),
        prompt_index=number % 17,
        repetition=number // 17,
        warmup=generator.random() < 0.1,
        outcome=outcome,
        sent_us=sent_us,
        ended_us=sent_us + generator.randrange(1_000, 190_000),
        queue_ms=generator.uniform(0, 5),
        metrics=metrics,
        counts={
            "input_tokens": generator.choice((None, 12)),
            "output_tokens": tokens,
            "reasoning_tokens": None,
            "cache_read_tokens": 0,
            "cache_write_tokens": None,
            "cache_write_1h_tokens": None,
            "total_input_tokens": generator.choice((None, 12)),
        },
        cost_usd=generator.choice((None, Decimal("0.000125"))),
        provider_cost_usd=generator.choice((None, Decimal("0.0002"))),
        served_model=generator.choice((None, "m", "m-2026-01-01")),
        service_tier=generator.choice((None, "default")),
        finish_reason=generator.choice((None, "stop", "length")),
        error_kind="server_error" if outcome == "errored" else None,
        flags=generator.choice(([], ["buffered"], ["connection_renewed"])),
        gaps_ms=gaps_of(offsets),
        tokens=tokens_of(offsets, sent_us, tokens),
        network_rtt_ms=generator.choice((None, generator.uniform(0.1, 30))),
    )


def folded(results: list[Observed], segment: int | None = None) -> RunAggregate:
    aggregate = RunAggregate(WAVE, SLOS)
    for result in results:
        aggregate.add(result, segment=segment)
    return aggregate


def merged(*parts: RunAggregate) -> RunAggregate:
    whole = RunAggregate(WAVE)
    for part in parts:
        # Through its stored form, as segments are.
        again = RunAggregate.decode(part.encode())
        assert again is not None
        whole.merge(again)
    return whole


def document(aggregate: RunAggregate, *, interrupted: bool = False) -> dict[str, object]:
    closed = summarize(aggregate, Plan(100, WAVE, None, interrupted, 0, slos=SLOS))
    opened = summarize(aggregate, Plan(100, WAVE, 20, interrupted, 0, slos=SLOS, ramp_s=0.4))
    names = ("steady_window", "request_rate", "failure_adjusted", "effective_latency_ms")
    return {**closed, "in an open loop": {name: opened[name] for name in names}}


@pytest.mark.heavy
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 120), st.lists(st.integers(0, 120), max_size=4))
def test_splitting_a_run_changes_nothing(seed: int, count: int, cuts: list[int]) -> None:
    generator = random.Random(seed)
    results = [observed(number, generator) for number in range(count)]
    edges = [0, *sorted(min(cut, count) for cut in cuts), count]
    parts = [folded(results[begin:end]) for begin, end in pairwise(edges)]
    whole = folded(results)
    for interrupted in (False, True):
        expected = document(whole, interrupted=interrupted)
        assert document(merged(*parts), interrupted=interrupted) == expected
        assert document(merged(*reversed(parts)), interrupted=interrupted) == expected
    generator.shuffle(results)
    assert document(folded(results)) == document(whole)


@pytest.mark.heavy
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_merging_is_associative(seed: int) -> None:
    generator = random.Random(seed)
    a, b, c = (
        folded([observed(number, generator) for number in range(40)], segment=generator.choice((None, 1, 2, 3)))
        for _ in range(3)
    )
    for interrupted in (False, True):
        left = document(merged(merged(a, b), c), interrupted=interrupted)
        assert document(merged(a, merged(b, c)), interrupted=interrupted) == left
        assert document(merged(c, b, a), interrupted=interrupted) == left


def _in_flight(sent_us: int, ended_us: int, outcome: str) -> Observed:
    """A measured request that was in flight between these times."""
    result = observed(0, random.Random(0))
    return replace(result, warmup=False, outcome=outcome, sent_us=START_US + sent_us, ended_us=START_US + ended_us)


def test_requests_that_a_cancel_ended_were_in_flight_and_count_for_nothing_else() -> None:
    cancelled = folded([_in_flight(number, 1_000, "cancelled") for number in range(3)])
    for whole in (cancelled, merged(cancelled)):
        summary = document(whole)
        assert summary["concurrency"] == {"requested": WAVE, "peak": 3, "mean": None}
        assert (summary["duration_s"], summary["request_throughput"], summary["steady_window"]) == (None, None, None)
    both = document(folded([_in_flight(10, 500, "succeeded"), _in_flight(20, 600_000, "cancelled")]))
    assert both["concurrency"] == {"requested": WAVE, "peak": 2, "mean": pytest.approx(1 + 480 / 490)}
    assert both["duration_s"] == 490e-6


def test_an_aggregate_of_a_version_without_cancelled_requests_is_read() -> None:
    stored = folded([_in_flight(0, 100, "succeeded")]).encode()
    state = orjson.loads(zlib.decompress(stored[1:]))
    del state["activity"]["cancelled"]
    again = RunAggregate.decode(stored[:1] + zlib.compress(orjson.dumps(state)))
    assert again is not None
    assert again.activity.peak == 1


@pytest.mark.parametrize(
    ("results", "priced", "each"),
    [
        ([("succeeded", "0.25"), ("succeeded", "0.25"), ("errored", "0.25")], 2, Decimal("0.375")),
        # What has no cost may have succeeded, and what was cut off may have cost something.
        ([("succeeded", "0.25"), ("succeeded", None)], None, None),
        ([("succeeded", "0.25"), ("cancelled", "0.25")], None, None),
    ],
)
def test_an_aggregate_of_a_version_that_did_not_count_known_costs_tells_only_what_follows(
    results: list[tuple[str, str | None]], priced: int | None, each: Decimal | None
) -> None:
    part = folded(
        [
            replace(_in_flight(0, 100, outcome), cost_usd=None if cost is None else Decimal(cost))
            for outcome, cost in results
        ]
    )
    stored = part.encode()
    state = orjson.loads(zlib.decompress(stored[1:]))
    for name in ("priced_succeeded", "attempted_usd", "unpriced_warmup"):
        del state[name]
    again = RunAggregate.decode(stored[:1] + zlib.compress(orjson.dumps(state)))
    assert again is not None
    whole = RunAggregate(WAVE)
    whole.merge(again)
    assert (whole.costs.priced_succeeded, whole.costs.per_succeeded_usd) == (priced, each)
    assert whole.costs.unpriced_warmup is None


def test_an_aggregate_of_a_version_without_segments_counts_the_time_in_flight_if_it_was_interrupted() -> None:
    """Who measured which part is not known, so the gaps between its requests may be those of a restart."""
    stored = folded([_in_flight(0, 100, "succeeded"), _in_flight(60_000, 60_300, "succeeded")]).encode()
    state = orjson.loads(zlib.decompress(stored[1:]))
    del state["activity"]["spans"]
    old = RunAggregate.decode(stored[:1] + zlib.compress(orjson.dumps(state)))
    assert old is not None
    newer = RunAggregate(WAVE)
    newer.add(_in_flight(90_000, 90_100, "succeeded"), segment=2)
    for whole, in_flight, from_first_to_last in ((old, 400e-6, 60_300e-6), (merged(old, newer), 500e-6, 90_100e-6)):
        assert document(whole, interrupted=True)["duration_s"] == pytest.approx(in_flight)
        assert document(whole)["duration_s"] == pytest.approx(from_first_to_last)


def test_requests_that_the_end_of_the_run_cut_off_are_neither_failed_nor_succeeded() -> None:
    found = folded([_in_flight(0, 500, "succeeded"), _in_flight(20, 600_000, "incomplete")])
    whole = merged(found)
    assert (whole.succeeded, whole.failed, whole.attempted, whole.activity.peak) == (1, 0, 1, 2)
    assert (whole.activity.duration_s, whole.error_ms.count, whole.error_kinds.total()) == (500e-6, 0, 0)
    assert whole.slo.attempted == 1


def test_dropped_requests_were_due_and_count_for_nothing_else() -> None:
    dropped = replace(_in_flight(0, 0, "dropped"), queue_ms=5.0, cost_usd=None, flags=["buffered"])
    whole = merged(folded([dropped]))
    assert whole.outcomes == {"dropped": 1}
    assert (whole.attempted, whole.activity.peak, whole.costs.unpriced, whole.lateness_ms.count) == (0, 0, 0, 0)
    assert whole.activity.first_due_us == START_US - 5_000
    assert not whole.flags


def test_an_aggregate_of_a_version_without_slos_is_read_and_counts_as_undetermined() -> None:
    results = [_in_flight(number * 10, number * 10 + 500, "succeeded") for number in range(3)]
    old = folded(results).encode()
    state = orjson.loads(zlib.decompress(old[1:]))
    for name in ("slo", "sample", "turns", "prompt_tokens", "lateness_ms", "network_rtt_ms", "late"):
        del state[name]
    del state["activity"]["due"]
    part = RunAggregate.decode(old[:1] + zlib.compress(orjson.dumps(state)))
    assert part is not None
    whole = RunAggregate(WAVE, SLOS)
    whole.merge(part)
    assert (whole.slo.attempted, whole.slo.undetermined, whole.activity.last_due_us) == (3, 3, START_US + 20)
    window = summarize(whole, Plan(3, WAVE, 20, interrupted=False, sent_in_vain=0))["steady_window"]
    assert (window["duration_s"], window["ttft_ms"], window["sampled_share"]) == (20e-6, None, None)


def test_a_version_that_knows_nothing_of_slos_reads_the_older_names() -> None:
    """Workers of the version before read what this one stores while both run."""
    state = orjson.loads(zlib.decompress(folded([_in_flight(0, 500, "succeeded")]).encode()[1:]))
    older = {"wave", "activity", "outcomes", "warmup", "error_kinds", "flags", "repeats", "metrics", "effective_ms"}
    older |= {"error_ms", "gaps_ms", "without_events", "tokens", "generated_tokens", "counts", "costs", "unpriced"}
    older |= {"duplicates_priced", "disturbance", "verdicts", "cached_tokens", "cacheable_tokens", "renewed"}
    assert older <= state.keys()


@pytest.mark.parametrize("outcome", ["errored", "cancelled"])
def test_a_run_without_a_succeeded_request_has_no_grade(outcome: str) -> None:
    aggregate = folded([_in_flight(0, 100, outcome)])
    aggregate.observe(Disturbance("socket", requests=1, send_delays_ms=Digest([0.1])))
    assert document(aggregate)["measurement"] is None


def test_the_grade_of_a_run_is_the_worst_of_its_segments() -> None:
    """A segment graded D is not made good by one that is graded A."""
    late, fine = RunAggregate(1), RunAggregate(1)
    late.add(_in_flight(0, 100, "succeeded"))
    late.observe(Disturbance("socket", requests=10, doubtful=9))
    fine.observe(Disturbance("socket", requests=10, send_delays_ms=Digest([0.1] * 10)))
    for whole in (merged(late, fine), merged(fine, late)):
        measurement = document(whole)["measurement"]
        assert isinstance(measurement, dict)
        assert measurement["grade"] == "D"
        assert "9 of 10 first tokens" in measurement["reasons"][0]
        assert measurement["doubtful_requests"] == 9


def test_another_versions_format_is_not_read() -> None:
    assert RunAggregate.decode(b"\x02whatever") is None


def test_a_segment_of_a_version_with_other_metrics_is_merged_without_them() -> None:
    generator = random.Random(3)
    other = folded([observed(number, generator) for number in range(20)])
    del other.metrics["tpot_ms"], other.counts["input_tokens"]
    other.metrics["newer_ms"], other.counts["newer_tokens"] = Digest([1.0]), 5
    whole = merged(other)
    assert tuple(whole.metrics) == DISTRIBUTED
    assert whole.metrics["tpot_ms"].count == 0
    assert whole.metrics["ttft_ms"].count == other.metrics["ttft_ms"].count > 0
    assert tuple(whole.counts) == REPORTED
    assert whole.counts["cache_read_tokens"] == 0


def test_a_segment_of_a_version_that_did_not_tell_prompts_apart_gives_no_interval() -> None:
    """It is merged, but what depends on what is not known."""
    generator = random.Random(3)
    results = [replace(observed(number, generator), prompt_index=number, repetition=0) for number in range(60)]
    stored = folded(results).encode()
    state = orjson.loads(zlib.decompress(stored[1:]))
    del state["repeats"]
    for digest in (*state["metrics"].values(), state["effective_ms"], state["error_ms"], state["gaps_ms"]):
        del digest["prompts"]
    old = RunAggregate.decode(stored[:1] + zlib.compress(orjson.dumps(state)))
    assert old is not None
    expected, found = document(folded(results))["ttft_ms"], document(old)["ttft_ms"]
    assert isinstance(expected, dict)
    assert expected["p50_ci95"] is not None
    assert found == {**expected, "p50_ci95": None, "interval_basis": None}


def test_a_segment_of_a_version_that_did_not_count_reports_leaves_their_number_unknown() -> None:
    stored = folded([_in_flight(0, 500, "succeeded")]).encode()
    state = orjson.loads(zlib.decompress(stored[1:]))
    del state["reported"]
    old = RunAggregate.decode(stored[:1] + zlib.compress(orjson.dumps(state)))
    assert old is not None
    new = folded([_in_flight(0, 500, "succeeded")])
    assert document(new)["tokens_reported"] is not None
    for whole in (merged(old, new), merged(new, old)):
        assert document(whole)["tokens_reported"] is None


@pytest.mark.heavy
def test_a_long_run_takes_no_more_room_than_a_short_one() -> None:
    aggregate, generator = RunAggregate(WAVE), random.Random(1)
    sizes = []
    for number in range(30_000):
        aggregate.add(observed(number, generator))
        if number in (14_999, 29_999):
            sizes.append(len(aggregate.encode()))
    assert sizes[1] < sizes[0] * 1.3


@pytest.mark.parametrize("events", [1, 3, 7, 8])
def test_tokens_are_shared_among_events_and_none_is_lost(events: int) -> None:
    series = tokens_of(list(range(0, events * 1_000, 1_000)), START_US, 20)
    assert series.total == 20
    assert len(list(series.steps())) == events


def test_a_record_is_observed_as_it_was_measured() -> None:
    sent_at = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)
    ended_at = sent_at + timedelta(milliseconds=201)
    record = replace(make_record(3), id=RequestId(3), sent_at=sent_at, ended_at=ended_at, cost_usd=Decimal("0.5"))
    result = of_record(record)
    assert result.sent_us == epoch_us(sent_at) == sent_at.timestamp() * 1e6
    assert result.ended_us - result.sent_us == 201_000
    assert epoch_us(sent_at + timedelta(microseconds=7)) - epoch_us(sent_at) == 7
    assert (result.metrics["ttft_ms"], result.cost_usd) == (record.ttft_ms, Decimal("0.5"))
