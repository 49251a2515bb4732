"""Reservations: never more than every cap pays, and each settled once, whatever happens to its worker."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from shared.db.money.reservations import Bill, Held
from shared.db.money.spend import Charge
from shared.db.runs.segments import SegmentEnd
from shared.db.tables.money import Cap
from shared.errors import LeaseLost
from tests.shared.db.money.spending import DAY, OWNER_TODAY, OWNER_TOMORROW, TOMORROW, Money, amounts, costing, wanted
from tests.shared.db.rows import make_record


async def test_the_mark_moves_as_far_as_the_cap_pays(money: Money) -> None:
    lease = await money.claimed(budget=100)
    paid = await money.begin(lease, 40, 40, 40)
    assert (paid.count, paid.mark, paid.day) == (2, 2, DAY)
    assert paid.refusal is not None
    assert (paid.refusal.cap.key, paid.refusal.cap.reserved, paid.refusal.needed) == (
        f"benchmark:{lease.benchmark_id}",
        80,
        40,
    )
    assert paid.refusal.may_pass, "what is reserved may come back"
    assert await money.dispatched(lease.benchmark_id) == 2
    assert await money.reserved() == [(lease.benchmark_id, DAY, 80, 2)]


async def test_the_smallest_of_all_caps_decides_and_each_is_charged(money: Money) -> None:
    await money.add_budget("owner:default:day", 1_000)
    await money.add_budget("owner:default:month", 50)
    lease = await money.claimed(budget=100)
    paid = await money.begin(lease, 30, 30)
    assert paid.count == 1
    assert paid.refusal is not None
    assert paid.refusal.cap.key == "owner:default:month:2026-11"
    for key in (f"benchmark:{lease.benchmark_id}", OWNER_TODAY, "owner:default:month:2026-11"):
        assert amounts(await money.cap(key)) == (0, 30)


async def test_a_result_is_settled_and_what_is_left_of_its_worst_case_comes_back(money: Money) -> None:
    lease = await money.claimed(budget=100)
    await money.begin(lease, 40, 40, 40)
    record, charges = costing("0.000010", 0)
    bill = Bill(charges, {DAY: Held(40, 1)}, wanted(40, first=2))
    paid = await money.results.record(lease, [record], bill=bill)
    assert paid is not None
    assert (paid.count, paid.mark, paid.refusal) == (1, 3, None)
    assert amounts(await money.cap(f"benchmark:{lease.benchmark_id}")) == (10, 80)
    assert await money.spent(lease.benchmark_id) == Charge(10, 0, 1)
    assert await money.dispatched(lease.benchmark_id) == 3


async def test_a_transaction_whose_answer_was_lost_counts_once(money: Money) -> None:
    """It is run again as it was: its results are there, and what it holds is what it says."""
    lease = await money.claimed(budget=100)
    for _ in range(2):
        paid = await money.begin(lease, 30, 30, 30, 30)
        assert paid.count == 3
    record, charges = costing("0.000010", 0)
    bill = Bill(charges, {DAY: Held(60, 2)}, wanted(30, first=3))
    for _ in range(2):
        paid_again = await money.results.record(lease, [record], bill=bill)
        assert paid_again is not None
        assert (paid_again.count, paid_again.mark) == (1, 4)
        assert amounts(await money.cap(f"benchmark:{lease.benchmark_id}")) == (10, 90)
    assert await money.spent(lease.benchmark_id) == Charge(10, 0, 1)
    assert await money.reserved() == [(lease.benchmark_id, DAY, 90, 3)]


async def test_the_second_result_of_a_request_costs_nothing(money: Money) -> None:
    lease = await money.claimed(budget=100)
    await money.begin(lease, 40)
    record, charges = costing("0.000010", 0)
    await money.results.record(lease, [record], bill=Bill(charges, {DAY: Held()}))
    await money.results.record(lease, [record], bill=Bill(charges, {DAY: Held()}))
    assert await money.spent(lease.benchmark_id) == Charge(10, 0, 1)


async def test_what_costs_nothing_is_always_paid(money: Money) -> None:
    lease = await money.claimed(budget=10)
    assert (await money.begin(lease, 10, 0, 0, 1, 0)).count == 3


async def test_more_than_the_worst_case_is_spent_all_the_same(money: Money) -> None:
    """A server that writes more than it was allowed to is paid. Then nothing more is."""
    lease = await money.claimed(budget=100)
    await money.begin(lease, 40)
    record, charges = costing("0.000150", 0)
    paid = await money.results.record(lease, [record], bill=Bill(charges, {DAY: Held()}, wanted(1, first=1)))
    assert paid is not None
    assert paid.count == 0
    assert paid.refusal is not None
    assert not paid.refusal.may_pass
    assert amounts(await money.cap(f"benchmark:{lease.benchmark_id}")) == (150, 0)


async def test_without_a_cap_nothing_is_reserved_and_the_ledger_is_written(money: Money) -> None:
    lease = await money.claimed()
    record, charges = costing("0.000010", 0, day=None)
    await money.leases.begin(lease, dispatched=5, price=None)
    paid = await money.results.record(lease, [record], dispatched=7, bill=Bill(charges))
    assert paid is not None
    assert paid.refusal is None
    assert await money.dispatched(lease.benchmark_id) == 7
    assert await money.reserved() == []
    assert await money.caps.present([OWNER_TODAY]) == []
    assert await money.spent(lease.benchmark_id) == Charge(10, 0, 1)
    assert not await money.payments.is_capped(await money.tables.benchmarks.get(lease.benchmark_id))


async def test_a_run_asks_whether_a_cap_counts(money: Money) -> None:
    lease, own = await money.claimed(), await money.claimed(budget=5)
    await money.add_budget("owner:others:day", 5, owner="others")
    assert not await money.payments.is_capped(await money.tables.benchmarks.get(lease.benchmark_id))
    assert await money.payments.is_capped(await money.tables.benchmarks.get(own.benchmark_id))
    await money.add_budget("owner:default:month", 5)
    assert await money.payments.is_capped(await money.tables.benchmarks.get(lease.benchmark_id))


async def test_a_wait_without_results_reserves_and_moves_the_mark(money: Money) -> None:
    lease = await money.claimed(budget=100)
    await money.begin(lease, 40)
    paid = await money.payments.pay(lease, Bill(held={DAY: Held(40, 1)}, wanted=wanted(40, 40, first=1)))
    assert (paid.count, paid.mark) == (1, 2)
    assert await money.dispatched(lease.benchmark_id) == 2
    with pytest.raises(LeaseLost):
        await money.payments.pay(replace(lease, fence=99), Bill(held={}))


async def test_at_midnight_new_requests_are_paid_by_the_new_day_and_old_ones_by_the_old(money: Money) -> None:
    await money.add_budget("owner:default:day", 100)
    lease = await money.claimed(budget=1_000)
    await money.begin(lease, 60, 40)
    money.tomorrow()
    record, charges = costing("0.000020", 0)
    paid = await money.results.record(lease, [record], bill=Bill(charges, {DAY: Held(40, 1)}, wanted(90, first=2)))
    assert paid is not None
    assert (paid.count, paid.day) == (1, TOMORROW)
    assert amounts(await money.cap(OWNER_TODAY)) == (20, 40)
    assert amounts(await money.cap(OWNER_TOMORROW)) == (0, 90)
    # The benchmark's own cap has no day.
    assert amounts(await money.cap(f"benchmark:{lease.benchmark_id}")) == (20, 130)
    record, charges = costing("0.000030", 1)
    await money.results.record(lease, [record], bill=Bill(charges, {TOMORROW: Held(90, 1)}))
    assert amounts(await money.cap(OWNER_TODAY)) == (50, 0)
    await money.leases.finish(
        lease, "completed", summary={}, error=None, end=SegmentEnd(charges={TOMORROW: Charge(90, 90, 1)})
    )
    assert amounts(await money.cap(OWNER_TOMORROW)) == (90, 0)
    assert amounts(await money.cap(f"benchmark:{lease.benchmark_id}")) == (140, 0)
    assert await money.reserved() == []


async def test_a_changed_cap_counts_at_once_and_a_deleted_one_no_more(money: Money) -> None:
    await money.add_budget("owner:default:day", 50)
    lease = await money.claimed()
    assert (await money.begin(lease, 40, 40)).count == 1
    async with money.database.write() as session:
        await session.execute(update(Cap).values(cap=100))
    paid = await money.payments.pay(lease, Bill(held={DAY: Held(40, 1)}, wanted=wanted(40, 40, first=1)))
    assert paid.count == 1
    async with money.database.write() as session:
        await session.execute(delete(Cap))
    paid = await money.payments.pay(lease, Bill(held={DAY: Held(80, 2)}, wanted=wanted(40, 40, first=2)))
    assert (paid.count, paid.refusal) == (2, None)


async def test_many_runs_at_once_reserve_no_more_than_the_cap(money: Money) -> None:
    """And none waits for another for ever: all take the caps in one order."""
    await money.add_budget("owner:default:day", 1_000)
    await money.add_budget("owner:default:month", 970)
    leases = [await money.claimed(budget=90) for _ in range(12)]
    paid = await asyncio.gather(*(money.begin(lease, *[10] * 12) for lease in leases))
    assert sum(item.count for item in paid) == 97
    assert all(item.count <= 9 for item in paid)
    held: list[Mapping[date, Held]] = [{DAY: Held(10 * item.count, item.count)} for item in paid]
    more = await asyncio.gather(
        *(
            money.payments.pay(lease, Bill(held=had, wanted=wanted(10, first=12)))
            for lease, had in zip(leases, held, strict=True)
        )
    )
    assert sum(item.count for item in more) == 0
    assert (await money.cap("owner:default:month:2026-11")).reserved == 970


async def test_results_and_money_are_stored_together_or_not_at_all(money: Money) -> None:
    lease = await money.claimed(budget=100)
    await money.begin(lease, 40)
    record, charges = costing("0.000010", 0)
    bad = make_record(1, outcome="no such outcome")
    with pytest.raises(IntegrityError):
        await money.results.record(lease, [record, bad], bill=Bill(charges, {DAY: Held()}))
    assert await money.spent(lease.benchmark_id) == Charge()
    assert await money.reserved() == [(lease.benchmark_id, DAY, 40, 1)]
