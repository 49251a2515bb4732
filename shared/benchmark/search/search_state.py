"""What the probes of a search have shown so far, and which load they ask for next. `SearchPlan` makes stages of it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.benchmark.results.attainment import Attainment, pooled
from shared.benchmark.search.search_spec import SearchSpec

# An unresolved load is measured again so often, each time with twice as many requests.
MAX_REPEATS = 2
# The same for a load whose probes were all aborted: one may have been bad luck.
MAX_RETRIES = 1


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe that has ended. An aborted one says nothing about its load.

    Errors and saturation abort it. So does this machine if it was too late to tell why the SLOs were missed.
    """

    concurrency: int
    attainment: Attainment
    aborted: bool = False


class SearchState:
    """Depends on the probes alone: the same probes give the same next load on any worker."""

    def __init__(self, spec: SearchSpec, target: float, probes: Sequence[ProbeResult]) -> None:
        self._spec = spec
        self._target = target
        self.probes = probes

    def attainment(self, concurrency: int) -> Attainment:
        """All whole probes of this load as one."""
        whole = (probe.attainment for probe in self.probes if probe.concurrency == concurrency and not probe.aborted)
        return pooled(whole, self._target)

    def probes_of(self, concurrency: int) -> int:
        return sum(probe.concurrency == concurrency for probe in self.probes)

    def resolved(self, concurrency: int) -> bool:
        return self.attainment(concurrency).resolved

    @property
    def tried(self) -> Sequence[int]:
        return sorted({probe.concurrency for probe in self.probes})

    @property
    def passing(self) -> int | None:
        """The highest load that passed, below every load that failed."""
        lowest = self.failing
        passed = (load for load in self.tried if lowest is None or load < lowest)
        return max((load for load in passed if self.attainment(load).passed), default=None)

    @property
    def failing(self) -> int | None:
        """The lowest load that did not pass. An aborted one is no bound, but the search does not go above it."""
        return min((load for load in self.tried if not self.attainment(load).passed), default=None)

    @property
    def lowest_failing(self) -> int | None:
        """The lowest load that was measured to its end and did not pass."""
        return min(
            (load for load in self.tried if self.was_measured(load) and not self.attainment(load).passed), default=None
        )

    def was_measured(self, concurrency: int) -> bool:
        """Whether a probe of this load reached its end. Otherwise all were aborted."""
        return any(probe.concurrency == concurrency and not probe.aborted for probe in self.probes)

    @property
    def is_narrow(self) -> bool:
        """Whether there is nothing left to try between the highest load that passes and the lowest that does not."""
        passing, failing = self.passing, self.failing
        if failing is None:
            return passing == self._spec.max
        if passing is None:
            return failing <= self._spec.min
        return failing - passing <= max(1, self._spec.tolerance * passing)

    def next(self) -> tuple[int, int] | None:
        """The next load and how often it was probed already. None: the search has ended."""
        left = self._spec.max_probes - len(self.probes)
        if left <= 0:
            return None
        repeat = self._to_repeat(left)
        if repeat is not None:
            return repeat, self.probes_of(repeat)
        if self.is_narrow:
            return None
        return self._new_load(), 0

    def _to_repeat(self, left: int) -> int | None:
        """A load that decides where the search goes on, and is not resolved. None: none, or no probe can be spared."""
        if not self.probes or left <= self._needed():
            return None
        candidates: Iterable[int | None] = (self.probes[-1].concurrency, self.failing, self.passing)
        for load in candidates:
            if load is None or self.resolved(load):
                continue
            if self.probes_of(load) <= (MAX_REPEATS if self.was_measured(load) else MAX_RETRIES):
                return load
        return None

    def _new_load(self) -> int:
        passing, failing = self.passing, self.failing
        if passing is None:
            return self._spec.start if failing is None else max(self._spec.min, failing // 2)
        if failing is None:
            return min(2 * passing, self._spec.max)
        return (passing + failing) // 2

    def _needed(self) -> int:
        """How many more loads the search has to try, about."""
        passing, failing = self.passing, self.failing
        if self.is_narrow:
            return 0
        if failing is None and passing is not None:
            # After doubling up to `max`, the last step is bisected.
            doublings = math.ceil(math.log2(self._spec.max / passing))
            return doublings + math.ceil(math.log2(1 / self._spec.tolerance))
        if failing is None:
            return 1
        low = passing or self._spec.min
        return math.ceil(math.log2(max(2.0, (failing - low) / max(1.0, self._spec.tolerance * low))))
