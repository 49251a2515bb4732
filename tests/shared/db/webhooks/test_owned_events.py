"""An endpoint hears of the benchmarks of its owner, whoever ends them; workers without owners tell none of others'."""

import pytest
from sqlalchemy import select, update

from shared.access.caller import LOCAL, Caller
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from shared.db.runs.leases import LeaseRepository
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookEndpoint
from shared.db.tables.workers import Worker
from shared.db.webhooks.delivery_history import DeliveryHistory
from shared.db.webhooks.endpoints import WebhookRepository
from shared.db.workers.repository import OLD_WORKER_S
from shared.errors import Conflict
from shared.providers.identity import EndpointIdentity, HeldEndpoint, Holdings
from shared.webhooks.message import NewEndpoint
from tests.shared.db.rows import make_spec

ACME, BETA = Caller("acme", "run", "acmekey1"), Caller("beta", "run")
CALLERS = (LOCAL, ACME, BETA)
ENDPOINT = EndpointIdentity("simulator", "anthropic", "http://127.0.0.1:9", "f" * 32)


async def registered(database: Database, caller: Caller, events: list[str] | None = None) -> int:
    return (await WebhookRepository(caller, database).add(NewEndpoint("http://a.test/", events, ["sealed"]))).id


async def heard(database: Database, caller: Caller, endpoint_id: int) -> list[tuple[str, int | None]]:
    """(type, benchmark) of the events that an endpoint gets, first to last."""
    history = DeliveryHistory(caller, database)
    page = await history.page(endpoint_id=endpoint_id, benchmark_id=None, before_id=None, limit=99)
    return [(item.event.type, item.event.benchmark_id) for item in reversed(page)]


async def test_every_path_tells_only_the_owner(database: Database) -> None:
    endpoints = {caller.owner: await registered(database, caller) for caller in CALLERS}
    leases, ids = LeaseRepository(database, lease_s=30), {}
    for caller in CALLERS:
        repository = BenchmarkRepository(caller, database)
        ids[caller.owner] = [(await repository.create(make_spec(), "simulator")).id for _ in range(3)]
        # Ended by the API, by a worker, and by a worker after a cancel.
        await repository.cancel(ids[caller.owner][0])
        for number in ids[caller.owner][1:]:
            claimed = await leases.claim("one")
            assert claimed is not None
            assert claimed[0].benchmark_id == number
            if number == ids[caller.owner][2]:
                await repository.cancel(number)
            await leases.finish(claimed[0], "completed", summary=None, error=None)
    for caller in CALLERS:
        one, two, three = ids[caller.owner]
        assert await heard(database, caller, endpoints[caller.owner]) == [
            ("benchmark.cancelled", one),
            ("benchmark.started", two),
            ("benchmark.completed", two),
            ("benchmark.started", three),
            ("benchmark.cancelled", three),
        ]


async def test_a_choice_of_events_holds_for_every_owner(database: Database) -> None:
    for caller in (LOCAL, ACME):
        endpoint_id = await registered(database, caller, ["benchmark.started"])
        repository, leases = BenchmarkRepository(caller, database), LeaseRepository(database, lease_s=30)
        await repository.create(make_spec(), "simulator")
        claimed = await leases.claim("one")
        assert claimed is not None
        await leases.finish(claimed[0], "completed", summary=None, error=None)
        number = claimed[0].benchmark_id
        assert await heard(database, caller, endpoint_id) == [("benchmark.started", number)]
        endpoints = WebhookRepository(caller, database)
        assert (await endpoints.get(endpoint_id)).chosen == ["benchmark.started"]
        assert (await endpoints.change(endpoint_id, {"events": None})).chosen is None
        cancelled = await repository.create(make_spec(), "simulator")
        await repository.cancel(cancelled.id)
        assert (await heard(database, caller, endpoint_id))[1:] == [("benchmark.cancelled", cancelled.id)]


async def test_a_benchmark_tells_the_endpoint_that_it_named_itself(database: Database) -> None:
    repository = BenchmarkRepository(ACME, database)
    own = NewEndpoint("http://own.test/", ["benchmark.cancelled"], ["sealed"])
    benchmark = await repository.create(make_spec(), "simulator", webhook=own)
    await repository.cancel(benchmark.id)
    history = DeliveryHistory(ACME, database)
    page = await history.page(endpoint_id=None, benchmark_id=benchmark.id, before_id=None, limit=9)
    assert [(item.endpoint.url, item.event.type) for item in page] == [("http://own.test/", "benchmark.cancelled")]


@pytest.mark.parametrize("events", [None, ["benchmark.completed"]])
async def test_workers_without_owners_tell_an_owners_endpoint_nothing(
    database: Database, events: list[str] | None
) -> None:
    """They tell the endpoints whose `events` are null or have the type."""
    stored = {}
    for caller in (LOCAL, ACME):
        endpoint_id = await registered(database, caller, events)
        async with database.read() as session:
            row = (await session.execute(select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))).scalar_one()
            stored[caller.owner] = (row.events, row.owner_events)
    assert stored == {"default": (events, None), "acme": ([], events or ["*"])}


async def test_workers_without_owners_do_not_claim_what_is_another_owners(database: Database) -> None:
    leases = LeaseRepository(database, lease_s=30)
    old = Holdings((ENDPOINT.key, f"{ENDPOINT.key}+load"), (ENDPOINT.name,))
    new = Holdings.of([HeldEndpoint(ENDPOINT)])
    benchmark = await BenchmarkRepository(ACME, database).create(make_spec(), "simulator", endpoint=ENDPOINT)
    assert (benchmark.owner, benchmark.key_id) == ("acme", "acmekey1")
    assert await leases.claim("old", holdings=old) is None
    claimed = await leases.claim("new", holdings=new)
    assert claimed is not None
    assert claimed[0].benchmark_id == benchmark.id
    ours = await BenchmarkRepository(LOCAL, database).create(make_spec(), "simulator", endpoint=ENDPOINT)
    claimed = await leases.claim("old", holdings=old)
    assert claimed is not None
    assert claimed[0].benchmark_id == ours.id


async def test_no_benchmark_of_another_owner_is_stored_while_a_worker_without_owners_lives(database: Database) -> None:
    """It would end one that is cancelled while its own worker is gone, and tell the endpoints of all owners."""
    document = HeldEndpoint(ENDPOINT).document()
    before = {name: value for name, value in document.items() if name != "owned"}
    async with database.write() as session:
        for name, endpoints in (("new", [document]), ("old", [document, before]), ("older", None)):
            times = {"started_at": utc_now(), "heartbeat_at": utc_now()}
            row = {"hostname": "h", "pid": 1, "version": "1", "providers": [], "endpoints": endpoints, "running": 0}
            session.add(Worker(id=name, **row, **times))
        await session.flush()
    repository = BenchmarkRepository(ACME, database)
    with pytest.raises(Conflict, match="worker old, older is of a version that knows no owners"):
        await repository.create(make_spec(), "simulator")
    await BenchmarkRepository(LOCAL, database).create(make_spec(), "simulator")
    async with database.write() as session:
        await session.execute(update(Worker).where(Worker.id != "new").values(heartbeat_at=utc_now(-OLD_WORKER_S - 1)))
    created = await repository.create(make_spec(), "simulator")
    async with database.read() as session:
        owners = (await session.scalars(select(Benchmark.owner).order_by(Benchmark.id))).all()
    assert owners == ["default", created.owner]
