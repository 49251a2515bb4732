"""Makes the summary of a run, as JSON, from the aggregate of its results."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypedDict

from shared.benchmark.load.load import Phase
from shared.benchmark.load.places import stage_of
from shared.benchmark.load.plan import FixedPlan, PlannedLoad, Stage
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.costs import text
from shared.benchmark.results.over_time import over_time
from shared.benchmark.run_spec import RunSpec
from shared.benchmark.slo.slo_spec import SloSpec
from shared.benchmark.workload.workload import Workload
from worker.run.statistics import Plan, statistics

__all__ = ["Plan", "load_in_numbers", "prompts_in_numbers", "stage_summaries", "summarize", "summary_of_stage"]


class LoadNumbers(TypedDict):
    """Fields of a `Plan` that say which load was asked for."""

    concurrency: int
    request_rate: float | None
    ramp_s: float | None


class PromptNumbers(TypedDict):
    """Fields of a `Plan` that say which results depend on each other, and what may have filled a prompt cache."""

    equal_prompts: Mapping[int, int]
    repetitions: int
    warmup_is_measured: bool


_ALL_DIFFERENT: PromptNumbers = {"equal_prompts": {}, "repetitions": 1, "warmup_is_measured": False}


def summarize(results: RunAggregate, plan: Plan) -> dict[str, Any]:
    """All numbers of a run, and a few of them over time."""
    return {**_all_numbers(results, plan), "over_time": over_time(results)}


def _all_numbers(results: RunAggregate, plan: Plan) -> dict[str, Any]:
    """The statistics, what interruptions may have cost, and how far the measuring may have distorted them."""
    sent_in_vain = plan.sent_in_vain + results.costs.renewed
    document: dict[str, Any] = {
        **statistics(results, plan),
        "possible_duplicates": {
            "requests": sent_in_vain,
            "cost_usd": text(results.costs.duplicates_usd),
            "unpriced_requests": sent_in_vain - results.costs.duplicates_priced,
        },
        "interrupted": plan.interrupted,
    }
    if results.disturbance is not None:
        measurement = results.disturbance.document(results.verdicts)
        # Without a succeeded request there are no numbers that the grade could be about.
        document["measurement"] = measurement if measurement["grade"] and results.succeeded else None
    return document


def load_in_numbers(spec: RunSpec, load: PlannedLoad | None) -> LoadNumbers:
    """What the run was asked to carry. Of several stages, the one rate and the steady part are not known."""
    if load is None:
        return {"concurrency": spec.concurrency, "request_rate": spec.request_rate, "ramp_s": 0}
    # Seamless stages are sent as one, but are several.
    stages = [shown for stage in load.plan.stages for shown in stage.shown] if isinstance(load.plan, FixedPlan) else []
    if len(stages) != 1:
        return {"concurrency": load.plan.max_in_flight, "request_rate": None, "ramp_s": None}
    return _numbers_of(stages[0].measured)


def prompts_in_numbers(spec: RunSpec, results: RunAggregate, equal_prompts: Mapping[int, int]) -> PromptNumbers:
    """What is known of the prompts of these results, of a run or a stage. A prompt may also come again in a list."""
    # Later turns of conversations count as repeats, so only the spec says whether whole conversations were repeated.
    repeated = spec.repetitions > 1 if results.turns.digests else results.repeats
    return {
        "equal_prompts": equal_prompts,
        "repetitions": 2 if repeated or equal_prompts else 1,
        "warmup_is_measured": results.warmup > 0 and not spec.warmup_prefix,
    }


def stage_summaries(
    spec: RunSpec, workload: Workload, sent_in_vain: Counter[RequestId]
) -> Callable[[Stage, RunAggregate], dict[str, Any]]:
    """Makes the summaries of the stages of a run. To be called in a thread: it reads all prompts once.

    `sent_in_vain`: how often earlier segments may have sent a request without its answer being stored.
    """
    equal_prompts, of_stages = cache(workload.equal_prompts), Counter[int]()
    for request_id, count in sent_in_vain.items():
        of_stages[stage_of(request_id.place)] += count
    return lambda stage, results: summary_of_stage(
        stage, results, spec.slos, prompts_in_numbers(spec, results, equal_prompts()), of_stages[stage.number]
    )


def summary_of_stage(
    stage: Stage,
    results: RunAggregate,
    slos: SloSpec | None = None,
    prompts: PromptNumbers = _ALL_DIFFERENT,
    sent_in_vain: int = 0,
) -> dict[str, Any]:
    """All numbers of one stage of a run. `sent_in_vain`: of its requests, see `stage_summaries`."""
    # Nobody knows in which of several seamless stages a request was sent first: each has those that it sent again.
    sent_again = results.costs.duplicates_priced - results.costs.renewed
    plan = Plan(
        requests=results.count,
        **_numbers_of(stage.measured),
        **prompts,
        interrupted=results.activity.is_resumed,
        sent_in_vain=max(sent_in_vain, sent_again),
        slos=slos,
    )
    return _all_numbers(results, plan)


def _numbers_of(phase: Phase) -> LoadNumbers:
    """The rate is the mean over the time of sending, if that is known; else the mean until the rate is constant."""
    pace, rate = phase.pace, phase.pace.rate
    if phase.stop.send_for_ns:
        due, seconds = pace.expected(phase.stop.send_for_ns / 1e9), phase.stop.send_for_ns / 1e9
        rate = None if due is None else due / seconds
    return {"concurrency": pace.max_in_flight, "request_rate": rate, "ramp_s": pace.settled_s}
