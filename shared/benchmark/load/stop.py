"""When to end a phase before its workload does: after a time, or depending on the results so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.benchmark.load.trend import Trend


@dataclass(frozen=True, slots=True)
class Tally:
    """What a phase has seen so far. `outcomes` counts the requests that have ended, by outcome.

    `in_flight`, `ttft_ms`: how they have developed over the seconds of the phase. The caller adds a sample of both to
    them for each request that had a first token.
    """

    elapsed_s: float
    outcomes: Mapping[str, int] = field(default_factory=dict)
    in_flight: Trend | None = None
    ttft_ms: Trend | None = None

    @property
    def ended(self) -> int:
        return sum(self.outcomes.values())

    @property
    def failed(self) -> int:
        """Requests that were answered with an error or too late."""
        return sum(self.outcomes.get(outcome, 0) for outcome in ("errored", "timed_out", "truncated"))

    @property
    def judged(self) -> int:
        """Requests that succeeded or failed, and were not cut off or dropped by us."""
        return self.failed + self.outcomes.get("succeeded", 0)


class StopRule:
    """Ends a phase. This base class never does: the phase ends with its workload."""

    # Why a phase was stopped by `stops`, in one word (`StageResult.ended_by`).
    word: str = "stopped"
    # Nothing is sent later than this after the phase began, in ns. None: no such end.
    send_for_ns: int | None = None
    # How long requests in flight may go on after the end of sending, whatever ended it, in ns; then their streams are
    # closed. None: to their end.
    grace_ns: int | None = None
    # From when on the trends of the tally are looked at, in s after the phase began: `Trend(trend_from_s)`.
    trend_from_s: float = 0

    def stops(self, tally: Tally) -> bool:
        """Called after each request that ended. True: nothing more is sent in this phase."""
        return False

    def reason(self, tally: Tally) -> str | None:
        """Why the phase ends now, as a word for `StageResult.ended_by`; None if it goes on."""
        return self.word if self.stops(tally) else None


class _Reasoned(StopRule):
    """A rule that is written as `reason`."""

    def stops(self, tally: Tally) -> bool:
        return self.reason(tally) is not None


class ForTime(_Reasoned):
    """Sends for a time. What is in flight at its end may take `grace_s` longer; None: as long as it takes."""

    def __init__(self, send_for_s: float, grace_s: float | None = None) -> None:
        self.send_for_ns = round(send_for_s * 1e9)
        self.grace_ns = None if grace_s is None else round(grace_s * 1e9)

    def reason(self, tally: Tally) -> str | None:
        # The engine ends the phase by `send_for_ns`, whether a request ends or not.
        return "duration" if tally.elapsed_s * 1e9 >= (self.send_for_ns or 0) else None


class OnErrorRate(_Reasoned):
    """Ends the phase if a share of its requests has failed, once `armed_after` of them have ended.

    Before that, a single failure would be a large share.
    """

    def __init__(self, share: float, armed_after: int, grace_s: float | None = None) -> None:
        self._share = share
        self._armed_after = armed_after
        self.grace_ns = None if grace_s is None else round(grace_s * 1e9)

    @classmethod
    def of_load(cls, share: float, concurrency: int, grace_s: float | None = None) -> "OnErrorRate":
        """Armed once every stream may have had a result, and 10 at least."""
        return cls(share, max(concurrency, 10), grace_s)

    def reason(self, tally: Tally) -> str | None:
        armed = tally.judged >= self._armed_after
        return "error_rate" if armed and tally.failed >= self._share * tally.judged else None


class WhenSaturated(_Reasoned):
    """Ends the phase if the requests in flight and the time to first token both keep growing: the load is too high.

    Each trend must be significant (`Trend.grows`). Only an open loop can show this: in a closed loop the requests in
    flight are given.
    """

    def __init__(self, *, after_s: float = 30, ramp_s: float = 0, grace_s: float | None = None) -> None:
        """Not before `after_s`, counted from the end of a ramp of `ramp_s`, during which everything grows."""
        self.grace_ns = None if grace_s is None else round(grace_s * 1e9)
        self._earliest_s = ramp_s + after_s
        self.trend_from_s = ramp_s

    def reason(self, tally: Tally) -> str | None:
        if tally.in_flight is None or tally.ttft_ms is None:
            return None
        # Both are always asked, because each remembers how long it has been growing.
        grow = [tally.in_flight.grows, tally.ttft_ms.grows]
        return "saturated" if all(grow) and tally.elapsed_s >= self._earliest_s else None


class AnyOf(_Reasoned):
    """Ends the phase with the first of several rules that ends it."""

    def __init__(self, rules: Sequence[StopRule]) -> None:
        self._rules = rules
        self.trend_from_s = max((rule.trend_from_s for rule in rules), default=0)
        self.send_for_ns = min((rule.send_for_ns for rule in rules if rule.send_for_ns is not None), default=None)
        self.grace_ns = min((rule.grace_ns for rule in rules if rule.grace_ns is not None), default=None)

    def reason(self, tally: Tally) -> str | None:
        return next((word for rule in self._rules if (word := rule.reason(tally)) is not None), None)
