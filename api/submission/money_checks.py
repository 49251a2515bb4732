"""Checks before a submit whether budgets can pay for a benchmark. Workers hold the budgets; this only tells early."""

from collections.abc import Sequence

from api.submission.estimates import Estimated
from shared.access.caller import Caller
from shared.benchmark.budget_spec import micros_of
from shared.benchmark.spec import BenchmarkSpec
from shared.budgets.cap_name import CapName
from shared.db.money.caps import CapRepository, CapState, Spender
from shared.errors import BudgetExhausted, InvalidRequest
from shared.money import usd_text

# The cap of a benchmark's own budget, before the benchmark has a number.
OWN = "benchmark"


class Budgets:
    """Which budgets count what a caller's benchmarks spend. For the submitter."""

    def __init__(self, caller: Caller, caps: CapRepository) -> None:
        self._caller = caller
        self._caps = caps

    async def of(self, spec: BenchmarkSpec) -> Sequence[CapState]:
        """The benchmark's own first, then those of its key and its owner. Empty: nothing bounds what it spends."""
        owner = self._caller.owner
        found = await self._caps.of(Spender(owner, self._caller.key_id))
        if spec.budget_usd is None:
            return found
        return [CapState(OWN, owner, micros_of(spec.budget_usd)), *found]


def check_money(spec: BenchmarkSpec, caps: Sequence[CapState], estimated: Estimated) -> list[str]:
    """Notices about its budgets. Raises InvalidRequest and BudgetExhausted."""
    if not caps:
        return []
    if not estimated.is_priced:
        return _unpriced(spec)
    worst = estimated.worst
    if not worst.bounded:
        raise InvalidRequest.of(
            "parameters.max_tokens",
            f"{CapName.of(caps[0].key).words} needs a bound of what a request can cost: set max_tokens as well",
            "unbounded",
        )
    for cap in caps:
        # What costs nothing can always be paid; of what is not known, nothing can be paid by an empty one.
        if cap.left < (1 if worst.first is None else worst.first):
            raise _exhausted(cap, worst.first)
    return []


def budget_notes(caps: Sequence[CapState], estimated: Estimated) -> list[str]:
    """Whether it may stop at one of its budgets, for its estimate."""
    worst = estimated.worst
    if not caps or worst.total is None or not worst.requests:
        return []
    smallest = min(caps, key=lambda cap: cap.left)
    if worst.total <= smallest.left:
        return []
    least = worst.requests * max(0, smallest.left) // worst.total
    left = _dollars(max(0, smallest.left))
    told = (
        f"It may stop at {CapName.of(smallest.key).words}, which has {left} left, after about {least:,} of "
        f"{worst.requests:,} requests: in the worst case, all of them cost {_dollars(worst.total)}. The less they "
        "cost, the further it gets."
    )
    return [told]


def _unpriced(spec: BenchmarkSpec) -> list[str]:
    if spec.allow_unpriced:
        return [f"No price of {spec.model} is known, so its requests count nothing against budgets."]
    raise InvalidRequest.of(
        "allow_unpriced",
        f"no price of {spec.model} is known, so no budget can hold: set allow_unpriced as well, and its requests count "
        "nothing",
        "unpriced",
    )


def _exhausted(cap: CapState, first: int | None) -> BudgetExhausted:
    name = CapName.of(cap.key)
    cost = "" if first is None else f", which can cost {_dollars(first)}"
    again = "" if name.resets_at is None else f"; it begins anew at {name.resets_at:%Y-%m-%dT%H:%M:%SZ}"
    used = (
        f": {_dollars(cap.spent)} is spent and {_dollars(cap.reserved)} reserved" if cap.spent or cap.reserved else ""
    )
    return BudgetExhausted(
        f"{name.words}, {_dollars(cap.cap)}, cannot pay for one more request{cost}{used}{again}",
        cap.key,
        cap=cap.cap,
        spent=cap.spent,
        reserved=cap.reserved,
        resets_at=name.resets_at,
    )


def _dollars(micros: int) -> str:
    """As people read it: `$12.50`."""
    return f"${usd_text(micros)}"
