"""The API program: `uvicorn --factory api.main:create_app`. Creates what its requests share and installs the routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.access.browser import ViewerMiddleware
from api.access.setup import add_access, make_access
from api.files.dataset_uploads import ARRIVAL_S, MAX_DATASET_BYTES
from api.files.imports import ARRIVAL_S as IMPORT_ARRIVAL_S
from api.files.imports import MAX_IMPORT_BYTES
from api.http.body import BodyLimitMiddleware, StreamedBody
from api.http.errors import install_error_handlers
from api.http.guard import GuardMiddleware
from api.http.methods import HeadMiddleware, routes_of
from api.http.middleware import QUIET, RequestContextMiddleware
from api.http.proxy import ProxyMiddleware
from api.live.ends import Ends
from api.live.feeds import Feeds
from api.monitoring import ApiMonitor
from api.openapi.document import LICENCE, ROUTE, SERVERS, TAGS, complete_the_document
from api.openapi.swagger import ROUTES as SWAGGER_ROUTES
from api.openapi.swagger import TITLE
from api.pages.all_routes import ROUTERS as PAGE_ROUTERS
from api.pages.routes.login import ARRIVAL_S as LOGIN_ARRIVAL_S
from api.pages.routes.login import MAX_LOGIN_BYTES
from api.pages.routes.login import PATH as LOGIN_PATH
from api.routes import events, live_events
from api.routes.all_routes import ROUTERS as API_ROUTERS
from api.start import StartMiddleware
from api.state import Process
from api.stopping import when_told_to_stop
from api.submission.webhook_setup import WebhookSetup
from shared.clock import SystemClock
from shared.db.benchmarks.live_watch import LiveWatch
from shared.db.connection.database import Database, warn_of_ignored_parameters
from shared.db.schema.check import check_schema
from shared.db.workers.monitoring import MonitoringRepository
from shared.db.workers.repository import WorkerRepository
from shared.program.heap import keep_what_is_loaded
from shared.program.logs import configure_logs
from shared.program.tracing import Tracing, start_tracing
from shared.providers.key_ring import KeyRing
from shared.providers.prices import PriceList
from shared.providers.reload import ProvidersFile
from shared.queue.doorbell import Doorbell
from shared.queue.redis import client_redis
from shared.scrubber import Scrubber
from shared.settings import Settings, load_key_ring, load_settings, load_trace_exporter
from shared.version import __version__

DESCRIPTION = """\
Measured, stored, reproducible numbers about LLM endpoints: time to first token, latency, throughput, cost.

