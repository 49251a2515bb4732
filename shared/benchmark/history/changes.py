"""Whether a run's number differs from those of the runs before it, by the intervals that are stored with them.

Runs at different times are not a fair experiment: what changed between them may be the network, the hour or the load of
others. A change is a reason to look, not a proof of its cause.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from shared.benchmark.history.metrics import METRICS, HistoryMetric, Interval
from shared.benchmark.history.run import Run
from shared.benchmark.history.settings import Difference, differences

RUNS_BEFORE = 5
# The measuring itself may have distorted it by more than a change has.
_DOUBTFUL = "D"

Verdict = Literal["changed", "unchanged", "unknown"]


@dataclass(frozen=True, slots=True)
class Change:
    """`reason`: why it is unknown. `reference`: the median of the runs `against`, with its interval."""

    verdict: Verdict
    reason: str | None = None
    reference: float | None = None
    reference_interval: Interval | None = None
    difference: float | None = None
    against: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """A run in its series. `differs`: from the newest run. `changes`: by metric."""

    run: Run
    differs: Sequence[Difference]
    changes: dict[str, Change]


def history_of(runs: Sequence[Run], newest: Run | None = None) -> list[HistoryPoint]:
    """The runs of one series by their start, oldest first. `newest`: the run that settings are compared with; by
    default the last of these.
    """
    ordered = sorted(runs, key=lambda run: (run.started_at, run.id))
    settings = [run.settings for run in ordered]
    latest = newest.settings if newest is not None else settings[-1] if settings else None
    points = []
    # Places of earlier runs that may have the same settings. Another load changes the numbers by itself.
    earlier: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, run in enumerate(ordered):
        alike = earlier[settings[place].kept]
        before = [ordered[at] for at in reversed(alike) if not differences(settings[at], settings[place])][:RUNS_BEFORE]
        if run.grade != _DOUBTFUL:
            alike.append(place)
        changes = {name: change_of(run, before, metric) for name, metric in METRICS.items()}
        points.append(HistoryPoint(run, [] if latest is None else differences(settings[place], latest), changes))
    return points


def change_of(run: Run, before: Sequence[Run], metric: HistoryMetric) -> Change:
    """`changed`: the run's 95 % interval and that of the median of the runs before do not overlap, and the difference
    exceeds the metric's margin. `before`: runs with the same settings, at most RUNS_BEFORE of them.
    """
    now = run.read(metric)
    if now.value is None:
        return Change("unknown", "this run has no such number")
    if run.grade == _DOUBTFUL:
        return Change("unknown", "the grade of this run is D: the measuring itself may have distorted it")
    if not metric.least:
        return Change(
            "unknown", f"no interval of {metric.title} is stored, so nobody knows how far it varies by chance"
        )
    if now.interval is None:
        return Change("unknown", f"too few values for an interval: it needs {metric.least} independent ones")
    known = [
        (found.value, found.interval, item.id) for item in before if (found := item.read(metric)).value is not None
    ]
    known = [item for item in known if item[1] is not None]
    if not known:
        return Change("unknown", "no earlier run with the same settings has an interval")
    reference = median(value for value, _, _ in known if value is not None)
    bounds = _interval_of_median([(value, interval) for value, interval, _ in known if value is not None and interval])
    difference = now.value - reference
    apart = now.interval[0] > bounds[1] or now.interval[1] < bounds[0]
    is_changed = apart and abs(difference) > metric.margin(reference)
    return Change(
        "changed" if is_changed else "unchanged",
        None,
        reference,
        bounds,
        difference,
        tuple(number for _, _, number in known),
    )


def _interval_of_median(known: Sequence[tuple[float, Interval]]) -> Interval:
    """The interval of the run in the middle; with an even number, what the intervals of the middle two cover."""
    ordered = sorted(known)
    middle = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    return min(interval[0] for _, interval in middle), max(interval[1] for _, interval in middle)
