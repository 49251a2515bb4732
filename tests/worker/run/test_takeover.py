"""Workers come and go: what one leaves, another finishes, and nothing stored is sent again."""

import asyncio
from dataclasses import replace
from typing import Any

from sqlalchemy import update

from shared.access.caller import LOCAL
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.runs.earlier_segments import RunSegments
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.results import ResultRepository
from shared.db.tables.benchmarks import Benchmark
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.shared.db.rows import recorded
from tests.support.servers.closing import ClosingServer
from tests.support.service import WAIT, make_settings, running_api, running_worker
from tests.support.streams import anthropic_stream
from tests.support.waiting import PATIENCE_S, until
from tests.worker.engine.measuring import measure
from worker.engine.children import Children

KEYS = KeyRing({})


def spec(**changes: Any) -> BenchmarkSpec:
    """One request at a time, so that a test knows which were sent."""
    body = {"name": "test", "model": "sim-ttft5-gap1-n4", "prompts": ["a", "b", "c", "d"], "concurrency": 1}
    return BenchmarkSpec.model_validate({**body, **changes}).with_defaults()


async def ended(database: Database, benchmark_id: int) -> str:
    async def look() -> str | None:
        status = await BenchmarkRepository(LOCAL, database).status(benchmark_id)
        return None if status in ("pending", "running") else status

    return await until(look) or ""


async def test_a_benchmark_that_no_bell_was_rung_for_is_found_by_the_sweep(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, simulator.base_url)
    async with running_worker(settings, KEYS, children):
        benchmark = await BenchmarkRepository(LOCAL, database).create(spec(), "simulator")
        assert await ended(database, benchmark.id) == "completed"


async def test_what_a_dead_worker_sent_again_over_new_connections_stays_counted(
    database_url: str, database: Database, redis_url: str, children: Children
) -> None:
    repository = BenchmarkRepository(LOCAL, database)
    benchmark = await repository.create(spec(), "simulator")
    claimed = await LeaseRepository(database, lease_s=0).claim("dead")
    assert claimed is not None
    stored = measure("anthropic", [(10, anthropic_stream("Hi"))])
    records = [replace(stored, prompt_index=0), replace(stored, prompt_index=1, flags=["connection_renewed"])]
    await LeaseRepository(database, lease_s=0).begin(claimed[0], dispatched=2, price=None)
    await ResultRepository(database).record(claimed[0], records, dispatched=2)
    # The next worker's second request meets a connection that the server closes.
    async with (
        ClosingServer("anthropic").running() as server,
        running_worker(make_settings(database_url, redis_url, server.url), KEYS, children),
    ):
        assert await ended(database, benchmark.id) == "completed"
    document = await repository.get(benchmark.id)
    assert document.summary is not None
    assert document.summary["flags"]["connection_renewed"] == 2
    assert document.summary["possible_duplicates"]["requests"] == 2
    assert server.requests == 3


