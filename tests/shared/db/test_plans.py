"""The plan of every statement of API and worker in a database of some size: none reads a whole table."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from api.lists.cursor import encode_cursor
from shared.access.caller import LOCAL
from shared.clock import wall_now
from shared.db.benchmarks.repository import Once
from shared.db.benchmarks.retention import RetentionRepository
from shared.db.benchmarks.waits import WaitRepository
from shared.db.connection.database import Database
from shared.db.results.pages import SORTABLE
from shared.db.runs.benchmarks import RunBenchmarks
from shared.db.runs.segments import SegmentEnd
from shared.db.runs.unclaimed import UnclaimedRepository
from shared.db.tables.benchmarks import Benchmark
from shared.db.webhooks.deliveries import Attempt, DeliveryRepository
from shared.db.webhooks.endpoints import WebhookRepository
from shared.db.workers.monitoring import MonitoringRepository
from shared.providers.identity import Holdings
from shared.providers.key_ring import KeyRing
from shared.webhooks.message import NewEndpoint
from shared.webhooks.secret_box import new_key
from tests.shared.db.plans import Statements, scans
from tests.shared.db.rows import Tables, make_record, make_spec, recorded
from tests.shared.db.waiting_rows import Waiting, lane
from tests.support.databases.many_rows import FAST, PROMPT_SETS, QUIET, SLOW, Filled, fill
from tests.support.programs.ports import free_port
from tests.support.service import make_settings, running_api

pytestmark = [pytest.mark.own_database, pytest.mark.heavy]

COUNT = 2_000


@pytest.fixture
async def filled(database: Database) -> Filled:
    return await fill(database, COUNT)


@pytest.fixture
async def client(database_url: str, filled: Filled) -> AsyncIterator[httpx2.AsyncClient]:
    # Redis is away: nothing here needs it.
    settings = make_settings(
        database_url, f"redis://127.0.0.1:{free_port()}/0", "http://127.0.0.1:9", encryption_key=new_key()
    )
    async with running_api(settings, KeyRing({})) as client:
        yield client


async def use_api(client: httpx2.AsyncClient, middle: int) -> None:
    """Every route that reads or writes the database, with every filter and order."""
    lists = [
        "/benchmarks",
        f"/benchmarks?status=failed&created_before={instant()}",
        *(f"/benchmarks?{query}" for query in FILTERS),
        f"/benchmarks/{middle}/results?outcome=errored",
        f"/benchmarks/{middle}/results?outcome=succeeded&warmup=true",
        *(f"/benchmarks/{middle}/results?sort={sign}{sort}" for sort in SORTABLE for sign in ("", "-")),
        f"/benchmarks/{middle}/prompts",
        f"/benchmarks/{middle}/webhook-deliveries",
        f"/webhooks/{QUIET}/deliveries",
        "/webhooks",
        "/baselines",
    ]
    for path in lists:
        path = f"{path}{'&' if '?' in path else '?'}limit=1"
        first = await client.get(path)
        assert first.status_code == 200, first.text
        cursor = first.json()["next_cursor"]
        if cursor is not None:
            second = await client.get(f"{path}&cursor={cursor}")
            assert second.status_code == 200, second.text
    spec = {"name": "new", "model": "sim", "prompts": ["x"]}
    for method, path, body, headers in (
        ("GET", f"/benchmarks/{middle}", None, {}),
        ("GET", f"/benchmarks/{middle}?include=timeline,warmup", None, {}),
        ("GET", f"/benchmarks/{middle}/charts", None, {}),
        ("GET", f"/history/sets?model=model-7&provider=simulator&prompt_set={PROMPT_SETS}17", None, {}),
        ("GET", "/history/sets?provider=simulator", None, {}),
        ("GET", "/history/sets", None, {}),
        ("GET", f"/history?model=model-7&provider=simulator&prompt_set={PROMPT_SETS}17&limit=2", None, {}),
        (
            "GET",
            f"/history?model=model-7&provider=simulator&prompt_set={PROMPT_SETS}17&cursor={encode_cursor(middle)}",
            None,
            {},
        ),
        ("GET", f"/leaderboard?prompt_set={PROMPT_SETS}17", None, {}),
        ("GET", f"/benchmarks/{middle}/charts", None, {}),
        ("GET", "/metrics", None, {}),
        ("GET", "/ready", None, {}),
        ("GET", "/workers", None, {}),
        ("POST", "/benchmarks", spec, {}),
        ("POST", "/benchmarks", spec, {"Idempotency-Key": "one"}),
        ("POST", "/benchmarks", spec, {"Idempotency-Key": "one"}),
        ("POST", f"/benchmarks/{middle}/rerun", None, {}),
        ("POST", f"/benchmarks/{COUNT}/cancel", None, {}),
        ("DELETE", f"/benchmarks/{middle + 1}", None, {}),
        ("PUT", "/baselines/main", {"benchmark_id": middle}, {}),
        ("GET", "/baselines/main", None, {}),
        ("GET", "/baselines", None, {}),
        ("DELETE", "/baselines/main", None, {}),
        ("GET", f"/webhooks/{FAST}", None, {}),
        ("PATCH", f"/webhooks/{FAST}", {"enabled": True, "description": "fast"}, {}),
        ("POST", f"/webhooks/{FAST}/rotate-secret", None, {}),
        ("POST", f"/webhooks/{FAST}/test", None, {}),
        ("POST", f"/webhooks/{FAST}/deliveries/{middle}/redeliver", None, {}),
        ("POST", f"/benchmarks/{middle}/webhook-deliveries/{middle}/redeliver", None, {}),
    ):
        response = await client.request(method, path, json=body, headers=headers)
        assert response.status_code < 300 or path == "/ready", (path, response.text)


FILTERS = (
    "status=failed",
    "status=pending",
    "model=model-7",
    "provider=rare",
    "rerun_of=199",
    "metadata=team:search",
    "metadata=team:search&metadata=number:77",
    "metadata=team:search&status=failed",
    "metadata=team:search&name=run 77",
    "metadata=number:77&created_from=2025-01-01T00:00:00Z",
    "name=run 77",
    "created_from=2025-01-01T00:00:00Z",
    "status=failed&model=model-7&provider=simulator",
)


def instant() -> str:
    return wall_now().isoformat().replace("+00:00", "Z")


async def use_as_worker(database: Database, middle: int) -> None:
    """Every statement of a worker."""
    tables = Tables(database)
    assert await tables.leases.claim("one", look_first=True) is not None
    await tables.leases.claim("one", holdings=Holdings(("key",), ("simulator", "rare")))
    await use_claims(database)
    await tables.leases.claim_overdue("one", after_s=60)
    await UnclaimedRepository(database).mark(Holdings((), ()), alive_within_s=30)
    lease = await tables.claimed()
    assert await tables.leases.heartbeat(lease) is False
    await tables.leases.begin(lease, dispatched=2, price=None)
    await tables.results.record(lease, [make_record(), make_record(1)])
    await recorded(tables.results, middle)
    assert len([row async for row in tables.results.all_for_summary(middle)]) == 10
    await tables.leases.end_crashed(lease, [])
    await tables.segments.of(lease.benchmark_id)
    await RunBenchmarks(database).running_s(middle)
    await tables.leases.release(lease, SegmentEnd())
    await tables.leases.finish(await tables.claimed(), "completed", summary=None, error=None)
    once = Once("two", "f")
    await tables.benchmarks.create_once(once, make_spec(), "simulator", webhook=NewEndpoint("http://x.test/", None, []))
    await MonitoringRepository(database).backlog(alive_within_s=30)
    await use_deliveries(database)
    retention = RetentionRepository(database)
    (first, second, *_) = await retention.ended_before(60)
    assert await retention.delete_step(first) is True
    assert await retention.delete_step(first) is False
    assert await retention.ended_before(60, with_texts=True)
    step = await retention.delete_texts_step(second, 0)
    assert step is not None
    assert await retention.delete_texts_step(second, step) is None
    await retention.delete_keys_step()
    await retention.delete_events_step()


async def use_claims(database: Database) -> None:
    """Claims that pass over others, and the words about what those wait for."""
    waiting = Waiting(database)
    running, large = await waiting.add("acme", streams=3), await waiting.add("acme", streams=2)
    alone = await waiting.add("beta", "b", exclusive=True)
    assert await waiting.claim(ceilings={"a": 4}) == running
    assert await waiting.claim(ceilings={"a": 4}, is_idle=False) is None
    assert await waiting.claim(ceilings={"a": 4}) == alone
    for number in (large, await waiting.add("beta", "b")):
        async with database.read() as session:
            benchmark = await session.get_one(Benchmark, number)
        assert await WaitRepository(database).of(benchmark, ceiling=4) is not None
    await UnclaimedRepository(database).mark(Holdings((), (), {lane("a"): 1}), alive_within_s=30)
    await waiting.end(running)
    await waiting.end(alone)


async def use_deliveries(database: Database) -> None:
    """A claim beside a lane that is full, and the ends of its attempts."""
    deliveries, endpoints = DeliveryRepository(database), WebhookRepository(LOCAL, database)
    await endpoints.test(FAST)
    claimed = await deliveries.claim(256)
    assert FAST in {item.endpoint_id for item in claimed}
    assert SLOW not in {item.endpoint_id for item in claimed}
    await deliveries.settle(claimed[0], Attempt(succeeded=True, duration_ms=1.0))
    await deliveries.give_back(claimed[1])
    await deliveries.next_due_s()
    await endpoints.change(SLOW, {"enabled": False})
    assert SLOW not in {item.endpoint_id for item in await deliveries.claim(256)}


async def test_no_statement_reads_a_whole_table(database: Database, filled: Filled, client: httpx2.AsyncClient) -> None:
    statements = Statements()
    parts = client._transport.app.state.process  # type: ignore[attr-defined]
    with statements.kept(parts.database):
        await use_api(client, filled.middle)
    with statements.kept(database):
        await use_as_worker(database, filled.middle + 100)
    assert len(statements.seen) > 100
    found = await scans(database, statements)
    if database.is_sqlite:
        # The statistics of a file that nobody has analyzed.
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("DELETE FROM sqlite_stat1")
            await connection.commit()
        await database.engine.dispose()
        found |= await scans(database, statements)
    for statement, steps in found.items():
        print(steps, statement, sep="\n", end="\n\n")
    assert found == {}
