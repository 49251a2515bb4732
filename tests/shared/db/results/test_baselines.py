"""Baselines keep their benchmarks, on both databases."""

import asyncio

import pytest

from shared.access.caller import LOCAL
from shared.db.connection.database import Database
from shared.db.results.baselines import BaselineRepository
from shared.errors import Conflict, NotFound
from tests.shared.db.rows import Tables


@pytest.fixture
def tables(database: Database) -> Tables:
    return Tables(database)


@pytest.fixture
def baselines(database: Database) -> BaselineRepository:
    return BaselineRepository(LOCAL, database)


async def completed(tables: Tables) -> int:
    number = await tables.add()
    await tables.leases.finish(await tables.claimed(), "completed", summary={}, error=None)
    return number


async def test_a_name_moves_to_another_benchmark_and_says_when(tables: Tables, baselines: BaselineRepository) -> None:
    first, second = await completed(tables), await completed(tables)
    before, created = await baselines.put("main", first)
    assert (before.benchmark_id, before.benchmark_name, before.model, created) == (first, "test", "sim", True)
    after, created = await baselines.put("main", second)
    assert (after.benchmark_id, created) == (second, False)
    assert after.created_at > before.created_at
    assert await baselines.get("main") == after


async def test_only_completed_benchmarks_get_a_name(tables: Tables, baselines: BaselineRepository) -> None:
    with pytest.raises(NotFound, match="there is no benchmark 404"):
        await baselines.put("main", 404)
    pending = await tables.add()
    with pytest.raises(Conflict, match=f"benchmark {pending} is pending"):
        await baselines.put("main", pending)
    await tables.leases.finish(await tables.claimed(), "failed", summary=None, error=None)
    with pytest.raises(Conflict, match="is failed"):
        await baselines.put("main", pending)
    with pytest.raises(NotFound):
        await baselines.get("main")


async def test_a_page_goes_on_behind_a_name(tables: Tables, baselines: BaselineRepository) -> None:
    number = await completed(tables)
    for name in ("b", "c", "a"):
        await baselines.put(name, number)
    assert [item.name for item in await baselines.page(after=None, limit=2)] == ["a", "b"]
    assert [item.name for item in await baselines.page(after="b", limit=2)] == ["c"]


async def test_a_benchmark_with_a_name_is_not_deleted(tables: Tables, baselines: BaselineRepository) -> None:
    number = await completed(tables)
    for name in ("main", "2025-01"):
        await baselines.put(name, number)
    with pytest.raises(Conflict, match=f"benchmark {number} is the baseline 2025-01, main: "):
        await tables.benchmarks.delete(number)
    assert (await tables.benchmarks.get(number)).status == "completed"
    for name in ("main", "2025-01"):
        await baselines.delete(name)
    await tables.benchmarks.delete(number)
    with pytest.raises(NotFound):
        await baselines.delete("main")


async def test_a_name_and_a_deletion_at_the_same_time_leave_both_or_none(
    tables: Tables, baselines: BaselineRepository, database_url: str
) -> None:
    """Whichever comes first, no name is left without its benchmark."""
    other = Database(database_url)
    for _ in range(5):
        number = await completed(tables)
        named, deleted = await asyncio.gather(
            BaselineRepository(LOCAL, other).put("main", number),
            tables.benchmarks.delete(number),
            return_exceptions=True,
        )
        if isinstance(named, NotFound):
            assert deleted is False
        else:
            assert isinstance(deleted, Conflict)
            assert (await baselines.get("main")).benchmark_id == number
            await tables.benchmarks.get(number)
            await baselines.delete("main")
    await other.close()
