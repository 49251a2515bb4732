"""The parts that routes use. `create_app` creates them; routes receive them as a FastAPI dependency."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.charts import ChartMaker
from api.comparisons import Comparisons
from api.dataset_uploads import DatasetUploads
from api.imports import Imports
from api.live.feeds import Feeds
from api.made_prompts import MadePrompts
from api.monitoring import ApiMonitor
from api.submit import Submitter
from api.webhook_setup import WebhookSetup
from shared.clock import Clock
from shared.db.baselines import BaselineRepository
from shared.db.benchmark_pages import BenchmarkPages
from shared.db.benchmarks import BenchmarkRepository
from shared.db.budgets import BudgetRepository
from shared.db.database import Database
from shared.db.datasets import DatasetRepository
from shared.db.delivery_history import DeliveryHistory
from shared.db.export_rows import ExportRows
from shared.db.history import HistoryRepository
from shared.db.monitoring import MonitoringRepository
from shared.db.observations import ObservationRepository
from shared.db.result_pages import ResultPages
from shared.db.segments import SegmentRepository
from shared.db.spend_pages import SpendRepository
from shared.db.stages import StageRepository
from shared.db.webhook_endpoints import WebhookRepository
from shared.db.workers import WorkerRepository
from shared.providers.endpoints import EndpointRegistry
from shared.providers.identity import Identities
from shared.providers.key_ring import KeyRing
from shared.providers.prices import PriceList
from shared.providers.reload import ProvidersFile
from shared.queue.doorbell import Doorbell
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class State:
    """Everything that routes use. Each process has one."""

    settings: Settings
    clock: Clock
    keys: KeyRing
    price_list: PriceList
    endpoints: EndpointRegistry
    providers_file: ProvidersFile
    database: Database
    doorbell: Doorbell
    benchmarks: BenchmarkRepository
    benchmark_pages: BenchmarkPages
    baselines: BaselineRepository
    comparisons: Comparisons
    feeds: Feeds
    budgets: BudgetRepository
    spend: SpendRepository
    history: HistoryRepository
    result_pages: ResultPages
    charts: ChartMaker
    export_rows: ExportRows
    imports: Imports
    made_prompts: MadePrompts
    datasets: DatasetRepository
    dataset_uploads: DatasetUploads
    segments: SegmentRepository
    stages: StageRepository
    observations: ObservationRepository
    workers: WorkerRepository
    monitor: ApiMonitor
    monitoring: MonitoringRepository
    webhooks: WebhookRepository
    deliveries: DeliveryHistory
    webhook_setup: WebhookSetup
    identities: Identities
    submitter: Submitter


async def _state(request: Request) -> State:
    state: State = request.app.state.parts
    return state


Parts = Annotated[State, Depends(_state)]
