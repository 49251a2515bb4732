"""Column types mean the same on both databases."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from shared.clock import wall_now
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark, Prompt
from shared.db.tables.types import utc_now
from tests.shared.db.rows import AT, Tables


async def stored(tables: Tables, **values: Any) -> Benchmark:
    """A benchmark that was written with these columns and read back."""
    row = {"name": "n", "model": "m", "provider": "p", "status": "pending", "planned": 1, "created_at": AT}
    async with tables.database.write() as session:
        created = await session.execute(
            insert(Benchmark).values(**{**row, "spec_document": {}, "notices": [], **values}).returning(Benchmark.id)
        )
        benchmark_id = created.scalar_one()
    return await tables.benchmarks.get(benchmark_id)


INSTANTS = (
    AT,
    datetime(2025, 1, 15, 12, 30, tzinfo=timezone(timedelta(hours=2))),
    datetime(2, 1, 1, tzinfo=UTC),
    datetime(999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)


async def test_an_instant_comes_back_in_utc_to_the_microsecond(tables: Tables) -> None:
    for instant in INSTANTS:
        found = (await stored(tables, started_at=instant)).started_at
        assert found == instant
        assert found is not None
        assert found.tzinfo == UTC


async def test_instants_compare_by_time_whatever_the_year(tables: Tables) -> None:
    """SQLite compares text, in which the year 999 must stand before the year 1000."""
    instants = [datetime(year, 1, 1, tzinfo=UTC) for year in (999, 1000, 2, 2025)]
    for instant in instants:
        await stored(tables, started_at=instant)
    async with tables.database.read() as session:
        found = await session.scalars(select(Benchmark.started_at).order_by(Benchmark.started_at))
    assert list(found) == sorted(instants)


async def test_a_date_without_a_time_zone_is_refused(tables: Tables) -> None:
    with pytest.raises(StatementError, match="a date without a time zone cannot be stored"):
        await stored(tables, started_at=datetime(2025, 1, 15))  # noqa: DTZ001 - the point of the test


AMOUNTS = ("0", "0.000000000001", "0.123456789012", "0.00001075", "1.1", "123456.123456789012", "999999.999999999999")


async def test_dollars_are_exact_to_twelve_places(tables: Tables) -> None:
    for amount in AMOUNTS:
        assert (await stored(tables, cost_usd=Decimal(amount))).cost_usd == Decimal(amount)


async def test_dollars_are_summed_and_compared_exactly_by_the_database(tables: Tables) -> None:
    """Ten times 0.1 is 1, which binary fractions do not say."""
    for _ in range(10):
        await stored(tables, cost_usd=Decimal("0.1"))
    async with tables.database.read() as session:
        assert await session.scalar(select(func.sum(Benchmark.cost_usd))) == Decimal(1)
        assert await session.scalar(select(func.count()).where(Benchmark.cost_usd == Decimal("0.1"))) == 10


DOCUMENTS: tuple[dict[str, Any], ...] = (
    {"b": 1, "a": {"d": 2, "c": [3, None, True, "ü😀"]}, "B": 0},
    {"big": 2**64 - 1, "small": -(2**63), "float": 1e-7, "exact": 0.1},
    {"empty": {}, "list": [], "null": None},
)


async def test_a_document_comes_back_as_it_was_with_its_keys_in_order(tables: Tables) -> None:
    for document in DOCUMENTS:
        assert json.dumps((await stored(tables, spec_document=document)).spec_document) == json.dumps(document)


async def test_a_missing_document_is_null_to_sql(tables: Tables) -> None:
    """Not the JSON text `null`, which no `IS NULL` would find."""
    await stored(tables, summary=None)
    async with tables.database.read() as session:
        assert await session.scalar(select(func.count()).where(Benchmark.summary.is_(None))) == 1


async def test_the_databases_clock_is_utc_and_can_be_moved(database: Database) -> None:
    rounding = timedelta(milliseconds=1)
    for plus_s in (0, 30, -3600, 0.5):
        before = wall_now()
        async with database.read() as session:
            found = await session.scalar(select(utc_now(plus_s)))
        assert found is not None
        assert before - rounding <= found - timedelta(seconds=plus_s) <= wall_now() + rounding


async def test_the_databases_clock_goes_on_inside_a_transaction(database: Database) -> None:
    """A transaction that waited for a lock must not see the time at which it began."""
    if_busy = "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) "
    async with database.write() as session:
        first = await session.scalar(select(utc_now()))
        await session.execute(text(if_busy + "SELECT i FROM n) AS busy"))
        second = await session.scalar(select(utc_now()))
    assert first is not None
    assert second is not None
    assert second > first


async def test_a_result_without_its_benchmark_is_refused(database: Database) -> None:
    """SQLite keeps foreign keys only where it is told to."""
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            await session.execute(insert(Prompt).values(benchmark_id=7, prompt_index=0, document={}))


async def test_sqlite_writes_ahead_and_to_the_disk(tmp_path: Path) -> None:
    """WAL lets readers read while somebody writes; FULL (2) makes a 202 survive a power cut."""
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    async with database.read() as session:
        found = [await session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")]
    await database.close()
    assert found == ["wal", 2]
