"""Turns budgets, caps and sums of the ledger into the API's schemas: micro-dollars become US dollars."""

from dataclasses import asdict

from api.schemas.budgets import BudgetOut, CapOut
from api.schemas.spend import SpendItem, SpentOut
from shared.budgets.cap_name import CapName
from shared.db.money.budgets import BudgetState
from shared.db.money.caps import CapState
from shared.db.money.spend_pages import SpendRow
from shared.money import MICROS_A_USD, Spent


def dollars(micros: int) -> float:
    """Exact to the micro-dollar up to thousands of millions of dollars."""
    return micros / MICROS_A_USD


def budget_out(state: BudgetState) -> BudgetOut:
    return BudgetOut(
        holder=state.name.holder,
        id=state.name.id,
        period=state.name.period,
        owner=state.owner,
        cap_usd=dollars(state.cap),
        spent_usd=dollars(state.spent),
        reserved_usd=dollars(state.reserved),
        left_usd=dollars(state.left),
        reached_at=state.reached_at,
        resets_at=state.resets_at,
        created_at=state.created_at,
    )


def cap_out(state: CapState) -> CapOut:
    return CapOut(
        budget=state.key,
        cap_usd=dollars(state.cap),
        left_usd=dollars(max(0, state.left)),
        resets_at=CapName.of(state.key).resets_at,
    )


def spent_out(spent: Spent) -> SpentOut:
    return SpentOut(
        spent_usd=dollars(spent.amount),
        worst_case_usd=dollars(spent.worst_case),
        requests=spent.requests,
        unpriced_requests=spent.unpriced,
        benchmarks=spent.benchmarks,
    )


def spend_item(row: SpendRow) -> SpendItem:
    facts = asdict(row)
    del facts["spent"]
    return SpendItem(**facts, **spent_out(row.spent).model_dump())
