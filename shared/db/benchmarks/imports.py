"""Stores benchmarks that were exported elsewhere: whole and ended, in one transaction. No event tells of them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, insert, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import Caller
from shared.benchmark.metadata import metadata_pairs
from shared.db.access.audit import record
from shared.db.access.owned import key_of, owned_by
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark, BenchmarkMetadata, Prompt, Result, Segment, StageRow

_BENCHMARKS, _RESULTS = (table.metadata.tables[table.__tablename__] for table in (Benchmark, Result))
# Prompts that one statement stores.
PROMPTS_AT_ONCE = 500

Row = Mapping[str, Any]
# Gives rows of one kind, some at a time. It may be called again: a transaction can be rolled back and begin anew.
Blocks = Callable[[], AsyncIterator[Sequence[dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class NewImport:
    """A checked export. `benchmark` has the names of columns; `key` is the hash of its content."""

    key: str
    benchmark: Row
    spec: Row
    segments: Sequence[Row]
    stages: Sequence[Row]
    prompts: Sequence[Row]
    results: Blocks


@tries_again
class ImportRepository:
    """Rows of an imported benchmark."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def by_key(self, key: str) -> Benchmark | None:
        """The benchmark that this content was imported as before."""
        async with self._database.read() as session:
            return await self._by_key(session, key)

    async def add(self, new: NewImport) -> tuple[Benchmark, bool]:
        """(benchmark, whether it is new). The same content is stored once, also if two imports run together."""
        async with self._database.write() as session:
            own = {"owner": self._caller.owner, "key_id": self._caller.key_id}
            key = key_of(self._caller, new.key)
            values = {**new.benchmark, "spec": dict(new.spec), "import_key": key, **own}
            stored = await session.execute(
                self._database.insert(_BENCHMARKS)
                .values(values)
                .on_conflict_do_nothing(
                    index_elements=["import_key"], index_where=literal_column("import_key IS NOT NULL")
                )
                .returning(_BENCHMARKS.c.id)
            )
            benchmark_id = stored.scalar_one_or_none()
            if benchmark_id is not None:
                await self._insert_parts(session, benchmark_id, new)
                details = {name: new.benchmark.get(name) for name in ("model", "provider", "status")}
                await record(session, self._caller, "import.done", "benchmark", benchmark_id, details)
            found = await self._by_key(session, new.key)
        if found is None:
            raise LookupError("the imported benchmark is not there")
        return found, benchmark_id is not None

    async def _by_key(self, session: AsyncSession, key: str) -> Benchmark | None:
        own = and_(Benchmark.import_key == key_of(self._caller, key), owned_by(self._caller, Benchmark.owner))
        return (await session.scalars(select(Benchmark).where(own))).one_or_none()

    async def _insert_parts(self, session: AsyncSession, benchmark_id: int, new: NewImport) -> None:
        own = {"benchmark_id": benchmark_id}
        for table, rows in ((Segment, new.segments), (StageRow, new.stages), (Prompt, new.prompts)):
            for begin in range(0, len(rows), PROMPTS_AT_ONCE):
                await session.execute(insert(table), [{**row, **own} for row in rows[begin : begin + PROMPTS_AT_ONCE]])
        pairs = [{"pair": pair, **own} for pair in metadata_pairs(new.spec.get("metadata") or {})]
        if pairs:
            await session.execute(insert(BenchmarkMetadata), pairs)
        async for block in new.results():
            for row in block:
                row["benchmark_id"] = benchmark_id
            await session.execute(insert(_RESULTS), block)