`POST /benchmarks` stores a benchmark and answers at once; workers run its prompts as timed streams;
`GET /benchmarks/{id}` shows status, summary and results. Durations are in milliseconds (`_ms`) from one monotonic
clock, dates (`_at`) are UTC, costs (`_usd`) are US dollars. Unknown is `null`, never 0.
"""

# Bodies with bounds of their own.
STREAMED = {
    ("POST", "/datasets"): StreamedBody(MAX_DATASET_BYTES, ARRIVAL_S),
    ("POST", "/import"): StreamedBody(MAX_IMPORT_BYTES, IMPORT_ARRIVAL_S),
    ("POST", LOGIN_PATH): StreamedBody(MAX_LOGIN_BYTES, LOGIN_ARRIVAL_S),
}


def create_app(
    settings: Settings | None = None, keys: KeyRing | None = None, database: Database | None = None
) -> FastAPI:
    """The application. Settings and keys that are not given are read from the environment.

    `database`: one to use instead of a new one for the settings. The application closes it when it ends.
    """
    settings = settings or load_settings()
    tracing = start_tracing(load_trace_exporter(), "llmbench-api")
    scrubber = Scrubber()
    process = _process(settings, keys or load_key_ring(), database or _database(settings), tracing, scrubber)
    access = make_access(settings, process.database, process.clock)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        scrubber.learn(process.keys.secrets(process.endpoints))
        configure_logs(settings, scrubber)
        warn_of_ignored_parameters(settings.database_url)
        await check_schema(process.database)
        await access.check_start()
        # The API answers requests while these tasks run. Requests that need the price list wait for it.
        background = [
            asyncio.create_task(task)
            for task in (
                _load(process),
                process.monitor.watch(),
                process.providers_file.watch(),
                access.limiter.keep_places(),
            )
        ]
        with when_told_to_stop(process.let_go):
            yield
        process.let_go()
        for task in background:
            task.cancel()
        await access.last_uses.close()
        await access.limiter.close()
        await process.doorbell.close()
        await process.database.close()
        await asyncio.to_thread(tracing.close)

    app = FastAPI(
        title=TITLE,
        version=__version__,
        description=DESCRIPTION,
        license_info=LICENCE,
        servers=SERVERS,
        openapi_tags=TAGS,
        # As the routers made them. `include_router` would make each a second time for this application: the first
        # request would hold the event loop for 80 ms.
        routes=[
            ROUTE,
            *SWAGGER_ROUTES,
            *(route for router in (*API_ROUTERS, *PAGE_ROUTERS) for route in router.routes),
        ],
        webhooks=events.router,
        # One schema for a model, whether it is sent or received: generators of clients make a class of each.
        separate_input_output_schemas=False,
        lifespan=lifespan,
        # Pages of other sites must not be able to submit benchmarks with a form or a text body.
        strict_content_type=True,
        telemetry={
            "tracer_provider": tracing.provider,
            "exclude": lambda scope: scope["path"] in QUIET,
            "operation_spans": False,
            # Prometheus reads `/metrics`. The log of refused input would contain what the caller sent.
            "metrics": False,
            "logs": False,
            "auto_configure": False,
        },
        # FastAPI's own route would make the document in the event loop. Without it, FastAPI has no other pages.
        openapi_url=None,
    )
    app.state.settings = settings
    app.state.process = process
    install_error_handlers(app)
    app.add_exception_handler(live_events.NothingMore, live_events.nothing_more)
    app.state.routes = routes_of(app.routes)
    app.state.access = access
    # The last one sees a request first.
    app.add_middleware(HeadMiddleware)
    app.add_middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes, streamed=STREAMED)
    add_access(app, access, settings)
    app.add_middleware(GuardMiddleware, hosts=settings.hosts())
    app.add_middleware(ViewerMiddleware)
    app.add_middleware(
        ProxyMiddleware,
        root_path=settings.root_path,
        trusted=settings.trusted_proxies,
        user_header=settings.trusted_user_header,
    )
    app.add_middleware(RequestContextMiddleware, clock=process.clock, monitor=process.monitor)
    app.add_middleware(StartMiddleware)
    complete_the_document(app)

    return app


async def _load(process: Process) -> None:
    await process.price_list.loaded()
    keep_what_is_loaded()


def _database(settings: Settings) -> Database:
    return Database(
        settings.database_url,
        pool_size=settings.database_pool_size,
        transaction_pooling=settings.transaction_pooling,
    )


def _process(settings: Settings, keys: KeyRing, database: Database, tracing: Tracing, scrubber: Scrubber) -> Process:
    clock, watch = SystemClock(), LiveWatch(database)
    price_list = PriceList()
    endpoints = settings.endpoints(price_list)
    return Process(
        settings=settings,
        clock=clock,
        keys=keys,
        price_list=price_list,
        endpoints=endpoints,
        providers_file=ProvidersFile(
            settings.providers_file, endpoints, lambda: scrubber.learn(keys.secrets(endpoints))
        ),
        database=database,
        doorbell=Doorbell(client_redis(settings.redis_url)),
        feeds=Feeds(watch),
        ends=Ends(watch.statuses, clock),
        workers=WorkerRepository(database),
        monitor=ApiMonitor(database),
        monitoring=MonitoringRepository(database),
        webhook_setup=WebhookSetup(settings.ssrf_guard(), settings.secret_box()),
        identities=settings.identities(),
        tracing=tracing,
    )
