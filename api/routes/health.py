"""`/health` of the process, `/ready` of everything that a benchmark needs, `/metrics` for Prometheus."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response, status

from api.access.needs import open_to_all
from api.http.errors import log_reason
from api.schemas.health import Check, Health, Readiness
from api.state import Process, Shared
from shared.db.schema.check import check_schema
from shared.errors import Unavailable
from shared.version import __version__

router = APIRouter(tags=["health"], dependencies=[open_to_all()])

METRICS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "All numbers.",
        "content": {name: {"schema": {"type": "string"}} for name in ("text/plain", "application/openmetrics-text")},
    }
}


@router.get("/health", operation_id="getHealth", summary="Whether the process answers")
async def health() -> Health:
    """For liveness probes. It uses neither the database nor Redis."""
    return Health(status="ok", version=__version__)


@router.get(
    "/ready",
    operation_id="getReadiness",
    summary="Whether a benchmark would run now",
    responses={503: {"model": Readiness, "description": "A part is down. The checks say which, and why."}},
)
async def ready(process: Shared, response: Response) -> Readiness:
    """For readiness probes and people. It checks the database, Redis, and that a worker is alive."""
    database = await _check(lambda: _database(process))
    queue = await _check(lambda: _queue(process))
    worker = await _check(lambda: _worker(process)) if database.ok else Check(ok=False, detail="unknown: no database")
    all_ok = database.ok and queue.ok and worker.ok
    if not all_ok:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    # A wrong file leaves the service ready: it goes on with the endpoints from before.
    file = process.providers_file
    return Readiness(
        status="ready" if all_ok else "not_ready",
        database=database,
        queue=queue,
        worker=worker,
        providers_file=Check(ok=file.problem is None, detail=file.described),
    )


@router.get(
    "/metrics", operation_id="getMetrics", summary="Numbers for Prometheus", response_class=Response, responses=METRICS
)
async def metrics(request: Request, process: Shared) -> Response:
    """Requests by route, open benchmarks, age of the oldest pending one, workers, due webhooks, database, Redis,
    loop lag, pool use.

    OpenMetrics if `Accept` prefers `application/openmetrics-text`, else Prometheus' text format.
    """
    try:
        backlog = await process.monitoring.backlog(alive_within_s=process.settings.lease_s)
    except Unavailable:
        backlog = None
    process.monitor.queue_checked((await _check(lambda: _queue(process))).ok)
    text, media_type = process.monitor.text(backlog, ",".join(request.headers.getlist("accept")))
    return Response(text, media_type=media_type)


async def _check(what: Callable[[], Awaitable[str]]) -> Check:
    try:
        return Check(ok=True, detail=await what())
    except Unavailable as exc:
        log_reason(exc)
        return Check(ok=False, detail=exc.message)


async def _database(process: Process) -> str:
    await process.database.check()
    await check_schema(process.database)
    return "answers, schema is current"


async def _queue(process: Process) -> str:
    await process.doorbell.check()
    return "answers"


async def _worker(process: Process) -> str:
    # A worker reports three times in a lease. A worker that missed three reports does not count as alive.
    alive = await process.workers.alive(within_s=process.settings.lease_s)
    if not alive:
        raise Unavailable("no worker has reported lately: start one with `arq worker.main.WorkerSettings`")
    return f"{len(alive)} live worker{'s' if len(alive) > 1 else ''}"
