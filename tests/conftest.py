"""The suite's servers and fixtures.

PostgreSQL and Redis are real. Each starts once, when the first test asks for it. Each test gets an empty database.
"""

import asyncio
import gc
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from redis.asyncio import Redis
from sqlalchemy import make_url, text

from shared.db.connection.database import Database
from shared.db.connection.engine import make_engine
from shared.db.schema.migrate import upgrade
from simulator.server import Simulator
from tests.support import guards
from tests.support.databases.lent import DATABASES
from tests.support.databases.shared import SharedDatabase
from tests.support.memory_folder import memory_folder
from tests.support.programs.children import PoliteChildren
from tests.support.programs.not_run import not_run_lines
from tests.support.servers.postgresql import postgresql_server
from tests.support.servers.valkey import redis_server
from tests.support.service import Service, running_service
from worker.engine.children import Children

TEMPLATE = "llmbench_template"
SHARED = "llmbench_shared"

# Collected only where the command line names them. Minutes of whole programs and of broken deployments, what needs a
# browser or a Docker engine, and seconds of made-up input for each test.
ON_REQUEST = (
    *("programs", "chaos", "browser", "test_compose.py", "test_compose_secrets.py"),
    *("test_schema_fuzz.py", "test_lease_machine.py", "test_fuzz.py", "test_growth.py"),
)
SUITE = Path(__file__).resolve().parent
_servers = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    # A shell without job control lets what it starts in the background ignore Ctrl-C, and so would every program that a
    # test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if folder := memory_folder():
        # pytest reads it when a test first asks for a folder.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))
    config.stash[_servers] = []
    config.pluginmanager.register(guards)
    # How long an example takes says something about the machine.
    hypothesis.settings.register_profile(
        "suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("suite")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    name = collection_path.name
    return True if name in ON_REQUEST and name not in _named(config) else None


def _named(config: pytest.Config) -> set[str]:
    """The folders and files below that of the suite that the command line names, also as parts of a path."""
    paths = [(config.invocation_params.dir / item.split("::")[0]).resolve() for item in config.args]
    below = [path.relative_to(SUITE) for path in paths if path.is_relative_to(SUITE)]
    return {part for path in below for part in path.parts}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[_servers]:
        terminalreporter.write_line(line)
    for line in not_run_lines(terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_line(line, red=True, bold=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    # Thousands of tests and all modules: without this, each collection during the suite would walk them.
    gc.collect()
    gc.freeze()
    # A full collection after 100,000 new objects that stay, as is the default, takes a sixth of the processor time.
    gc.set_threshold(5_000, 10, 20)


async def _admin(url: str, *statements: str) -> None:
    engine = make_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(drivername="postgresql", database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_server_url(pytestconfig: pytest.Config) -> Iterator[str]:
    with postgresql_server() as server:
        pytestconfig.stash[_servers].append(f"PostgreSQL: {server.source}")
        yield server.url


@pytest.fixture(scope="session")
def redis_server_url(pytestconfig: pytest.Config) -> Iterator[str]:
    with redis_server() as server:
        pytestconfig.stash[_servers].append(f"Redis: {server.source}")
        yield server.url


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server_url: str) -> str:
    """The server, with a migrated template database."""
    drop = f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)"
    asyncio.run(_admin(postgresql_server_url, drop, f"CREATE DATABASE {TEMPLATE}"))
    upgrade(_with_database(postgresql_server_url, TEMPLATE))
    return postgresql_server_url


@pytest.fixture(scope="session")
def shared_postgresql(postgresql_url: str) -> Iterator[SharedDatabase]:
    """One database for all tests that leave its schema as it is: emptying it is far faster than making another."""
    drop = f"DROP DATABASE IF EXISTS {SHARED} WITH (FORCE)"
    asyncio.run(_admin(postgresql_url, drop, f"CREATE DATABASE {SHARED} TEMPLATE {TEMPLATE}"))
    with SharedDatabase(_with_database(postgresql_url, SHARED)) as shared:
        yield shared


@pytest.fixture(scope="session")
def sqlite_link(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each test finds its own SQLite database: a link to the folder with it."""
    return tmp_path_factory.mktemp("sqlite") / "current"


@pytest.fixture
def sqlite_url(sqlite_template: Path, sqlite_link: Path, tmp_path: Path) -> str:
    """An empty SQLite database at the newest schema. Its URL is the same in all tests (see `databases.lent`).

    SQLite itself follows the link, so that what a test leaves open stays with the file of that test.
    """
    shutil.copy(sqlite_template, tmp_path / "test.db")
    sqlite_link.unlink(missing_ok=True)
    sqlite_link.symlink_to(tmp_path)
    return f"sqlite:///{sqlite_link / 'test.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database at the newest schema; a test that takes it runs on both.

    With the mark `own_database` it is one that no other test uses: for tests that change the schema.
    """
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    if request.node.get_closest_marker("own_database") is None:
        shared: SharedDatabase = request.getfixturevalue("shared_postgresql")
        shared.empty()
        yield shared.url
        return
    server = request.getfixturevalue("postgresql_url")
    name = "test_" + "".join(c if c.isalnum() else "_" for c in request.node.nodeid.lower())[-50:]
    drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    asyncio.run(_admin(server, drop, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    yield _with_database(server, name)
    asyncio.run(_admin(server, drop))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with DATABASES.lent(database_url) as database:
        yield database


@pytest.fixture
async def redis_url(redis_server_url: str) -> str:
    """An empty Redis."""
    async with Redis.from_url(redis_server_url) as client:
        await client.flushdb()
    return redis_server_url


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as running:
        yield running


@pytest.fixture(scope="session")
async def children() -> AsyncIterator[Children]:
    """Measuring processes for all tests of this session."""
    pool = PoliteChildren()
    yield pool
    await pool.close()


@pytest.fixture
async def service(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> AsyncIterator[Service]:
    """API and worker on a fresh database, with the simulator as the only provider."""
    async with running_service(database_url, redis_url, simulator.base_url, children=children) as running:
        yield running
