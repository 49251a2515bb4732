"""What changes of a benchmark while it waits and runs: a few columns, which live events read again and again."""

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, select

from shared.access.caller import Caller
from shared.benchmark.status import TERMINAL, Status
from shared.db.access.owned import of_owner
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now


@dataclass(frozen=True, slots=True)
class LiveState:
    """A benchmark as it is now. The names are those of `Benchmark`."""

    id: int
    status: Status
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    cancel_requested_at: datetime | None
    planned: int
    done: int
    errors: int
    last_ttft_ms: float | None
    cost_usd: Decimal | None
    live: dict[str, Any] | None
    error: dict[str, Any] | None
    notices: list[str]
    unclaimable: dict[str, Any] | None
    interrupted: bool
    # The database's time. Two states are equal if nothing but this differs.
    read_at: datetime = field(compare=False)

    @property
    def has_ended(self) -> bool:
        return self.status in TERMINAL


_COLUMNS = [getattr(Benchmark, item.name) for item in fields(LiveState) if item.name != "read_at"]


@tries_again
class LiveRepository:
    """Reads states of the caller's benchmarks by their ids."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def states(self, ids: Collection[int]) -> dict[int, LiveState]:
        """The benchmarks that there are, by id. Raises Unavailable without the database."""
        return await states_of(self._database, ids, of_owner(self._caller, Benchmark.owner))


async def states_of(database: Database, ids: Collection[int], owned: ColumnElement[bool]) -> dict[int, LiveState]:
    """The states of these benchmarks, by id. `owned`: the condition of their owner."""
    query = select(*_COLUMNS, utc_now().label("read_at")).where(Benchmark.id.in_(sorted(ids)), owned)
    async with database.read() as session:
        return {row.id: LiveState(**row._mapping) for row in await session.execute(query)}
