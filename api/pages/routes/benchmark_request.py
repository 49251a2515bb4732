"""`/ui/benchmarks/{id}/requests/{result}`: one request with its answer, its timeline, and a curl that repeats it."""

import asyncio
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse

from api.access.needs import needs
from api.http.proxy import link
from api.pages.benchmark.as_curl import as_curl
from api.pages.benchmark.timeline_figure import timeline_figure
from api.pages.site import page
from api.present.made_prompts import item_of
from api.present.results import PromptTexts, result_json
from api.present.whole_benchmark import whole_benchmark
from api.schemas.benchmarks import BenchmarkOut
from api.schemas.ids import RowId
from api.state import Parts, State
from shared.benchmark.prompt import Parameters
from shared.db.tables.benchmarks import Result
from shared.errors import NotFound
from shared.numbers.metrics import DEFINITIONS, METRICS

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

Id = Annotated[RowId, Path()]
# More events are no help in a table or a chart.
MOST_EVENTS = 20_000


@router.get("/benchmarks/{benchmark_id:int}/requests/{result_id:int}")
async def request_page(benchmark_id: Id, result_id: Id, request: Request, parts: Parts) -> HTMLResponse:
    benchmark = await parts.benchmarks.get(benchmark_id)
    rows = await parts.result_pages.rows([result_id], with_timeline=True)
    if not rows or rows[0].benchmark_id != benchmark_id:
        raise NotFound(f"benchmark {benchmark_id} has no request {result_id}")
    result = rows[0]
    shown = await whole_benchmark(parts, benchmark, None)
    prompts = await PromptTexts(parts, benchmark_id).of([result])
    document = orjson.loads(
        await asyncio.to_thread(result_json, result, prompts.get(result.id, ""), with_timeline=True)
    )
    events = (document.get("timeline") or [])[:MOST_EVENTS]
    return page(
        request,
        "benchmark/request.html",
        shown=shown,
        result=document,
        result_row=result,
        facts=[(name, document[name]) for name in METRICS if name in document],
        words=[(name, document[name]) for name in DEFINITIONS if name not in METRICS and name in document],
        timeline=await asyncio.to_thread(timeline_figure, events),
        curl=await _curl(parts, shown, result) if benchmark.texts_deleted_at is None else None,
        texts_deleted_at=benchmark.texts_deleted_at,
        back_url=link(f"/ui/benchmarks/{benchmark_id}") + "#requests",
    )


async def _curl(parts: State, shown: BenchmarkOut, result: Result) -> str | None:
    """None before the run has begun, and if its prompt is not known any more."""
    if shown.target is None:
        return None
    workload = await parts.made_prompts.workload(shown.id)
    if workload is not None:
        item = await asyncio.to_thread(item_of, workload, (result.prompt_index, result.repetition))
        if item is None:
            return None
        return as_curl(shown.target, shown.model, item.messages, item.system, item.parameters)
    stored = await parts.benchmark_pages.prompt_documents(shown.id, [result.prompt_index])
    if result.prompt_index not in stored:
        return None
    prompt: dict[str, Any] = orjson.loads(stored[result.prompt_index])
    own = Parameters.model_validate(prompt.get("parameters") or {}, strict=False, extra="ignore")
    return as_curl(
        shown.target,
        shown.model,
        prompt["messages"],
        prompt.get("system") or shown.system,
        own.over(shown.parameters),
    )
