"""What a summary says about costs, and which requests its numbers leave out. Gates, lists, histories and pages ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.benchmark.results.outcome import OUTCOMES


@dataclass(frozen=True, slots=True)
class CostReading:
    """`usd` None: it is not known. `count`: how many requests it is of; None: that is not known.

    `left_out`: what the number does not contain because it is unknown, in words without a full stop; empty: nothing.
    """

    usd: float | None
    count: int | None
    left_out: str = ""


def cost_of_request(summary: Mapping[str, Any]) -> CostReading:
    """`cost.per_succeeded_usd` of a summary, as it is stored or as the API shows it.

    Older versions divided by all that succeeded, and did not say how many of these have a known cost.
    """
    cost, requests = summary["cost"], summary["requests"]
    unpriced, priced = cost.get("unpriced_requests"), cost.get("priced_succeeded")
    if unpriced == 0 and priced is None:
        priced = requests.get("succeeded") or 0
    left_out = _left_out(unpriced or 0, _sent(requests))
    if left_out and priced is None:
        left_out += ", but an older version divided by all that succeeded: the cost of a request may be higher"
    return CostReading(_usd(cost.get("per_succeeded_usd")), priced, left_out)


def total_cost(summary: Mapping[str, Any]) -> CostReading:
    """`cost.total_usd`, in which warm-up is included."""
    cost, warmup = summary["cost"], summary["requests"].get("warmup") or 0
    usd, unpriced_warmup = cost.get("total_usd"), cost.get("unpriced_warmup")
    if unpriced_warmup is None:
        # An older version. Then it is known only if all or none of them have a cost.
        unpriced_warmup = warmup if cost.get("warmup_usd") is None else 0
    unpriced, sent = (cost.get("unpriced_requests") or 0) + unpriced_warmup, _sent(summary["requests"]) + warmup
    return CostReading(_usd(usd), sent - unpriced, _left_out(unpriced, sent))


def _sent(requests: Mapping[str, Any]) -> int:
    """Measured requests that may have cost something."""
    return sum(requests.get(outcome) or 0 for outcome in OUTCOMES if outcome != "dropped")


def _left_out(unpriced: int, sent: int) -> str:
    if not unpriced:
        return ""
    verbs = "has no known cost and is" if unpriced == 1 else "have no known cost and are"
    return f"{unpriced:,} of {sent:,} request{'' if sent == 1 else 's'} {verbs} left out"


def _usd(value: float | str | None) -> float | None:
    """Stored amounts are texts."""
    return None if value is None else float(value)
