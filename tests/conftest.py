"""The suite's servers and fixtures. Real PostgreSQL and Redis start once; each test gets a database of its own."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.database import Database, async_url
from shared.db.migrate import upgrade
from simulator.server import Simulator
from tests.support.postgresql import PostgresqlServer, postgresql_server
from tests.support.service import Service, running_service
from tests.support.valkey import RedisServer, redis_server
from worker.engine.children import Children

TEMPLATE = "llmbench_template"

_stack = pytest.StashKey[ExitStack]()
_postgresql = pytest.StashKey[PostgresqlServer]()
_redis = pytest.StashKey[RedisServer]()


def pytest_configure(config: pytest.Config) -> None:
    # A shell without job control lets what it starts in the background ignore Ctrl-C, and so would every program that a
    # test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.collectonly or config.option.help or getattr(config.option, "numprocesses", None):
        # With `-n`, each of the processes that run tests has servers of its own.
        return
    stack = ExitStack()
    config.stash[_stack] = stack
    config.stash[_postgresql] = stack.enter_context(postgresql_server())
    config.stash[_redis] = stack.enter_context(redis_server())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    # Minutes of broken deployments, and what needs Docker: only for who asks for them.
    name = collection_path.name
    return True if name in ("chaos", "deploy") and not any(name in item for item in config.args) else None


def pytest_unconfigure(config: pytest.Config) -> None:
    stack = config.stash.get(_stack, None)
    if stack is not None:
        stack.close()


def pytest_report_header(config: pytest.Config) -> list[str]:
    if _postgresql not in config.stash:
        return []
    return [
        "databases: SQLite (files of this Python), and PostgreSQL from " + config.stash[_postgresql].source,
        "redis: " + config.stash[_redis].source,
    ]


async def _admin(url: str, *statements: str) -> None:
    engine = create_async_engine(async_url(url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


def _with_database(url: str, name: str) -> str:
    return async_url(url).set(drivername="postgresql", database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_url(pytestconfig: pytest.Config) -> str:
    """The server, with a migrated template database."""
    url = pytestconfig.stash[_postgresql].url
    drop = f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)"
    asyncio.run(_admin(url, drop, f"CREATE DATABASE {TEMPLATE}"))
    upgrade(_with_database(url, TEMPLATE))
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database at the newest schema; a test that takes it runs on both."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql_url")
    name = "test_" + "".join(c if c.isalnum() else "_" for c in request.node.nodeid.lower())[-50:]
    drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    asyncio.run(_admin(server, drop, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    yield _with_database(server, name)
    asyncio.run(_admin(server, drop))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def redis_url(pytestconfig: pytest.Config) -> str:
    """An empty Redis."""
    url = pytestconfig.stash[_redis].url
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
    return url


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as running:
        yield running


@pytest.fixture(scope="session")
async def children() -> AsyncIterator[Children]:
    """Measuring processes for all tests of this session."""
    pool = Children()
    yield pool
    await pool.close()


@pytest.fixture
async def service(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> AsyncIterator[Service]:
    """API and worker on a fresh database, with the simulator as the only provider."""
    async with running_service(database_url, redis_url, simulator.base_url, children=children) as running:
        yield running
