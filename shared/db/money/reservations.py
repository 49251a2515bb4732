"""Reservations: money that marked requests may cost. Each is made, changed and settled in the transaction of its cause.

A run says what it still holds in absolute amounts, so a transaction that is run again because its answer was lost
counts nothing twice. What it settles hangs on what the same transaction really stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.connection.database import Database
from shared.db.money.caps import CapState, change_caps, lock_caps
from shared.db.money.spend import Account, Charge, add_spend
from shared.db.money.spending import CapChanges, counting_caps, spend
from shared.db.tables.money import Reservation

# A reservation that nobody has changed for so long may be swept, if its benchmark has ended or is gone.
EXPIRES_S = 600

_TABLE = Reservation.metadata.tables[Reservation.__tablename__]


@dataclass(frozen=True, slots=True)
class Held:
    """What requests may cost that are marked and have no result yet, in micro-dollars, and how many they are."""

    amount: int = 0
    requests: int = 0

    def __add__(self, other: "Held") -> "Held":
        return Held(self.amount + other.amount, self.requests + other.requests)

    def __sub__(self, other: "Held") -> "Held":
        return Held(self.amount - other.amount, self.requests - other.requests)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Requests that are to be marked together: `mark` is the mark after them, `amount` their worst case.

    `mark` None: they stand beside the load, which has the mark.
    """

    mark: int | None
    amount: int
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Bill:
    """The money of one transaction of a run.

    `charges`: what each result costs, by prompt index and repetition, with the day of its reservation (None: there is
    none). `beside`: what requests cost that are no results, by that day. `held`: what stays reserved beside what is
    wanted, by day. None: no cap counted when the run began, and nothing is reserved.
    """

    charges: Mapping[tuple[int, int], tuple[date | None, Charge]] = field(default_factory=dict)
    held: Mapping[date, Held] | None = None
    wanted: Sequence[Wanted] = ()
    beside: Mapping[date | None, Charge] = field(default_factory=dict)

    def settled(self, stored: Sequence[tuple[int, int]]) -> dict[date | None, Charge]:
        """What the results cost that were stored, by day."""
        return added_up([self.charges[key] for key in stored if key in self.charges])


@dataclass(frozen=True, slots=True)
class Refusal:
    """The cap that could not pay for the next requests, after the transaction. `needed`: what they may cost."""

    cap: CapState
    needed: int

    @property
    def may_pass(self) -> bool:
        """Whether it could pay if what is reserved came back unspent."""
        return self.cap.spent + self.needed <= self.cap.cap


@dataclass(frozen=True, slots=True)
class Paid:
    """What a transaction could pay: the first `count` of what was wanted, from the caps of `day`."""

    day: date
    count: int
    mark: int | None = None
    refusal: Refusal | None = None


def added_up(charges: Sequence[tuple[date | None, Charge]]) -> dict[date | None, Charge]:
    """The sum of each day."""
    sums: dict[date | None, Charge] = {}
    for day, charge in charges:
        sums[day] = sums.get(day, Charge()) + charge
    return sums


async def pay(
    session: AsyncSession,
    database: Database,
    account: Account,
    fence: int,
    now: datetime,
    bill: Bill,
    settled: Mapping[date | None, Charge],
) -> Paid:
    """Settles, gives back what is no longer held, and reserves as much of what is wanted as every cap can pay.

    The transaction holds the benchmark. Call it late in it: other benchmarks may wait for the same caps.
    """
    today = now.date()
    spent = _dated(settled, today)
    paid = Paid(today, len(bill.wanted), bill.wanted[-1].mark if bill.wanted else None)
    if bill.held is None:
        await spend(session, database, account, today, spent)
        return paid
    paid = await _Reserving(session, database, account, fence, now).reserve(bill, spent)
    # Whoever settles for a benchmark that is gone finds here whose it was.
    await add_spend(session, database, account, {today: Charge(), **spent} if paid.count else spent)
    return paid


