"""`/compare`: two to eight benchmarks, with how sure their differences are."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.access.needs import needs
from api.schemas.comparison import CompareQuery, ComparisonOut
from api.schemas.problem import Problem
from api.state import Parts

router = APIRouter(tags=["benchmarks"], dependencies=[needs("read")])

RESPONSES: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such benchmark."},
    409: {"model": Problem, "description": "A benchmark has not ended, or none of its requests succeeded."},
    422: {"model": Problem, "description": "A field is wrong; `errors` names it."},
}


@router.get("/compare", operation_id="compareBenchmarks", summary="Compare benchmarks", responses=RESPONSES)
async def compare(query: Annotated[CompareQuery, Query()], parts: Parts) -> ComparisonOut:
    """Quantiles of TTFT, latency, TPOT and tokens/s, mean cost and error share: differences, intervals and verdicts.

    Differences and ratios come from a cluster bootstrap (by prompt, or by blocks of time), never from two intervals
    held side by side. docs/comparing.md has the method and what it does not tell.
    """
    document = await parts.comparisons.of(query.ids, query.margins)
    if query.metric:
        chosen = [item for item in document["metrics"] if item["metric"] in query.metric]
        document = {**document, "metrics": chosen}
    return ComparisonOut.model_validate(document)
