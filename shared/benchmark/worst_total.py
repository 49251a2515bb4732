"""What all requests of a benchmark can cost at most, and its first one: before a submit, and for estimates."""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass

from shared.benchmark.estimate import phases_of, requests_of
from shared.benchmark.load.load import Phase
from shared.benchmark.load.plan import Plan
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import Workload
from shared.benchmark.worst_case import WorstCase


@dataclass(frozen=True, slots=True)
class WorstTotal:
    """In micro-dollars. None: not known. `bounded` False: the first request has no `max_tokens`, so it has no bound."""

    first: int | None = None
    total: int | None = None
    # How many requests `total` is for.
    requests: int | None = None
    bounded: bool = True


def worst_total(spec: BenchmarkSpec, plan: Plan, workload: Workload, worst: WorstCase, *, sampled: int) -> WorstTotal:
    """`sampled`: of how many requests of each part the worst case is computed, if they are no list of prompts."""
    stage = plan.next([])
    if stage is None:
        return WorstTotal(0, 0, 0)
    opening = worst.of_place(stage.phases[0].first)
    if opening is None:
        return WorstTotal(bounded=False)
    first = opening[0] if opening else None
    phases = phases_of(plan)
    sizes = [] if phases is None else [requests_of(phase, workload.length) for phase in phases]
    total, requests = 0, 0
    for phase, size in zip(phases or (), sizes, strict=True):
        cost = None if size is None else _of_phase(spec, phase, size, worst, sampled)
        if size is None or cost is None:
            return WorstTotal(first)
        total, requests = total + cost, requests + size
    return WorstTotal(first) if phases is None else WorstTotal(first, total, requests)


def _of_phase(spec: BenchmarkSpec, phase: Phase, size: int, worst: WorstCase, sampled: int) -> int | None:
    """The sum over `size` places. None: one of them has no bound."""
    in_rounds = bool(spec.prompts) and (spec.workload is None or not spec.workload.weights)
    looked_at = len(spec.prompts) if in_rounds else sampled
    places: Iterable[int] = range(phase.first, phase.first + min(size, looked_at))
    if size > looked_at and not in_rounds:
        generator = random.Random(0)  # noqa: S311 - for no secrets
        places = (phase.first + generator.randrange(size) for _ in range(looked_at))
    found = [worst.of_place(place) for place in places]
    if any(costs is None for costs in found):
        return None
    known = sum(sum(costs or ()) for costs in found)
    if size <= looked_at:
        return known
    # Whole rounds, the last one too, so that it is never too little; else as many times the mean.
    return known * math.ceil(size / looked_at) if in_rounds else math.ceil(known / looked_at * size)
