"""A pooler in transaction mode: nothing may be left on a connection that another client has next."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text

from shared.db.connection.database import Database
from shared.db.schema.check import check_schema
from shared.db.schema.migrate import downgrade
from shared.providers.key_ring import KeyRing
from shared.settings import process_environment
from simulator.server import Simulator
from tests.shared.db.rows import Tables
from tests.support.servers.pgbouncer import PROGRAM, pgbouncer_before
from tests.support.service import WAIT, make_settings, running_api, running_worker
from worker.engine.children import Children

pytestmark = pytest.mark.own_database

POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
PGBOUNCER = pytest.mark.skipif(PROGRAM is None, reason="no pgbouncer on the PATH, nor at TEST_PGBOUNCER")
SERVERS = 3


@pytest.fixture
def pooled_url(database_url: str) -> Iterator[str]:
    with pgbouncer_before(database_url, SERVERS) as url:
        yield url


@pytest.fixture
async def pooled(pooled_url: str) -> AsyncIterator[Database]:
    database = Database(pooled_url, transaction_pooling=True)
    yield database
    await database.close()


@POSTGRESQL
@pytest.mark.parametrize(
    ("query", "setting", "kept"),
    [("", "none", True), ("", "transaction", False), ("?pgbouncer=true", "none", False)],
)
async def test_no_prepared_statement_is_left_on_the_server(
    database_url: str, query: str, setting: str, kept: bool
) -> None:
    settings = make_settings(database_url + query, "redis://127.0.0.1", None, database_pooler=setting)
    database = Database(settings.database_url, pool_size=1, transaction_pooling=settings.transaction_pooling)
    tables = Tables(database)
    for benchmark_id in [await tables.add(), await tables.add()]:
        await tables.benchmarks.get(benchmark_id)
    async with database.read() as session:
        left = await session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
    await database.close()
    assert (left > 0) == kept


@POSTGRESQL
@PGBOUNCER
async def test_many_clients_share_few_connections(pooled: Database) -> None:
    tables = Tables(pooled)
    ids = await asyncio.gather(*(tables.add() for _ in range(60)))
    found = await asyncio.gather(*(tables.benchmarks.get(benchmark_id) for benchmark_id in ids))
    assert [item.id for item in found] == ids
    async with pooled.read() as session:
        # Of every client, as a pooler does not tell them apart.
        sessions = await session.scalar(
            text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        )
    assert sessions <= SERVERS


@pytest.mark.heavy
@POSTGRESQL
@PGBOUNCER
async def test_several_that_migrate_at_once_do_it_once_and_leave_no_lock(
    database_url: str, pooled_url: str, pooled: Database
) -> None:
    await asyncio.to_thread(downgrade, database_url, "base")
    environment = process_environment(DATABASE_URL=pooled_url)
    migrate = (sys.executable, "-m", "cli.main", "migrate")
    programs = [await asyncio.create_subprocess_exec(*migrate, env=environment) for _ in range(2)]
    assert [await program.wait() for program in programs] == [0, 0]
    await check_schema(pooled)
    assert await Tables(pooled).add() == 1
    async with pooled.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0
    again = await asyncio.create_subprocess_exec(*migrate, env=environment)
    assert await again.wait() == 0


@POSTGRESQL
@PGBOUNCER
async def test_benchmarks_run_through_a_pooler(
    pooled_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    settings = make_settings(f"{pooled_url}?pgbouncer=true", redis_url, simulator.base_url)
    keys = KeyRing({})
    body = {"name": "test", "model": "sim-ttft5-gap1-n4", "prompts": ["a", "b"], "repetitions": 10}
    async with running_worker(settings, keys, children), running_api(settings, keys) as client:
        answers = await asyncio.gather(*(client.post("/benchmarks", json=body, headers=WAIT) for _ in range(4)))
    assert [answer.json()["status"] for answer in answers] == ["completed"] * 4
    assert [answer.json()["summary"]["requests"]["succeeded"] for answer in answers] == [20] * 4