async def test_a_benchmark_of_a_dead_worker_goes_on_without_what_is_stored(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    repository = BenchmarkRepository(LOCAL, database)
    benchmark = await repository.create(spec(), "simulator")
    # A worker claims it, stores two results, and is never heard of again.
    claimed = await LeaseRepository(database, lease_s=0).claim("dead")
    assert claimed is not None
    stored = measure("anthropic", [(10, anthropic_stream("Hi"))])
    records = [replace(stored, prompt_index=index) for index in (0, 2)]
    leases = LeaseRepository(database, lease_s=0)
    await leases.begin(claimed[0], dispatched=2, price=None)
    # It had sent three, or was about to.
    await ResultRepository(database).record(claimed[0], records, dispatched=3)
    async with running_worker(make_settings(database_url, redis_url, simulator.base_url), KEYS, children):
        assert await ended(database, benchmark.id) == "completed"
    document = await repository.get(benchmark.id)
    assert (document.interrupted, document.crashes, document.done) == (True, 1, 4)
    assert [request.body["messages"][0]["content"] for request in simulator.requests] == ["b", "d"]
    assert document.summary is not None
    assert document.summary["interrupted"] is True
    assert document.summary["possible_duplicates"]["requests"] == 1
    assert document.summary["flags"]["possible_duplicate"] == 1
    dead, heir = await RunSegments(database).of(benchmark.id)
    assert (dead.worker_id, dead.ended_by, dead.results, dead.unanswered) == ("dead", "crashed", 2, [[1, 0]])
    assert (heir.ended_by, heir.results, heir.unanswered) == ("completed", 2, [])
    assert heir.measurement is not None
    # Nobody knows how late the dead worker was.
    graded = document.summary["measurement"]
    assert (graded["grade"], "measured 2 of the results died" in graded["reasons"][0]) == ("D", True)


async def test_a_stopping_worker_ends_what_is_in_flight_and_gives_the_rest_back(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, simulator.base_url, lease_s=30, sweep_s=5)
    benchmark = await BenchmarkRepository(LOCAL, database).create(
        spec(model="sim-ttft300-gap1-n4", prompts=["x"] * 4), "simulator"
    )
    async with running_worker(settings, KEYS, children):
        await simulator.wait_for(lambda server: server.in_flight == 1)
    document = await BenchmarkRepository(LOCAL, database).get(benchmark.id)
    assert (document.status, document.done, document.lease_owner) == ("running", 1, None)
    # No lease to wait for: the next worker goes on at once, and no crash is counted.
    async with running_worker(settings, KEYS, children):
        assert await ended(database, benchmark.id) == "completed"
    document = await BenchmarkRepository(LOCAL, database).get(benchmark.id)
    assert (document.crashes, document.interrupted, document.done) == (0, True, 4)
    assert len(simulator.requests) == 4
    assert document.summary is not None
    assert document.summary["possible_duplicates"]["requests"] == 0
    segments = await RunSegments(database).of(benchmark.id)
    assert [(item.ended_by, item.results, item.unanswered) for item in segments] == [
        ("released", 1, []),
        ("completed", 3, []),
    ]


async def test_a_second_signal_ends_the_grace_period_and_gives_back_what_was_in_flight(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, simulator.base_url, lease_s=30, shutdown_grace_s=600)
    repository = BenchmarkRepository(LOCAL, database)
    benchmark = await repository.create(spec(model="sim-ttft5-gap5-endless", prompts=["x"]), "simulator")
    async with running_worker(settings, KEYS, children) as dispatcher:
        await simulator.wait_for(lambda server: bool(server.requests) and server.requests[0].content_events > 2)
        stopping = asyncio.create_task(dispatcher.stop())
        dispatcher.stop_now()
        async with asyncio.timeout(PATIENCE_S):
            await simulator.wait_for(lambda server: server.requests[0].closed_by_client)
            await stopping
        document = await repository.get(benchmark.id)
        assert (document.status, document.lease_owner, document.done) == ("running", None, 0)
        # It was sent and will be again.
        (segment,) = await RunSegments(database).of(benchmark.id)
        assert (segment.ended_by, segment.unanswered) == ("released", [[0, 0]])


async def test_a_cancel_while_a_worker_ends_keeps_what_was_seen(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, simulator.base_url, shutdown_grace_s=60)
    repository = BenchmarkRepository(LOCAL, database)
    benchmark = await repository.create(spec(model="sim-ttft5-gap5-endless", prompts=["x", "y"]), "simulator")
    async with running_worker(settings, KEYS, children) as dispatcher:
        await simulator.wait_for(lambda server: bool(server.requests) and server.requests[0].content_events > 2)
        stopping = asyncio.create_task(dispatcher.stop())
        await repository.cancel(benchmark.id)
        # Its heartbeat sees the cancel within a third of the lease.
        assert await ended(database, benchmark.id) == "cancelled"
        await stopping
    document = await repository.get(benchmark.id)
    assert document.done == 1
    assert document.summary is not None
    assert document.summary["requests"]["cancelled"] == 1
    assert document.summary["possible_duplicates"]["requests"] == 0


async def test_a_cancel_while_a_worker_ends_does_not_wait_for_its_heartbeat(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    # A heartbeat that came first would come after 200 s.
    settings = make_settings(database_url, redis_url, simulator.base_url, lease_s=600, shutdown_grace_s=600)
    async with running_api(settings, KEYS) as client, running_worker(settings, KEYS, children) as dispatcher:
        body = {"name": "test", "model": "sim-ttft5-gap5-endless", "prompts": ["x"]}
        number = (await client.post("/benchmarks", json=body)).json()["id"]
        await simulator.wait_for(lambda server: server.in_flight == 1)
        stopping = asyncio.create_task(dispatcher.stop())
        async with asyncio.timeout(PATIENCE_S):
            await client.post(f"/benchmarks/{number}/cancel")
            assert await ended(database, number) == "cancelled"
            await stopping


async def test_a_worker_that_lost_its_lease_closes_its_streams_and_writes_nothing(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, simulator.base_url, lease_s=3, sweep_s=1)
    repository = BenchmarkRepository(LOCAL, database)
    benchmark = await repository.create(spec(model="sim-ttft5-gap5-endless", prompts=["x"]), "simulator")
    async with running_worker(settings, KEYS, children):
        await simulator.wait_for(lambda server: bool(server.requests) and server.requests[0].content_events > 2)
        # Somebody else takes the benchmark over and ends it.
        thief = LeaseRepository(database, lease_s=30)
        claimed = None
        while claimed is None:  # the owner's heartbeat may come in between
            async with database.write() as session:
                await session.execute(update(Benchmark).values(lease_expires_at=None))
            claimed = await thief.claim("thief")
        await thief.finish(claimed[0], "failed", summary=None, error={"kind": "stolen", "message": "by the test"})
        await simulator.wait_for(lambda server: server.requests[0].closed_by_client)
    document = await repository.get(benchmark.id)
    assert (document.status, document.done) == ("failed", 0)
    assert await recorded(ResultRepository(database), benchmark.id) == set()


async def test_a_run_that_must_not_be_interrupted_fails_with_what_it_has(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    repository = BenchmarkRepository(LOCAL, database)
    benchmark = await repository.create(spec(on_interrupt="fail"), "simulator")
    claimed = await LeaseRepository(database, lease_s=0).claim("dead")
    assert claimed is not None
    stored = measure("anthropic", [(10, anthropic_stream("Hi"))])
    await ResultRepository(database).record(claimed[0], [replace(stored, prompt_index=2)])
    async with running_worker(make_settings(database_url, redis_url, simulator.base_url), KEYS, children):
        assert await ended(database, benchmark.id) == "failed"
    document = await repository.get(benchmark.id)
    assert document.error is not None
    assert document.error["kind"] == "interrupted"
    assert document.summary is not None
    assert document.summary["requests"]["succeeded"] == 1
    assert document.summary["interrupted"] is True
    assert not simulator.requests


async def test_a_crash_is_counted_even_if_the_run_is_not_resumed(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    repository = BenchmarkRepository(LOCAL, database)
    benchmark = await repository.create(spec(on_interrupt="fail"), "simulator")
    dying = LeaseRepository(database, lease_s=0)
    claimed = await dying.claim("dead")
    assert claimed is not None
    await dying.begin(claimed[0], dispatched=2, price=None)
    async with running_worker(make_settings(database_url, redis_url, simulator.base_url), KEYS, children):
        assert await ended(database, benchmark.id) == "failed"
    document = await repository.get(benchmark.id)
    assert document.summary is not None
    assert document.summary["possible_duplicates"] == {"requests": 2, "cost_usd": None, "unpriced_requests": 2}
    assert not simulator.requests


async def test_a_benchmark_that_kills_its_workers_is_given_up(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, simulator.base_url, max_crashes=2)
    repository = BenchmarkRepository(LOCAL, database)
    benchmark = await repository.create(spec(), "simulator")
    dying = LeaseRepository(database, lease_s=0)
    for _ in range(2):
        assert await dying.claim("dying") is not None
    async with running_worker(settings, KEYS, children):
        assert await ended(database, benchmark.id) == "failed"
    document = await repository.get(benchmark.id)
    assert document.error is not None
    assert document.error["kind"] == "crash_loop"
    assert len(simulator.requests) == 0


async def test_a_cancelled_one_that_could_not_go_on_is_cancelled_with_what_it_has(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, simulator.base_url, max_crashes=1)
    repository = BenchmarkRepository(LOCAL, database)
    benchmark = await repository.create(spec(), "simulator")
    claimed = await LeaseRepository(database, lease_s=0).claim("dying")
    assert claimed is not None
    stored = measure("anthropic", [(10, anthropic_stream("Hi"))])
    await ResultRepository(database).record(claimed[0], [stored])
    await repository.cancel(benchmark.id)
    async with running_worker(settings, KEYS, children):
        assert await ended(database, benchmark.id) == "cancelled"
    document = await repository.get(benchmark.id)
    assert document.error is None
    assert document.summary is not None
    assert document.summary["requests"]["succeeded"] == 1


async def test_two_workers_share_a_backlog_and_send_nothing_twice(
    database_url: str, database: Database, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(database_url, redis_url, simulator.base_url, worker_max_benchmarks=2)
    repository = BenchmarkRepository(LOCAL, database)
    numbers = [(await repository.create(spec(), "simulator")).id for _ in range(12)]
    async with running_worker(settings, KEYS, children), running_worker(settings, KEYS, children):
        assert {await ended(database, number) for number in numbers} == {"completed"}
    assert len(simulator.requests) == 12 * 4
    assert {(await repository.get(number)).crashes for number in numbers} == {0}


async def test_a_key_that_only_a_worker_holds_is_enough_to_submit(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    endpoint = {"name": "locked", "protocol": "openai", "base_url": f"{simulator.base_url}/v1", "api_key_env": "K"}
    settings = make_settings(database_url, redis_url, None, providers=[endpoint])
    body = {"name": "test", "model": "sim-ttft5-gap1-n4", "provider": "locked", "prompts": ["x"]}
    async with running_api(settings, KeyRing({})) as client:
        refused = await client.post("/benchmarks", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "missing_key")
        async with running_worker(settings, KeyRing({"K": "secret-of-the-worker"}), children):
            done = await client.post("/benchmarks", json=body, headers=WAIT)
    assert done.json()["status"] == "completed"
    assert simulator.requests[0].headers["authorization"] != ""
