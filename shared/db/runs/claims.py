"""Claims: which free benchmark a worker gets next. Used by `LeaseRepository`, within its transactions.

Owners take turns: the oldest benchmark of the owner who was served longest ago comes first. Nothing overtakes a
benchmark that waits for room on its endpoint: else a large or an exclusive one would wait for ever. Claims happen one
at a time in the whole fleet, so that what each finds running is true until it commits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.connection.database import Database
from shared.db.connection.shared_locks import LONGEST_IDLE_S, idle_bound
from shared.db.runs.claim_statements import ClaimStatements, claim_statements, held_values, overdue_statements
from shared.db.runs.endpoint_lanes import NOTHING, load_of_lane
from shared.db.tables.access import OwnerRow
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.providers.identity import Holdings

# The number of the advisory lock of claims on PostgreSQL. Any number that nothing else uses.
LOCK = 7_301_862_054


@dataclass(frozen=True, slots=True)
class Claimer:
    """A worker that asks for a benchmark.

    `holdings`: it gets only benchmarks of these endpoints, and cancelled ones, of which nothing is sent. None: any.
    `is_idle`: it runs nothing now, so it may get an exclusive benchmark.
    """

    worker_id: str
    holdings: Holdings | None = None
    is_idle: bool = True

    @property
    def ceilings(self) -> Mapping[str, int]:
        return {} if self.holdings is None else self.holdings.ceilings

    @property
    def values(self) -> dict[str, Any]:
        return {} if self.holdings is None else held_values(self.holdings)


@dataclass(slots=True)
class _Passed:
    """What a claim passes over. `closed`: lanes; of `full` ones, only what counts. `drains`: all but cancelled ones."""

    closed: list[str] = field(default_factory=list)
    full: list[str] = field(default_factory=list)
    locked: list[int] = field(default_factory=list)
    drains: bool = False

    def values(self) -> dict[str, Any]:
        return {"closed": self.closed, "full": self.full, "locked": self.locked, "drains": self.drains}


class Claims:
    """Takes benchmarks for workers."""

    def __init__(self, database: Database, lease_s: float, *, longest_idle_s: float = LONGEST_IDLE_S) -> None:
        """`longest_idle_s`: how long a claim may wait for its next statement."""
        self._longest_idle_s = longest_idle_s
        self._database = database
        self._lease_s = lease_s
        self._overdue = overdue_statements(lease_s)

    async def is_there_one(self, session: AsyncSession, claimer: Claimer) -> bool:
        """Whether `take` would find a benchmark now."""
        return await self._choose(session, claimer, _Passed()) is not None

    async def take(self, session: AsyncSession, claimer: Claimer) -> Benchmark | None:
        """Gives the worker the benchmark whose turn it is; None if there is none for it."""
        if not self._database.is_sqlite:
            # SQLite has its write lock. A worker that hangs here must not keep others from taking over for long.
            alone = func.pg_advisory_xact_lock(LOCK)
            await session.execute(select(alone, *idle_bound(session, self._longest_idle_s)))
        statements, passed = self._statements(claimer), _Passed()
        taken = await self._taken(session, statements.take_head, claimer.worker_id, claimer.values)
        while taken is None and (chosen := await self._choose(session, claimer, passed)) is not None:
            taken = await self._taken(session, statements.take, claimer.worker_id, {"chosen": chosen})
            # If it was not taken, another transaction is changing it.
            passed.locked.append(chosen)
        return taken

    async def is_one_overdue(self, session: AsyncSession, after_s: float) -> bool:
        return await session.scalar(self._overdue.look, {"after_s": -after_s}) is not None

    async def take_overdue(self, session: AsyncSession, worker_id: str, after_s: float) -> Benchmark | None:
        """Gives the worker a benchmark that nobody could run for so long. Nothing is sent, so it is nobody's turn."""
        values = {"claimer": worker_id, "after_s": -after_s}
        found = await session.execute(self._overdue.take, values, execution_options={"synchronize_session": False})
        row = found.one_or_none()
        return None if row is None else row[0]

    async def _choose(self, session: AsyncSession, claimer: Claimer, passed: _Passed) -> int | None:
        """The id of the first benchmark that may run now. Adds to `passed` what stands in the way of others."""
        statement = self._statements(claimer).next
        while row := (await session.execute(statement, {**claimer.values, **passed.values()})).one_or_none():
            if not row.is_asking:
                return int(row.id)
            load = NOTHING if row.has_room else await load_of_lane(session, row.lane, but=row.id)
            if load.is_quiet or (row.exclusive and load.benchmarks):
                passed.closed.append(row.lane)
            elif not row.has_room and not load.has_room(row.streams, claimer.ceilings.get(row.lane)):
                passed.full.append(row.lane)
            elif row.exclusive and not claimer.is_idle:
                # The worker takes nothing else until it has become idle: if it went on, it would never be.
                passed.drains = True
            else:
                return int(row.id)
        return None

    def _statements(self, claimer: Claimer) -> ClaimStatements:
        return claim_statements(self._lease_s, claimer.holdings is not None, frozenset(claimer.ceilings.items()))

    async def _taken(
        self, session: AsyncSession, statement: Any, worker_id: str, values: Mapping[str, Any]
    ) -> Benchmark | None:
        found = await session.execute(
            statement, {"claimer": worker_id, **values}, execution_options={"synchronize_session": False}
        )
        row = found.one_or_none()
        if row is None:
            return None
        benchmark: Benchmark = row[0]
        # A cancelled one costs its owner no turn. The owner who was served last need not be told so again.
        if row.last != benchmark.owner and benchmark.cancel_requested_at is None:
            await self._end_turn(session, benchmark.owner)
        return benchmark

    async def _end_turn(self, session: AsyncSession, owner: str) -> None:
        """The owner is served again when all others who wait have been. An owner without a row gets one."""
        last = select(func.coalesce(func.max(OwnerRow.turn), 0) + 1).scalar_subquery()
        served = self._database.insert(OwnerRow).values(name=owner, turn=last, created_at=utc_now())
        await session.execute(
            served.on_conflict_do_update(index_elements=["name"], set_={"turn": served.excluded.turn})
        )
