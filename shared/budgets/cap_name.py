"""The names of caps and budgets: whose money is counted, and over which time. Pure.

A budget is `owner:acme:month` or `key:ab12cd34:day`. A cap is the counter of one such day or month, in UTC
(`owner:acme:month:2026-11`), or that of one benchmark (`benchmark:12`).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, get_args

CapKind = Literal["benchmark", "key", "owner"]
# What a budget belongs to.
Holder = Literal["key", "owner"]
Period = Literal["day", "month"]
PERIODS: tuple[Period, ...] = get_args(Period)


@dataclass(frozen=True, slots=True)
class BudgetName:
    """A budget: that of a key or of an owner, for each day or each month."""

    holder: Holder
    id: str
    period: Period

    @property
    def key(self) -> str:
        return f"{self.holder}:{self.id}:{self.period}"

    @classmethod
    def of(cls, key: str) -> "BudgetName":
        """From the key of its row."""
        holder, holder_id, period = key.split(":")
        return cls("key" if holder == "key" else "owner", holder_id, "day" if period == "day" else "month")


@dataclass(frozen=True, slots=True)
class CapName:
    """A cap. `id`: the number of the benchmark, the id of the key or the name of the owner."""

    kind: CapKind
    id: str
    period: Period | None = None
    # The first day of the time that it counts.
    begins: date | None = None

    @classmethod
    def of(cls, key: str) -> "CapName":
        """From the key of its row."""
        kind, *rest = key.split(":")
        if kind == "benchmark":
            # One that is about to be submitted has no number.
            return cls("benchmark", "".join(rest))
        cap_id, period, span = rest
        holder: Holder = "key" if kind == "key" else "owner"
        if period == "day":
            return cls(holder, cap_id, "day", date.fromisoformat(span))
        return cls(holder, cap_id, "month", date.fromisoformat(f"{span}-01"))

    @property
    def resets_at(self) -> datetime | None:
        """When the next day or month begins. None: the cap of a benchmark never begins anew."""
        if self.begins is None:
            return None
        # 32 days after the first of a month is always in the next one.
        after = self.begins + timedelta(days=1 if self.period == "day" else 32)
        following = after if self.period == "day" else after.replace(day=1)
        return datetime(following.year, following.month, following.day, tzinfo=UTC)

    @property
    def words(self) -> str:
        """As in "… has no money left": `the budget of owner acme for 2026-11`."""
        if self.begins is None:
            return f"the budget of benchmark {self.id}" if self.id else "its own budget"
        span = f"{self.begins:%Y-%m}" if self.period == "month" else f"{self.begins:%Y-%m-%d}"
        return f"the budget of {self.kind} {self.id} for {span}"
