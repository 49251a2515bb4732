"""The page of workers."""

import httpx2
from sqlalchemy import update

from shared.access.caller import Caller
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.db.tables.workers import Worker
from shared.db.workers.repository import WorkerInfo, WorkerRepository
from shared.providers.identity import EndpointIdentity, HeldEndpoint
from tests.api.documents import submit
from tests.api.pages.forms_of import seen
from tests.shared.db.rows import Tables, make_spec

PAGE = "/ui/workers"
HOSTILE = "<img src=x onerror=alert(1)>"
CALIBRATION = {
    "measured_at": "2026-01-01T00:00:00Z",
    "streams_within_1ms": 512,
    "streams_within_5ms": 512,
    "levels": [],
}


def held(name: str, *problems: str) -> HeldEndpoint:
    identity = EndpointIdentity(name, "openai", "https://llm.example/v1", f"print-{name}")
    return HeldEndpoint(identity, "missing_key" if problems else None, problems)


async def report(database: Database, worker_id: str, running: int = 0, **more: object) -> None:
    endpoints = (held("groq"), held("mistral", "MISTRAL_API_KEY is not set"))
    info = WorkerInfo(
        id=worker_id,
        hostname=HOSTILE,
        pid=17,
        version="1.2.3",
        endpoints=endpoints,
        calibration=more.get("calibration"),
    )  # type: ignore[arg-type]
    await WorkerRepository(database).heartbeat(info, running=running)


async def test_without_workers_the_page_says_how_to_start_one(empty_api: httpx2.AsyncClient) -> None:
    page = await seen(empty_api, PAGE)
    assert "llmbench up" in page.text
    assert "anthropic ○ no worker has ANTHROPIC_API_KEY" in page.text
    assert "groq ○ no living worker" in page.text


async def test_who_is_alive_and_what_runs_where(api: httpx2.AsyncClient, database: Database, tables: Tables) -> None:
    await report(database, "host-1", running=1, calibration=CALIBRATION)
    benchmark = await submit(api, name=HOSTILE)
    await submit(api, name="the next one")
    await tables.claimed("host-1")
    page = await seen(api, PAGE)
    assert "1 of 1 alive; 1 benchmark waits" in page.text
    assert page.text.count(HOSTILE) == 2
    assert f"/ui/benchmarks/{benchmark['id']}" in {item["href"] for item in page.all("a")}
    assert "0 of 2" in page.text
    assert "Waiting for a worker the next one" in page.text
    assert page.all("data", value="512")
    assert "groq ● by 1 worker" in page.text
    assert "mistral ○ by none MISTRAL_API_KEY is not set" in page.text


async def test_a_worker_that_fell_silent_is_said_before_all_else(
    api: httpx2.AsyncClient, database: Database, tables: Tables
) -> None:
    await report(database, "host-1")
    await submit(api)
    assert await tables.lapsing.claim("host-1") is not None
    async with database.write() as session:
        await session.execute(update(Worker).values(heartbeat_at=utc_now(-3_700)))
    page = await seen(api, PAGE)
    assert "No worker is alive" in page.text
    assert "lost its worker host-1" in page.text
    assert "✕ silent since 1 h ago" in page.text


async def test_what_no_worker_can_run_says_why(api: httpx2.AsyncClient, database: Database) -> None:
    await submit(api)
    async with database.write() as session:
        why = {"kind": "missing_key", "message": HOSTILE}
        await session.execute(update(Benchmark).values(unclaimable=why, unclaimable_since=utc_now(-120)))
    page = await seen(api, PAGE)
    assert f"No worker can run benchmark 1 since 2 min ago: {HOSTILE}." in page.text


async def test_what_others_run_is_counted_and_not_named(
    api: httpx2.AsyncClient, database: Database, tables: Tables
) -> None:
    await report(database, "host-1", running=1)
    theirs = BenchmarkRepository(Caller("acme", "run"), database)
    numbers = [(await theirs.create(make_spec(name=f"secret {number}"), "simulator")).id for number in range(3)]
    await tables.leases.finish(await tables.claimed("host-1"), "completed", summary={}, error=None)
    await tables.claimed("host-1")
    await submit(api, name="ours")
    page = await seen(api, PAGE)
    assert "secret" not in page.text
    assert "1 of other owners" in page.text
    assert "Waiting for a worker ours" in page.text
    assert "1 benchmark of another owner waits as well." in page.text
    assert not {f"/ui/benchmarks/{number}" for number in numbers} & {item["href"] for item in page.all("a")}
