"""What a benchmark may spend, as a caller says it."""

import math
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.money import MICROS_A_USD

MAX_BUDGET_USD = 1_000_000


def _in_micro_dollars(value: float) -> float:
    """Without what is smaller than a micro-dollar: nobody can spend that."""
    # The first rounding takes out what binary numbers add: 0.29 is 290000.00000000003 millionths.
    return math.floor(round(value * MICROS_A_USD, 3)) / MICROS_A_USD


def micros_of(usd: float) -> int:
    """An amount that was checked, in micro-dollars."""
    return round(usd * MICROS_A_USD)


# An amount of US dollars that a cap can have.
BudgetUsd = Annotated[float, Field(ge=1 / MICROS_A_USD, le=MAX_BUDGET_USD), AfterValidator(_in_micro_dollars)]

BudgetOfBenchmark = Annotated[
    BudgetUsd | None,
    Field(
        # Not stored if it is not set: workers of the version before refuse a field that they do not know.
        exclude_if=lambda value: value is None,
        description="The most that this benchmark may spend. Before requests are sent, the most that they can cost is "
        "reserved; when that no longer fits, sending stops, and the benchmark is `completed` with `stopped: budget`. "
        "Unit: USD, to a millionth. Null: no budget of its own.",
        examples=[2.5],
    ),
]
AllowUnpriced = Annotated[
    bool,
    Field(
        exclude_if=lambda value: value is False,
        description="Whether a benchmark that has a budget, or whose key or owner has one, may use a model without a "
        "known price. Its requests count nothing against the budgets. By default such a benchmark is refused.",
        examples=[False],
    ),
]
