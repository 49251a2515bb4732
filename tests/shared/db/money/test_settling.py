"""What is reserved is settled once: by the end of a segment, after a crash, by a deletion, by the sweep."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from shared.db.benchmarks.retention import RetentionRepository
from shared.db.money.reservations import Bill, Held
from shared.db.money.spend import Charge
from shared.db.runs.segments import SegmentEnd
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.money import Reservation
from shared.errors import LeaseLost
from tests.shared.db.money.spending import DAY, OWNER_TODAY, Money, amounts, costing


async def test_the_end_of_a_segment_gives_back_what_was_not_sent(money: Money) -> None:
    lease = await money.claimed(budget=100)
    await money.begin(lease, 30, 30, 30)
    await money.leases.release(lease, SegmentEnd(charges={DAY: Charge(30, 30, 1)}))
    assert amounts(await money.cap(f"benchmark:{lease.benchmark_id}")) == (30, 0)
    assert await money.spent(lease.benchmark_id) == Charge(30, 30, 1)
    assert await money.reserved() == []
    with pytest.raises(LeaseLost):
        await money.leases.release(lease, SegmentEnd(charges={DAY: Charge(30, 30, 1)}))
    assert await money.spent(lease.benchmark_id) == Charge(30, 30, 1)


async def test_a_crash_spends_the_whole_reservation_once(money: Money) -> None:
    lease = await money.claimed(budget=100)
    await money.begin(lease, 30, 30)
    await crash(money, lease.benchmark_id)
    second = await money.tables.claimed("two")
    for _ in range(2):
        await money.leases.end_crashed(second, [[0, 0], [1, 0]], Charge(60, 60, 2))
    assert amounts(await money.cap(f"benchmark:{lease.benchmark_id}")) == (60, 0)
    assert await money.spent(lease.benchmark_id) == Charge(60, 60, 2)
    # The dead worker comes back.
    record, charges = costing("0.000010", 0)
    for late in (
        money.results.record(lease, [record], bill=Bill(charges, {DAY: Held(30, 1)})),
        money.leases.release(lease, SegmentEnd(charges={DAY: Charge(60, 60, 2)})),
        money.payments.pay(lease, Bill(held={DAY: Held(90, 3)})),
    ):
        with pytest.raises(LeaseLost):
            await late
    assert amounts(await money.cap(f"benchmark:{lease.benchmark_id}")) == (60, 0)
    assert await money.spent(lease.benchmark_id) == Charge(60, 60, 2)


async def test_a_crash_without_a_cap_is_in_the_ledger_once(money: Money) -> None:
    lease = await money.claimed()
    await money.leases.begin(lease, dispatched=2, price=None)
    await crash(money, lease.benchmark_id)
    second = await money.tables.claimed("two")
    for _ in range(2):
        await money.leases.end_crashed(second, [[0, 0], [1, 0]], Charge(60, 60, 2))
    assert await money.spent(lease.benchmark_id) == Charge(60, 60, 2)


async def test_a_run_that_fails_before_it_takes_over_spends_what_the_dead_one_reserved(money: Money) -> None:
    lease = await money.claimed(budget=100)
    await money.begin(lease, 30, 30)
    await crash(money, lease.benchmark_id)
    second = await money.tables.claimed("two")
    await money.leases.finish(second, "failed", summary=None, error={"kind": "crash_loop", "message": "no"})
    assert await money.spent(lease.benchmark_id) == Charge(60, 60, 2)
    assert await money.reserved() == []


async def test_deleting_a_running_benchmark_gives_nothing_back(money: Money) -> None:
    await money.add_budget("owner:default:month", 1_000)
    lease = await money.claimed(budget=100)
    await money.begin(lease, 30, 30)
    record, charges = costing("0.000010", 0)
    await money.results.record(lease, [record], bill=Bill(charges, {DAY: Held(30, 1)}))
    assert await money.tables.benchmarks.delete(lease.benchmark_id)
    assert amounts(await money.cap("owner:default:month:2026-11")) == (40, 0)
    assert await money.spent(lease.benchmark_id) == Charge(40, 30, 2)
    assert await money.reserved() == []
    assert await money.payments.settle_left() == 0


async def test_neither_retention_nor_the_deletion_of_an_ended_benchmark_gives_anything_back(money: Money) -> None:
    await money.add_budget("owner:default:month", 1_000)
    leases = [await money.claimed(budget=100) for _ in range(2)]
    for lease in leases:
        await money.begin(lease, 30, 30)
        record, charges = costing("0.000010", 0)
        await money.results.record(lease, [record], bill=Bill(charges, {DAY: Held(30, 1)}))
        await money.leases.finish(lease, "completed", summary={}, error=None)
    retention = RetentionRepository(money.database)
    while await retention.delete_step(leases[0].benchmark_id):
        pass
    await money.tables.benchmarks.delete(leases[1].benchmark_id)
    for lease in leases:
        assert await money.spent(lease.benchmark_id) == Charge(10, 0, 1)
        assert amounts(await money.cap(f"benchmark:{lease.benchmark_id}")) == (10, 0)
    assert amounts(await money.cap("owner:default:month:2026-11")) == (20, 0)


async def test_the_sweep_settles_what_an_older_version_left(money: Money) -> None:
    """A benchmark that it deleted, and one that it ended. Those of open benchmarks stay."""
    await money.add_budget("owner:default:month", 1_000)
    gone, ended, running = [await money.claimed() for _ in range(3)]
    for lease in (gone, ended, running):
        await money.begin(lease, 30)
    async with money.database.write() as session:
        await session.execute(delete(Benchmark).where(Benchmark.id == gone.benchmark_id))
        await session.execute(
            update(Benchmark).where(Benchmark.id == ended.benchmark_id).values(status="failed", lease_owner=None)
        )
    # `expires_at` counts from the clock of the test, which is far in the past or in the future of the database's.
    await expire(money)
    assert await money.payments.settle_left() == 2
    assert await money.payments.settle_left() == 0
    assert amounts(await money.cap("owner:default:month:2026-11")) == (60, 30)
    assert [row[0] for row in await money.reserved()] == [running.benchmark_id]
    for lease in (gone, ended):
        assert await money.spent(lease.benchmark_id) == Charge(30, 30, 1)


async def test_a_stop_is_stored_with_its_words_and_the_cap_is_reached_once(money: Money) -> None:
    await money.add_budget("owner:default:day", 50)
    for number in range(2):
        lease = await money.claimed()
        await money.begin(lease, 40)
        await money.leases.finish(
            lease,
            "completed",
            summary={},
            error=None,
            stopped_by=OWNER_TODAY,
            notices=["no money"],
            end=SegmentEnd(charges={DAY: Charge(1, 0, 1)}),
        )
        benchmark = await money.tables.benchmarks.get(lease.benchmark_id)
        assert (benchmark.status, benchmark.stopped, benchmark.notices) == ("completed", "budget", ["no money"])
        assert benchmark.summary == {
            "spend": {"spent_usd": "0.000001", "worst_case_usd": "0.00", "requests": 1, "unpriced_requests": 0}
        }
        cap = await money.cap(OWNER_TODAY)
        assert cap.reached_at is not None
        if number == 0:
            first = cap.reached_at
        assert cap.reached_at == first


async def test_a_cancel_that_came_before_the_stop_counts(money: Money) -> None:
    lease = await money.claimed(budget=50)
    await money.begin(lease, 40)
    await money.tables.benchmarks.cancel(lease.benchmark_id)
    key = f"benchmark:{lease.benchmark_id}"
    await money.leases.finish(lease, "completed", summary={}, error=None, stopped_by=key)
    benchmark = await money.tables.benchmarks.get(lease.benchmark_id)
    assert (benchmark.status, benchmark.stopped) == ("cancelled", None)
    assert (await money.cap(key)).reached_at is None


async def crash(money: Money, benchmark_id: int) -> None:
    """Its worker dies, and its lease lapses."""
    async with money.database.write() as session:
        await session.execute(
            update(Benchmark).where(Benchmark.id == benchmark_id).values(lease_expires_at=money.at - timedelta(days=9))
        )


async def expire(money: Money) -> None:
    async with money.database.write() as session:
        await session.execute(update(Reservation).values(expires_at=money.at - timedelta(days=9)))
