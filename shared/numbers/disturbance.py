"""How far the measuring itself may have distorted a run: what was observed of it, and a grade with its reasons.

Each segment of a run has one. They merge; the grade of a run is the worst grade of its segments. A process that is late
spoils the requests that it measures, however punctual the others are: so the worst process counts, not their average.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.numbers.digest import Digest
from shared.numbers.lag import lag_percentile_ms
from shared.numbers.percentiles import MIN_COUNT

Grade = Literal["A", "B", "C", "D"]
# A grade and, in words, the reasons why it is less than A.
Verdict = tuple[Grade, list[str]]

# What a grade promises: the client's own share of a time to first token is below this (D promises nothing).
PROMISED_MS = {"A": 1.0, "B": 5.0, "C": 20.0}
# For each grade, the largest share of requests with a doubtful first token.
DOUBTFUL_SHARE = {"A": 0.01, "B": 0.05, "C": 0.2}
# For each grade, the largest lag of the loop with kernel stamps. With them, a late loop only reads several events at
# once, and doubtful first tokens count that. But a loop that is later than this is not trusted. Without kernel stamps a
# stamp is as late as the loop, and PROMISED_MS applies.
KERNEL_LAG_MS = {"A": 100.0, "B": 250.0, "C": 1_000.0}
# For each grade, the longest single stall. A P99 does not see a stall of less than a hundredth of the run.
STALL_MS = {"A": 1_000.0, "B": 5_000.0, "C": 20_000.0}
# For each grade, the largest share of a core in a second. A process without spare CPU time cannot tell how late it was.
CPU_SHARE = {"A": 0.8, "B": 0.95, "C": 1.0}
# For each grade, the largest delay of a send. A late request is measured correctly, but the load was not as requested.
SEND_DELAY_MS = {"A": 50.0, "B": 250.0, "C": 1_000.0}


@dataclass(slots=True)
class Disturbance:
    """What was observed of the measuring of one run."""

    transport: Literal["socket", "sdk"]
    processes: int = 0
    # Processes that have not reported. Not part of the state: it counts in the grade, which is stored.
    silent: int = 0
    requests: int = 0
    doubtful: int = 0
    selector_stamped: int = 0
    send_delays_ms: Digest = field(default_factory=Digest)
    # Of the process that was latest among those with a P99; if none has one, of the latest.
    lag_histogram: Counter[int] = field(default_factory=Counter)
    lag_max_ms: float = 0
    cpu_share: float | None = None

    def expect(self, processes: int) -> None:
        """A run begins in these processes, each of which reports at its end."""
        self.processes = self.silent = processes

    def observe_request(self, send_delay_ms: float, *, succeeded: bool, doubtful: bool, selector_stamped: bool) -> None:
        """Adds a measured request that was sent. How its first token was stamped counts if it succeeded."""
        self.send_delays_ms.add(send_delay_ms)
        if succeeded:
            self.requests += 1
            self.doubtful += doubtful
            self.selector_stamped += selector_stamped

    def observe_process(self, lag_histogram: Mapping[int, int], lag_max_ms: float, cpu_share: float | None) -> None:
        """Adds what a process reports at its end. `cpu_share`: in its busiest second."""
        self.silent -= 1
        self._add(lag_histogram, lag_max_ms, cpu_share)

    def _add(self, lag_histogram: Mapping[int, int], lag_max_ms: float, cpu_share: float | None) -> None:
        self.lag_histogram = max(self.lag_histogram, Counter(lag_histogram), key=_lateness)
        self.lag_max_ms = max(self.lag_max_ms, lag_max_ms)
        if cpu_share is not None:
            self.cpu_share = max(self.cpu_share or 0.0, cpu_share)

    def merge(self, other: "Disturbance") -> None:
        """Adds the observations of another segment."""
        self.transport = "sdk" if "sdk" in (self.transport, other.transport) else "socket"
        self.processes = max(self.processes, other.processes)
        self.silent = max(0, self.silent) + max(0, other.silent)
        self.requests += other.requests
        self.doubtful += other.doubtful
        self.selector_stamped += other.selector_stamped
        self.send_delays_ms.merge(other.send_delays_ms)
        self._add(other.lag_histogram, other.lag_max_ms, other.cpu_share)

    def document(self, verdicts: Sequence[Verdict] = ()) -> dict[str, Any]:
        """The `measurement` block of a segment or, with the verdicts on all its segments, of a summary.

        `grade` is None if nothing was sent.
        """
        own = self.grade()
        grade, reasons = worst(verdicts) if verdicts else own or (None, [])
        return {
            "grade": grade,
            "reasons": reasons,
            "transport": self.transport,
            "stamps": self._stamps,
            "processes": self.processes,
            "doubtful_requests": self.doubtful,
            "loop_lag_ms": {
                "p50": _rounded(lag_percentile_ms(self.lag_histogram, 50)),
                "p99": _rounded(self._lag_p99_ms),
                "max": _rounded(self.lag_max_ms) if self.lag_histogram else None,
            },
            "send_delay_ms": {
                "p50": _rounded(self.send_delays_ms.percentile(50)),
                "p99": _rounded(self._send_delay_p99_ms),
                "max": _rounded(self.send_delays_ms.max),
            },
            "cpu_share": _rounded(self.cpu_share),
        }

    def state(self) -> dict[str, Any]:
        """All observations as JSON; `Disturbance.load` reads them."""
        return {
            "transport": self.transport,
            "processes": self.processes,
            "requests": self.requests,
            "doubtful": self.doubtful,
            "selector_stamped": self.selector_stamped,
            "send_delays_ms": self.send_delays_ms.document(),
            "lag_histogram": sorted(self.lag_histogram.items()),
            "lag_max_ms": self.lag_max_ms,
            "cpu_share": self.cpu_share,
        }

    @classmethod
    def load(cls, state: dict[str, Any]) -> "Disturbance":
        return cls(
            **{
                **state,
                "send_delays_ms": Digest.load(state["send_delays_ms"]),
                "lag_histogram": Counter(dict(state["lag_histogram"])),
            }
        )

    @property
    def _stamps(self) -> Literal["kernel", "selector"]:
        return "selector" if self.selector_stamped or self.transport == "sdk" else "kernel"

    @property
    def _lag_p99_ms(self) -> float | None:
        enough = self.lag_histogram.total() >= MIN_COUNT[99]
        return lag_percentile_ms(self.lag_histogram, 99) if enough else None

    @property
    def _own_lag_max_ms(self) -> float:
        """The longest lag of the process that `lag_histogram` is of. The longest of all may be another one's."""
        return min(lag_percentile_ms(self.lag_histogram, 100) or 0.0, self.lag_max_ms)

    @property
    def _send_delay_p99_ms(self) -> float | None:
        enough = self.send_delays_ms.count >= MIN_COUNT[99]
        return self.send_delays_ms.percentile(99) if enough else None

    @property
    def sent(self) -> bool:
        """Whether a measured request was sent."""
        return self.send_delays_ms.count > 0 or self.requests > 0

    def grade(self) -> Verdict | None:
        """The worst grade of all observations and, in words, the reasons why it is less than A.

        None if nothing was sent: then there is nothing that could have been distorted.
        """
        if not self.sent:
            return None
        verdicts: list[tuple[Grade, str]] = []
        if self.silent > 0:
            reason = f"{self.silent} of {self.processes} measuring processes did not report how late they were"
            verdicts.append(("D", reason))
        if self.requests and self.doubtful:
            share = self.doubtful / self.requests
            reason = (
                f"{self.doubtful} of {self.requests} first tokens were read together with later ones: "
                "they may have come earlier than measured"
            )
            verdicts.append((_worst(share, DOUBTFUL_SHARE), reason))
        if self.lag_histogram:
            lag_ms, which = _p99_or_max(self._lag_p99_ms, self._own_lag_max_ms)
            kernel = self._stamps == "kernel"
            reason = f"the measuring loop was {lag_ms:.1f} ms late ({which})"
            reason += ", so that it may have read several events at once" if kernel else ", and so were its time stamps"
            verdicts.append((_worst(lag_ms, KERNEL_LAG_MS if kernel else PROMISED_MS), reason))
            reason = f"the measuring loop stood still for {self.lag_max_ms / 1_000:.1f} s while requests were in flight"
            verdicts.append((_worst(self.lag_max_ms, STALL_MS), reason))
        if self.cpu_share is not None:
            reason = (
                f"the measuring process used {self.cpu_share:.0%} of a core in its busiest second: too little was left "
                "to be punctual"
            )
            verdicts.append((_worst(self.cpu_share, CPU_SHARE), reason))
        if self.send_delays_ms.max is not None:
            delay_ms, which = _p99_or_max(self._send_delay_p99_ms, self.send_delays_ms.max)
            reason = f"requests went out {delay_ms:.1f} ms after they were due ({which}): less load than requested"
            verdicts.append((_worst(delay_ms, SEND_DELAY_MS), reason))
        if self.transport == "sdk":
            reason = (
                "the SDK's own transport was used: it takes a stamp when a coroutine wakes, tens of ms late under load"
            )
            verdicts.append(("C", reason))
        verdicts = [verdict for verdict in verdicts if verdict[0] != "A"]
        return max((grade for grade, _ in verdicts), default="A"), [reason for _, reason in verdicts]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst grade of a run's segments, with the reasons of all of them."""
    grades, reasons = zip(*verdicts, strict=True)
    return max(grades), list(dict.fromkeys(reason for some in reasons for reason in some))


def _lateness(histogram: Counter[int]) -> tuple[bool, float, list[tuple[int, int]]]:
    """Orders processes by their P99. Those that have too few samples for one come before, by their maximum.

    The samples make the order of any two that differ the same, whichever of them reports first.
    """
    enough = histogram.total() >= MIN_COUNT[99]
    return enough, lag_percentile_ms(histogram, 99 if enough else 100) or 0.0, sorted(histogram.items())


def _worst(value: float, bounds: dict[str, float]) -> Grade:
    for grade in ("A", "B", "C"):
        if value <= bounds[grade]:
            return grade
    return "D"


def _p99_or_max(p99: float | None, most: float) -> tuple[float, str]:
    """The P99 and its name. Too few values have none; then their maximum is used."""
    return (most, "maximum") if p99 is None else (p99, "P99")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
