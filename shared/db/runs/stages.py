"""Stages: what each has shown. The lease's holder writes them; another worker goes on after the last that has ended."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from shared.db.connection.again import tries_again
from shared.db.connection.clock import Now
from shared.db.connection.database import Database
from shared.db.money.reservations import Bill, Paid
from shared.db.runs.lease import Lease, held, hold_and_pay, lost
from shared.db.tables.benchmarks import Benchmark, StageRow
from shared.db.tables.types import utc_now


@tries_again
class RunStages:
    """Rows of `stages`, as the worker that runs the benchmark needs them."""

    def __init__(self, database: Database, *, now: Now = utc_now) -> None:
        """`now`: the database's clock."""
        self._database = database
        self._now = now

    async def of(self, benchmark_id: int) -> Sequence[StageRow]:
        """All stages of a benchmark that have begun, first to last, with what the plan needs."""
        query = select(StageRow).where(StageRow.benchmark_id == benchmark_id).order_by(StageRow.number)
        async with self._database.read() as session:
            return (await session.scalars(query.options(undefer(StageRow.aggregate)))).all()

    async def enter(
        self,
        lease: Lease,
        *,
        dispatched: int | None,
        stages: Mapping[int, Mapping[str, Any]],
        bill: Bill | None = None,
    ) -> Paid | None:
        """A part begins: requests of places below `dispatched` may be sent. Raises LeaseLost.

        `stages`: the labels of the stages that begin with it, by number. Empty for a run without stages.
        `bill`: a cap counts, and only what it pays may be sent, which is returned. `dispatched` None: the mark stays.
        """
        async with self._database.write() as session:
            paid = None
            if bill is not None:
                paid = await hold_and_pay(session, self._database, lease, self._now, bill)
                dispatched = paid.mark
            await _hold(session, lease, **({} if dispatched is None else {"dispatched": dispatched}))
            for number, label in stages.items():
                await session.execute(
                    self._database.insert(StageRow)
                    .values(benchmark_id=lease.benchmark_id, number=number, label=dict(label), started_at=utc_now())
                    .on_conflict_do_nothing(index_elements=["benchmark_id", "number"])
                )
        return paid

    async def leave(
        self,
        lease: Lease,
        number: int,
        *,
        ended_by: str,
        aggregate: bytes,
        summary: Mapping[str, Any],
        times: tuple[datetime, datetime] | None = None,
    ) -> None:
        """A stage has ended. Raises LeaseLost. `times`: its start and end; None: since `enter`, until now."""
        started_at, ended_at = times or (StageRow.started_at, utc_now())
        async with self._database.write() as session:
            await _hold(session, lease)
            await session.execute(
                update(StageRow)
                .where(StageRow.benchmark_id == lease.benchmark_id, StageRow.number == number)
                .values(
                    started_at=started_at,
                    ended_at=ended_at,
                    ended_by=ended_by,
                    aggregate=aggregate,
                    summary=dict(summary),
                ),
                execution_options={"synchronize_session": False},
            )


async def _hold(session: AsyncSession, lease: Lease, **values: Any) -> None:
    """Locks the benchmark's row for this transaction, and changes it. Raises LeaseLost."""
    rows = await session.execute(
        update(Benchmark).where(held(lease)).values(fence=Benchmark.fence, **values).returning(Benchmark.id)
    )
    if rows.one_or_none() is None:
        raise lost(lease)
