"""Budgets, bills and sums as tests of money need them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, insert, literal, select, update

from shared.benchmark.results.record import ResultRecord
from shared.db.connection.clock import read_now
from shared.db.connection.database import Database
from shared.db.money.caps import CapRepository, CapState
from shared.db.money.payments import Payments
from shared.db.money.reservations import Bill, Held, Paid, Wanted
from shared.db.money.spend import Charge, spent_by
from shared.db.runs.lease import Lease
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.results import ResultRepository
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.money import Budget, Reservation, Spend
from shared.db.tables.types import UtcDateTime, utc_now
from shared.money import micro_usd
from tests.shared.db.rows import Tables, make_record

DAY, TOMORROW = date(2026, 11, 27), date(2026, 11, 28)
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
# Caps of the owner of `Tables`, if it has a budget for a day.
OWNER_TODAY, OWNER_TOMORROW = (f"owner:default:day:{day}" for day in (DAY, TOMORROW))


class Money:
    """A worker's repositories over one database, whose clock shows `at`."""

    def __init__(self, tables: Tables, at: datetime = NOON) -> None:
        self.tables = tables
        self.database: Database = tables.database
        self.at = at
        self.results = ResultRepository(self.database, now=self.now)
        self.leases = LeaseRepository(self.database, lease_s=30, now=self.now)
        self.payments = Payments(self.database, now=self.now)
        self.caps = CapRepository(self.database, now=self.now)

    def now(self) -> ColumnElement[datetime]:
        return literal(self.at, UtcDateTime())

    def tomorrow(self) -> None:
        self.at += timedelta(days=1)

    async def add_budget(self, key: str, cap: int, owner: str = "default") -> None:
        await add_budget(self.database, key, cap, owner)

    async def claimed(self, *, budget: int | None = None) -> Lease:
        """A new benchmark with this budget, and the lease of it."""
        benchmark_id = await self.tables.add()
        async with self.database.write() as session:
            await session.execute(update(Benchmark).where(Benchmark.id == benchmark_id).values(budget=budget))
        lease = await self.tables.claimed()
        assert lease.benchmark_id == benchmark_id
        return lease

    async def begin(self, lease: Lease, *amounts: int, held: Mapping[date, Held] | None = None) -> Paid:
        """Marks a place of each amount, as far as the caps pay."""
        bill = Bill(held=held or {}, wanted=wanted(*amounts))
        paid = await self.leases.begin(lease, dispatched=0, price=None, bill=bill)
        assert paid is not None
        return paid

    async def cap(self, key: str) -> CapState:
        [state] = await self.caps.present([key])
        return state

    async def reserved(self) -> list[tuple[int, date, int, int]]:
        """(benchmark, day, amount, requests) of each reservation."""
        table = Reservation
        query = select(table.benchmark_id, table.day, table.amount, table.requests).order_by(
            table.benchmark_id, table.day
        )
        async with self.database.read() as session:
            return [tuple(row) for row in await session.execute(query)]  # type: ignore[misc]

    async def spent(self, benchmark_id: int) -> Charge | None:
        async with self.database.read() as session:
            return await spent_by(session, benchmark_id)

    async def dispatched(self, benchmark_id: int) -> int:
        return (await self.tables.benchmarks.get(benchmark_id)).dispatched


async def add_budget(database: Database, key: str, cap: int, owner: str) -> None:
    kind, name, period = key.split(":")
    key_id = name if kind == "key" else None
    values = {"key": key, "owner": owner, "key_id": key_id, "period": period, "cap": cap}
    async with database.write() as session:
        await session.execute(insert(Budget).values(**values, created_at=utc_now()))


async def today(database: Database) -> date:
    """By the database's clock, in UTC."""
    async with database.read() as session:
        return (await read_now(session)).date()


async def spent(database: Database, day: date, amount: int, benchmark_id: int = 1, **changes: Any) -> None:
    """Adds a row to the ledger."""
    values = {"owner": "default", "key_id": None, "model": "m", "provider": "p", "worst_case": 0, "requests": 1}
    async with database.write() as session:
        await session.execute(
            insert(Spend).values(
                **{**values, "unpriced": 0, **changes}, benchmark_id=benchmark_id, day=day, amount=amount
            )
        )


def amounts(cap: CapState) -> tuple[int, int]:
    """(spent, reserved)."""
    return cap.spent, cap.reserved


def wanted(*amounts: int, first: int = 0) -> list[Wanted]:
    return [Wanted(first + number + 1, amount) for number, amount in enumerate(amounts)]


def costing(
    usd: str, prompt_index: int = 0, day: date | None = DAY
) -> tuple[ResultRecord, dict[tuple[int, int], tuple[date | None, Charge]]]:
    """A result and its charge."""
    record = make_record(prompt_index, cost_usd=Decimal(usd))
    return record, {(prompt_index, 0): (day, Charge(micro_usd(Decimal(usd)), requests=1))}
