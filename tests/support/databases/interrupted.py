"""The database's important transactions, each with a check of what must hold after it was interrupted at any place."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select, text, update

from shared.access.caller import LOCAL
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.money.reservations import Bill, Held, Wanted
from shared.db.money.spend import Charge
from shared.db.runs.lease import Lease
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.results import ResultRepository
from shared.db.runs.segments import SegmentEnd
from shared.db.schema.check import check_schema
from shared.db.tables.benchmarks import Benchmark, Prompt, Result
from shared.db.tables.money import Cap, Reservation, Spend
from shared.db.tables.webhooks import WebhookAttempt, WebhookEvent
from shared.db.webhooks.deliveries import Attempt, DeliveryRepository
from shared.db.webhooks.delivery_history import DeliveryHistory
from shared.db.webhooks.endpoints import WebhookRepository
from shared.errors import LeaseLost
from shared.webhooks.message import NewEndpoint
from tests.shared.db.rows import make_record

SPEC = BenchmarkSpec.model_validate({"name": "test", "model": "sim", "prompts": ["one", "two", "three"]})


class Writer:
    """The repositories over one database: the interrupted one, or one that looks after it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.benchmarks = BenchmarkRepository(LOCAL, database)
        self.leases = LeaseRepository(database, lease_s=600)
        self.results = ResultRepository(database)
        self.deliveries = DeliveryRepository(database)

    async def count(self, query: Any) -> int:
        async with self.database.read() as session:
            return (await session.scalar(query)) or 0

    async def running(self) -> int:
        """Adds a benchmark and claims it; returns its id."""
        return (await self.benchmarks.create(SPEC, "simulator")).id


@dataclass
class Case:
    """`write` may be interrupted. `check` gets what it returned, None if it was interrupted, and mends the rest."""

    write: Callable[[], Awaitable[Any]]
    check: Callable[[Any], Awaitable[None]]


async def claim(interrupted: Writer, other: Writer) -> Case:
    created = await other.benchmarks.create(SPEC, "simulator")

    async def check(claimed: Any) -> None:
        if claimed is None:
            # The worker's end, or its next claim, gives back what it could not give back at once.
            await interrupted.leases.give_back_lost()
            claimed = await other.leases.claim("other")
            assert claimed is not None, "nobody runs it, and nobody else can claim it"
        lease, benchmark = claimed
        assert (lease.benchmark_id, benchmark.crashes, benchmark.interrupted) == (created.id, 0, False)
        await other.leases.finish(lease, "completed", summary=None, error=None)

    return Case(lambda: interrupted.leases.claim("interrupted"), check)


async def create(interrupted: Writer, other: Writer) -> Case:
    before = await other.count(select(func.count(Benchmark.id)))

    async def check(created: Any) -> None:
        benchmarks = await other.count(select(func.count(Benchmark.id)))
        prompts = await other.count(select(func.count()).select_from(Prompt))
        assert prompts == 3 * benchmarks
        assert benchmarks - before in ((0, 1) if created is None else (1,))
        while (claimed := await other.leases.claim("other")) is not None:
            await other.leases.finish(claimed[0], "completed", summary=None, error=None)

    return Case(lambda: interrupted.benchmarks.create(SPEC, "simulator"), check)


async def record(interrupted: Writer, other: Writer) -> Case:
    created = await other.benchmarks.create(SPEC, "simulator")
    claimed = await other.leases.claim("one")
    assert claimed is not None
    lease, records = claimed[0], [make_record(index) for index in range(3)]

    async def check(_: Any) -> None:
        rows = await other.count(select(func.count(Result.id)).where(Result.benchmark_id == created.id))
        assert rows in (0, 3)
        assert (await other.benchmarks.get(created.id)).done == rows
        await other.results.record(lease, records)
        assert (await other.benchmarks.get(created.id)).done == 3
        await other.leases.finish(lease, "completed", summary=None, error=None)

    return Case(lambda: interrupted.results.record(lease, records, dispatched=3), check)


async def finish(interrupted: Writer, other: Writer) -> Case:
    created = await other.benchmarks.create(SPEC, "simulator")
    claimed = await other.leases.claim("one")
    assert claimed is not None
    lease = claimed[0]
    await other.leases.begin(lease, dispatched=3, price=None)

    async def check(ended: Any) -> None:
        try:
            await other.leases.finish(lease, "completed", summary=None, error=None, end=SegmentEnd())
        except LeaseLost:
            pass
        else:
            assert ended is None
        assert (await other.benchmarks.get(created.id)).status == "completed"
        events = select(func.count(WebhookEvent.id)).where(WebhookEvent.benchmark_id == created.id)
        assert await other.count(events) == 2  # of its start and of its end

    return Case(lambda: interrupted.leases.finish(lease, "completed", summary=None, error=None), check)


