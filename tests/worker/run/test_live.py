"""The live numbers: what is recent, and what a stage has shown so far."""

from dataclasses import replace
from datetime import timedelta

from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import ClosedLoop
from shared.benchmark.load.plan import Stage
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.record import ResultRecord
from tests.support.streams import openai_stream
from tests.worker.engine.measuring import measure
from worker.run.live import LiveNumbers
from worker.run.recent import RECENT_S

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
