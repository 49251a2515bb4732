"""When to end a phase before its workload does: after a time, or depending on the results so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tally:
    """What a phase has seen so far. `outcomes` counts the requests that have ended, by outcome."""

    elapsed_s: float
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        return sum(self.outcomes.values())


class StopRule:
    """Ends a phase. This base class never does: the phase ends with its workload."""

    # Why a phase was stopped by `stops`, in one word (`StageResult.ended_by`).
    word: str = "stopped"
    # Nothing is sent later than this after the phase began, in ns. None: no such end.
    send_for_ns: int | None = None
    # How long requests in flight may continue after that, in ns; then their streams are closed. None: to their end.
    grace_ns: int | None = None

    def stops(self, tally: Tally) -> bool:
        """Called after each request that ended. True: nothing more is sent in this phase."""
        return False
