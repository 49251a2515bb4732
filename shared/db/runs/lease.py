"""A lease, and what every transaction under it begins with: the lock of its benchmark, or LeaseLost.

`shared.db.runs.leases` claims, extends and ends leases.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam
from sqlalchemy.ext.asyncio import AsyncSession

from shared.benchmark.status import KEEP, Change
from shared.db.connection.clock import Now
from shared.db.connection.database import Database
from shared.db.money.reservations import Bill, Paid, pay
from shared.db.money.spend import Account, hold_account, holding
from shared.db.tables.benchmarks import Benchmark
from shared.errors import LeaseLost


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one benchmark."""

    benchmark_id: int
    fence: int
    worker_id: str


def held(lease: Lease, change: Change = KEEP) -> ColumnElement[bool]:
    """The condition of every write under a lease. It no longer holds once the worker has given the benchmark back."""
    return _held(lease.benchmark_id, lease.fence, lease.worker_id, change)


def _held(benchmark_id: Any, fence: Any, owner: Any, change: Change) -> ColumnElement[bool]:
    return and_(
        Benchmark.id == benchmark_id,
        Benchmark.fence == fence,
        Benchmark.lease_owner == owner,
        Benchmark.status.in_(change.before),
    )


async def hold(session: AsyncSession, lease: Lease, now: Now) -> tuple[Account, datetime]:
    """Locks the benchmark's row until the transaction ends. Its account, and the time after the wait. Raises LeaseLost.

    `now`: the database's clock.
    """
    values = {"of_id": lease.benchmark_id, "of_fence": lease.fence, "of_owner": lease.worker_id}
    found = await hold_account(session, _holding(now()), values)
    if found is None:
        raise lost(lease)
    return found


@lru_cache(maxsize=1)
def _holding(instant: ColumnElement[datetime]) -> Select[Any]:
    """Locks the benchmark of a lease. Made once, since every transaction of a run has it."""
    return holding(_held(bindparam("of_id"), bindparam("of_fence"), bindparam("of_owner"), KEEP), instant)


async def hold_and_pay(session: AsyncSession, database: Database, lease: Lease, now: Now, bill: Bill) -> Paid:
    """Like `pay`, for a transaction that stores no results and does not hold the benchmark yet. Raises LeaseLost."""
    account, at = await hold(session, lease, now)
    return await pay(session, database, account, lease.fence, at, bill, {})


def lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"benchmark {lease.benchmark_id} is no longer this worker's (fence {lease.fence})")
