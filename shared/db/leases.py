"""The life of a running benchmark: claim, heartbeat, release, finish. All by database time, all under a fence.

A worker runs only what it claimed here, and every write of it carries the fence that the claim gave it:
once another worker has claimed the benchmark, those writes change nothing and raise LeaseLost.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, update

from shared.db.database import Database
from shared.db.tables import Benchmark
from shared.db.types import utc_now
from shared.errors import LeaseLost


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one benchmark."""

    benchmark_id: int
    fence: int
    worker_id: str


def held(lease: Lease) -> ColumnElement[bool]:
    """The condition that every write of a running worker carries."""
    return and_(Benchmark.id == lease.benchmark_id, Benchmark.fence == lease.fence, Benchmark.status == "running")


class LeaseRepository:
    """Claims and their ends."""

    def __init__(self, database: Database, *, lease_s: float) -> None:
        self._database = database
        self._lease_s = lease_s

    async def claim(self, worker_id: str, *, look_first: bool = True) -> tuple[Lease, Benchmark] | None:
        """Takes the oldest open benchmark that nobody runs under a lease of this worker; None where there is none.

        Open: pending, or running with a lapsed or missing lease. A lapsed one counts as a crash of its
        worker, a released one does not. Whoever takes over a running one marks it interrupted.
        `look_first`: most looks find nothing, and a look need not take SQLite's write lock; who was rung skips it.
        """
        free = or_(
            Benchmark.status == "pending",
            and_(
                Benchmark.status == "running",
                or_(Benchmark.lease_expires_at.is_(None), Benchmark.lease_expires_at < utc_now()),
            ),
        )
        oldest = select(Benchmark.id).where(free).order_by(Benchmark.id).limit(1).with_for_update(skip_locked=True)
        if look_first:
            async with self._database.read() as session:
                if await session.scalar(select(Benchmark.id).where(free).limit(1)) is None:
                    return None
        async with self._database.write() as session:
            claimed = await session.execute(
                update(Benchmark)
                .where(Benchmark.id == oldest.scalar_subquery(), free)
                .values(
                    status="running",
                    lease_owner=worker_id,
                    lease_expires_at=utc_now(self._lease_s),
                    fence=Benchmark.fence + 1,
                    started_at=case((Benchmark.started_at.is_(None), utc_now()), else_=Benchmark.started_at),
                    interrupted=or_(Benchmark.interrupted, Benchmark.status == "running"),
                    crashes=Benchmark.crashes
                    + case((and_(Benchmark.status == "running", Benchmark.lease_owner.is_not(None)), 1), else_=0),
                )
                .returning(Benchmark),
                execution_options={"synchronize_session": False},
            )
            benchmark = claimed.scalar_one_or_none()
        if benchmark is None:
            return None
        return Lease(benchmark.id, benchmark.fence, worker_id), benchmark

    async def heartbeat(self, lease: Lease) -> bool:
        """Prolongs the lease; True where a cancel was asked for. Raises LeaseLost."""
        async with self._database.write() as session:
            rows = await session.execute(
                update(Benchmark)
                .where(held(lease))
                .values(lease_expires_at=utc_now(self._lease_s))
                .returning(Benchmark.cancel_requested_at)
            )
            row = rows.one_or_none()
        if row is None:
            raise _lost(lease)
        return row[0] is not None

    async def set_price(self, lease: Lease, price: dict[str, Any] | None) -> None:
        """Keeps the price in force with the run. Raises LeaseLost."""
        await self._update(lease, price=price)

    async def release(self, lease: Lease) -> None:
        """Gives a benchmark back that is not done: any worker may go on at once. A lost lease is no error here."""
        async with self._database.write() as session:
            await session.execute(update(Benchmark).where(held(lease)).values(lease_owner=None, lease_expires_at=None))

    async def finish(
        self, lease: Lease, status: str, *, summary: dict[str, Any] | None, error: dict[str, Any] | None
    ) -> str:
        """Ends the run; returns the terminal status. Raises LeaseLost.

        Whichever state is terminal first stays: the condition is in the SQL. A cancel that was asked for before
        the last result was counted makes it `cancelled`; one that finds every request done does not.
        """
        final = case(
            (and_(Benchmark.cancel_requested_at.is_not(None), Benchmark.done < Benchmark.planned), "cancelled"),
            else_=status,
        )
        async with self._database.write() as session:
            rows = await session.execute(
                update(Benchmark)
                .where(held(lease))
                .values(
                    status=final,
                    summary=summary,
                    error=error,
                    completed_at=utc_now(),
                    lease_owner=None,
                    lease_expires_at=None,
                )
                .returning(Benchmark.status)
            )
            row = rows.one_or_none()
        if row is None:
            raise _lost(lease)
        return row[0]

    async def _update(self, lease: Lease, **values: Any) -> None:
        async with self._database.write() as session:
            rows = await session.execute(update(Benchmark).where(held(lease)).values(**values).returning(Benchmark.id))
            if rows.one_or_none() is None:
                raise _lost(lease)


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"benchmark {lease.benchmark_id} is no longer this worker's (fence {lease.fence})")
