"""Makes the plan of a spec: its stages, each with its pace, its end and its warm-up."""

from shared.benchmark.load import Phase
from shared.benchmark.pace import ClosedLoop, ConstantRate, Pace, PoissonRate
from shared.benchmark.plan import FixedPlan, Plan, PlannedLoad, Stage
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload import PromptsInTurn


def load_of(spec: BenchmarkSpec) -> PlannedLoad:
    """What a spec sends, and in which stages."""
    return PlannedLoad(PromptsInTurn(spec), plan_of(spec))


def plan_of(spec: BenchmarkSpec) -> Plan:
    """The one stage that `repetitions`, `warmup`, `concurrency` and `request_rate` are short for."""
    warmup = Phase(ClosedLoop(spec.concurrency), end=spec.warmup) if spec.warmup else None
    return FixedPlan([Stage(0, Phase(_pace(spec), first=spec.warmup), warmup)], spec.planned_requests)


def _pace(spec: BenchmarkSpec) -> Pace:
    if spec.request_rate is None:
        return ClosedLoop(spec.concurrency)
    if spec.arrival == "poisson":
        return PoissonRate(spec.request_rate, spec.concurrency, spec.arrival_seed)
    return ConstantRate(spec.request_rate, spec.concurrency)
