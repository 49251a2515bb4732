"""Which stages a run has. A plan is asked after each stage, so a search can choose by what the stages have shown."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from shared.benchmark.load.load import Load, Phase
from shared.benchmark.load.pace import Seamless
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.workload.workload import Workload


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run with its own load and statistics. `label`: what tells it from other stages, for people."""

    number: int
    measured: Phase
    warmup: Phase | None = None
    label: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def shown(self) -> Sequence["Stage"]:
        """The stages that people see: this one, or the seamless ones that it sends as one part."""
        pace, labels = self.measured.pace, self.label.get("stages")
        if not isinstance(pace, Seamless) or not isinstance(labels, list):
            return [self]
        return [
            Stage(self.number + place, Phase(piece), label=label if isinstance(label, dict) else {})
            for place, (piece, label) in enumerate(zip(pace.paces, labels, strict=True))
        ]

    @property
    def phases(self) -> Sequence[Phase]:
        return [self.measured] if self.warmup is None else [self.warmup, self.measured]


@dataclass(frozen=True, slots=True)
class StageResult:
    """A stage that has ended. `ended_by`: `requests`, `workload`, `duration` or the word of its stop rule.

    `results`: what its measured requests add up to.
    """

    number: int
    label: Mapping[str, JsonValue]
    ended_by: str
    results: RunAggregate


class Plan(ABC):
    """Deterministic: asked again with the same results, by any worker, it gives the same stages."""

    @property
    @abstractmethod
    def planned_requests(self) -> int | None:
        """How many requests all stages send, warm-up included. None: not known beforehand."""

    @property
    @abstractmethod
    def max_in_flight(self) -> int:
        """The most requests that are ever in flight, in any stage that may come."""

    @abstractmethod
    def next(self, done: Sequence[StageResult]) -> Stage | None:
        """The stage after these, which are all stages so far in their order. None: the run is over."""

    def conclusion(self, done: Sequence[StageResult]) -> dict[str, Any] | None:
        """What the stages together have shown, for the summary. None: no more than each shows by itself."""
        return None


class FixedPlan(Plan):
    """Stages that are known beforehand."""

    def __init__(self, stages: Sequence[Stage], planned_requests: int | None) -> None:
        self.stages = stages
        self._planned_requests = planned_requests

    @property
    def planned_requests(self) -> int | None:
        return self._planned_requests

    @property
    def max_in_flight(self) -> int:
        return max(phase.pace.max_in_flight for stage in self.stages for phase in stage.phases)

    def next(self, done: Sequence[StageResult]) -> Stage | None:
        return self.stages[len(done)] if len(done) < len(self.stages) else None


@dataclass(frozen=True, slots=True)
class PlannedLoad:
    """What a benchmark sends: requests of this workload, in the stages of this plan."""

    workload: Workload
    plan: Plan

    def at_once(self) -> Load:
        """The load of a fixed plan as one piece. Raises TypeError if the plan depends on results."""
        if not isinstance(self.plan, FixedPlan):
            raise TypeError(f"the stages of a {type(self.plan).__name__} are not known beforehand")
        return Load(self.workload, [phase for stage in self.plan.stages for phase in stage.phases])
