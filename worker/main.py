"""The worker program: `arq worker.main.WorkerSettings`. Chooses implementations and hands them to the dispatcher."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any, cast

import structlog
from arq.worker import func
from prometheus_client import start_http_server

from shared.benchmark.load.plan import PlannedLoad
from shared.clock import SystemClock
from shared.db.benchmarks.retention import RetentionRepository
from shared.db.connection.database import Database, warn_of_ignored_parameters
from shared.db.connection.open_connections import warn_of_too_many_connections
from shared.db.connection.shared_locks import LONGEST_IDLE_S
from shared.db.money.payments import Payments
from shared.db.runs.benchmarks import RunBenchmarks
from shared.db.runs.datasets import RunDatasets
from shared.db.runs.earlier_segments import RunSegments
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.observations import RunObservations
from shared.db.runs.results import ResultRepository
from shared.db.runs.stages import RunStages
from shared.db.runs.unclaimed import UnclaimedRepository
from shared.db.schema.check import check_schema
from shared.db.workers.repository import WorkerRepository
from shared.program.heap import FullCollections, keep_what_is_loaded, loading
from shared.program.limits import raise_open_files_limit
from shared.program.logs import configure_logs
from shared.program.tracing import start_tracing
from shared.providers.built_in import BUILT_IN
from shared.providers.endpoints import EndpointRegistry
from shared.providers.key_ring import KeyRing
from shared.providers.prices import PriceList
from shared.queue.doorbell import RING_FUNCTION, Doorbell
from shared.queue.redis import QUEUE_NAME, client_redis, deserialize, serialize
from shared.scrubber import Scrubber
from shared.settings import load_key_ring, load_settings, load_trace_exporter
from shared.workloads.loads import load_of
from worker.arq_redis import queue_redis, redis_settings
from worker.calibration import Calibration, CannotCalibrate, calibrate
from worker.dispatcher import Dispatcher
from worker.engine.children import Children
from worker.engine.sdk_clients import warm_up
from worker.monitoring import WorkerMonitor
from worker.retention import Retention
from worker.run.context import RunContext
from worker.shutdown import Shutdown
from worker.webhooks import make_deliverer

log = structlog.get_logger(__name__)


async def ring(ctx: dict[str, Any], benchmark_id: int) -> None:
    """arq's job: tells the dispatcher to look for work. The benchmark itself is claimed in the database."""
    dispatcher: Dispatcher = ctx["dispatcher"]
    dispatcher.ring()


async def start(ctx: dict[str, Any], *, load_of: Callable[..., PlannedLoad] = load_of) -> None:
    """arq's start-up hook. `load_of` makes the load of a spec."""
    settings = load_settings()
    keys = load_key_ring()
    price_list = PriceList()
    endpoints = settings.endpoints(price_list)
    scrubber = Scrubber(keys.secrets(endpoints))
    configure_logs(settings, scrubber)
    _warn_of_unusable(endpoints, keys)
    warn_of_ignored_parameters(settings.database_url)
    tracing = start_tracing(load_trace_exporter(), "llmbench-worker")
    raise_open_files_limit()
    children = Children()
    await children.prepare()
    calibration = await _calibrated(children, settings.engine_processes) if settings.calibrate_on_start else None
    database = Database(
        settings.database_url,
        pool_size=settings.database_pool_size,
        transaction_pooling=settings.transaction_pooling,
        longest_idle_s=LONGEST_IDLE_S,
    )
    await check_schema(database)
    monitor = WorkerMonitor(database)
    if settings.worker_metrics_port:
        # Runs in a thread of its own, because a worker has no web server otherwise.
        start_http_server(settings.worker_metrics_port, registry=monitor.registry)
    context = RunContext(
        settings=settings,
        clock=SystemClock(),
        endpoints=endpoints,
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
        monitor=monitor,
        tracing=tracing,
        calibration=calibration,
        identities=settings.identities(),
        load_of=partial(load_of, tokenizers=settings.tokenizers_dir),
    )
    retention = Retention(
        RetentionRepository(database),
        benchmark_days=settings.retention_days,
        text_days=settings.text_retention_days,
    )
    doorbell = Doorbell(client_redis(settings.redis_url))

    def take_new_endpoints() -> None:
        scrubber.learn(keys.secrets(endpoints))
        _warn_of_unusable(endpoints, keys)

    protocols = sorted({endpoint.protocol for endpoint in endpoints if keys.can_use(endpoint)})
    dispatcher = Dispatcher(
        context,
        WorkerRepository(database),
        doorbell,
        make_deliverer(settings, database, monitor),
        retention,
        unclaimed=UnclaimedRepository(database),
        collections=FullCollections(),
        warm_up=lambda: _load(protocols),
        on_endpoints=take_new_endpoints,
    )
    # arq's hooks run in its main task.
    shutdown = Shutdown(dispatcher, cast("asyncio.Task[Any]", asyncio.current_task()))
    ctx |= {"database": database, "doorbell": doorbell, "dispatcher": dispatcher, "children": children}
    ctx |= {"tracing": tracing, "shutdown": shutdown}
    shutdown.take_signals()
    await dispatcher.start()
    if not settings.transaction_pooling:
        await warn_of_too_many_connections(
            database, pool_size=settings.database_pool_size, alive_within_s=settings.lease_s
        )


def _warn_of_unusable(endpoints: EndpointRegistry, keys: KeyRing) -> None:
    """Logs the configured endpoints that lack a variable. Of the built-in ones most have no key, so they are quiet."""
    for endpoint in endpoints:
        if endpoint not in BUILT_IN and (problems := keys.problems(endpoint)):
            log.warning("endpoint_unusable", endpoint=endpoint.name, problems=problems)


async def _load(protocols: Iterable[str]) -> None:
    with loading():
        await warm_up(protocols)
        # For the first summary.
        await asyncio.to_thread(import_module, "numpy")
        # For the first benchmark with a workload.
        await asyncio.to_thread(import_module, "shared.workloads.of_spec")
    keep_what_is_loaded()


async def _calibrated(children: Children, processes_setting: int) -> Calibration | None:
    """Measures what this host can do. None if that fails; the worker starts all the same."""
    try:
        return await calibrate(
            children,
            SystemClock(),
            processes_setting=processes_setting,
            on_level=lambda concurrency: log.info("calibrating", concurrency=concurrency),
        )
    except CannotCalibrate as exc:
        log.warning("not_calibrated", reason=str(exc))
        return None


async def stop(ctx: dict[str, Any]) -> None:
    """arq's shutdown hook. Does nothing if `start` did not complete."""
    shutdown: Shutdown | None = ctx.get("shutdown")
    if shutdown is not None:
        try:
            await shutdown.stopped()
        finally:
            await ctx["children"].close()
            await ctx["doorbell"].close()
            await ctx["database"].close()
            await asyncio.to_thread(ctx["tracing"].close)


class WorkerSettings:
    """The settings that arq reads. Its queue is the doorbell; its retries, timeouts and results are not used."""

    functions = (func(ring, name=RING_FUNCTION, keep_result=0, max_tries=1, timeout=10),)
    queue_name = QUEUE_NAME
    redis_pool = queue_redis(load_settings().redis_url)
    # For `arq --check`, which opens a connection of its own.
    redis_settings = redis_settings(load_settings().redis_url)
    on_startup = start
    on_shutdown = stop
    job_serializer = staticmethod(serialize)
    job_deserializer = staticmethod(deserialize)
    allow_abort_jobs = False
