"""Which caps count for a benchmark, and how they are read."""

from datetime import datetime

from sqlalchemy import insert, literal, text

from shared.db.connection.database import Database
from shared.db.connection.shared_locks import LONGEST_IDLE_S
from shared.db.money.caps import CapRepository, CapState, Spender, budget_keys, cap_key, lock_caps
from shared.db.tables.money import Cap
from shared.db.tables.types import UtcDateTime
from tests.shared.db.money.spending import NOON, add_budget


def repository(database: Database, at: datetime = NOON) -> CapRepository:
    return CapRepository(database, now=lambda: literal(at, UtcDateTime()))


def test_keys_name_the_day_or_the_month() -> None:
    assert budget_keys("acme", "ab12cd34") == [
        "owner:acme:day",
        "owner:acme:month",
        "key:ab12cd34:day",
        "key:ab12cd34:month",
    ]
    assert budget_keys("acme", None) == ["owner:acme:day", "owner:acme:month"]
    assert cap_key("owner:acme:day", NOON.date()) == "owner:acme:day:2026-11-27"
    assert cap_key("key:ab12cd34:month", NOON.date()) == "key:ab12cd34:month:2026-11"


async def test_without_a_budget_there_is_no_cap(database: Database) -> None:
    await add_budget(database, "owner:others:day", 5, "others")
    assert await repository(database).of(Spender("acme", "ab12cd34", 12)) == []


async def test_caps_of_benchmark_key_and_owner_count_at_the_same_time(database: Database) -> None:
    for key, cap in {
        "owner:acme:day": 5_000,
        "owner:acme:month": 50_000,
        "key:ab12cd34:day": 1_000,
        "key:zz99zz99:day": 1,
    }.items():
        await add_budget(database, key, cap, "acme")
    found = await repository(database).of(Spender("acme", "ab12cd34", 12, budget=700))
    assert found == [
        CapState("benchmark:12", "acme", 700),
        CapState("key:ab12cd34:day:2026-11-27", "acme", 1_000),
        CapState("owner:acme:day:2026-11-27", "acme", 5_000),
        CapState("owner:acme:month:2026-11", "acme", 50_000),
    ]


async def test_a_cap_that_was_used_shows_what_is_left(database: Database) -> None:
    await add_budget(database, "owner:acme:day", 5_000, "acme")
    key = "owner:acme:day:2026-11-27"
    async with database.write() as session:
        await session.execute(insert(Cap).values(key=key, owner="acme", cap=4_000, spent=1_000, reserved=500))
    [cap] = await repository(database).of(Spender("acme", None))
    # The row counts, not the budget.
    assert (cap.cap, cap.spent, cap.reserved, cap.left) == (4_000, 1_000, 500, 2_500)
    assert await repository(database).present([key, "owner:acme:month:2026-11"]) == [cap]
    [tomorrow] = await repository(database, NOON.replace(day=28)).of(Spender("acme", None))
    assert (tomorrow.key, tomorrow.left) == ("owner:acme:day:2026-11-28", 5_000)


async def test_a_process_that_hangs_with_a_cap_in_its_hands_is_not_waited_for(database: Database) -> None:
    """PostgreSQL ends its transaction; on SQLite the lock ends with the process."""
    async with database.write() as session:
        session.add(Cap(key="benchmark:1", owner="acme", cap=5))
        await session.flush()
        assert (await lock_caps(session, ["benchmark:1"])).keys() == {"benchmark:1"}
        if not database.is_sqlite:
            bound = await session.scalar(text("SHOW idle_in_transaction_session_timeout"))
            assert bound == f"{LONGEST_IDLE_S:.0f}s"
