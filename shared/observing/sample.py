"""Makes one sample a second of what the endpoints of a run have answered: counters become rates."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.observing.probe import Probe
from shared.observing.series import ALL, BY_NAME, HIT_RATE, HITS, QUERIES

# More than the numbers are worth, and less than floats take.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Reading:
    """What one endpoint has answered. `at_ns`: when, by a monotonic clock. `values`: as `readings` gives them."""

    at_ns: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """The series at one time, in microseconds since the epoch. `failed`: endpoints that did not answer, by reason."""

    at_us: int
    values: Mapping[str, float]
    failed: Mapping[str, int] = field(default_factory=dict)
    # Requests of one token that have ended since the sample before.
    probes: tuple[Probe, ...] = ()


class Sampler:
    """Of one run's endpoints, which keep their places in each call."""

    def __init__(self) -> None:
        self._before: dict[tuple[int, str], tuple[int, float]] = {}
        # Which endpoints have had each series. A sum without one of them would be no sum.
        self._known: defaultdict[str, set[int]] = defaultdict(set)

    def sample(self, at_us: int, answers: Sequence[Reading | str]) -> Sample:
        """`answers`: of each endpoint what it said, or in one word why it said nothing."""
        failed: dict[str, int] = {}
        values: defaultdict[str, dict[int, float]] = defaultdict(dict)
        for place, answer in enumerate(answers):
            if isinstance(answer, str):
                failed[answer] = failed.get(answer, 0) + 1
                continue
            for name, value in answer.values.items():
                self._known[name].add(place)
                now = self._rate(place, name, answer.at_ns, value) if BY_NAME[name].is_counter else value
                if now is not None:
                    values[name][place] = now
        return Sample(at_us, self._together(values), failed)

    def _rate(self, place: int, name: str, at_ns: int, total: float) -> float | None:
        """Growth per second since the last answer; None for the first, and after the server has begun anew."""
        before = self._before.get((place, name))
        self._before[place, name] = (at_ns, total)
        if before is None or at_ns <= before[0] or total < before[1]:
            return None
        return (total - before[1]) / (at_ns - before[0]) * 1e9

    def _together(self, values: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
        found: dict[str, float] = {}
        for series in ALL:
            of_endpoints = values.get(series.name)
            if of_endpoints is None or of_endpoints.keys() != self._known[series.name]:
                continue
            total = sum(of_endpoints.values())
            found[series.name] = total if series.together == "sum" else total / len(of_endpoints)
        if self._known[HITS] and self._known[QUERIES]:
            found.pop(HIT_RATE, None)
            if found.get(QUERIES) and HITS in found:
                found[HIT_RATE] = min(found[HITS] / found[QUERIES], 1.0)
        return {name: float(f"{value:.{_DIGITS}g}") for name, value in found.items()}
