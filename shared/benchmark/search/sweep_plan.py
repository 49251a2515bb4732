"""The stages of a sweep: one load after another, the whole again for each repeat, to the end or to saturation."""

from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from shared.benchmark.load.plan import Plan, Stage, StageResult
from shared.benchmark.search.probe import (
    TOO_MUCH,
    WHOLE,
    Extent,
    Probe,
    StageOf,
    failed_share,
    measured,
    throughput_of,
    warmup_of,
)
from shared.benchmark.search.sweep_spec import SweepSpec

# More load brings nothing more if throughput grows by less than this share of what the load has grown by.
_LEAST_GAIN = 0.1
# Points nearer together differ by noise. A point is compared with one that has at most this share of its load.
_COMPARED_SHARE = 1 / 1.5
# So many points in a row: one alone may be noise, and a knee needs points behind it.
_IN_A_ROW = 2
_MOST_FAILED = 0.5


class SweepPlan(Plan):
    """Points with the label `{control: value}`; a repeat has its number in `repeat`."""

    def __init__(self, spec: SweepSpec, stage_of: StageOf) -> None:
        self._spec = spec
        self._stage_of = stage_of

    @property
    def planned_requests(self) -> int | None:
        spec = self._spec
        if spec.requests is None or spec.warmup_s or spec.ends_at_saturation:
            return None
        return sum(spec.requests_at(value) or 0 for value in spec.values) * spec.repeats

    @property
    def max_in_flight(self) -> int:
        stages = (self._stage_of(0, self._probe(value, 0)) for value in self._spec.values)
        return max(phase.pace.max_in_flight for stage in stages for phase in stage.phases)

    def next(self, done: Sequence[StageResult]) -> Stage | None:
        values = self._values(done)
        repeat, index = divmod(len(done), len(values))
        if repeat >= self._spec.repeats:
            return None
        return self._stage_of(len(done), self._probe(values[index], repeat))

    def conclusion(self, done: Sequence[StageResult]) -> dict[str, Any] | None:
        """Which loads were measured, and from which on more load brought nothing more."""
        done = measured(done)
        first_round = done[: len(self._values(done))]
        length = self._saturated_after(first_round)
        return {
            "kind": "sweep",
            "control": self._spec.control,
            "values": [stage.label[self._spec.control] for stage in first_round],
            "repeats": self._spec.repeats,
            "saturated_load": None if length is None else first_round[length - 1].label[self._spec.control],
        }

    def _probe(self, value: float, repeat: int) -> Probe:
        spec = self._spec
        label: dict[str, JsonValue] = {spec.control: value}
        return Probe(
            spec.control,
            value,
            Extent(spec.requests_at(value), spec.point_s),
            warmup_of(spec.warmup_s, repeat=repeat > 0),
            {**label, "repeat": repeat} if repeat else label,
        )

    def _values(self, done: Sequence[StageResult]) -> Sequence[float]:
        """The loads of a round: up to the one at which the first round was saturated."""
        values = self._spec.values
        if not self._spec.ends_at_saturation:
            return values
        return values[: self._saturated_after(done[: len(values)]) or len(values)]

    def _saturated_after(self, points: Sequence[StageResult]) -> int | None:
        """How many points it took to see that the server is saturated. None: it is not."""
        flat = 0
        for count in range(1, len(points) + 1):
            last = points[count - 1]
            if last.ended_by in TOO_MUCH or (last.ended_by in WHOLE and failed_share(last.results) > _MOST_FAILED):
                return count
            flat = flat + 1 if self._is_flat(points[:count]) else 0
            if flat == _IN_A_ROW:
                return count
        return None

    def _is_flat(self, points: Sequence[StageResult]) -> bool:
        """Whether the last point has hardly more throughput than those of clearly less load would let expect."""
        load, control = self._load(points[-1]), self._spec.control
        lower = [point for point in points[:-1] if self._load(point) <= load * _COMPARED_SHARE]
        if not lower:
            return False
        compared = max(lower, key=self._load)
        before, now = throughput_of(compared.results, control), throughput_of(points[-1].results, control)
        return now - before < _LEAST_GAIN * before * (load / self._load(compared) - 1)

    def _load(self, stage: StageResult) -> float:
        load = stage.label[self._spec.control]
        if not isinstance(load, int | float):
            raise TypeError(f"stage {stage.number} has no {self._spec.control}")
        return load
