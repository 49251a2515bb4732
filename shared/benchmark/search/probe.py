"""One load that a sweep or a search wants measured. `plans.py` turns it into a stage, with paces and places."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from shared.benchmark.load.plan import Stage, StageResult
from shared.benchmark.results.aggregate import RunAggregate
from shared.numbers.disturbance import DOUBTFUL_SHARE

Control = Literal["concurrency", "request_rate"]
# A stage that ended by one of these words was measured to its planned end.
WHOLE = frozenset({"requests", "workload", "duration"})
# A stage that ended by one of these words was too much for the server. What else ends a stage before its end, such as a
# cancel, a deadline, a budget or an engine that died, says nothing about the server.
TOO_MUCH = frozenset({"saturated", "error_rate"})
# At the first probe of a load, a server may still compile or allocate for it. A repeat only has to settle.
REPEAT_WARMUP_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Extent:
    """How long a part is sent: so many requests, or for a time. One of the two is set."""

    requests: int | None = None
    duration_s: float | None = None

    def times(self, factor: int) -> "Extent":
        return Extent(
            None if self.requests is None else self.requests * factor,
            None if self.duration_s is None else self.duration_s * factor,
        )


@dataclass(frozen=True, slots=True)
class Probe:
    """A load to measure. `value`: the concurrency or the request rate, as `control` says."""

    control: Control
    value: float
    measured: Extent
    warmup: Extent | None = None
    label: Mapping[str, JsonValue] = field(default_factory=dict)


# Makes the stage with this number of a probe.
StageOf = Callable[[int, Probe], Stage]


def warmup_of(warmup_s: float, *, repeat: bool) -> Extent | None:
    """The warm-up before a load's first probe, or before a repeat of it. None: there is none."""
    if not warmup_s:
        return None
    return Extent(duration_s=warmup_s * REPEAT_WARMUP_SHARE if repeat else warmup_s)


def measured(stages: Sequence[StageResult]) -> Sequence[StageResult]:
    """Those of the stages that show something about the server."""
    return [stage for stage in stages if stage.ended_by in WHOLE | TOO_MUCH]


def throughput_of(results: RunAggregate, control: Control) -> float:
    """Succeeded requests/s in the steady window. If there is none, of the whole part without interruptions."""
    activity = results.activity
    if activity.is_resumed:
        return results.succeeded / activity.active_s if activity.active_s else 0.0
    window = activity.closed_window() if control == "concurrency" else activity.open_window()
    if window is not None:
        return activity.succeeded.within(*window) / ((window.end_us - window.begin_us) / 1e6)
    return results.succeeded / activity.duration_s if activity.duration_s else 0.0


def failed_share(results: RunAggregate) -> float:
    """Failed requests divided by those that succeeded or failed. 1 if nothing came to an end."""
    ended = results.succeeded + results.failed
    return results.failed / ended if ended else 1.0


def is_disturbed(results: RunAggregate) -> bool:
    """Whether so many first tokens are doubtful that this part alone would get grade C or D.

    Doubtful times to first token are too long. So SLOs that were met hold, but a miss may be the fault of this machine.
    """
    return results.flags["ttft_doubtful"] > DOUBTFUL_SHARE["B"] * results.attempted
