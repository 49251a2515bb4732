"""`/benchmarks`: submit, rerun, list, read, cancel, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Query, Response, status
from fastapi.openapi.models import Example

from api.cursor import decode_cursor, encode_cursor
from api.preferences import wait_for_end, wait_seconds
from api.present import benchmark_with_results, benchmark_without_results, result_out
from api.present_webhooks import benchmark_webhook
from api.proxy import link
from api.schemas.benchmark_request import BenchmarkBody
from api.schemas.benchmarks import BenchmarkBase, BenchmarkOut, BenchmarkPage, BenchmarkQuery, ReadQuery
from api.schemas.problem import Problem
from api.schemas.results import ResultOut
from api.state import Parts, State
from api.submit import Submitted
from shared.db.benchmarks import BenchmarkFilter
from shared.db.tables import Benchmark
from shared.errors import InvalidRequest

router = APIRouter(tags=["benchmarks"])

MAX_EMBEDDED_RESULTS = 1_000
INCLUDABLE = ("results", "timeline", "warmup", "none")

BenchmarkId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the benchmark.", examples=[1])]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such benchmark."}}
INVALID: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "A field is wrong; `errors` names it."}
}

EXAMPLES: dict[str, Example] = {
    "shortest": {
        "summary": "A model and prompts",
        "value": {
            "name": "Haiku Speed Test",
            "model": "claude-3-haiku-20240307",
            "prompts": ["Say hello in exactly 3 words", "What is 2 + 2?"],
        },
    },
    "load": {
        "summary": "Repeated, concurrent, with parameters",
        "value": {
            "name": "Load test",
            "model": "gpt-4o-mini",
            "provider": "openai",
            "system": "Answer in one sentence.",
            "prompts": [
                "Why is the sky blue?",
                {"messages": [{"role": "user", "content": "Name a river."}], "parameters": {"max_tokens": 20}},
            ],
            "parameters": {"max_tokens": 200, "temperature": 0},
            "repetitions": 25,
            "warmup": 2,
            "concurrency": 8,
            "timeouts": {"ttft_s": 20, "total_s": 60},
            "metadata": {"team": "search"},
        },
    },
}


Prefer = Annotated[
    str | None,
    Header(
        description="With `wait=30` the answer comes when the benchmark has ended, after 30 s at the latest "
        "(RFC 7240). The longest wait is `MAX_WAIT_S`.",
        examples=["wait=30"],
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A text of your own, a new one for each benchmark. The same POST with the same key within 24 h "
        "gets the same benchmark and `Idempotency-Replayed: true`. A different POST with that key is refused.",
        examples=["5f1c1b7e-nightly-2026-11-25"],
    ),
]
REPLAY: dict[int | str, dict[str, Any]] = {
    409: {
        "model": Problem,
        "description": "The benchmark that this `Idempotency-Key` created was deleted, or the prompts of the "
        "benchmark to repeat were deleted.",
    }
}


@router.post(
    "/benchmarks",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Submit a benchmark",
    responses={
        200: {"model": BenchmarkOut, "description": "It ended within `Prefer: wait=`; results included."},
        400: {"model": Problem, "description": "The body is not JSON."},
        413: {"model": Problem, "description": "The body is larger than `MAX_BODY_BYTES`."},
        415: {"model": Problem, "description": "The body's `Content-Type` is not JSON."},
        503: {
            "model": Problem,
            "description": "A `webhook_url` needs `ENCRYPTION_KEY`, which is not set, or the database does not answer.",
        },
        **REPLAY,
        **INVALID,
    },
)
async def submit(
    body: Annotated[BenchmarkBody, Body(openapi_examples=EXAMPLES)],
    parts: Parts,
    response: Response,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> BenchmarkOut:
    """Stores a pending benchmark and answers `202` with its `Location`; a worker starts it at once.

    Poll `GET /benchmarks/{id}` until `status` is `completed`, `failed` or `cancelled`.
    """
    return await _submitted(parts, response, prefer, await parts.submitter.submit(body.request(), idempotency_key))


@router.post(
    "/benchmarks/{benchmark_id}/rerun",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Run a benchmark again",
    responses={
        200: {"model": BenchmarkOut, "description": "It ended within `Prefer: wait=`; results included."},
        **REPLAY,
        **NOT_FOUND,
        **INVALID,
    },
)
async def rerun(
    benchmark_id: BenchmarkId,
    parts: Parts,
    response: Response,
    prefer: Prefer = None,
    idempotency_key: IdempotencyKey = None,
) -> BenchmarkOut:
    """Submits the same spec at the same endpoint as a new benchmark. Its `rerun_of` is this id; prices are today's."""
    return await _submitted(parts, response, prefer, await parts.submitter.rerun(benchmark_id, idempotency_key))


