"""Money beside results: what a run reserves while it waits, and what nobody is left to settle. For workers."""

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.owner import DEFAULT_OWNER
from shared.db.connection.again import tries_again
from shared.db.connection.clock import Now, read_now
from shared.db.connection.database import Database
from shared.db.money.caps import Spender, wanted_caps
from shared.db.money.reservations import Bill, Paid, close
from shared.db.money.spend import Account, hold_account, holding
from shared.db.runs.lease import Lease, hold_and_pay
from shared.db.tables.benchmarks import Benchmark, is_open
from shared.db.tables.money import Cap, Reservation, Spend
from shared.db.tables.types import as_constant, utc_now

# Benchmarks whose reservations one sweep settles.
PAGE = 100


@tries_again
class Payments:
    """The money of runs, of all owners."""

    def __init__(self, database: Database, *, now: Now = utc_now) -> None:
        """`now`: the database's clock."""
        self._database = database
        self._now = now

    async def is_capped(self, benchmark: Benchmark) -> bool:
        """Whether a cap counts for this benchmark now. A run asks when it begins."""
        if benchmark.budget is not None:
            return True
        spender = Spender(benchmark.owner, benchmark.key_id)
        async with self._database.read() as session:
            today = (await read_now(session, self._now)).date()
            return bool(await wanted_caps(session, spender, today))

    async def pay(self, lease: Lease, bill: Bill) -> Paid:
        """Settles and reserves without a result. Moves the mark as far as the caps pay. Raises LeaseLost."""
        async with self._database.write() as session:
            paid = await hold_and_pay(session, self._database, lease, self._now, bill)
            if paid.mark is not None:
                benchmark = await session.get_one(Benchmark, lease.benchmark_id)
                benchmark.dispatched = paid.mark
        return paid

    async def settle_left(self) -> int:
        """Settles reservations that nobody will settle: of benchmarks that are gone or have ended. Returns how many.

        Each is deleted when its benchmark ends or is deleted; only a version without budgets leaves it.
        """
        expired = as_constant(utc_now())
        left = select(Reservation.benchmark_id).where(Reservation.expires_at < expired, ~_is_open()).distinct()
        async with self._database.read() as session:
            ids = (await session.scalars(left.limit(PAGE))).all()
        for benchmark_id in ids:
            async with self._database.write() as session:
                await self._settle(session, benchmark_id)
        return len(ids)

    async def _settle(self, session: AsyncSession, benchmark_id: int) -> None:
        found = await hold_account(session, holding(Benchmark.id == benchmark_id, self._now()))
        if found is None:
            account = await _last_account(session, benchmark_id)
            now = await read_now(session, self._now)
        elif await session.scalar(select(Benchmark.id).where(Benchmark.id == benchmark_id, is_open())) is not None:
            return
        else:
            account, now = found
        await close(session, self._database, account, now.date())


def _is_open() -> ColumnElement[bool]:
    return exists().where(Benchmark.id == Reservation.benchmark_id, is_open())


async def _last_account(session: AsyncSession, benchmark_id: int) -> Account:
    """Of a benchmark that is gone, as the ledger has it, or as far as its caps tell."""
    query = select(Spend).where(Spend.benchmark_id == benchmark_id).order_by(Spend.day.desc()).limit(1)
    if (row := await session.scalar(query)) is not None:
        return Account(benchmark_id, row.owner, row.key_id, row.model, row.provider)
    caps = await session.scalar(select(Reservation.caps).where(Reservation.benchmark_id == benchmark_id).limit(1))
    owner = await session.scalar(select(Cap.owner).where(Cap.key.in_(caps or [])).limit(1))
    return Account(benchmark_id, owner or DEFAULT_OWNER, None, "", "")
