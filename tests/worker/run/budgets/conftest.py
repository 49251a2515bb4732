"""A service with an endpoint of known prices, and the ledger of its database."""

from collections.abc import AsyncIterator

import pytest

from simulator.server import Simulator
from tests.support.databases.ledger import Ledger, priced
from tests.support.service import Service, running_service
from worker.engine.children import Children


@pytest.fixture
async def service(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> AsyncIterator[Service]:
    providers = [priced(simulator.base_url)]
    async with running_service(database_url, redis_url, None, children=children, providers=providers) as running:
        yield running


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[Ledger]:
    opened = Ledger(database_url)
    yield opened
    await opened.close()