async def _submitted(parts: State, response: Response, prefer: str | None, submitted: Submitted) -> BenchmarkOut:
    benchmark, secret = submitted.benchmark, submitted.secret
    response.headers["Location"] = link(f"/benchmarks/{benchmark.id}")
    if not submitted.created:
        response.headers["Idempotency-Replayed"] = "true"
    seconds = wait_seconds(prefer, parts.settings.max_wait_s)
    if seconds is None:
        return await _with(parts, benchmark, [], secret=secret)
    response.headers["Preference-Applied"] = f"wait={seconds:g}"
    if await wait_for_end(parts.benchmarks, benchmark.id, seconds):
        response.status_code = status.HTTP_200_OK
    return await _whole(parts, await parts.benchmarks.get(benchmark.id), {"results"}, secret=secret)


@router.get("/benchmarks", summary="List benchmarks, newest first", responses=INVALID)
async def list_benchmarks(query: Annotated[BenchmarkQuery, Query()], parts: Parts) -> BenchmarkPage:
    """Pass `next_cursor` as `cursor` for the next page. Benchmarks that are added meanwhile do not shift it."""
    before_id = decode_cursor(query.cursor, int)[0] if query.cursor else None
    where = BenchmarkFilter(
        status=query.status,
        model=query.model,
        provider=query.provider,
        name_contains=query.name,
        rerun_of=query.rerun_of,
        created_from=query.created_from,
        created_before=query.created_before,
    )
    rows = await parts.benchmarks.page(where, before_id=before_id, limit=query.limit + 1)
    items = rows[: query.limit]
    return BenchmarkPage(
        items=[benchmark_without_results(row) for row in items],
        next_cursor=encode_cursor(items[-1].id) if len(rows) > query.limit else None,
    )


@router.get("/benchmarks/{benchmark_id}", summary="Read a benchmark", responses={**NOT_FOUND, **INVALID})
async def read(benchmark_id: BenchmarkId, query: Annotated[ReadQuery, Query()], parts: Parts) -> BenchmarkOut:
    """Status, progress, summary and results. While the benchmark runs, `results` holds the results so far."""
    return await _whole(parts, await parts.benchmarks.get(benchmark_id), parse_include(query.include))


@router.post(
    "/benchmarks/{benchmark_id}/cancel",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Cancel a benchmark and keep its results",
    responses={**NOT_FOUND, **INVALID, 409: {"model": Problem, "description": "The benchmark has already ended."}},
)
async def cancel(benchmark_id: BenchmarkId, parts: Parts) -> BenchmarkBase:
    """A pending benchmark is cancelled at once. The worker of a running one closes its streams within a second."""
    benchmark = await parts.benchmarks.cancel(benchmark_id)
    if benchmark.status == "running":
        await parts.doorbell.announce_cancel(benchmark_id)
    else:
        # The benchmark ended here and not at a worker, so no worker announces its event.
        await parts.doorbell.announce_webhooks()
    return benchmark_without_results(benchmark)


@router.delete(
    "/benchmarks/{benchmark_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a benchmark and its results",
    responses={**NOT_FOUND, **INVALID},
)
async def delete(benchmark_id: BenchmarkId, parts: Parts) -> None:
    """A running benchmark is cancelled first: its worker closes the streams within a second."""
    if await parts.benchmarks.delete(benchmark_id):
        await parts.doorbell.announce_cancel(benchmark_id)


def parse_include(include: str) -> set[str]:
    """The parts to include. Raises InvalidRequest for unknown ones."""
    wanted = {part.strip() for part in include.split(",") if part.strip()}
    if not wanted <= set(INCLUDABLE):
        raise InvalidRequest.of("include", f"must name only {', '.join(INCLUDABLE)}, separated by commas")
    return wanted


async def _whole(parts: State, benchmark: Benchmark, include: set[str], *, secret: str | None = None) -> BenchmarkOut:
    if not include - {"none"}:
        return await _with(parts, benchmark, None, secret=secret)
    with_timeline = "timeline" in include
    rows = await parts.results.in_order(
        benchmark.id,
        limit=MAX_EMBEDDED_RESULTS + 1,
        with_warmup="warmup" in include,
        with_timeline=with_timeline,
    )
    shown = rows[:MAX_EMBEDDED_RESULTS]
    prompts = await parts.benchmarks.prompts(benchmark.id, [row.prompt_index for row in shown])
    results = [result_out(row, prompts, with_timeline=with_timeline) for row in shown]
    return await _with(parts, benchmark, results, truncated=len(rows) > len(shown), secret=secret)


async def _with(
    parts: State,
    benchmark: Benchmark,
    results: list[ResultOut] | None,
    *,
    truncated: bool = False,
    secret: str | None = None,
) -> BenchmarkOut:
    """The benchmark with its webhook and segments, which are in other tables."""
    webhook = benchmark_webhook(await parts.webhooks.of_benchmark(benchmark.id), secret)
    segments = await parts.segments.of(benchmark.id) if benchmark.started_at is not None else []
    return benchmark_with_results(benchmark, segments, webhook, results, truncated=truncated)
