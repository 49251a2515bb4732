"""Budgets of keys and owners, as the API sets, shows and checks them. Amounts are in micro-dollars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import Caller
from shared.access.owner import DEFAULT_OWNER
from shared.budgets.cap_name import BudgetName, CapName
from shared.db.access.audit import record
from shared.db.access.owned import of_owner
from shared.db.connection.again import tries_again
from shared.db.connection.clock import read_now
from shared.db.connection.database import Database
from shared.db.connection.shared_locks import idle_bound
from shared.db.money.caps import cap_key, lock_caps
from shared.db.tables.access import ApiKey, OwnerRow
from shared.db.tables.benchmarks import Benchmark, is_open
from shared.db.tables.money import Budget, Cap, Spend
from shared.db.tables.types import utc_now
from shared.errors import NotFound
from shared.money import MOST_MICROS, usd_text


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget with what the current day or month has used of it."""

    name: BudgetName
    owner: str
    cap: int
    spent: int
    reserved: int
    # When it first refused money in this day or month. None: it has not.
    reached_at: datetime | None
    resets_at: datetime
    created_at: datetime

    @property
    def left(self) -> int:
        """What may still be reserved. Not below 0: a budget can be set below what was spent."""
        return max(0, self.cap - self.spent - self.reserved)

    @property
    def cap_name(self) -> CapName:
        """The cap of the current day or month."""
        return CapName.of(cap_key(self.name.key, self.resets_at.date() - timedelta(days=1)))


@tries_again
class BudgetRepository:
    """Rows of `budgets`, with the caps that they stand for now."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def put(self, name: BudgetName, cap: int) -> tuple[BudgetState, bool]:
        """(budget, whether it is new). A changed one holds at once: the cap of this day or month changes with it.

        For a new one, what the key or the owner has spent in this day or month counts. Benchmarks that run without any
        cap spend on, and what they spend counts. Raises NotFound.
        """
        async with self._database.write() as session:
            owner = await _owner_of(session, name)
            await hold_spenders(session, name, owner)
            today = (await read_now(session)).date()
            created = await session.scalar(select(Budget.key).where(Budget.key == name.key)) is None
            values = {"owner": owner, "key_id": name.id if name.holder == "key" else None, "period": name.period}
            row = self._database.insert(Budget).values(key=name.key, cap=cap, created_at=utc_now(), **values)
            await session.execute(row.on_conflict_do_update(index_elements=["key"], set_={"cap": cap}))
            key = cap_key(name.key, today)
            # A benchmark that still counts in it adds to the cap and to the ledger in one transaction, the cap first.
            await lock_caps(session, [key])
            spent = await _spent(session, name, key)
            counter = self._database.insert(Cap).values(key=key, owner=owner, cap=cap, spent=spent, reserved=0)
            changed = {"cap": cap, "reached_at": None, **({"spent": spent} if created else {})}
            await session.execute(counter.on_conflict_do_update(index_elements=["key"], set_=changed))
            await record(
                session, self._caller, "budget.set", "budget", name.key, {"cap_usd": usd_text(cap)}, owner=owner
            )
            (state,) = await _states(session, Budget.key == name.key)
        return state, created

    async def get(self, name: BudgetName) -> BudgetState:
        """Raises NotFound."""
        async with self._database.read() as session:
            found = await _states(session, Budget.key == name.key)
        if not found:
            raise _no_budget(name)
        return found[0]

    async def page(self, *, after: str | None, limit: int) -> Sequence[BudgetState]:
        """Budgets in the order of their keys, from the one behind `after` on."""
        where = [of_owner(self._caller, Budget.owner)]
        if after is not None:
            where.append(Budget.key > after)
        async with self._database.read() as session:
            return await _states(session, *where, limit=limit)

    async def delete(self, name: BudgetName) -> None:
        """From now on it bounds nothing. What was spent stays in the ledger. Raises NotFound."""
        async with self._database.write() as session:
            gone = await session.execute(delete(Budget).where(Budget.key == name.key).returning(Budget.owner))
            owner = gone.scalar_one_or_none()
            if owner is None:
                raise _no_budget(name)
            # Benchmarks that run still count in it.
            key = cap_key(name.key, (await read_now(session)).date())
            await session.execute(update(Cap).where(Cap.key == key).values(cap=MOST_MICROS))
            await record(session, self._caller, "budget.deleted", "budget", name.key, owner=owner)


async def _states(session: AsyncSession, *where: ColumnElement[bool], limit: int | None = None) -> list[BudgetState]:
    today = (await read_now(session)).date()
    rows = await session.scalars(select(Budget).where(*where).order_by(Budget.key).limit(limit))
    budgets = {BudgetName.of(row.key): row for row in rows}
    keys = {name: cap_key(name.key, today) for name in budgets}
    found = await session.scalars(select(Cap).where(Cap.key.in_(keys.values())))
    caps = {row.key: row for row in found}
    return [_state(name, row, caps.get(keys[name]), keys[name]) for name, row in budgets.items()]


def _state(name: BudgetName, budget: Budget, cap: Cap | None, key: str) -> BudgetState:
    """`cap` None: nothing was reserved in this day or month."""
    resets_at = CapName.of(key).resets_at
    if resets_at is None:
        raise ValueError(f"{key} is no cap of a budget")
    return BudgetState(
        name=name,
        owner=budget.owner,
        cap=budget.cap,
        spent=0 if cap is None else cap.spent,
        reserved=0 if cap is None else cap.reserved,
        reached_at=None if cap is None else cap.reached_at,
        resets_at=resets_at,
        created_at=budget.created_at,
    )


async def _spent(session: AsyncSession, name: BudgetName, cap_key: str) -> int:
    """What the ledger has of the day or month of this cap."""
    begins, resets_at = CapName.of(cap_key).begins, CapName.of(cap_key).resets_at
    if begins is None or resets_at is None:
        raise ValueError(f"{cap_key} is no cap of a budget")
    holder = Spend.key_id if name.holder == "key" else Spend.owner
    query = select(func.coalesce(func.sum(Spend.amount), 0)).where(
        holder == name.id, Spend.day >= begins, Spend.day < resets_at.date()
    )
    return int(await session.scalar(query) or 0)


async def hold_spenders(session: AsyncSession, name: BudgetName, owner: str) -> None:
    """Holds the benchmarks that spend or may begin to, as each of their payments does.

    So a payment is in the ledger before this transaction reads it, or finds the budget. The benchmarks come before the
    caps, in the same order as in a payment.
    """
    holder = Benchmark.key_id == name.id if name.holder == "key" else true()
    spending = and_(Benchmark.owner == owner, is_open(), holder)
    held = select(Benchmark.id, *idle_bound(session)).where(spending).order_by(Benchmark.id)
    await session.execute(held.with_for_update(read=True))


async def _owner_of(session: AsyncSession, name: BudgetName) -> str:
    """The owner of the key, or the owner itself. Raises NotFound."""
    if name.holder == "owner":
        if name.id == DEFAULT_OWNER:
            return DEFAULT_OWNER
        owner = await session.scalar(select(OwnerRow.name).where(OwnerRow.name == name.id))
    else:
        owner = await session.scalar(select(ApiKey.owner).where(ApiKey.id == name.id))
    if owner is None:
        raise NotFound(f"there is no {name.holder} {name.id!r}")
    return owner


def _no_budget(name: BudgetName) -> NotFound:
    return NotFound(f"{name.holder} {name.id!r} has no budget for a {name.period}")
