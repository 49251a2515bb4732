"""Reads what the charts of a benchmark need from its results, and keeps the finished charts."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from shared.access.caller import Caller
from shared.db.access.owned import of_owner, of_seen, sees
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark, Result, did_not_succeed
from shared.db.tables.history import Charts

# Rows read at once. Turning them into Python's numbers takes about 10 ms of the event loop.
BLOCK = 4_000
# Kinds of errors that are listed. An engine knows about twenty; an import may have others.
MOST_KINDS = 100


class plain_instant(FunctionElement[Any]):  # noqa: N801 - reads as an SQL function
    """A stored instant as `ChartColumns` takes it. Turning each into Python's date would take longer than all the rest.

    The text that SQLite stores; of PostgreSQL, seconds since 1970.
    """

    type = NullType()
    inherit_cache = True


@compiles(plain_instant, "sqlite")
def _sqlite_instant(element: plain_instant, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(plain_instant, "postgresql")
def _postgresql_instant(element: plain_instant, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(extract(epoch FROM {compiler.process(element.clauses, **kw)}) AS double precision)"


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """Failed requests of one kind of error. `example`: the id of the first one."""

    kind: str
    count: int
    example: int


@dataclass(frozen=True, slots=True)
class ErrorExample:
    """One failed request. `error`: its stored document."""

    result_id: int
    prompt_index: int
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class StoredCharts:
    """The charts of a benchmark as bytes, as `store` got them."""

    version: int
    document: bytes


# The table and not the class: rows of the ORM take twice as long.
_C = Result.metadata.tables[Result.__tablename__].c
# In the order of `shared.benchmark.charts.columns.NAMES`.
_COLUMNS = (
    *(_C.id, _C.prompt_index, _C.repetition, _C.stage, _C.outcome),
    *(plain_instant(_C.sent_at), plain_instant(_C.ended_at)),
    *(_C.queue_ms, _C.connect_ms, _C.ttft_ms, _C.latency_ms, _C.tpot_ms, _C.stream_close_ms),
    func.coalesce(_C.total_input_tokens, _C.input_tokens),
    _C.output_tokens,
)


@tries_again
class ChartRepository:
    """Columns of `results`, and the rows of `charts`. Texts are never in a row of `charts`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def blocks(self, benchmark_id: int, most: int) -> AsyncIterator[Sequence[Sequence[Any]]]:
        """The newest measured requests, at most `most` of them, block by block, the newest first."""
        before, left = 2**63 - 1, most
        while left > 0:
            query = select(*_COLUMNS).where(_C.benchmark_id == benchmark_id, _C.warmup.is_(False), _C.id < before)
            query = query.where(sees(self._caller, benchmark_id))
            size = min(BLOCK, left)
            async with self._database.read() as session:
                rows = (await session.execute(query.order_by(_C.id.desc()).limit(size))).all()
            if rows:
                yield rows
                before, left = rows[-1][0], left - len(rows)
            if len(rows) < size:
                return

    async def errors(self, benchmark_id: int) -> list[ErrorCount]:
        """Measured requests that did not succeed and have an error, by kind: the MOST_KINDS most frequent ones."""
        kind, count = Result.error["kind"].as_string(), func.count()
        query = (
            select(kind, count, func.min(Result.id))
            .where(Result.benchmark_id == benchmark_id, did_not_succeed(), Result.warmup.is_(False))
            .where(kind.is_not(None), sees(self._caller, benchmark_id))
            .group_by(kind)
            .order_by(count.desc(), kind)
            .limit(MOST_KINDS)
        )
        async with self._database.read() as session:
            return [ErrorCount(*row) for row in await session.execute(query)]

    async def examples(self, result_ids: Sequence[int]) -> dict[int, ErrorExample]:
        """These failed requests by id. Those that were deleted meanwhile are missing."""
        if not result_ids:
            return {}
        query = select(Result.id, Result.prompt_index, Result.error).where(Result.id.in_(result_ids))
        query = query.where(of_seen(self._caller, Result.benchmark_id))
        async with self._database.read() as session:
            return {row[0]: ErrorExample(*row) for row in await session.execute(query)}

    async def stored(self, benchmark_id: int) -> StoredCharts | None:
        """What `store` stored last."""
        query = select(Charts.version, Charts.document).where(Charts.benchmark_id == benchmark_id)
        query = query.where(sees(self._caller, benchmark_id))
        async with self._database.read() as session:
            row = (await session.execute(query)).one_or_none()
        return None if row is None else StoredCharts(*row)

    async def has(self, benchmark_id: int, version: int) -> bool:
        """Whether charts of this version are stored."""
        query = select(Charts.version).where(Charts.benchmark_id == benchmark_id, sees(self._caller, benchmark_id))
        async with self._database.read() as session:
            return await session.scalar(query) == version

    async def store(self, benchmark_id: int, version: int, document: bytes) -> None:
        """Keeps the charts of a benchmark. Nothing is kept of one that was deleted meanwhile."""
        # Who may see a benchmark may make its charts: they are the same for all.
        seen = and_(Benchmark.id == benchmark_id, of_owner(self._caller, Benchmark.owner))
        async with self._database.write() as session:
            if await session.scalar(select(Benchmark.id).where(seen).with_for_update()) is None:
                return
            await session.execute(delete(Charts).where(Charts.benchmark_id == benchmark_id))
            session.add(Charts(benchmark_id=benchmark_id, version=version, document=document))
