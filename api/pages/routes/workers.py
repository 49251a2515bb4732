"""`/ui/workers`: who is alive, what runs where, which endpoints can be measured, and how exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response

from api.access.needs import needs
from api.pages.site import page
from api.routes.workers import list_workers
from api.schemas.measurement import Measurement
from api.schemas.workers import WorkerOut
from api.state import Parts, State
from shared.db.tables.workers import Worker
from shared.db.workers.activity import OpenBenchmark

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

# Open benchmarks on the page, the oldest first.
MAX_OPEN = 100


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint. `problems`: by worker id, what keeps a living worker from using it, in words."""

    name: str
    protocol: str
    base_url: str
    ready: bool
    variables: Sequence[str]
    users: Sequence[str] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


@router.get("/workers")
async def workers(request: Request, parts: Parts) -> Response:
    """The living first, then those that fell silent within a day."""
    found = sorted((await list_workers(parts)).items, key=lambda worker: not worker.alive)
    benchmarks, open_in_all = await parts.worker_activity.open_benchmarks(limit=MAX_OPEN)
    measured = await parts.worker_activity.last_measurements([worker.id for worker in found])
    return page(
        request,
        "workers/list.html",
        workers=found,
        alive=[worker for worker in found if worker.alive],
        lease_s=parts.settings.lease_s,
        of_worker=_by_worker(benchmarks),
        of_others=await parts.worker_activity.of_others(),
        waiting=[item for item in benchmarks if item.worker_id is None],
        left=[item for item in benchmarks if item.has_lapsed],
        not_shown=open_in_all - len(benchmarks),
        measured={worker_id: (item, Measurement.model_validate(item.document)) for worker_id, item in measured.items()},
        endpoints=await _endpoints(parts, found),
    )


def _by_worker(benchmarks: Sequence[OpenBenchmark]) -> Mapping[str, Sequence[OpenBenchmark]]:
    found: dict[str, list[OpenBenchmark]] = {}
    for item in benchmarks:
        if item.worker_id is not None:
            found.setdefault(item.worker_id, []).append(item)
    return found


async def _endpoints(parts: State, found: Sequence[WorkerOut]) -> Sequence[EndpointRow]:
    """Those that can be measured first."""
    has_key = await parts.submitter.key_holders()
    rows: Sequence[Worker] = await parts.workers.alive(within_s=parts.settings.lease_s)
    held = {row.id: {item["name"]: item for item in row.endpoints or ()} for row in rows}
    made = []
    for endpoint in parts.endpoints:
        reports = {worker_id: items[endpoint.name] for worker_id, items in held.items() if endpoint.name in items}
        problems = {worker_id: "; ".join(item["problems"]) for worker_id, item in reports.items() if item["problems"]}
        made.append(
            EndpointRow(
                endpoint.name,
                endpoint.protocol,
                endpoint.base_url,
                has_key(endpoint),
                endpoint.variables,
                [worker.id for worker in found if worker.alive and endpoint.name in worker.providers],
                problems,
            )
        )
    return sorted(made, key=lambda row: (not row.users, not row.ready, row.name))
