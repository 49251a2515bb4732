"""`/benchmarks`: submit, rerun, list, read, cancel, delete."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Header, Path, Query, Response, status

from api.access.needs import needs
from api.http.answers import json_answer
from api.http.body import JsonRoute
from api.http.preferences import wait_seconds
from api.http.proxy import link
from api.lists.benchmarks import cursor_of, filter_of, position_of
from api.present.benchmarks import benchmark_without_results, listed_benchmark
from api.present.results import results_json
from api.present.whole_benchmark import whole_benchmark
from api.schemas.benchmark_queries import BenchmarkQuery, ReadQuery
from api.schemas.benchmark_request import EXAMPLES, BenchmarkBody
from api.schemas.benchmarks import BenchmarkBase, BenchmarkOut, BenchmarkPage
from api.schemas.ids import RowId
from api.schemas.problem import Problem
from api.state import Parts, State
from api.submission.submit import Submitted
from shared.db.tables.benchmarks import Benchmark

router = APIRouter(tags=["benchmarks"], route_class=JsonRoute, dependencies=[needs("read")])

MAX_EMBEDDED_RESULTS = 1_000

BenchmarkId = Annotated[RowId, Path(description="Id of the benchmark.", examples=[1])]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is no such benchmark."}}
INVALID: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "A field is wrong; `errors` names it."}
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
        "description": "The benchmark that this `Idempotency-Key` created was deleted, the prompts of the benchmark to "
        "repeat were deleted, or a budget cannot pay for one request (`budget_exhausted`; `budget` says which).",
    }
}


@router.post(
    "/benchmarks",
    dependencies=[needs("run")],
    operation_id="submitBenchmark",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=BenchmarkOut,
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
) -> BenchmarkOut | Response:
    """Stores a pending benchmark and answers `202` with its `Location`; a worker starts it at once.

    Poll `GET /benchmarks/{id}` until `status` is `completed`, `failed` or `cancelled`.
    """
    return await _submitted(parts, response, prefer, await parts.submitter.submit(body.request(), idempotency_key))


@router.post(
    "/benchmarks/{benchmark_id}/rerun",
    dependencies=[needs("run")],
    operation_id="rerunBenchmark",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=BenchmarkOut,
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
) -> BenchmarkOut | Response:
    """Submits the same spec at the same endpoint as a new benchmark. Its `rerun_of` is this id; prices are today's."""
    return await _submitted(parts, response, prefer, await parts.submitter.rerun(benchmark_id, idempotency_key))


async def _submitted(
    parts: State, response: Response, prefer: str | None, submitted: Submitted
) -> BenchmarkOut | Response:
    """The stored benchmark. `response` carries the headers."""
    benchmark, secret = submitted.benchmark, submitted.secret
    response.headers["Location"] = link(f"/benchmarks/{benchmark.id}")
    if secret is not None:
        response.headers["Cache-Control"] = "no-store"
    if not submitted.created:
        response.headers["Idempotency-Replayed"] = "true"
    seconds = wait_seconds(prefer, parts.settings.max_wait_s)
    if seconds is None:
        return await whole_benchmark(parts, benchmark, [], secret=secret, estimate=submitted.estimate)
    response.headers["Preference-Applied"] = f"wait={seconds:g}"
    ended = await parts.ends.wait_for(benchmark, seconds)
    return await _whole(
        parts,
        await parts.benchmarks.get(benchmark.id),
        {"results"},
        secret=secret,
        estimate=submitted.estimate,
        status_code=status.HTTP_200_OK if ended else status.HTTP_202_ACCEPTED,
        headers=response.headers,
    )


@router.get("/benchmarks", operation_id="listBenchmarks", summary="List benchmarks, newest first", responses=INVALID)
async def list_benchmarks(query: Annotated[BenchmarkQuery, Query()], parts: Parts) -> BenchmarkPage:
    """Pass `next_cursor` as `cursor` for the next page. Benchmarks that are added meanwhile do not shift it."""
    where = filter_of(query)
    before = None if query.cursor is None else position_of(query.cursor, where)
    page = await parts.benchmark_pages.page(where, before=before, limit=query.limit)
    return BenchmarkPage(
        items=[listed_benchmark(item) for item in page.items],
        next_cursor=None if page.next is None else cursor_of(page.next, where),
    )


@router.get(
    "/benchmarks/{benchmark_id}",
    operation_id="getBenchmark",
    summary="Read a benchmark",
    response_model=BenchmarkOut,
    responses={**NOT_FOUND, **INVALID},
)
async def read(benchmark_id: BenchmarkId, query: Annotated[ReadQuery, Query()], parts: Parts) -> Response:
    """Status, progress, summary and results. While the benchmark runs, `results` holds the results so far."""
    return await _whole(parts, await parts.benchmarks.get(benchmark_id), set(query.include))


@router.post(
    "/benchmarks/{benchmark_id}/cancel",
    dependencies=[needs("run", across_owners=True)],
    operation_id="cancelBenchmark",
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
    dependencies=[needs("run", across_owners=True)],
    operation_id="deleteBenchmark",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete a benchmark and its results",
    responses={
        **NOT_FOUND,
        **INVALID,
        409: {"model": Problem, "description": "The benchmark is a baseline; `detail` has its names."},
    },
)
async def delete(benchmark_id: BenchmarkId, parts: Parts) -> None:
    """A running benchmark is cancelled first: its worker closes the streams within a second."""
    if await parts.benchmarks.delete(benchmark_id):
        await parts.doorbell.announce_cancel(benchmark_id)


async def _whole(
    parts: State,
    benchmark: Benchmark,
    include: set[str],
    *,
    secret: str | None = None,
    estimate: dict[str, Any] | None = None,
    status_code: int = status.HTTP_200_OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The benchmark with its results, sent piece by piece."""
    with_results = bool(include - {"none"})
    told = await whole_benchmark(parts, benchmark, [] if with_results else None, secret=secret, estimate=estimate)
    document = told.model_dump(mode="json")
    if not with_results:
        return Response(orjson.dumps(document), status_code, headers, media_type="application/json")
    with_timeline = "timeline" in include
    listed = await parts.result_pages.in_order(
        benchmark.id, limit=MAX_EMBEDDED_RESULTS + 1, with_warmup="warmup" in include, with_timeline=with_timeline
    )
    shown = listed[:MAX_EMBEDDED_RESULTS]
    results = results_json(parts, benchmark.id, shown, timeline=with_timeline)

    async def pieces() -> AsyncIterator[bytes]:
        before = {name: value for name, value in document.items() if name not in ("results", "results_truncated")}
        yield orjson.dumps(before)[:-1] + b',"results":['
        async for piece in results.pieces():
            yield piece
        truncated = results.is_cut or len(listed) > len(shown)
        yield b'],"results_truncated":' + orjson.dumps(truncated) + b"}"

    return await json_answer(pieces(), status_code, headers)
