"""An API with keys: every request needs one."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from shared.db.connection.database import Database
from tests.api.access.keys import KeyMaker
from tests.api.conftest import KEYS, SIMULATOR
from tests.support.programs.ports import free_port
from tests.support.service import make_settings, running_api


@pytest.fixture
async def maker(sqlite_url: str) -> AsyncIterator[KeyMaker]:
    """Makes keys in the database of `keyed`."""
    database = Database(sqlite_url)
    yield KeyMaker(database)
    await database.close()


@pytest.fixture
async def keyed(sqlite_url: str, maker: KeyMaker) -> AsyncIterator[httpx2.AsyncClient]:
    """It has one admin key, which nobody uses."""
    await maker.make("admin")
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR)
    async with running_api(settings, KEYS) as client:
        yield client
