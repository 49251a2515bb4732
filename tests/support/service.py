"""The API and a worker's dispatcher in the test's own loop: real database, Redis and HTTP to the provider."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from fastapi import FastAPI

from api.main import create_app
from shared.clock import SystemClock
from shared.db.connection.database import Database
from shared.db.money.payments import Payments
from shared.db.runs.benchmarks import RunBenchmarks
from shared.db.runs.datasets import RunDatasets
from shared.db.runs.earlier_segments import RunSegments
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.observations import RunObservations
from shared.db.runs.results import ResultRepository
from shared.db.runs.stages import RunStages
from shared.db.runs.unclaimed import UnclaimedRepository
from shared.db.workers.repository import WorkerRepository
from shared.providers.key_ring import KeyRing
from shared.providers.prices import PriceList
from shared.queue.doorbell import Doorbell
from shared.queue.redis import client_redis
from shared.settings import Settings
from tests.support.databases.lent import DATABASES
from tests.support.waiting import PATIENCE_S
from worker.calibration import Calibration
from worker.dispatcher import Dispatcher, nothing
from worker.engine.children import Children
from worker.monitoring import WorkerMonitor
from worker.run.context import RunContext
from worker.webhooks import make_deliverer

# Answers when the benchmark has ended.
WAIT = {"Prefer": f"wait={PATIENCE_S:g}"}


def make_settings(database_url: str, redis_url: str, simulator_url: str | None, **changes: Any) -> Settings:
    """Settings that read neither environment nor `.env`."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    values: dict[str, Any] = {
        **defaults,
        "database_url": database_url,
        "redis_url": redis_url,
        "simulator_url": simulator_url,
        # Long enough for a busy machine to prolong it in time.
        "lease_s": 10,
        "sweep_s": 0.5,
        "max_wait_s": PATIENCE_S,
        "log_level": "WARNING",
        **changes,
    }
    return Settings(_env_file=None, **values)


def make_context(
    settings: Settings, database: Database, keys: KeyRing, children: Children, calibration: Calibration | None = None
) -> RunContext:
    """What a worker's runs need."""
    price_list = PriceList()
    return RunContext(
        settings=settings,
        clock=SystemClock(),
        endpoints=settings.endpoints(price_list),
        keys=keys,
        price_list=price_list,
        benchmarks=RunBenchmarks(database),
        leases=LeaseRepository(database, lease_s=settings.lease_s, public_url=settings.public_url),
        results=ResultRepository(database),
        segments=RunSegments(database),
        stages=RunStages(database),
        observations=RunObservations(database),
        datasets=RunDatasets(database),
        payments=Payments(database),
        children=children,
        monitor=WorkerMonitor(database),
        calibration=calibration,
        identities=settings.identities(),
    )


@asynccontextmanager
async def running_worker(
    settings: Settings,
    keys: KeyRing,
    children: Children | None = None,
    warm_up: Callable[[], Awaitable[None]] = nothing,
) -> AsyncIterator[Dispatcher]:
    """A dispatcher with connections of its own, and measuring processes of its own unless it is lent some."""
    async with DATABASES.lent(settings.database_url, transaction_pooling=settings.transaction_pooling) as database:
        doorbell = Doorbell(client_redis(settings.redis_url))
        own = Children()
        context = make_context(settings, database, keys, children or own)
        dispatcher = Dispatcher(
            context,
            WorkerRepository(database),
            doorbell,
            make_deliverer(settings, database, context.monitor),
            unclaimed=UnclaimedRepository(database),
            warm_up=warm_up,
        )
        await dispatcher.start()
        try:
            yield dispatcher
        finally:
            await dispatcher.stop()
            await own.close()
            await doorbell.close()


@asynccontextmanager
async def running_api(settings: Settings, keys: KeyRing) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application, its lifespan begun."""
    async with (
        DATABASES.lent(
            settings.database_url,
            pool_size=settings.database_pool_size,
            transaction_pooling=settings.transaction_pooling,
        ) as database,
        _running_app(create_app(settings, keys, database)) as client,
    ):
        yield client


@asynccontextmanager
async def _running_app(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="http://localhost",
            timeout=PATIENCE_S,
        ) as client,
    ):
        yield client


@dataclass
class Service:
    """A running API with one worker."""

    client: httpx2.AsyncClient
    dispatcher: Dispatcher
    settings: Settings
    keys: KeyRing

    @property
    def monitor(self) -> WorkerMonitor:
        """What the worker counts."""
        return self.dispatcher.monitor

    async def run(self, **spec: Any) -> dict[str, Any]:
        """Submits a benchmark, waits for its end, returns it with its results."""
        response = await self.client.post(
            "/benchmarks", json={"name": "test", "model": "sim-ttft5-gap1-n4", **spec}, headers=WAIT
        )
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document


@asynccontextmanager
async def running_service(
    database_url: str,
    redis_url: str,
    simulator_url: str | None,
    keys: KeyRing | None = None,
    children: Children | None = None,
    **changes: Any,
) -> AsyncIterator[Service]:
    settings = make_settings(database_url, redis_url, simulator_url, **changes)
    keys = keys or KeyRing({})
    async with running_worker(settings, keys, children) as dispatcher, running_api(settings, keys) as client:
        yield Service(client, dispatcher, settings, keys)
