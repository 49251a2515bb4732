"""`POST /benchmarks/estimate`: checks a benchmark and says what it would send, take and cost."""

from typing import Annotated

from fastapi import APIRouter, Body

from api.access.needs import needs
from api.http.body import JsonRoute
from api.routes.benchmarks import INVALID
from api.schemas.benchmark_request import EXAMPLES, BenchmarkBody
from api.schemas.estimate import DryRun, EstimateOut
from api.schemas.problem import Problem
from api.state import Parts

router = APIRouter(tags=["benchmarks"], route_class=JsonRoute, dependencies=[needs("read")])


@router.post(
    "/benchmarks/estimate",
    dependencies=[needs("run")],
    operation_id="estimateBenchmark",
    summary="Check a benchmark and estimate what it takes, without running it",
    responses={
        400: {"model": Problem, "description": "The body is not JSON."},
        409: {
            "model": Problem,
            "description": "A budget cannot pay for one request (`budget_exhausted`; `budget` says which).",
        },
        413: {"model": Problem, "description": "The body is larger than `MAX_BODY_BYTES`."},
        415: {"model": Problem, "description": "The body's `Content-Type` is not JSON."},
        503: {"model": Problem, "description": "The database does not answer."},
        **INVALID,
    },
)
async def estimate(body: Annotated[BenchmarkBody, Body(openapi_examples=EXAMPLES)], parts: Parts) -> DryRun:
    """Takes the same body as `POST /benchmarks` and stores nothing. A webhook's URL is not tried."""
    checked = await parts.submitter.check(body.request().spec)
    return DryRun(
        provider=checked.endpoint.name,
        notices=checked.notices,
        estimate=EstimateOut.model_validate(checked.estimate),
    )
