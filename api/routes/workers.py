"""`/workers`: who runs benchmarks here."""

from fastapi import APIRouter

from api.schemas.workers import Calibration, WorkerList, WorkerOut
from api.state import Parts

router = APIRouter(tags=["workers"])


@router.get("/workers", summary="List the workers")
async def list_workers(parts: Parts) -> WorkerList:
    """Every worker that reported within a day and did not end in good order: a dead one shows as not `alive`."""
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
