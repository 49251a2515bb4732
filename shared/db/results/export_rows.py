"""Reads the results of one benchmark for exports: block by block along the ids, columns only, no objects."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, func, literal, select, true, type_coerce
from sqlalchemy.types import NullType

from shared.access.caller import Caller
from shared.db.access.owned import sees
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.results.pages import JSON_OF_TIMELINE
from shared.db.tables.benchmarks import Result
from shared.db.tables.types import byte_length

_TABLE = Result.metadata.tables[Result.__tablename__]
_JSON = ("error", "flags")
# Columns that an export reads only if it is asked to, since they may be large.
LARGE = ("response", "reasoning", "timeline")
_ALWAYS = tuple(column.name for column in _TABLE.c if column.name not in (*LARGE, "benchmark_id"))
# Sizes of rows that are looked at together, to decide how many of them are read together.
SIZES_A_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class ExportExtent:
    """Which results an export has: `rows` of them, with ids up to `last_id`, that is those stored when it began."""

    rows: int
    last_id: int


@tries_again
class ExportRows:
    """Blocks of `results`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def extent(self, benchmark_id: int, *, warmup: bool) -> ExportExtent:
        """`warmup`: with those of the warm-up."""
        query = select(func.count(), func.coalesce(func.max(Result.id), 0)).where(
            _of(self._caller, benchmark_id, warmup=warmup, after=0, last_id=None)
        )
        async with self._database.read() as session:
            return ExportExtent(*(await session.execute(query)).one())

    async def block(
        self, benchmark_id: int, *, warmup: bool, after: int, last_id: int, limit: int, large: Collection[str] = ()
    ) -> dict[str, Sequence[Any]]:
        """Columns of the results with ids above `after` and up to `last_id`. `large`: which of LARGE to read.

        Cells are as the driver returns them: dates as texts on SQLite, amounts there as integers of 10^-12 USD,
        `error` and `flags` as texts of JSON. Empty if there are no more.
        """
        names = [*_ALWAYS, *(name for name in LARGE if name in large)]
        query = (
            select(*(_cell(name) for name in names))
            .where(_of(self._caller, benchmark_id, warmup=warmup, after=after, last_id=last_id))
            .order_by(_TABLE.c.id)
            .limit(limit)
        )
        async with self._database.read() as session:
            rows = (await session.execute(query)).all()
        return dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}

    async def group(
        self, benchmark_id: int, *, warmup: bool, after: int, last_id: int, most_bytes: int, large: Collection[str]
    ) -> int:
        """How many of the next results take at most so many bytes with their large columns; at least one."""
        size = sum((_size(name) for name in large), literal(0))
        query = (
            select(size)
            .where(_of(self._caller, benchmark_id, warmup=warmup, after=after, last_id=last_id))
            .order_by(Result.id)
            .limit(SIZES_A_PAGE)
        )
        async with self._database.read() as session:
            sizes = (await session.scalars(query)).all()
        total = count = 0
        for size_of_row in sizes:
            total += size_of_row
            if count and total > most_bytes:
                break
            count += 1
        return max(1, count)


def _cell(name: str) -> ColumnElement[Any]:
    """The column without the conversion of its type, which costs more than reading it."""
    column = _TABLE.c[name]
    return cast(column, Text).label(name) if name in _JSON else type_coerce(column, NullType()).label(name)


def _of(caller: Caller, benchmark_id: int, *, warmup: bool, after: int, last_id: int | None) -> ColumnElement[bool]:
    return and_(
        sees(caller, benchmark_id),
        Result.benchmark_id == benchmark_id,
        Result.id > after,
        true() if last_id is None else Result.id <= last_id,
        # Warm-up has negative repetitions.
        true() if warmup else Result.repetition >= 0,
    )


def _size(name: str) -> ColumnElement[int]:
    size = func.coalesce(byte_length(_TABLE.c[name]), 0)
    return size * JSON_OF_TIMELINE if name == "timeline" else size
