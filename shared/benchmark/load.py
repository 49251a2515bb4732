"""The load of a benchmark: a workload, and the phases in which it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.benchmark.pace import ClosedLoop, ConstantRate, Pace, PoissonRate
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.stop import StopRule
from shared.benchmark.workload import PromptsInTurn, Workload


@dataclass(frozen=True, slots=True)
class Phase:
    """Places `first` … `end` - 1 of the workload at one pace. `end` None: up to the workload's own end.

    A phase begins when every request of the phase before has ended.
    """

    pace: Pace
    first: int = 0
    end: int | None = None
    stop: StopRule = field(default_factory=StopRule)


@dataclass(frozen=True, slots=True)
class Load:
    """What a run sends, and when. `concurrency`: the most requests that are ever in flight."""

    workload: Workload
    phases: Sequence[Phase]

    @property
    def concurrency(self) -> int:
        return max(phase.pace.max_in_flight for phase in self.phases)


def load_of(spec: BenchmarkSpec) -> Load:
    """The load that a spec's `prompts`, `repetitions`, `warmup`, `concurrency` and `request_rate` are short for."""
    workload = PromptsInTurn(spec)
    phases = [Phase(_pace(spec), first=spec.warmup)]
    if spec.warmup:
        phases.insert(0, Phase(ClosedLoop(spec.concurrency), end=spec.warmup))
    return Load(workload, phases)


def _pace(spec: BenchmarkSpec) -> Pace:
    if spec.request_rate is None:
        return ClosedLoop(spec.concurrency)
    if spec.arrival == "poisson":
        return PoissonRate(spec.request_rate, spec.concurrency, spec.arrival_seed)
    return ConstantRate(spec.request_rate, spec.concurrency)
