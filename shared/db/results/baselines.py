"""Baselines: names for the completed benchmarks that later ones are compared with. The API and deletions use them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import Caller
from shared.access.owner import DEFAULT_OWNER
from shared.benchmark.status import Status
from shared.db.access.audit import record
from shared.db.access.missing import no_benchmark
from shared.db.access.owned import of_owner, owned_by
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.history import Baseline
from shared.db.tables.types import utc_now
from shared.errors import Conflict, NotFound

# Names that an error lists.
_NAMES_SHOWN = 20
# Between owner and name in the keys of owners other than `default`. It is in no name.
_OF = "/"


@dataclass(frozen=True, slots=True)
class NamedBenchmark:
    """A baseline, and what people know its benchmark by. `key`: under which its name is stored."""

    key: str
    name: str
    created_at: datetime
    benchmark_id: int
    benchmark_name: str
    model: str
    provider: str


@tries_again
class BaselineRepository:
    """Rows of `baselines`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def put(self, name: str, benchmark_id: int) -> tuple[NamedBenchmark, bool]:
        """(baseline, whether the name is new). A name that exists is given to this benchmark.

        Raises NotFound if there is no such benchmark, and Conflict if it has not completed.
        """
        async with self._database.write() as session:
            # The lock keeps the benchmark until this transaction ends: a deletion waits, and then finds the name.
            own = owned_by(self._caller, Benchmark.owner)
            query = select(Benchmark.status).where(Benchmark.id == benchmark_id, own)
            status: Status | None = await session.scalar(query.with_for_update(read=True, key_share=True))
            if status is None:
                raise no_benchmark(benchmark_id)
            if status != "completed":
                raise Conflict(f"benchmark {benchmark_id} is {status}: only a completed one can be a baseline")
            key = self._key(name)
            created = await session.scalar(select(Baseline.name).where(Baseline.name == key)) is None
            values = {"benchmark_id": benchmark_id, "created_at": utc_now()}
            row = self._database.insert(Baseline).values(name=key, owner=self._caller.owner, **values)
            await session.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))
            await record(session, self._caller, "baseline.set", "baseline", name, {"benchmark_id": benchmark_id})
            return await self._existing(session, name), created

    async def get(self, name: str) -> NamedBenchmark:
        """Raises NotFound."""
        async with self._database.read() as session:
            return await self._existing(session, name)

    async def page(self, *, after: str | None, limit: int) -> list[NamedBenchmark]:
        """Baselines in the order of their keys, from the one behind the key `after` on."""
        keys = select(Baseline.name).where(of_owner(self._caller, Baseline.owner))
        if after is not None:
            keys = keys.where(Baseline.name > after)
        # The keys first: SQLite would begin with the benchmarks.
        some = keys.order_by(Baseline.name).limit(limit)
        async with self._database.read() as session:
            rows = await session.execute(_named().where(Baseline.name.in_(some)).order_by(Baseline.name))
            return [_out(row) for row in rows]

    async def delete(self, name: str) -> None:
        """Deletes the name and keeps its benchmark. Raises NotFound."""
        async with self._database.write() as session:
            own = and_(Baseline.name == self._key(name), owned_by(self._caller, Baseline.owner))
            gone = await session.execute(delete(Baseline).where(own).returning(Baseline.name))
            if gone.one_or_none() is None:
                raise _not_found(name)
            await record(session, self._caller, "baseline.deleted", "baseline", name)

    def _key(self, name: str) -> str:
        """Under which a name of this owner is stored: names are unique within an owner, keys are in the whole table."""
        return name if self._caller.owner == DEFAULT_OWNER else f"{self._caller.owner}{_OF}{name}"

    async def _existing(self, session: AsyncSession, name: str) -> NamedBenchmark:
        own = and_(Baseline.name == self._key(name), owned_by(self._caller, Baseline.owner))
        row = (await session.execute(_named().where(own))).one_or_none()
        if row is None:
            raise _not_found(name)
        return _out(row)


async def refuse_baseline(session: AsyncSession, benchmark_id: int) -> None:
    """For the transaction that deletes a benchmark and has locked it. Raises Conflict that names its baselines."""
    query = select(Baseline.name).where(Baseline.benchmark_id == benchmark_id).order_by(Baseline.name)
    names: Sequence[str] = (await session.scalars(query.limit(_NAMES_SHOWN + 1))).all()
    if names:
        shown = ", ".join(map(_name, names[:_NAMES_SHOWN])) + (" and more" if len(names) > _NAMES_SHOWN else "")
        raise Conflict(
            f"benchmark {benchmark_id} is the baseline {shown}: give the name to another benchmark, or delete the name"
        )


def is_baseline() -> ColumnElement[bool]:
    """Whether a benchmark has the name of a baseline."""
    count = select(func.count()).select_from(Baseline).where(Baseline.benchmark_id == Benchmark.id)
    return count.correlate(Benchmark).scalar_subquery() > 0


def _named() -> Select[str, datetime, int, str, str, str]:
    return select(
        Baseline.name, Baseline.created_at, Benchmark.id, Benchmark.name, Benchmark.model, Benchmark.provider
    ).join(Benchmark, Benchmark.id == Baseline.benchmark_id)


def _out(row: Any) -> NamedBenchmark:
    key, *fields = row
    return NamedBenchmark(key, _name(key), *fields)


def _name(key: str) -> str:
    return key.rpartition(_OF)[2]


def _not_found(name: str) -> NotFound:
    return NotFound(f"there is no baseline {name!r}")
