"""The ledger in sums: by key, model, day, owner and benchmark, and only of what the caller may see."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from shared.access.caller import LOCAL, Caller
from shared.db.connection.database import Database
from shared.db.money.spend_pages import SpendBy, SpendRepository
from shared.db.tables.money import Spend
from tests.shared.db.access_rows import add_key
from tests.shared.db.rows import Tables

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
EVERYONE = Caller("default", "admin", sees_all=True)


def entry(benchmark_id: int, day: int, amount: int, **changes: Any) -> dict[str, Any]:
    values = {"owner": "default", "key_id": None, "model": "m", "provider": "p", "worst_case": 0, "requests": 10}
    return {
        **values,
        "unpriced": 0,
        **changes,
        "benchmark_id": benchmark_id,
        "day": date(2026, 11, day),
        "amount": amount,
    }


@pytest.fixture
async def ledger(database: Database) -> None:
    await add_key(database, name="ci")
    rows = [
        entry(1, 3, 500, worst_case=100),
        entry(2, 3, 700, model="n", requests=7),
        entry(2, 4, 50, model="n", requests=1),
        entry(3, 5, 9_000, owner="acme", key_id="ab12cd34"),
        entry(4, 5, 0, unpriced=10),
        {**entry(5, 1, 1_000_000), "day": FIRST - timedelta(days=1)},
    ]
    async with database.write() as session:
        await session.execute(insert(Spend), rows)


async def sums(database: Database, by: SpendBy, *names: str, caller: Caller = LOCAL) -> list[tuple[Any, ...]]:
    page = await SpendRepository(caller, database).page(by, FIRST, LAST, limit=100)
    return [(*(getattr(row, name) for name in names), row.spent.amount, row.spent.requests) for row in page.rows]


@pytest.mark.usefixtures("ledger")
async def test_what_was_spent_in_each_way_to_look_at_it(database: Database, tables: Tables) -> None:
    assert await sums(database, "model", "model", "provider") == [("n", "p", 750, 8), ("m", "p", 500, 20)]
    assert await sums(database, "day", "day") == [
        (date(2026, 11, 5), 0, 10),
        (date(2026, 11, 4), 50, 1),
        (date(2026, 11, 3), 1_200, 17),
    ]
    assert await sums(database, "key", "owner", "key_id", "name", caller=EVERYONE) == [
        ("acme", "ab12cd34", "ci", 9_000, 10),
        ("default", None, None, 1_250, 28),
    ]
    assert await sums(database, "owner", "owner", caller=EVERYONE) == [("acme", 9_000, 10), ("default", 1_250, 28)]
    number = await tables.add()
    assert number == 1
    assert await sums(database, "benchmark", "benchmark_id", "name", "model") == [
        (4, None, "m", 0, 10),
        (2, None, "n", 750, 8),
        (1, "test", "m", 500, 10),
    ]


@pytest.mark.usefixtures("ledger")
async def test_a_caller_sees_what_its_owner_spent(database: Database) -> None:
    assert await sums(database, "owner", "owner") == [("default", 1_250, 28)]
    assert await sums(database, "benchmark", "benchmark_id", caller=Caller("acme", "read")) == [(3, 9_000, 10)]
    assert await sums(database, "model", "model", caller=Caller("beta", "admin")) == []


@pytest.mark.usefixtures("ledger")
async def test_the_total_has_all_days_and_what_is_not_known(database: Database) -> None:
    page = await SpendRepository(LOCAL, database).page("model", FIRST, LAST, limit=1)
    total = page.total
    assert (total.amount, total.worst_case, total.requests, total.unpriced) == (1_250, 100, 28, 10)
    assert (total.benchmarks, len(page.rows), page.has_more) == (3, 1, True)


@pytest.mark.usefixtures("ledger")
async def test_benchmarks_come_in_pages(database: Database) -> None:
    repository, found, before = SpendRepository(LOCAL, database), [], None
    while True:
        page = await repository.page("benchmark", FIRST, LAST, limit=2, before=before)
        found += [row.benchmark_id for row in page.rows]
        before = found[-1]
        if not page.has_more:
            break
    assert found == [4, 2, 1]


async def test_nothing_spent_is_nothing(database: Database) -> None:
    page = await SpendRepository(LOCAL, database).page("day", FIRST, LAST, limit=10)
    assert (page.rows, page.total.amount, page.total.benchmarks) == ([], 0, 0)
