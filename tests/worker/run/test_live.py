"""The live numbers: what is recent, and what a stage has shown so far."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import ClosedLoop
from shared.benchmark.load.plan import Stage
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.record import ResultRecord
from shared.numbers.statistics import percentile
from tests.support.streams import openai_stream
from tests.worker.engine.measuring import measure
from worker.run.live import LiveNumbers
from worker.run.recent import MOST_RECENT, RECENT_S

RECORD = measure("openai", [(10, openai_stream("Hi"))])
NOW = RECORD.ended_at


def ended(seconds_ago: float, *, ttft_ms: float = 10, queue_ms: float = 0, outcome: str = "succeeded") -> ResultRecord:
    metrics = {**RECORD.metrics, "ttft_ms": ttft_ms, "queue_ms": queue_ms}
    return replace(RECORD, ended_at=NOW - timedelta(seconds=seconds_ago), metrics=metrics, outcome=outcome)  # type: ignore[arg-type]


def test_only_the_last_seconds_are_recent() -> None:
    live = LiveNumbers()
    for record in (ended(RECENT_S + 5, ttft_ms=900), ended(RECENT_S - 5, ttft_ms=20), ended(1, ttft_ms=40)):
        live.add(record)
    recent = live.document(RunAggregate(1), 3, NOW)["recent"]
    assert (recent["ttft_ms"]["count"], recent["ttft_ms"]["p50"]) == (2, 30)
    assert (recent["seconds"], recent["request_rate"]) == (RECENT_S - 5, 2 / (RECENT_S - 5))


def test_lateness_counts_all_requests_and_latency_those_that_succeeded() -> None:
    live = LiveNumbers()
    for record in (ended(2, queue_ms=5), ended(1, queue_ms=15, outcome="errored"), ended(1, outcome="dropped")):
        live.add(record)
    recent = live.document(RunAggregate(1), 0, NOW)["recent"]
    assert (recent["failed"], recent["queue_ms"]["count"], recent["latency_ms"]["count"]) == (1, 3, 1)


def test_a_stage_begins_with_nothing_recent() -> None:
    live = LiveNumbers()
    live.add(ended(1))
    live.announce([Stage(2, Phase(ClosedLoop(8)), label={"concurrency": 8})])
    document = live.document(RunAggregate(8), 8, NOW)
    assert document["stage"] == {"number": 2, "label": {"concurrency": 8}}
    assert document["recent"]["ttft_ms"] == {"count": 0, "p50": None, "p95": None}


def test_a_run_without_stages_has_none() -> None:
    assert LiveNumbers().document(RunAggregate(1), 1, NOW)["stage"] is None


def test_many_recent_results_are_looked_at_in_a_moment() -> None:
    """Of the processor's time, beside that of one list of as many numbers. As objects they took nine times as long."""
    live, so_far = LiveNumbers(), RunAggregate(1)
    values = [random.Random(number).uniform(1, 900) for number in range(MOST_RECENT)]
    for number, value in enumerate(values):
        live.add(ended(RECENT_S * (1 - number / MOST_RECENT), ttft_ms=value, queue_ms=value))
    assert live.document(so_far, 1, NOW)["recent"]["ttft_ms"] == {
        "count": MOST_RECENT,
        "p50": percentile(values, 50),
        "p95": percentile(values, 95),
    }
    took_s = min(_cpu_s(lambda: live.document(so_far, 1, NOW)) for _ in range(20))
    assert took_s < 3 * min(_cpu_s(lambda: percentile(values, 50)) for _ in range(20))


def test_the_newest_results_take_the_place_of_the_oldest() -> None:
    live = LiveNumbers()
    for number in range(MOST_RECENT + 10):
        live.add(ended(1, ttft_ms=number))
    recent = live.document(RunAggregate(1), 1, NOW)["recent"]["ttft_ms"]
    assert recent["count"] == MOST_RECENT
    assert recent["p50"] == 10 + (MOST_RECENT - 1) / 2


def _cpu_s(what: Callable[[], object]) -> float:
    begin = time.thread_time()
    what()
    return time.thread_time() - begin
