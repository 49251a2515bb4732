"""The plan of a benchmark that sends a trace at its own times."""

from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import ClosedLoop
from shared.benchmark.load.places import place_at
from shared.benchmark.load.plan import FixedPlan, Stage
from shared.benchmark.spec import BenchmarkSpec
from shared.errors import InvalidRequest
from shared.workloads.traces.pace import TracePace
from shared.workloads.traces.schedule import TraceSchedule


def trace_plan(spec: BenchmarkSpec, schedule: TraceSchedule) -> FixedPlan:
    """One stage: the whole schedule, after `warmup` of its requests.

    `concurrency` of the spec is the most in flight. Raises InvalidRequest if the window has no request.
    """
    requests = len(schedule)
    if not requests:
        raise empty_window()
    begin, warmup = place_at(0, 0), None
    if spec.warmup:
        first = place_at(0, 0, warmup=True)
        warmup = Phase(ClosedLoop(spec.concurrency), first=first, end=first + min(spec.warmup, requests))
    measured = Phase(TracePace(schedule, spec.concurrency), first=begin, end=begin + requests)
    return FixedPlan([Stage(0, measured, warmup)], requests + min(spec.warmup, requests))


def empty_window() -> InvalidRequest:
    return InvalidRequest.of("workload.trace.window", "no request of the trace is within it", "empty_window")
