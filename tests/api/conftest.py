"""An API without a worker; the simulator's address is set, and nothing is sent to it."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from shared.db.connection.database import Database
from shared.providers.key_ring import KeyRing
from tests.api.access.browsers import Browser, make_key
from tests.api.documents import KEY
from tests.shared.db.rows import Tables
from tests.support.programs.ports import free_port
from tests.support.service import make_settings, running_api

SIMULATOR = "http://127.0.0.1:9"
KEYS = KeyRing({"GROQ_API_KEY": KEY})


@pytest.fixture
async def api(database_url: str, redis_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """On each database."""
    async with running_api(make_settings(database_url, redis_url, SIMULATOR), KEYS) as client:
        yield client


@pytest.fixture
async def sqlite_api(sqlite_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """For what no database has a part in; Redis is away."""
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR)
    async with running_api(settings, KEYS) as client:
        yield client


@pytest.fixture(scope="session")
async def long_lived_api(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    path = tmp_path_factory.mktemp("refusing") / "api.db"
    shutil.copy(sqlite_template, path)
    settings = make_settings(f"sqlite:///{path}", f"redis://127.0.0.1:{free_port()}/0", SIMULATOR)
    async with running_api(settings, KEYS) as client:
        yield client


@pytest.fixture
async def empty_api(long_lived_api: httpx2.AsyncClient) -> AsyncIterator[httpx2.AsyncClient]:
    """One API for all tests that store nothing, such as those of refused input. After each there is still nothing."""
    yield long_lived_api
    for path in ("/benchmarks", "/webhooks"):
        assert (await long_lived_api.get(path)).json()["items"] == []


@pytest.fixture
async def key(database: Database) -> str:
    """Of the owner `acme`; it may run benchmarks. From now on the API needs keys."""
    return (await make_key(database))[1]


@pytest.fixture
async def browser(api: httpx2.AsyncClient, key: str) -> Browser:
    """Logged in with that key."""
    browser = Browser(api)
    await browser.log_in(key)
    return browser


@pytest.fixture
def tables(database: Database) -> Tables:
    """The API's database, as a worker sees it."""
    return Tables(database)
