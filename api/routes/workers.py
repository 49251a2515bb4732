"""`/workers`: the workers that run benchmarks."""

from fastapi import APIRouter

from api.access.needs import needs
from api.schemas.workers import Calibration, WorkerList, WorkerOut
from api.state import Parts

router = APIRouter(tags=["workers"], dependencies=[needs("read")])


@router.get("/workers", operation_id="listWorkers", summary="List the workers")
async def list_workers(parts: Parts) -> WorkerList:
    """Workers that reported within the last day. One that was shut down is not listed; one that died is not `alive`."""
    return WorkerList(
        items=[
            WorkerOut(
                id=worker.id,
                hostname=worker.hostname,
                pid=worker.pid,
                version=worker.version,
                alive=silent_s <= parts.settings.lease_s,
                running=worker.running,
                providers=worker.providers,
                calibration=Calibration.model_validate(worker.calibration) if worker.calibration else None,
                started_at=worker.started_at,
                heartbeat_at=worker.heartbeat_at,
            )
            for worker, silent_s in await parts.workers.all()
        ]
    )
