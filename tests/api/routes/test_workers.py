"""`/workers`: who runs benchmarks here."""

import httpx2
from sqlalchemy import update

from shared.db.connection.database import Database
from shared.db.tables.types import utc_now
from shared.db.tables.workers import Worker
from shared.db.workers.repository import WorkerInfo, WorkerRepository
from shared.providers.identity import EndpointIdentity, HeldEndpoint
from tests.support.service import make_settings

HELD = tuple(
    HeldEndpoint(EndpointIdentity(name, name, "https://llm.example/v1", f"print-{name}"))
    for name in ("anthropic", "openai")
)
INFO = WorkerInfo(id="host-1", hostname="host", pid=17, version="1.2.3", endpoints=HELD)


async def test_none_yet(api: httpx2.AsyncClient) -> None:
    assert (await api.get("/workers")).json() == {"items": []}


async def test_a_worker_says_who_it_is_and_what_it_runs(api: httpx2.AsyncClient, database: Database) -> None:
    await WorkerRepository(database).heartbeat(INFO, running=2)
    (worker,) = (await api.get("/workers")).json()["items"]
    assert worker.pop("heartbeat_at") >= worker.pop("started_at")
    assert worker == {
        "id": "host-1",
        "hostname": "host",
        "pid": 17,
        "version": "1.2.3",
        "alive": True,
        "running": 2,
        "providers": ["anthropic", "openai"],
        "calibration": None,
    }


async def test_a_worker_that_fell_silent_is_listed_as_not_alive(api: httpx2.AsyncClient, database: Database) -> None:
    await WorkerRepository(database).heartbeat(INFO, running=0)
    lease_s = make_settings("sqlite:///x.db", "redis://x", None).lease_s
    async with database.write() as session:
        # Longer ago than a lease.
        await session.execute(update(Worker).values(heartbeat_at=utc_now(-2 * lease_s)))
    (worker,) = (await api.get("/workers")).json()["items"]
    assert worker["alive"] is False


async def test_a_worker_that_ended_in_good_order_is_gone(api: httpx2.AsyncClient, database: Database) -> None:
    workers = WorkerRepository(database)
    await workers.heartbeat(INFO, running=0)
    await workers.leave(INFO.id)
    assert (await api.get("/workers")).json() == {"items": []}
