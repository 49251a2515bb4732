"""How many requests a benchmark has in flight at most, for the ceilings of endpoints."""

from shared.benchmark.load.plans import plan_of
from shared.benchmark.spec import BenchmarkSpec


def streams_of(spec: BenchmarkSpec) -> int:
    """In any stage or probe. `spec`: with its defaults."""
    # A trace has a pace of its own, but the same bound.
    plan = plan_of(spec)
    planned = plan.planned_requests
    return plan.max_in_flight if planned is None else max(1, min(plan.max_in_flight, planned))
