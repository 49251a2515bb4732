"""What routes use: `Process` is made once by `create_app`, and `State` is made for the caller of each request."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request

from api.access.caller import caller_of
from api.files.dataset_uploads import UPLOADS_AT_ONCE, DatasetUploads
from api.files.imports import IMPORTS_AT_ONCE, Imports
from api.http.at_once import AtOnce
from api.live.ends import Ends
from api.live.feeds import CallerFeeds, Feeds
from api.monitoring import ApiMonitor
from api.present.charts import ChartMaker, KeptCharts
from api.present.comparisons import Comparisons, KeptComparisons
from api.present.made_prompts import KeptWorkloads, MadePrompts
from api.submission.estimates import Estimator
from api.submission.money_checks import Budgets
from api.submission.submit import Submitter
from api.submission.webhook_setup import WebhookSetup
from shared.access.caller import Caller
from shared.clock import Clock
from shared.db.access.audit import AuditRepository
from shared.db.benchmarks.imports import ImportRepository
from shared.db.benchmarks.live import LiveRepository
from shared.db.benchmarks.pages import BenchmarkPages
from shared.db.benchmarks.parts import SegmentRepository, StageRepository
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.benchmarks.waits import WaitRepository
from shared.db.connection.database import Database
from shared.db.datasets.repository import DatasetRepository
from shared.db.money.budgets import BudgetRepository
from shared.db.money.caps import CapRepository
from shared.db.money.spend_pages import SpendRepository
from shared.db.results.baselines import BaselineRepository
from shared.db.results.chart_rows import ChartRepository
from shared.db.results.comparison_rows import ComparisonRows
from shared.db.results.export_rows import ExportRows
from shared.db.results.history import HistoryRepository
from shared.db.results.observations import ObservationRepository
from shared.db.results.pages import ResultPages
from shared.db.webhooks.delivery_history import DeliveryHistory
from shared.db.webhooks.endpoints import WebhookRepository
from shared.db.workers.activity import WorkerActivity
from shared.db.workers.monitoring import MonitoringRepository
from shared.db.workers.repository import WorkerRepository
from shared.program.tracing import Tracing
from shared.providers.endpoints import EndpointRegistry
from shared.providers.identity import Identities
from shared.providers.key_ring import KeyRing
from shared.providers.prices import PriceList
from shared.providers.reload import ProvidersFile
from shared.queue.doorbell import Doorbell
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Process:
    """What all requests share. Each process has one."""

    settings: Settings
    clock: Clock
    keys: KeyRing
    price_list: PriceList
    endpoints: EndpointRegistry
    providers_file: ProvidersFile
    database: Database
    doorbell: Doorbell
    feeds: Feeds
    ends: Ends
    workers: WorkerRepository
    monitor: ApiMonitor
    monitoring: MonitoringRepository
    webhook_setup: WebhookSetup
    identities: Identities
    tracing: Tracing
    kept_charts: KeptCharts = field(default_factory=KeptCharts)
    kept_comparisons: KeptComparisons = field(default_factory=KeptComparisons)
    kept_workloads: KeptWorkloads = field(default_factory=KeptWorkloads)
    uploads_at_once: AtOnce = field(default_factory=lambda: AtOnce("datasets", UPLOADS_AT_ONCE))
    imports_at_once: AtOnce = field(default_factory=lambda: AtOnce("imports", IMPORTS_AT_ONCE))

    def let_go(self) -> None:
        """Ends the answers that wait for something to happen. For the end of the process."""
        self.feeds.close()
        self.ends.close()


class State:
    """Everything that routes use, bound to one caller. Each request has one; what it does not use is not made."""

    def __init__(self, process: Process, caller: Caller) -> None:
        self._process = process
        self.caller = caller
        self.settings = process.settings
        self.clock = process.clock
        self.keys = process.keys
        self.price_list = process.price_list
        self.endpoints = process.endpoints
        self.providers_file = process.providers_file
        self.database = process.database
        self.doorbell = process.doorbell
        self.workers = process.workers
        self.webhook_setup = process.webhook_setup
        self.identities = process.identities
        self.ends = process.ends

    @cached_property
    def benchmarks(self) -> BenchmarkRepository:
        return BenchmarkRepository(self.caller, self.database, public_url=self.settings.public_url)

    @cached_property
    def benchmark_pages(self) -> BenchmarkPages:
        return BenchmarkPages(self.caller, self.database)

    @cached_property
    def baselines(self) -> BaselineRepository:
        return BaselineRepository(self.caller, self.database)

    @cached_property
    def audit(self) -> AuditRepository:
        return AuditRepository(self.caller, self.database)

    @cached_property
    def comparisons(self) -> Comparisons:
        rows = ComparisonRows(self.caller, self.database)
        return Comparisons(self.benchmarks, rows, self._process.kept_comparisons)

    @cached_property
    def feeds(self) -> CallerFeeds:
        return CallerFeeds(self._process.feeds, LiveRepository(self.caller, self.database))

    @cached_property
    def history(self) -> HistoryRepository:
        return HistoryRepository(self.caller, self.database)

    @cached_property
    def result_pages(self) -> ResultPages:
        return ResultPages(self.caller, self.database)

    @cached_property
    def charts(self) -> ChartMaker:
        rows = ChartRepository(self.caller, self.database)
        return ChartMaker(rows, self.benchmarks, self.clock, self._process.kept_charts)

    @cached_property
    def export_rows(self) -> ExportRows:
        return ExportRows(self.caller, self.database)

    @cached_property
    def imports(self) -> Imports:
        rows = ImportRepository(self.caller, self.database)
        return Imports(rows, self.datasets, self._process.imports_at_once, self.settings.max_body_bytes)

    @cached_property
    def made_prompts(self) -> MadePrompts:
        return MadePrompts(self.benchmark_pages, self.benchmarks, self.datasets, self._process.kept_workloads)

    @cached_property
    def datasets(self) -> DatasetRepository:
        return DatasetRepository(self.caller, self.database)

    @cached_property
    def dataset_uploads(self) -> DatasetUploads:
        return DatasetUploads(self.datasets, self._process.uploads_at_once)

    @cached_property
    def segments(self) -> SegmentRepository:
        return SegmentRepository(self.caller, self.database)

    @cached_property
    def stages(self) -> StageRepository:
        return StageRepository(self.caller, self.database)

    @cached_property
    def observations(self) -> ObservationRepository:
        return ObservationRepository(self.caller, self.database)

    @cached_property
    def budgets(self) -> BudgetRepository:
        return BudgetRepository(self.caller, self.database)

    @cached_property
    def spend(self) -> SpendRepository:
        return SpendRepository(self.caller, self.database)

    @cached_property
    def webhooks(self) -> WebhookRepository:
        return WebhookRepository(self.caller, self.database)

    @cached_property
    def deliveries(self) -> DeliveryHistory:
        return DeliveryHistory(self.caller, self.database)

    @cached_property
    def worker_activity(self) -> WorkerActivity:
        return WorkerActivity(self.caller, self.database)

    @cached_property
    def waits(self) -> WaitRepository:
        return WaitRepository(self.database)

    @cached_property
    def submitter(self) -> Submitter:
        return Submitter(
            self.endpoints,
            self.keys,
            self.benchmarks,
            self.workers,
            self.doorbell,
            self.webhooks,
            self.webhook_setup,
            self._process.tracing,
            self.identities,
            Estimator(self.price_list, self.clock, self.datasets),
            self.datasets,
            Budgets(self.caller, CapRepository(self.database)),
        )


async def _process(request: Request) -> Process:
    process: Process = request.app.state.process
    return process


async def _state(request: Request) -> State:
    return State(request.app.state.process, caller_of(request))


Parts = Annotated[State, Depends(_state)]
# For routes that are open to all: they have no caller.
Shared = Annotated[Process, Depends(_process)]