async def record_paid(interrupted: Writer, other: Writer) -> Case:
    """Like `record`, under a cap: results, mark, ledger and reservation change together or not at all."""
    money = await Paying.begin(other, budget=100)
    records = [make_record(index) for index in range(3)]
    charges = {(index, 0): (money.day, Charge(10, 0, 1)) for index in range(3)}
    bill = Bill(charges, {money.day: Held(20, 1)}, [Wanted(5, 20)])

    async def check(paid: Any) -> None:
        rows = await other.count(select(func.count(Result.id)).where(Result.benchmark_id == money.lease.benchmark_id))
        assert await money.amounts() == ((30, 40) if rows else (0, 80))
        # Its answer may have been lost: it is run again as it was.
        paid = await other.results.record(money.lease, records, bill=bill)
        assert paid is not None
        assert paid.mark == 5
        assert await money.amounts() == (30, 40)
        await other.leases.finish(money.lease, "completed", summary=None, error=None)
        assert await money.amounts() == (30, 0)

    return Case(lambda: interrupted.results.record(money.lease, records, bill=bill), check)


async def finish_paid(interrupted: Writer, other: Writer) -> Case:
    """Like `finish`, under a cap: what was in flight is spent once, and the rest given back once."""
    money = await Paying.begin(other, budget=100)
    end = SegmentEnd(charges={money.day: Charge(20, 20, 1)})

    def finish() -> Awaitable[Any]:
        return interrupted.leases.finish(money.lease, "completed", summary=None, error=None, end=end)

    async def check(_: Any) -> None:
        with suppress(LeaseLost):
            await other.leases.finish(money.lease, "completed", summary=None, error=None, end=end)
        assert await money.amounts() == (20, 0)

    return Case(finish, check)


@dataclass
class Paying:
    """A benchmark under its own cap, of which four requests of 20 micro-dollars each are marked."""

    writer: Writer
    lease: Lease
    day: date

    @classmethod
    async def begin(cls, writer: Writer, budget: int) -> "Paying":
        created = await writer.benchmarks.create(SPEC, "simulator")
        async with writer.database.write() as session:
            await session.execute(update(Benchmark).where(Benchmark.id == created.id).values(budget=budget))
        claimed = await writer.leases.claim("one")
        assert claimed is not None
        wanted = [Wanted(place + 1, 20) for place in range(4)]
        paid = await writer.leases.begin(claimed[0], dispatched=0, price=None, bill=Bill(held={}, wanted=wanted))
        assert paid is not None
        return cls(writer, claimed[0], paid.day)

    async def amounts(self) -> tuple[int, int]:
        """(spent, reserved) of its cap. The ledger and the reservations say the same."""
        number = self.lease.benchmark_id
        spent = await self.writer.count(select(func.sum(Spend.amount)).where(Spend.benchmark_id == number))
        held = await self.writer.count(select(func.sum(Reservation.amount)).where(Reservation.benchmark_id == number))
        async with self.writer.database.read() as session:
            cap = await session.get(Cap, f"benchmark:{number}")
        assert cap is not None
        assert (cap.spent, cap.reserved) == (spent, held)
        return spent, held


async def claim_delivery(interrupted: Writer, other: Writer) -> Case:
    delivery_id = await WebhookRepository(LOCAL, other.database).test(await _endpoint(other))

    async def check(due: Any) -> None:
        if due is None:
            await interrupted.deliveries.give_back_lost()
            due = await other.deliveries.claim(10)
        assert [(item.delivery_id, item.number) for item in due] == [(delivery_id, 1)]
        attempts = select(func.count()).select_from(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id)
        assert await other.count(attempts) == 1
        await other.deliveries.settle(due[0], Attempt(succeeded=True, duration_ms=1, status_code=204))

    return Case(lambda: interrupted.deliveries.claim(10), check)


async def settle(interrupted: Writer, other: Writer) -> Case:
    endpoint_id = await _endpoint(other)
    await WebhookRepository(LOCAL, other.database).test(endpoint_id)
    (due,) = await other.deliveries.claim(10)
    attempt = Attempt(succeeded=True, duration_ms=1, status_code=204)

    async def check(_: Any) -> None:
        await other.deliveries.settle(due, attempt)
        (kept,) = await DeliveryHistory(LOCAL, other.database).page(
            endpoint_id=endpoint_id, benchmark_id=None, before_id=None, limit=1
        )
        assert (kept.delivery.status, [item.status_code for item in kept.attempts]) == ("delivered", [204])

    return Case(lambda: interrupted.deliveries.settle(due, attempt), check)


async def look_at_schema(interrupted: Writer, other: Writer) -> Case:
    """Only reads, at every `GET /ready`."""

    async def check(_: Any) -> None:
        await check_schema(interrupted.database)

    return Case(lambda: check_schema(interrupted.database), check)


CASES = {
    case.__name__: case
    for case in (
        claim, create, record, finish, record_paid, finish_paid, claim_delivery, settle, look_at_schema,
    )
}  # fmt: skip


async def _endpoint(other: Writer) -> int:
    return (await WebhookRepository(LOCAL, other.database).add(NewEndpoint("http://receiver.example", (), ()))).id


async def assert_nothing_is_locked(database: Database, patience_s: float = 0) -> None:
    """Another connection writes at once; `patience_s`: within this time."""
    if database.is_sqlite:
        path = database.engine.url.database
        assert path is not None
        with closing(sqlite3.connect(path, timeout=patience_s, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        return
    async with database.write() as session:
        await session.execute(text(f"SET LOCAL lock_timeout = {round(patience_s * 1000)}"))
        for table in ("benchmarks", "webhook_endpoints", "webhook_deliveries", "caps"):
            lock = "FOR UPDATE" if patience_s else "FOR UPDATE NOWAIT"
            await session.execute(text(f"SELECT 1 FROM {table} {lock}"))