class _Reserving:
    """One transaction of a run to which caps apply."""

    def __init__(self, session: AsyncSession, database: Database, account: Account, fence: int, now: datetime) -> None:
        self._session = session
        self._database = database
        self._account = account
        self._fence = fence
        self._now = now

    async def reserve(self, bill: Bill, spent: Mapping[date, Charge]) -> Paid:
        today, held = self._now.date(), bill.held or {}
        rows = await self._rows()
        reserved = {day: row_keys for day, (row_keys, _) in rows.items()}
        days = sorted({today, *rows, *spent})
        caps = await counting_caps(self._session, self._database, self._account, today, days, reserved)
        keys, changes = caps[today], CapChanges()
        for row_keys, before in rows.values():
            changes.add(row_keys, -before, 0)
        # What is held counts in a budget that is newer than the reservation, too.
        for day in days:
            changes.add(caps[day], held.get(day, Held()).amount, spent.get(day, Charge()).amount)
        states = await lock_caps(self._session, changes.keys)
        left = [(states[key], states[key].left - sum(changes.of(key))) for key in keys if key in states]
        count, amount = _affordable(bill.wanted, min((most for _, most in left), default=None))
        changes.add(keys, amount, 0)
        await change_caps(self._session, changes.by_key, [state.key for state, _ in left] if amount else ())
        new = Held(amount, sum(wanted.requests for wanted in bill.wanted[:count]))
        for day in days:
            kept = held.get(day, Held())
            await self._store(day, caps[day], kept + new if day == today else kept)
        refusal = None
        if count < len(bill.wanted):
            refusal = _refusal([changes.after(states[key]) for key in keys if key in states], bill.wanted[count].amount)
        return Paid(today, count, bill.wanted[count - 1].mark if count else None, refusal)

    async def _rows(self) -> dict[date, tuple[list[str], int]]:
        """The keys of the caps and the amount of each reservation of this lease, by day."""
        found = await self._session.execute(
            select(_TABLE.c.day, _TABLE.c.caps, _TABLE.c.amount).where(
                _TABLE.c.benchmark_id == self._account.benchmark_id, _TABLE.c.fence == self._fence
            )
        )
        return {row.day: (row.caps, row.amount) for row in found}

    async def _store(self, day: date, caps: Sequence[str], held: Held) -> None:
        values: dict[str, Any] = {
            "caps": list(caps),
            "amount": held.amount,
            "requests": held.requests,
            "expires_at": self._now + timedelta(seconds=EXPIRES_S),
        }
        place = {"benchmark_id": self._account.benchmark_id, "fence": self._fence, "day": day}
        await self._session.execute(
            self._database.insert(_TABLE)
            .values(**place, **values)
            .on_conflict_do_update(index_elements=["benchmark_id", "fence", "day"], set_=values)
        )


async def close(
    session: AsyncSession,
    database: Database,
    account: Account,
    today: date,
    *,
    fence: int | None = None,
    settled: Mapping[date | None, Charge] | None = None,
) -> bool:
    """Ends every reservation of a benchmark. False if there was none.

    What lease `fence` reserved is given back, but for `settled`. What others reserved may have been sent, and nobody
    will ever know: it is spent. The transaction holds the benchmark, or it is gone.
    """
    spent, changes = _dated(settled or {}, today), CapChanges()
    reserved: dict[date, set[str]] = {}
    ended = await session.execute(
        delete(_TABLE)
        .where(_TABLE.c.benchmark_id == account.benchmark_id)
        .returning(_TABLE.c.fence, _TABLE.c.day, _TABLE.c.caps, _TABLE.c.amount, _TABLE.c.requests)
    )
    rows = ended.all()
    for row in rows:
        if row.fence != fence:
            spent[row.day] = spent.get(row.day, Charge()) + Charge(row.amount, row.amount, row.requests)
        changes.add(row.caps, -row.amount, 0)
        reserved.setdefault(row.day, set()).update(row.caps)
    await spend(session, database, account, today, spent, changes, reserved)
    return bool(rows)


def _affordable(wanted: Sequence[Wanted], left: int | None) -> tuple[int, int]:
    """(how many, their amount): the longest beginning that fits. `left` None: without a bound."""
    count = amount = 0
    for item in wanted:
        # What costs nothing can always be paid.
        if left is not None and item.amount and amount + item.amount > left:
            break
        count, amount = count + 1, amount + item.amount
    return count, amount


def _refusal(caps: Sequence[CapState], needed: int) -> Refusal:
    """The cap to name: one that cannot pay whatever comes back, or else the first that cannot pay now."""
    refused = [Refusal(cap, needed) for cap in caps if cap.left < needed]
    return next((refusal for refusal in refused if not refusal.may_pass), refused[0])


def _dated(charges: Mapping[date | None, Charge], today: date) -> dict[date, Charge]:
    """By day; what has no reservation belongs to today."""
    dated: dict[date, Charge] = {}
    for day, charge in charges.items():
        if charge:
            dated[day or today] = dated.get(day or today, Charge()) + charge
    return dated
