"""Segments: which worker ran which part of a benchmark, and what it may have sent without an answer being stored.

Before a request is sent, the benchmark's row allows it: `dispatched` is above the request's place. So after a crash the
next worker knows which requests may have reached the provider. It sends them again and counts them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.benchmark.status import SegmentEnding
from shared.db.money.spend import Charge
from shared.db.tables.benchmarks import Benchmark, Segment
from shared.db.tables.types import utc_now

# Names a request of a benchmark: prompt index, repetition, and the turn if it is not the first.
StoredId = list[int]


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """What is stored at the end of a segment. `unanswered`: requests that may have been sent and have no result.

    `aggregate`: what its results add up to, as `RunAggregate.encode` writes it. `charges`: what requests cost that are
    in no transaction with results, by the day of their reservation; None: they have none.
    """

    unanswered: Sequence[StoredId] = ()
    measurement: dict[str, Any] | None = None
    aggregate: bytes | None = None
    charges: Mapping[date | None, Charge] = field(default_factory=dict)


async def end_segment(
    session: AsyncSession, benchmark_id: int, fence: int, ended_by: SegmentEnding, end: SegmentEnd
) -> None:
    """Closes the segment of a lease, if it was opened."""
    await _end(session, and_(Segment.benchmark_id == benchmark_id, Segment.fence == fence), ended_by, end)


async def end_crashed_segments(session: AsyncSession, benchmark_id: int, unanswered: Sequence[StoredId]) -> bool:
    """Closes the segments that dead workers left open. False if there was none."""
    where = and_(Segment.benchmark_id == benchmark_id, Segment.ended_at.is_(None))
    return await _end(session, where, "crashed", SegmentEnd(unanswered))


async def _end(session: AsyncSession, where: ColumnElement[bool], ended_by: SegmentEnding, end: SegmentEnd) -> bool:
    done = select(Benchmark.done).where(Benchmark.id == Segment.benchmark_id).scalar_subquery()
    ended = await session.execute(
        update(Segment)
        .where(where)
        .values(
            ended_at=utc_now(),
            ended_by=ended_by,
            results=done - Segment.done_before,
            unanswered=list(end.unanswered),
            measurement=end.measurement,
            aggregate=end.aggregate,
        ),
        execution_options={"synchronize_session": False},
    )
    return bool(ended.rowcount)  # type: ignore[attr-defined]
