"""Budgets of keys and owners: set, changed and deleted by admins, counted by the caps of days and months."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from shared.access.caller import LOCAL, Caller
from shared.budgets.cap_name import BudgetName
from shared.db.connection.database import Database
from shared.db.money.budgets import BudgetRepository
from shared.db.money.caps import cap_key, change_caps
from shared.db.money.spend import Account, Charge, add_spend
from shared.db.tables.access import AuditEntry
from shared.db.tables.money import Cap
from shared.db.tables.types import utc_now
from shared.errors import NotFound
from shared.money import MOST_MICROS
from tests.shared.db.access_rows import add_key
from tests.shared.db.connection.blocked import until_one_waits
from tests.shared.db.money.spending import spent, today

MONTH, DAY = BudgetName("owner", "default", "month"), BudgetName("owner", "default", "day")
KEY = BudgetName("key", "ab12cd34", "day")


@pytest.fixture
def budgets(database: Database) -> BudgetRepository:
    return BudgetRepository(LOCAL, database)


async def test_a_new_budget_counts_what_this_day_and_month_have_spent(
    budgets: BudgetRepository, database: Database
) -> None:
    now = await today(database)
    await spent(database, now, 3)
    await spent(database, now.replace(day=1), 5, 2)
    await spent(database, now.replace(day=1) - timedelta(days=1), 100, 3)
    await spent(database, now, 1_000, 4, owner="acme")
    month, created = await budgets.put(MONTH, 50)
    assert (created, month.cap, month.spent, month.reserved) == (True, 50, 8, 0)
    day, _ = await budgets.put(DAY, 50)
    assert day.spent == (3 if now.day > 1 else 8)
    assert day.left == 50 - day.spent
    following = (now.replace(day=1) + timedelta(days=32)).replace(day=1)
    assert (day.resets_at.date(), month.resets_at.date()) == (now + timedelta(days=1), following)


async def test_a_changed_budget_holds_at_once_and_keeps_what_was_spent(
    budgets: BudgetRepository, database: Database
) -> None:
    await budgets.put(MONTH, 50)
    reached = {"spent": 40, "reserved": 10, "reached_at": utc_now()}
    async with database.write() as session:
        await session.execute(update(Cap).values(**reached))
    assert (await budgets.get(MONTH)).reached_at is not None
    changed, created = await budgets.put(MONTH, 80)
    assert (created, changed.cap, changed.spent, changed.reserved, changed.left) == (False, 80, 40, 10, 30)
    # With more money it can be reached again, and told of again.
    assert changed.reached_at is None
    async with database.read() as session:
        assert (await session.scalars(select(Cap.cap))).all() == [80]
    lowered, _ = await budgets.put(MONTH, 20)
    assert lowered.left == 0


async def test_a_deleted_budget_is_gone_and_a_new_one_counts_the_ledger(
    budgets: BudgetRepository, database: Database
) -> None:
    await budgets.put(MONTH, 50)
    await budgets.delete(MONTH)
    for call in (budgets.get, budgets.delete):
        with pytest.raises(NotFound, match="owner 'default' has no budget for a month"):
            await call(MONTH)
    # Benchmarks that run still count in its cap, which bounds nothing now.
    async with database.read() as session:
        assert (await session.scalars(select(Cap.cap))).all() == [MOST_MICROS]
    await spent(database, await today(database), 7)
    again, created = await budgets.put(MONTH, 60)
    assert (created, again.spent, again.cap) == (True, 7, 60)


async def test_what_is_spent_while_a_budget_comes_back_counts_in_it(
    budgets: BudgetRepository, database: Database
) -> None:
    """A benchmark that began under the one before settles at that moment."""
    await budgets.put(DAY, 50)
    await budgets.delete(DAY)
    now = await today(database)
    async with database.write() as session:
        await change_caps(session, {cap_key(DAY.key, now): (0, 7)})
        await add_spend(session, database, Account(1, "default", None, "m", "p"), {now: Charge(7, requests=1)})
        putting = asyncio.create_task(budgets.put(DAY, 60))
        if not database.is_sqlite:
            await until_one_waits(database)
    state, created = await putting
    assert (created, state.spent) == (True, 7)


async def test_a_budget_needs_a_key_or_an_owner_that_there_is(budgets: BudgetRepository, database: Database) -> None:
    with pytest.raises(NotFound, match="there is no key 'ab12cd34'"):
        await budgets.put(KEY, 50)
    with pytest.raises(NotFound, match="there is no owner 'acme'"):
        await budgets.put(BudgetName("owner", "acme", "day"), 50)
    await add_key(database)
    assert (await budgets.put(KEY, 50))[0].owner == "acme"


async def test_a_caller_lists_those_of_its_owner_and_all_only_by_asking(database: Database) -> None:
    await add_key(database)
    everyone = BudgetRepository(Caller("default", "admin", sees_all=True), database)
    for name in (KEY, BudgetName("owner", "acme", "month"), MONTH):
        await everyone.put(name, 50)

    async def listed(caller: Caller) -> list[str]:
        found = await BudgetRepository(caller, database).page(after=None, limit=10)
        return [state.name.key for state in found]

    assert await listed(LOCAL) == ["owner:default:month"]
    assert await listed(Caller("acme", "admin")) == ["key:ab12cd34:day", "owner:acme:month"]
    whole = await listed(Caller("default", "admin", sees_all=True))
    assert whole == ["key:ab12cd34:day", "owner:acme:month", "owner:default:month"]
    rest = await everyone.page(after=whole[0], limit=1)
    assert [state.name.key for state in rest] == whole[1:2]


async def test_who_set_and_deleted_a_budget_stays_known(database: Database) -> None:
    await add_key(database)
    admin = BudgetRepository(Caller("default", "admin", "zzzzzzzz"), database)
    await admin.put(KEY, 12_500_000)
    await admin.delete(KEY)
    with pytest.raises(NotFound):
        await admin.delete(KEY)
    async with database.read() as session:
        found = list(await session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
    assert [(row.action, row.target_id, row.owner, row.key_id) for row in found] == [
        ("budget.set", "key:ab12cd34:day", "acme", "zzzzzzzz"),
        ("budget.deleted", "key:ab12cd34:day", "acme", "zzzzzzzz"),
    ]
    assert found[0].details == {"cap_usd": "12.50"}
