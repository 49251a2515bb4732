"""What is spent counts in every cap of its spender, also in those that are newer than the run or the reservation."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import text, update

from shared.access.caller import LOCAL
from shared.budgets.cap_name import BudgetName
from shared.db.connection.shared_locks import LONGEST_IDLE_S
from shared.db.money.budgets import BudgetRepository, hold_spenders
from shared.db.money.reservations import Bill, Held
from shared.db.money.spend import Charge
from shared.db.money.spending import spend
from shared.db.runs.lease import Lease, hold
from shared.db.runs.segments import SegmentEnd
from shared.db.tables.benchmarks import Benchmark
from tests.shared.db.connection.blocked import until_one_waits
from tests.shared.db.money.spending import (
    DAY,
    OWNER_TODAY,
    OWNER_TOMORROW,
    TOMORROW,
    Money,
    amounts,
    costing,
    today,
    wanted,
)

OWNER_MONTH = "owner:default:month:2026-11"
COST = Charge(70, 0, 1)


async def stores_a_result(money: Money, lease: Lease) -> None:
    record, charges = costing("0.000070", 0, day=None)
    await money.results.record(lease, [record], bill=Bill(charges))


async def is_released(money: Money, lease: Lease) -> None:
    await money.leases.release(lease, SegmentEnd(charges={None: COST}))


async def finishes(money: Money, lease: Lease) -> None:
    await money.leases.finish(lease, "completed", summary={}, error=None, end=SegmentEnd(charges={None: COST}))


async def crashes(money: Money, lease: Lease) -> None:
    lapsed = {"lease_expires_at": money.at - timedelta(days=9)}
    async with money.database.write() as session:
        await session.execute(update(Benchmark).where(Benchmark.id == lease.benchmark_id).values(**lapsed))
    await money.leases.end_crashed(await money.tables.claimed("two"), [[0, 0]], COST)


Spends = Callable[[Money, Lease], Awaitable[None]]


@pytest.mark.parametrize("spends", [stores_a_result, is_released, finishes, crashes])
async def test_a_run_without_a_cap_counts_in_a_budget_that_came_later(money: Money, spends: Spends) -> None:
    """Also on the days after, whose caps nobody else has made."""
    lease, other = await money.claimed(), await money.claimed()
    await money.leases.begin(lease, dispatched=2, price=None)
    await money.add_budget("owner:default:day", 50)
    await money.add_budget("owner:default:month", 1_000)
    money.tomorrow()
    await spends(money, lease)
    assert amounts(await money.cap(OWNER_TOMORROW)) == (70, 0)
    assert amounts(await money.cap(OWNER_MONTH)) == (70, 0)
    assert await money.spent(lease.benchmark_id) == COST
    assert (await money.begin(other, 10)).count == 0


async def test_a_run_counts_at_once_in_a_budget_that_is_newer_than_its_reservation(money: Money) -> None:
    lease = await money.claimed(budget=1_000)
    await money.begin(lease, 40, 40)
    await money.add_budget("owner:default:month", 100)
    record, charges = costing("0.000030", 0)
    paid = await money.results.record(lease, [record], bill=Bill(charges, {DAY: Held(40, 1)}, wanted(40, first=2)))
    assert paid is not None
    assert paid.refusal is not None
    assert paid.refusal.cap.key == OWNER_MONTH
    assert amounts(await money.cap(OWNER_MONTH)) == (30, 40)
    await money.leases.finish(
        lease, "completed", summary={}, error=None, end=SegmentEnd(charges={DAY: Charge(40, 40, 1)})
    )
    for key in (OWNER_MONTH, f"benchmark:{lease.benchmark_id}"):
        assert amounts(await money.cap(key)) == (70, 0)


@pytest.mark.parametrize("how", [is_released, finishes])
@pytest.mark.parametrize("dated", [None, TOMORROW])
async def test_the_end_of_a_run_just_after_midnight_counts_in_the_caps_of_the_new_day(
    money: Money, how: Spends, dated: date | None
) -> None:
    """Its last reservation is of the day before."""
    await money.add_budget("owner:default:day", 100)
    lease = await money.claimed(budget=1_000)
    await money.begin(lease, 40)
    money.tomorrow()
    end = SegmentEnd(charges={DAY: Charge(40, 40, 1), dated: COST})
    if how is finishes:
        await money.leases.finish(lease, "completed", summary={}, error=None, end=end)
    else:
        await money.leases.release(lease, end)
    assert amounts(await money.cap(OWNER_TODAY)) == (40, 0)
    assert amounts(await money.cap(OWNER_TOMORROW)) == (70, 0)
    assert amounts(await money.cap(f"benchmark:{lease.benchmark_id}")) == (110, 0)


async def test_what_a_dead_worker_reserved_counts_in_a_budget_that_came_later(money: Money) -> None:
    lease = await money.claimed(budget=1_000)
    await money.begin(lease, 40, 40)
    await money.add_budget("owner:default:month", 100)
    await crashes(money, lease)
    assert amounts(await money.cap(OWNER_MONTH)) == (80, 0)
    assert await money.spent(lease.benchmark_id) == Charge(80, 80, 2)


async def test_what_is_spent_while_a_budget_is_made_counts_in_it(money: Money) -> None:
    """The payment has not committed yet, and has found no budget."""
    lease = await money.claimed()
    name = BudgetName("owner", "default", "day")
    money.at = money.at.replace(year=(now := await today(money.database)).year, month=now.month, day=now.day)
    async with money.database.write() as session:
        account, at = await hold(session, lease, money.now)
        putting = asyncio.create_task(BudgetRepository(LOCAL, money.database).put(name, 50))
        if not money.database.is_sqlite:
            await until_one_waits(money.database)
        await spend(session, money.database, account, at.date(), {at.date(): COST})
    state, created = await putting
    assert (created, state.spent) == (True, 70)


async def test_a_benchmark_does_not_begin_while_a_budget_is_made_and_a_process_that_hangs_there_is_not_waited_for(
    money: Money,
) -> None:
    """PostgreSQL ends its transaction; on SQLite nobody else writes, and the lock ends with the process."""
    await money.tables.add()
    async with money.database.write() as session:
        await hold_spenders(session, BudgetName("owner", "default", "day"), "default")
        if not money.database.is_sqlite:
            assert await money.leases.claim("one") is None
            bound = await session.scalar(text("SHOW idle_in_transaction_session_timeout"))
            assert bound == f"{LONGEST_IDLE_S:.0f}s"
    assert await money.leases.claim("one") is not None
