"""How many requests met the SLOs of a run, and the good ones by time: the goodput. Part of an aggregate."""

from collections import Counter
from typing import Any

from shared.benchmark.results.observed import Observed
from shared.benchmark.slo.slo import judge
from shared.benchmark.slo.slo_spec import SloSpec
from shared.numbers.time_series import TimeSeries


class SloCounts:
    """`met`, `missed` and `undetermined` leave each other out: together they are the attempted requests.

    `slos` None: the run has no SLOs, or only merges what others counted.
    """

    def __init__(self, slos: SloSpec | None = None) -> None:
        self._slos = slos
        self.met = 0
        self.missed = 0
        # Requests that lack a metric which an SLO needs, and break no other. They are not good.
        self.undetermined = 0
        # By SLO: how many requests broke it for certain, and how many lack its metric.
        self.broken: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        # Good requests by the time of their end, and their output tokens by the time of their events.
        self.good = TimeSeries(5)
        self.good_tokens = TimeSeries(6)
        # Output tokens of good requests, with those of unknown events.
        self.good_output_tokens = 0

    @property
    def attempted(self) -> int:
        return self.met + self.missed + self.undetermined

    @property
    def attainment(self) -> float | None:
        """Good requests divided by attempted ones. None if there were none."""
        return self.met / self.attempted if self.attempted else None

    def add(self, result: Observed) -> None:
        """Adds a measured result."""
        verdict = None if self._slos is None else judge(result, self._slos)
        if verdict is None:
            return
        self.broken.update(verdict.broken)
        self.unknown.update(verdict.unknown)
        if verdict.outcome == "missed":
            self.missed += 1
        elif verdict.outcome == "undetermined":
            self.undetermined += 1
        else:
            self.met += 1
            self.good.add(result.ended_us)
            if result.metrics["latency_ms"] is not None:
                self.good_output_tokens += result.counts["output_tokens"] or 0
            if result.tokens is not None:
                self.good_tokens.merge(result.tokens)

    def merge(self, other: "SloCounts", attempted: int) -> None:
        """Adds the other part's counts. `attempted`: how many requests that part attempted.

        A worker of a version without SLOs counted none of them: then they are undetermined.
        """
        self.met += other.met
        self.missed += other.missed
        self.undetermined += other.undetermined
        if self._slos is not None or other.attempted or self.attempted:
            self.undetermined += max(0, attempted - other.attempted)
        self.broken.update(other.broken)
        self.unknown.update(other.unknown)
        self.good.merge(other.good)
        self.good_tokens.merge(other.good_tokens)
        self.good_output_tokens += other.good_output_tokens

    def document(self) -> dict[str, Any]:
        """As JSON; `load` reads it."""
        return {
            "counts": [self.met, self.missed, self.undetermined],
            "broken": self.broken,
            "unknown": self.unknown,
            "good": self.good.document(),
            "good_tokens": self.good_tokens.document(),
            "good_output_tokens": self.good_output_tokens,
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> "SloCounts":
        counts = cls()
        counts.met, counts.missed, counts.undetermined = document["counts"]
        counts.broken, counts.unknown = Counter(document["broken"]), Counter(document["unknown"])
        counts.good = TimeSeries.load(document["good"])
        counts.good_tokens = TimeSeries.load(document["good_tokens"])
        counts.good_output_tokens = document["good_output_tokens"]
        return counts
