"""What the requests of a run cost, as an aggregate adds it up: exact sums that merge."""

from decimal import Decimal
from typing import Any

from shared.benchmark.results.observed import Observed


class Costs:
    """Sums in USD. None means that no cost is known, which is not zero."""

    def __init__(self) -> None:
        self.measured_usd: Decimal | None = None
        self.warmup_usd: Decimal | None = None
        # What the provider itself says.
        self.provider_usd: Decimal | None = None
        # Measured requests of unknown cost.
        self.unpriced = 0
        # Requests, warm-up included, that were sent again because a kept connection was closed under them.
        self.renewed = 0
        # Requests that were sent again, by this segment or after an earlier one: how many have a price, and what they
        # cost.
        self.duplicates_priced = 0
        self.duplicates_usd: Decimal | None = None

    def add(self, result: Observed, sent_in_vain: int) -> None:
        """Adds a result. `sent_in_vain`: how often earlier segments may have sent the same request.

        Each of those is priced like this result, and so is the attempt before a renewed connection: the server may
        have worked on it.
        """
        renewed = "connection_renewed" in result.flags
        self.renewed += renewed
        sent_in_vain += renewed
        if sent_in_vain and result.cost_usd is not None:
            self.duplicates_priced += sent_in_vain
            self.duplicates_usd = plus(self.duplicates_usd, sent_in_vain * result.cost_usd)
        if result.warmup:
            self.warmup_usd = plus(self.warmup_usd, result.cost_usd)
            return
        self.measured_usd = plus(self.measured_usd, result.cost_usd)
        self.provider_usd = plus(self.provider_usd, result.provider_cost_usd)
        # What was never sent costs nothing, and its cost is not unknown.
        self.unpriced += result.cost_usd is None and result.outcome != "dropped"

    def merge(self, other: "Costs") -> None:
        """Adds the other part's costs."""
        self.measured_usd = plus(self.measured_usd, other.measured_usd)
        self.warmup_usd = plus(self.warmup_usd, other.warmup_usd)
        self.provider_usd = plus(self.provider_usd, other.provider_usd)
        self.unpriced += other.unpriced
        self.renewed += other.renewed
        self.duplicates_priced += other.duplicates_priced
        self.duplicates_usd = plus(self.duplicates_usd, other.duplicates_usd)

    @property
    def total_usd(self) -> Decimal | None:
        """Of measured and warm-up requests."""
        return plus(self.measured_usd, self.warmup_usd)

    def document(self) -> dict[str, Any]:
        """As JSON; `Costs.load` reads it. Workers of other versions read the names too."""
        return {
            "provider_cost_usd": text(self.provider_usd),
            "costs": [text(item) for item in (self.measured_usd, self.warmup_usd, self.duplicates_usd)],
            "unpriced": self.unpriced,
            "renewed": self.renewed,
            "duplicates_priced": self.duplicates_priced,
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> "Costs":
        costs = cls()
        costs.measured_usd, costs.warmup_usd, costs.duplicates_usd = map(_decimal, document["costs"])
        costs.unpriced, costs.duplicates_priced = document["unpriced"], document["duplicates_priced"]
        # Versions before did not have these.
        costs.provider_usd, costs.renewed = _decimal(document.get("provider_cost_usd")), document.get("renewed", 0)
        return costs


def plus(total: Decimal | None, value: Decimal | None) -> Decimal | None:
    """The sum of the known values. None means unknown, which is not zero: if both are None, so is the sum."""
    return total if value is None else (total or Decimal(0)) + value


def text(value: Decimal | None) -> str | None:
    """A sum of money as JSON."""
    return None if value is None else str(value)


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
