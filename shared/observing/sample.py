"""Makes one sample a second of what the endpoints of a run have answered: counters become rates."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.observing.probe import Probe
from shared.observing.series import ALL, HIT_RATE, HITS, QUERIES, Thing

# More than the numbers are worth, and less than floats take.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Reading:
    """What one endpoint has answered. `at_ns`: when, by a monotonic clock. The rest is as `Readings` has it."""

    at_ns: int
    values: Mapping[str, float]
    totals: Mapping[str, Mapping[Thing, float]] = field(default_factory=dict)


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
        self._before: dict[tuple[int, str], tuple[int, Mapping[Thing, float]]] = {}
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
                values[name][place] = value
            for name, totals in answer.totals.items():
                self._known[name].add(place)
                rate = self._rate(place, name, answer.at_ns, totals)
                if rate is not None:
                    values[name][place] = rate
        return Sample(at_us, self._together(values), failed)

    def _rate(self, place: int, name: str, at_ns: int, totals: Mapping[Thing, float]) -> float | None:
        """Growth per second since the last answer, of all engines together.

        None for the first answer, and after an engine has come, gone, or begun anew.
        """
        before_ns, before = self._before.get((place, name), (at_ns, totals))
        self._before[place, name] = (at_ns, totals)
        if at_ns <= before_ns or totals.keys() != before.keys():
            return None
        growth = [total - before[thing] for thing, total in totals.items()]
        return None if min(growth) < 0 else sum(growth) / (at_ns - before_ns) * 1e9

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
