"""What the page of spending shows: sums of the ledger as rows with bars, and budgets with how full they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from markupsafe import Markup

from api.pages.charts.share_bar import share_bar
from api.pages.words.numbers import share, usd
from api.present.money import dollars
from shared.db.money.budgets import BudgetState
from shared.db.money.spend_pages import SpendPage, SpendRow


@dataclass(frozen=True, slots=True)
class SumRow:
    """A key, a model or an owner, with what it spent in US dollars. `about`: what stands beside its name, in small."""

    name: str
    about: str
    spent_usd: float
    worst_case_usd: float
    requests: int
    unpriced: int
    benchmarks: int
    bar: Markup


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A budget with how full it is. `full`: as a share of it, in words."""

    holder: str
    id: str
    period: str
    cap_usd: float
    spent_usd: float
    reserved_usd: float
    left_usd: float
    full: str
    bar: Markup
    reached_at: datetime | None
    resets_at: datetime


def sum_rows(page: SpendPage, *, all_owners: bool = False) -> Sequence[SumRow]:
    """Of a page by key or model. `all_owners`: keys may be those of any owner."""
    whole = page.total.amount or 1
    return [_sum(row, row.spent.amount / whole, all_owners=all_owners) for row in page.rows]


def _sum(row: SpendRow, part: float, *, all_owners: bool) -> SumRow:
    spent = row.spent
    return SumRow(
        *_names(row, all_owners=all_owners),
        dollars(spent.amount),
        dollars(spent.worst_case),
        spent.requests,
        spent.unpriced,
        spent.benchmarks,
        share_bar(f"{share(part)} of all", part),
    )


def _names(row: SpendRow, *, all_owners: bool) -> tuple[str, str]:
    """The name, and what stands beside it."""
    if row.model is not None:
        return row.model, f"at {row.provider}"
    owner = f"owner {row.owner}" if all_owners else ""
    if row.key_id is None:
        return "without a key", owner
    return row.name or "a key that is gone", ", ".join(filter(None, (row.key_id, owner)))


def owner_rows(page: SpendPage) -> Sequence[SumRow]:
    """Of a page by owner."""
    return [replace(row, name=item.owner or "", about="") for row, item in zip(sum_rows(page), page.rows, strict=True)]


def budget_row(state: BudgetState) -> BudgetRow:
    spent, reserved = state.spent / state.cap, state.reserved / state.cap
    said = f"{usd(dollars(state.spent))} spent and {usd(dollars(state.reserved))} reserved"
    return BudgetRow(
        state.name.holder,
        state.name.id,
        state.name.period,
        dollars(state.cap),
        dollars(state.spent),
        dollars(state.reserved),
        dollars(state.left),
        share(spent + reserved),
        share_bar(f"{said} of {usd(dollars(state.cap))}", spent, reserved),
        state.reached_at,
        state.resets_at,
    )


def days_in_words(first: date, last: date) -> str:
    """`1 to 27 November 2026`."""
    if (first.year, first.month) == (last.year, last.month):
        begin = "" if first == last else f"{first.day} to "
        return f"{begin}{last.day} {last:%B} {last.year}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%B}{year} to {last.day} {last:%B} {last.year}"
