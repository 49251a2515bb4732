"""Caps: counters with a bound, which spending must not take beyond it.

A cap's row is made when it is first needed: that of a benchmark from its own budget, those of keys and owners from
`budgets`, anew for each day or month by UTC and the database's clock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from sqlalchemy import Select, bindparam, case, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.connection.again import tries_again
from shared.db.connection.clock import Now, read_now
from shared.db.connection.database import Database
from shared.db.connection.shared_locks import bound_idle_time, idle_bound
from shared.db.tables.money import Budget, Cap
from shared.db.tables.types import utc_now

# How the key of a cap writes its day or month.
_DATES = {"day": "%Y-%m-%d", "month": "%Y-%m"}


@dataclass(frozen=True, slots=True)
class CapState:
    """A cap as it is now, in micro-dollars. One that was never used has spent nothing."""

    key: str
    owner: str
    cap: int
    spent: int = 0
    reserved: int = 0
    reached_at: datetime | None = None

    @property
    def left(self) -> int:
        """What may still be reserved; below zero if more was spent than it allows."""
        return self.cap - self.spent - self.reserved


@dataclass(frozen=True, slots=True)
class Spender:
    """Whose money a benchmark spends. `budget`: its own, in micro-dollars. `benchmark_id` None: before its submit."""

    owner: str
    key_id: str | None
    benchmark_id: int | None = None
    budget: int | None = None


def budget_keys(owner: str, key_id: str | None) -> list[str]:
    """The keys that `budgets` of this owner and of this API key may have."""
    names = [f"owner:{owner}", *([] if key_id is None else [f"key:{key_id}"])]
    return [f"{name}:{period}" for name in names for period in _DATES]


def cap_key(budget_key: str, day: date) -> str:
    """The key of the cap that a budget has on this day."""
    return f"{budget_key}:{day.strftime(_DATES[budget_key.rpartition(':')[2]])}"


def benchmark_key(benchmark_id: int) -> str:
    return f"benchmark:{benchmark_id}"


@tries_again
class CapRepository:
    """Reads caps. Only the transactions that reserve and settle change them (`shared.db.money.reservations`)."""

    def __init__(self, database: Database, *, now: Now = utc_now) -> None:
        self._database = database
        self._now = now

    async def of(self, spender: Spender) -> Sequence[CapState]:
        """Each cap that counts for this spender now, by key. Empty: it may spend without a bound."""
        async with self._database.read() as session:
            wanted = await wanted_caps(session, spender, (await read_now(session, self._now)).date())
            return await _states(session, wanted) if wanted else []

    async def present(self, keys: Iterable[str]) -> Sequence[CapState]:
        """The caps of these keys that have a row, by key."""
        async with self._database.read() as session:
            rows = await session.scalars(select(Cap).where(Cap.key.in_(list(keys))).order_by(Cap.key))
            return [_state(row) for row in rows]


async def wanted_caps(session: AsyncSession, spender: Spender, day: date) -> dict[str, CapState]:
    """The caps that count for this spender on this day, by key, as they are before anything is spent."""
    found = await session.execute(_budgets(), {"keys": budget_keys(spender.owner, spender.key_id)})
    caps = [CapState(cap_key(row.key, day), row.owner, row.cap) for row in found]
    if spender.budget is not None and spender.benchmark_id is not None:
        caps.append(CapState(benchmark_key(spender.benchmark_id), spender.owner, spender.budget))
    return {cap.key: cap for cap in sorted(caps, key=lambda cap: cap.key)}


@cache
def _budgets() -> Select[str, str, int]:
    """Those of `keys`. Made once, since every transaction of a run has it."""
    return select(Budget.key, Budget.owner, Budget.cap).where(Budget.key.in_(bindparam("keys", expanding=True)))


async def make_caps(session: AsyncSession, database: Database, caps: Collection[CapState]) -> None:
    """Makes the rows of these caps that there are not yet. `caps`: in the order of their keys."""
    if caps:
        await bound_idle_time(session)
    for cap in caps:
        await session.execute(
            database.insert(Cap)
            .values(key=cap.key, owner=cap.owner, cap=cap.cap, spent=0, reserved=0)
            .on_conflict_do_nothing(index_elements=["key"])
        )


async def lock_caps(session: AsyncSession, keys: Iterable[str]) -> dict[str, CapState]:
    """The caps of these keys, held until the transaction ends: in one order, so that no two wait for each other."""
    wanted = list(keys)
    if not wanted:
        return {}
    columns = (Cap.key, Cap.owner, Cap.cap, Cap.spent, Cap.reserved, Cap.reached_at)
    rows = await session.execute(
        select(*columns, *idle_bound(session)).where(Cap.key.in_(wanted)).order_by(Cap.key).with_for_update()
    )
    return {row.key: CapState(*row[: len(columns)]) for row in rows}


async def change_caps(
    session: AsyncSession, changes: Mapping[str, tuple[int, int]], growing: Collection[str] = ()
) -> None:
    """Adds (reserved, spent), in micro-dollars, to each of these caps, which the transaction holds.

    `growing`: those that must stay within their bound. What was spent counts in any case.
    """
    for key in sorted(changes):
        reserved, spent = changes[key]
        if not reserved and not spent:
            continue
        after = case((Cap.reserved + reserved < 0, 0), else_=Cap.reserved + reserved)
        within = Cap.spent + Cap.reserved + (reserved + spent) <= Cap.cap if key in growing else true()
        done = await session.execute(
            update(Cap).where(Cap.key == key, within).values(reserved=after, spent=Cap.spent + spent),
            execution_options={"synchronize_session": False},
        )
        if key in growing and not done.rowcount:  # type: ignore[attr-defined]
            raise RuntimeError(f"cap {key} was changed by another transaction while this one held it")


async def reach(session: AsyncSession, key: str) -> Cap | None:
    """A run has stopped because this cap could not pay. The cap if it is the first one; None if it is not."""
    rows = await session.execute(
        update(Cap).where(Cap.key == key, Cap.reached_at.is_(None)).values(reached_at=utc_now()).returning(Cap),
        execution_options={"synchronize_session": False},
    )
    return rows.scalar_one_or_none()


async def _states(session: AsyncSession, wanted: Mapping[str, CapState]) -> list[CapState]:
    rows = await session.scalars(select(Cap).where(Cap.key.in_(list(wanted))))
    return list({**wanted, **{row.key: _state(row) for row in rows}}.values())


def _state(row: Cap) -> CapState:
    return CapState(row.key, row.owner, row.cap, row.spent, row.reserved, row.reached_at)
