"""What the requests of a run cost, as an aggregate adds it up: exact sums that merge.

`cost_reading.py` reads what a summary says of it.
"""

from decimal import Decimal
from typing import Any

from shared.benchmark.results.observed import Observed
from shared.benchmark.results.outcome import CUT_OFF, FAILURES

# The cost of a request. `shared.comparison` computes it from columns of results; all others read `per_succeeded_usd`.
PER_SUCCEEDED = (
    "Known cost of the measured requests that succeeded or failed, divided by the number of those that succeeded and "
    "have a known cost"
)


class Costs:
    """Sums in USD. None means that no cost is known, which is not zero."""

    def __init__(self) -> None:
        self.measured_usd: Decimal | None = None
        self.warmup_usd: Decimal | None = None
        # What the provider itself says.
        self.provider_usd: Decimal | None = None
        # Measured requests of unknown cost.
        self.unpriced = 0
        # The same of warm-up requests. None: a version before did not count them.
        self.unpriced_warmup: int | None = 0
        # Of the measured requests that succeeded or failed: what they cost, and how many of those that succeeded have a
        # known cost. None: a version before did not count them.
        self.attempted_usd: Decimal | None = None
        self.priced_succeeded: int | None = 0
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
        # What was never sent costs nothing, and its cost is not unknown.
        is_unknown = result.cost_usd is None and result.outcome != "dropped"
        if result.warmup:
            self.warmup_usd = plus(self.warmup_usd, result.cost_usd)
            self.unpriced_warmup = _count(self.unpriced_warmup, is_unknown)
            return
        self.measured_usd = plus(self.measured_usd, result.cost_usd)
        self.provider_usd = plus(self.provider_usd, result.provider_cost_usd)
        self.unpriced += is_unknown
        if result.outcome in ("succeeded", *FAILURES):
            self.attempted_usd = plus(self.attempted_usd, result.cost_usd)
            is_priced = result.outcome == "succeeded" and result.cost_usd is not None
            self.priced_succeeded = _count(self.priced_succeeded, is_priced)

    def merge(self, other: "Costs") -> None:
        """Adds the other part's costs."""
        self.measured_usd = plus(self.measured_usd, other.measured_usd)
        self.warmup_usd = plus(self.warmup_usd, other.warmup_usd)
        self.provider_usd = plus(self.provider_usd, other.provider_usd)
        self.attempted_usd = plus(self.attempted_usd, other.attempted_usd)
        self.unpriced += other.unpriced
        self.unpriced_warmup = _count(self.unpriced_warmup, other.unpriced_warmup)
        self.priced_succeeded = _count(self.priced_succeeded, other.priced_succeeded)
        self.renewed += other.renewed
        self.duplicates_priced += other.duplicates_priced
        self.duplicates_usd = plus(self.duplicates_usd, other.duplicates_usd)

    @property
    def total_usd(self) -> Decimal | None:
        """Of measured and warm-up requests."""
        return plus(self.measured_usd, self.warmup_usd)

    @property
    def per_succeeded_usd(self) -> Decimal | None:
        """See PER_SUCCEEDED. Requests of unknown cost are in neither number, and those that we cut off are not either.

        None if no succeeded request has a known cost.
        """
        if self.attempted_usd is None or not self.priced_succeeded:
            return None
        return round(self.attempted_usd / self.priced_succeeded, 12)

    def document(self) -> dict[str, Any]:
        """As JSON; `Costs.load` reads it. Workers of other versions read the names too."""
        return {
            "provider_cost_usd": text(self.provider_usd),
            "costs": [text(item) for item in (self.measured_usd, self.warmup_usd, self.duplicates_usd)],
            "unpriced": self.unpriced,
            "unpriced_warmup": self.unpriced_warmup,
            "attempted_usd": text(self.attempted_usd),
            "priced_succeeded": self.priced_succeeded,
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
        costs.unpriced_warmup = document.get("unpriced_warmup")
        if "priced_succeeded" in document:
            costs.priced_succeeded, costs.attempted_usd = (
                document["priced_succeeded"],
                _decimal(document["attempted_usd"]),
            )
            return costs
        # They follow from the rest only if all requests have a cost and came to their own end.
        outcomes = document["outcomes"]
        if costs.unpriced or any(outcomes.get(name) for name in CUT_OFF):
            costs.priced_succeeded = None
        else:
            costs.priced_succeeded, costs.attempted_usd = outcomes.get("succeeded", 0), costs.measured_usd
        return costs


def plus(total: Decimal | None, value: Decimal | None) -> Decimal | None:
    """The sum of the known values. None means unknown, which is not zero: if both are None, so is the sum."""
    return total if value is None else (total or Decimal(0)) + value


def _count(total: int | None, more: int | None) -> int | None:
    """The sum of both counts. None if one of them is unknown."""
    return None if total is None or more is None else total + more


def text(value: Decimal | None) -> str | None:
    """A sum of money as JSON."""
    return None if value is None else str(value)


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
