"""How a run ended: its terminal status, its summary, and the reason where it failed."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

from shared.benchmark.status import TerminalStatus
from shared.db.results import ResultRepository
from shared.db.segments import Slot
from shared.db.tables import Benchmark
from worker.run.summary import SummaryBuilder

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the benchmark's row says in the end."""

    status: TerminalStatus
    summary: JsonObject | None = None
    error: JsonObject | None = None


def failure(kind: str, message: str, summary: JsonObject | None = None) -> Verdict:
    """A run that failed as a whole."""
    return Verdict("failed", summary, {"kind": kind, "message": message})


async def sum_up(benchmark: Benchmark, results: ResultRepository, unanswered: Counter[Slot]) -> SummaryBuilder:
    """All stored results of the benchmark. `unanswered`: how often a request may have been sent in vain."""
    builder = SummaryBuilder(
        planned=benchmark.planned,
        concurrency=benchmark.spec.concurrency,
        interrupted=benchmark.interrupted,
        request_rate=benchmark.spec.request_rate,
        unanswered=unanswered,
    )
    async for result in results.all_for_summary(benchmark.id):
        builder.add(result)
    return builder


async def judge(
    benchmark: Benchmark,
    builder: SummaryBuilder,
    measurement: JsonObject | None,
    *,
    engine_failure: str | None,
    cancelled: bool,
    overdue: bool,
) -> Verdict:
    """Of a run that sent what it could, or was cut off."""
    summary = await asyncio.to_thread(builder.document)
    if measurement is not None:
        summary["measurement"] = measurement
    if engine_failure is not None:
        return failure("engine_died", engine_failure, summary)
    if cancelled and not builder.whole:
        return Verdict("cancelled", summary)
    if overdue and not builder.whole:
        return failure("run_timeout", f"not ended within max_duration_s = {benchmark.spec.max_duration_s:g} s", summary)
    if builder.succeeded == 0 and builder.failed:
        message = f"none of {builder.failed} requests succeeded; most often: {builder.commonest_error}"
        return failure("all_requests_failed", message, summary)
    return Verdict("completed", summary)
