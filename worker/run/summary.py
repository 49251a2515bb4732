"""Makes the summary of a run, as JSON, from the aggregate of its results."""

from typing import Any

from shared.benchmark.aggregate import RunAggregate
from shared.benchmark.costs import text
from shared.benchmark.plan import Stage
from shared.benchmark.slo_spec import SloSpec
from worker.run.statistics import Plan, statistics

__all__ = ["Plan", "summarize", "summary_of_stage"]


def summarize(results: RunAggregate, plan: Plan) -> dict[str, Any]:
    """The run's statistics, what interruptions may have cost, and how far the measuring may have distorted them."""
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


def summary_of_stage(stage: Stage, results: RunAggregate, slos: SloSpec | None = None) -> dict[str, Any]:
    """The same for one stage of a run."""
    pace = stage.measured.pace
    plan = Plan(
        requests=results.count,
        concurrency=pace.max_in_flight,
        request_rate=pace.rate,
        interrupted=False,
        sent_in_vain=0,
        slos=slos,
        ramp_s=pace.settled_s,
    )
    return summarize(results, plan)
