"""Stores records as a worker does, in its batches, and compares what is read back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from shared.benchmark.results.record import ResultRecord
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Result
from shared.numbers.metrics import REPORTED
from tests.shared.db.rows import Tables
from worker.run.recorder import MAX_BATCH

_SAME = (
    "prompt_index",
    "outcome",
    "scheduled_at",
    "sent_at",
    "ended_at",
    "connection_reused",
    "finish_reason",
    "flags",
    "response",
    "reasoning",
    "provider_request_id",
    "timeline",
    "served_model",
    "service_tier",
    "system_fingerprint",
    "provider_cost_usd",
    "cost_usd",
)


async def store_all(url: str, records: Sequence[ResultRecord]) -> list[str]:
    """Stores the records as results of one benchmark. Returns what differs in the database: it should be nothing."""
    database = Database(url)
    try:
        tables = Tables(database, lease_s=3_600)
        benchmark_id = await tables.add()
        lease = await tables.claimed()
        numbered = [replace(record, prompt_index=number) for number, record in enumerate(records)]
        for start in range(0, len(numbered), MAX_BATCH):
            await tables.results.record(lease, numbered[start : start + MAX_BATCH])
        rows = [row async for row in tables.results.all_for_summary(benchmark_id)]
    finally:
        await database.close()
    if len(rows) != len(numbered):
        return [f"{len(numbered)} records stored, {len(rows)} rows read"]
    return [words for record, row in zip(numbered, rows, strict=True) for words in _differences(record, row)]


def _differences(record: ResultRecord, row: Result) -> Iterator[str]:
    expected: dict[str, Any] = {name: getattr(record, name) for name in _SAME}
    expected |= record.metrics
    expected |= {name: getattr(record.usage, name) for name in REPORTED}
    expected["error"] = record.error.document() if record.error is not None else None
    for name, value in expected.items():
        seen = getattr(row, name)
        if seen != value:
            yield f"record {record.prompt_index}: {name} is {seen!r:.200}, not {value!r:.200}"
