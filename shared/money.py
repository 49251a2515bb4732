"""Money as budgets count it: whole micro-dollars. Pure; the API, the worker and the database use it."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

MICROS_A_USD = 1_000_000
# The largest sum that a column of money holds is far beyond this.
MOST_MICROS = 10**15

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Spent:
    """A sum of the ledger. `worst_case`: how much of `amount` is the worst case of requests of unknown cost."""

    amount: int
    worst_case: int
    requests: int
    # Requests without a price. They count nothing.
    unpriced: int
    benchmarks: int


def micro_usd(usd: Decimal) -> int:
    """US dollars in whole micro-dollars, rounded up: what is counted is never less than what was spent."""
    return int((usd * MICROS_A_USD).to_integral_value(ROUND_CEILING))


def usd(micros: int) -> Decimal:
    """Micro-dollars in US dollars, exactly: with two decimals, or with as many as it needs."""
    amount = Decimal(micros) / MICROS_A_USD
    return amount.quantize(_CENT) if micros % 10_000 == 0 else amount.normalize()


def usd_text(micros: int) -> str:
    """Micro-dollars as JSON and people read them: US dollars as a decimal text such as `12.50` or `0.000125`."""
    return f"{usd(micros):f}"
