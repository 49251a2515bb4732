"""What is spent counts in the ledger and in each cap of its spender, whether or not it was reserved there.

A budget may be newer than a run, or than a reservation. Others must not spend again what such a run has spent.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.connection.database import Database
from shared.db.money.caps import CapState, Spender, change_caps, lock_caps, make_caps, wanted_caps
from shared.db.money.spend import Account, Charge, add_spend


class CapChanges:
    """What a transaction adds to caps: (reserved, spent) of each."""

    def __init__(self) -> None:
        self.by_key: dict[str, tuple[int, int]] = {}

    @property
    def keys(self) -> list[str]:
        return sorted(self.by_key)

    def of(self, key: str) -> tuple[int, int]:
        return self.by_key.get(key, (0, 0))

    def add(self, keys: Iterable[str], reserved: int, spent: int) -> None:
        for key in keys:
            before = self.of(key)
            self.by_key[key] = (before[0] + reserved, before[1] + spent)

    def after(self, cap: CapState) -> CapState:
        reserved, spent = self.of(cap.key)
        return CapState(cap.key, cap.owner, cap.cap, cap.spent + spent, cap.reserved + reserved, cap.reached_at)


async def counting_caps(
    session: AsyncSession,
    database: Database,
    account: Account,
    today: date,
    days: Iterable[date],
    reserved: Mapping[date, Collection[str]],
) -> dict[date, Sequence[str]]:
    """The keys of the caps in which an account's spending counts, by day, in their order.

    These are the caps in which it has `reserved`, and all that count for it now. Those of today are made if needed.
    """
    spender = Spender(account.owner, account.key_id, account.benchmark_id, account.budget)
    caps: dict[date, Sequence[str]] = {}
    for day in days:
        known, wanted = reserved.get(day, ()), await wanted_caps(session, spender, day)
        if day == today:
            await make_caps(session, database, [cap for key, cap in wanted.items() if key not in known])
        caps[day] = sorted({*known, *wanted})
    return caps


async def spend(
    session: AsyncSession,
    database: Database,
    account: Account,
    today: date,
    spent: Mapping[date, Charge],
    changes: CapChanges | None = None,
    reserved: Mapping[date, Collection[str]] | None = None,
) -> None:
    """Adds to the caps and the ledger what was spent, by day.

    `changes`: what else is added to the caps. `reserved`: keys of the caps in which it was reserved, by day.
    """
    changes = CapChanges() if changes is None else changes
    costly = [day for day, charge in spent.items() if charge.amount]
    caps = await counting_caps(session, database, account, today, costly, reserved or {})
    for day in costly:
        changes.add(caps[day], 0, spent[day].amount)
    await lock_caps(session, changes.keys)
    await change_caps(session, changes.by_key)
    await add_spend(session, database, account, spent)
