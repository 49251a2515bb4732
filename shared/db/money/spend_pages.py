"""Reads the ledger for the API: what was spent, by key, model, day, owner or benchmark, in micro-dollars."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from shared.access.caller import Caller
from shared.db.access.owned import of_owner
from shared.db.connection.again import tries_again
from shared.db.connection.clock import read_now
from shared.db.connection.database import Database
from shared.db.tables.access import ApiKey
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.money import Spend
from shared.money import Spent

SpendBy = Literal["key", "model", "day", "owner", "benchmark"]


@dataclass(frozen=True, slots=True)
class SpendRow:
    """What one key, model, day, owner or benchmark spent. Which fields are set depends on what it is."""

    spent: Spent
    owner: str | None = None
    key_id: str | None = None
    # Of the key or the benchmark. None: it has none, or was deleted.
    name: str | None = None
    model: str | None = None
    provider: str | None = None
    day: date | None = None
    benchmark_id: int | None = None


@dataclass(frozen=True, slots=True)
class SpendPage:
    """`has_more`: there are more rows than these."""

    total: Spent
    rows: Sequence[SpendRow]
    has_more: bool


# The columns that a sum is grouped by, with their names in SpendRow.
_GROUPS: dict[SpendBy, dict[str, InstrumentedAttribute[Any]]] = {
    "key": {"owner": Spend.owner, "key_id": Spend.key_id},
    "model": {"model": Spend.model, "provider": Spend.provider},
    "day": {"day": Spend.day},
    "owner": {"owner": Spend.owner},
    "benchmark": {name: getattr(Spend, name) for name in ("benchmark_id", "owner", "key_id", "model", "provider")},
}
_SUMS = (
    func.coalesce(func.sum(Spend.amount), 0),
    func.coalesce(func.sum(Spend.worst_case), 0),
    func.coalesce(func.sum(Spend.requests), 0),
    func.coalesce(func.sum(Spend.unpriced), 0),
    func.count(Spend.benchmark_id.distinct()),
)


@tries_again
class SpendRepository:
    """Sums of `spend`, over the rows that the caller may see."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def today(self) -> date:
        """In UTC, by the database's clock, which also decides on which day money was spent."""
        async with self._database.read() as session:
            return (await read_now(session)).date()

    async def page(self, by: SpendBy, first: date, last: date, *, limit: int, before: int | None = None) -> SpendPage:
        """Sums over the days from `first` to `last`, both included, and over all of them.

        The largest sums come first; days and benchmarks, newest first. `before`: only benchmarks with smaller ids.
        """
        where = [of_owner(self._caller, Spend.owner), Spend.day >= first, Spend.day <= last]
        group = _GROUPS[by]
        query = select(*group.values(), *_SUMS).where(*where).group_by(*group.values()).limit(limit + 1)
        if by == "benchmark" and before is not None:
            query = query.where(Spend.benchmark_id < before)
        async with self._database.read() as session:
            total = Spent(*map(int, (await session.execute(select(*_SUMS).where(*where))).one()))
            found = (await session.execute(_ordered(query, by))).all()
            shown = [_row(list(group), row) for row in found[:limit]]
            names = await _names(session, by, shown)
        return SpendPage(total, [_named(row, by, names) for row in shown], len(found) > limit)


def _ordered(query: Select[Any], by: SpendBy) -> Select[Any]:
    if by == "benchmark":
        return query.order_by(Spend.benchmark_id.desc())
    if by == "day":
        return query.order_by(Spend.day.desc())
    # What has no key comes last among the same sums, on both databases.
    columns = [func.coalesce(column, "") for column in _GROUPS[by].values()]
    return query.order_by(func.sum(Spend.amount).desc(), *columns)


def _row(names: Sequence[str], row: Any) -> SpendRow:
    values, sums = row[: len(names)], row[len(names) :]
    return SpendRow(Spent(*map(int, sums)), **dict(zip(names, values, strict=True)))


async def _names(session: Any, by: SpendBy, rows: Sequence[SpendRow]) -> dict[Any, str]:
    """Names of keys by id, or of benchmarks by number."""
    query: Select[Any, str]
    if by == "key":
        query = select(ApiKey.id, ApiKey.name).where(ApiKey.id.in_([row.key_id for row in rows if row.key_id]))
    elif by == "benchmark":
        query = select(Benchmark.id, Benchmark.name).where(Benchmark.id.in_([row.benchmark_id for row in rows]))
    else:
        return {}
    return {row[0]: row[1] for row in await session.execute(query)}


def _named(row: SpendRow, by: SpendBy, names: dict[Any, str]) -> SpendRow:
    name = names.get(row.key_id if by == "key" else row.benchmark_id) if names else None
    return row if name is None else replace(row, name=name)
