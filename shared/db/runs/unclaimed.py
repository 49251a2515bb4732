"""Marks the open benchmarks that no living worker can run. Every worker's sweep does so; all decide the same.

A marked benchmark shows why. If the mark stays for as long as the setting says, a sweep claims the benchmark to fail it
(`LeaseRepository.claim_overdue`). The mark goes when a worker comes that can run it.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    case,
    cast,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    update,
)

from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.runs.claim_statements import exceeds, free, held_values, of_holdings
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.db.tables.workers import Worker
from shared.db.workers.repository import reported_within
from shared.providers.identity import Holdings
from shared.providers.unclaimed import LivingWorker, Needed, why_nobody

Marks = list[tuple[Needed, Mapping[str, str] | None]]


@tries_again
class UnclaimedRepository:
    """The marks of open benchmarks without a lease."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mark(self, holdings: Holdings, *, alive_within_s: float) -> None:
        """Marks what nobody can run, and takes the mark from what somebody can run again.

        `holdings`: of the worker that asks; it can run those. `alive_within_s`: workers that reported within this time
        count.
        """
        too_many = _too_many(holdings.ceilings)
        changes = await self._changes(holdings, alive_within_s)
        if not changes:
            return
        async with self._database.write() as session:
            for needed, reason in changes:
                since = None if reason is None else func.coalesce(Benchmark.unclaimable_since, utc_now())
                await session.execute(
                    update(Benchmark)
                    .where(_waits(), _needs(needed), too_many.is_not_distinct_from(needed.streams))
                    .values(unclaimable_since=since, unclaimable=reason)
                    .execution_options(synchronize_session=False)
                )

    async def _changes(self, holdings: Holdings, alive_within_s: float) -> Marks:
        alive = select(Worker.id, Worker.endpoints).where(reported_within(alive_within_s)).order_by(Worker.id)
        changes: Marks = []
        async with self._database.read() as session:
            groups = (await session.execute(_look(holdings.ceilings), held_values(holdings))).all()
            if not groups:
                return []
            workers = [LivingWorker(*row) for row in (await session.execute(alive)).all()]
            for provider, key, too_many, first, count, marked in groups:
                row = select(Benchmark.endpoint, Benchmark.unclaimable).where(Benchmark.id == first)
                identity, before = (await session.execute(row)).one()
                needed = Needed(provider, key, identity, too_many)
                reason = why_nobody(needed, workers)
                if marked if reason is None else (marked < count or reason != before):
                    changes.append((needed, reason))
        return changes


def _look(ceilings: Mapping[str, int]) -> Any:
    """Of each endpoint: one benchmark with its mark, and whether some have a mark and some have none."""
    # Without an index of its own: grouping by an index would read the ended benchmarks too.
    provider, too_many = Benchmark.provider.concat(literal_column("''")), _too_many(ceilings)
    not_held = not_(func.coalesce(of_holdings(), False))
    return (
        select(
            provider,
            Benchmark.endpoint_key,
            too_many.label("too_many"),
            func.min(Benchmark.id),
            func.count(),
            func.count(Benchmark.unclaimable_since),
        )
        .where(_waits(), or_(not_held, too_many.is_not(None), Benchmark.unclaimable_since.is_not(None)))
        .group_by(provider, Benchmark.endpoint_key, "too_many")
    )


def _too_many(ceilings: Mapping[str, int]) -> ColumnElement[int | None]:
    """Its streams, if they are more than the asking worker allows."""
    return case((exceeds(ceilings), Benchmark.streams)) if ceilings else cast(null(), Integer)


def _waits() -> ColumnElement[bool]:
    """Any worker ends a cancelled one."""
    return and_(free(), Benchmark.cancel_requested_at.is_(None))


def _needs(needed: Needed) -> ColumnElement[bool]:
    return and_(Benchmark.provider == needed.provider, Benchmark.endpoint_key.is_not_distinct_from(needed.key))
