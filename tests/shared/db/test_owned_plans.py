"""The indexes that SQLite reads for an owner's lists: those of the filters for one with many, none for one with few."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, text

from shared.access.caller import LOCAL, Caller
from shared.db.access.owned import FEW
from shared.db.benchmarks.pages import BenchmarkFilter, BenchmarkPages
from shared.db.connection.database import Database
from shared.db.results.history import HistoryRepository
from tests.support.databases.many_rows import fill

pytestmark = [pytest.mark.own_database, pytest.mark.heavy]

FILTERS = (
    BenchmarkFilter(status="failed"),
    BenchmarkFilter(model="model-7"),
    BenchmarkFilter(provider="rare"),
    BenchmarkFilter(rerun_of=199),
    BenchmarkFilter(metadata=["team:search"]),
    BenchmarkFilter(metadata=["team:search", "number:77"]),
    BenchmarkFilter(name_contains="run 77"),
    BenchmarkFilter(created_from=datetime(2025, 1, 1, tzinfo=UTC)),
    BenchmarkFilter(status="failed", model="model-7", provider="simulator"),
)
SEES_ALL = replace(LOCAL, sees_all=True)
ACME = Caller("acme", "run")


async def indexes(database: Database, call: Any) -> list[str]:
    """What the last statement of a call reads `benchmarks` and `benchmark_metadata` by, in the order of its plan."""
    seen: list[tuple[str, Any]] = []

    def keep(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", keep)
    await call
    event.remove(engine, "before_cursor_execute", keep)
    statement, values = seen[-1]
    async with database.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, values)).all()
    found = [re.search(r"USING (?:COVERING )?INDEX (\w+)|(USING INTEGER PRIMARY KEY)", row[3]) for row in rows]
    # The owner of a row that was found is looked up by its key.
    return [match[1] for match in found if match is not None and match[1]]


@pytest.fixture
async def filled(database: Database) -> Database:
    await fill(database, 2 * FEW)
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE benchmarks SET owner = 'acme' WHERE id % 100 = 7"))
    return database


only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@only_sqlite
@pytest.mark.parametrize("analyzed", [True, False])
async def test_the_owner_with_many_benchmarks_is_read_by_the_filters(filled: Database, analyzed: bool) -> None:
    """As before there were owners."""
    if not analyzed:
        async with filled.engine.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM sqlite_stat1")
        await filled.engine.dispose()
    for where in FILTERS:
        plans = [
            await indexes(filled, BenchmarkPages(caller, filled).page(where, before=None, limit=9))
            for caller in (SEES_ALL, LOCAL)
        ]
        # The rest is how the row is read of what was found.
        assert plans[0][:1] == plans[1][:1] != [], where


@only_sqlite
async def test_of_the_owner_with_few_each_is_looked_at(filled: Database) -> None:
    for where in FILTERS:
        # Reruns are few in any case.
        more = ("ix_benchmarks_rerun_of_id",) if where.rerun_of is not None else ()
        read = await indexes(filled, BenchmarkPages(ACME, filled).page(where, before=None, limit=9))
        # By id, which is the first column of one index. Pairs are looked up by both parts of their key.
        assert set(read) <= {"ix_benchmarks_id_name", "sqlite_autoindex_benchmark_metadata_1", *more}, where
    for filters in ({}, {"model": "model-7"}, {"provider": "simulator"}):
        assert await indexes(filled, HistoryRepository(ACME, filled).series(limit=9, **filters)) == []
    assert await indexes(filled, BenchmarkPages(ACME, filled).page(BenchmarkFilter(), before=None, limit=9)) == [
        "ix_benchmarks_owner_id"
    ]


async def test_owners_with_few_and_with_many_find_the_same_as_all(filled: Database) -> None:
    for where in FILTERS:
        found: dict[str, list[int]] = {}
        for caller in (SEES_ALL, LOCAL, ACME):
            page = await BenchmarkPages(caller, filled).page(where, before=None, limit=10_000)
            found[f"{caller.owner} {caller.sees_all}"] = [item.benchmark.id for item in page.items]
        everything, ours, theirs = found.values()
        if where.name_contains is None:
            assert sorted(ours + theirs) == sorted(everything), where
        assert [number for number in everything if number % 100 != 7] == ours, where
        assert [number for number in everything if number % 100 == 7] == theirs, where
