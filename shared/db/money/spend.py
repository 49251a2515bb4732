"""The ledger: what each benchmark spent on each day. It is added to and never deleted from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.money import Spend
from shared.money import usd_text


@dataclass(frozen=True, slots=True)
class Charge:
    """What requests cost, in micro-dollars. `worst_case`: how much of `amount` is a bound because the cost is unknown.

    `requests`: how many were sent, or may have been. `unpriced`: how many of them have no price and count nothing.
    """

    amount: int = 0
    worst_case: int = 0
    requests: int = 0
    unpriced: int = 0

    def __add__(self, other: "Charge") -> "Charge":
        return Charge(
            self.amount + other.amount,
            self.worst_case + other.worst_case,
            self.requests + other.requests,
            self.unpriced + other.unpriced,
        )

    def __bool__(self) -> bool:
        return self != NOTHING

    def document(self) -> dict[str, Any]:
        """As JSON, in US dollars."""
        return {
            "spent_usd": usd_text(self.amount),
            "worst_case_usd": usd_text(self.worst_case),
            "requests": self.requests,
            "unpriced_requests": self.unpriced,
        }


NOTHING = Charge()


@dataclass(frozen=True, slots=True)
class Account:
    """For whom, and on which model, a benchmark spends."""

    benchmark_id: int
    owner: str
    key_id: str | None
    model: str
    provider: str
    # Its own, in micro-dollars. None: it has none.
    budget: int | None = None


# Its columns, in its order.
_COLUMNS = (Benchmark.id, Benchmark.owner, Benchmark.key_id, Benchmark.model, Benchmark.provider, Benchmark.budget)

_TABLE = Spend.metadata.tables[Spend.__tablename__]
_SUMS = ("amount", "worst_case", "requests", "unpriced")


def holding(condition: ColumnElement[bool], instant: ColumnElement[datetime]) -> Select[*tuple[Any, ...]]:
    """Locks the benchmark that meets the condition, then reads the instant; for `hold_account`."""
    return select(*_COLUMNS, instant).where(condition).with_for_update()


async def hold_account(
    session: AsyncSession, holding: Select[Any], values: Mapping[str, Any] | None = None
) -> tuple[Account, datetime] | None:
    """Locks a benchmark. Its account, and the time after the wait; None if none meets the condition.

    `values`: of the statement's parameters.
    """
    found = await session.execute(holding, values)
    row = found.one_or_none()
    return None if row is None else (Account(*row[:-1]), row[-1])


async def add_spend(session: AsyncSession, database: Database, account: Account, spent: Mapping[date, Charge]) -> None:
    """Adds to the ledger, day by day."""
    rows = [
        {
            "benchmark_id": account.benchmark_id,
            "day": day,
            "owner": account.owner,
            "key_id": account.key_id,
            "model": account.model,
            "provider": account.provider,
            **{name: getattr(spent[day], name) for name in _SUMS},
        }
        for day in sorted(spent)
    ]
    if rows:
        await session.execute(_addition(database.insert), rows)


@cache
def _addition(insert: Callable[[Table], Any]) -> Any:
    """Adds rows to those that there are. Made once for each dialect, since every transaction of a run has it."""
    new = insert(_TABLE)
    return new.on_conflict_do_update(
        index_elements=["benchmark_id", "day"],
        set_={name: _TABLE.c[name] + new.excluded[name] for name in _SUMS},
    )


async def spent_by(session: AsyncSession, benchmark_id: int) -> Charge | None:
    """All that a benchmark has spent, over all days."""
    sums = [func.sum(_TABLE.c[name]) for name in _SUMS]
    row = (await session.execute(select(*sums).where(_TABLE.c.benchmark_id == benchmark_id))).one()
    return None if row[0] is None else Charge(*map(int, row))
