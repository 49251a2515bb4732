"""Makes the plan of a spec: its stages, each with its pace, its end and its warm-up."""

from functools import partial

from shared.benchmark.load.load import Phase
from shared.benchmark.load.load_plan import probe_stage, stages_of
from shared.benchmark.load.pace import ClosedLoop, ConstantRate, Pace, PoissonRate
from shared.benchmark.load.places import place_at
from shared.benchmark.load.plan import FixedPlan, Plan, Stage
from shared.benchmark.search.search_plan import SearchPlan
from shared.benchmark.search.sweep_plan import SweepPlan
from shared.benchmark.spec import BenchmarkSpec


def plan_of(spec: BenchmarkSpec) -> Plan:
    """The stages of a spec's `load`. A spec without one has a stage: its short form."""
    if spec.load is None:
        return _short_form(spec)
    load = spec.load.with_defaults(spec.listed_requests)
    if load.sweep is not None:
        return SweepPlan(load.sweep, partial(probe_stage, load))
    if load.search is not None:
        if spec.slos is None:
            raise ValueError("a search needs slos")
        return SearchPlan(load.search, spec.slos.attainment, partial(probe_stage, load))
    return FixedPlan(stages_of(load), load.planned_requests(spec.listed_requests))


def _short_form(spec: BenchmarkSpec) -> Plan:
    """The one stage that `repetitions`, `warmup`, `concurrency` and `request_rate` are short for."""
    begin, end = spec.warmup, None
    warmup_begin, warmup_end = 0, spec.warmup
    if spec.workload is not None:
        # Its places are numbered by stages.
        begin, warmup_begin = place_at(0, 0), place_at(0, 0, warmup=True)
        end, warmup_end = begin + spec.measured_requests, warmup_begin + spec.warmup
    warmup = Phase(ClosedLoop(spec.concurrency), first=warmup_begin, end=warmup_end) if spec.warmup else None
    return FixedPlan([Stage(0, Phase(_pace(spec), first=begin, end=end), warmup)], spec.planned_requests)


def _pace(spec: BenchmarkSpec) -> Pace:
    if spec.request_rate is None:
        return ClosedLoop(spec.concurrency)
    if spec.arrival == "poisson":
        return PoissonRate(spec.request_rate, spec.concurrency, spec.arrival_seed)
    return ConstantRate(spec.request_rate, spec.concurrency)
