"""What every run of a worker needs. `worker/main.py` builds it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shared.benchmark.load.plan import PlannedLoad
from shared.clock import Clock
from shared.db.money.payments import Payments
from shared.db.runs.benchmarks import RunBenchmarks
from shared.db.runs.datasets import RunDatasets
from shared.db.runs.earlier_segments import RunSegments
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.observations import RunObservations
from shared.db.runs.results import ResultRepository
from shared.db.runs.stages import RunStages
from shared.program.tracing import Tracing
from shared.providers.adapters import Adapters
from shared.providers.endpoints import EndpointRegistry
from shared.providers.identity import Identities
from shared.providers.key_ring import KeyRing
from shared.providers.prices import PriceList
from shared.settings import Settings
from shared.workloads.loads import load_of
from worker.calibration import Calibration
from worker.engine.children import Children
from worker.monitoring import WorkerMonitor


@dataclass(frozen=True, slots=True)
class RunContext:
    """One for each worker."""

    settings: Settings
    clock: Clock
    endpoints: EndpointRegistry
    keys: KeyRing
    price_list: PriceList
    benchmarks: RunBenchmarks
    leases: LeaseRepository
    results: ResultRepository
    segments: RunSegments
    stages: RunStages
    observations: RunObservations
    datasets: RunDatasets
    payments: Payments
    children: Children
    monitor: WorkerMonitor
    tracing: Tracing = field(default_factory=Tracing)
    # What this host can measure, if `CALIBRATE_ON_START` is set.
    calibration: Calibration | None = None
    adapters: Adapters = field(default_factory=Adapters)
    identities: Identities = field(default_factory=Identities)
    # Makes the load of a spec.
    load_of: Callable[..., PlannedLoad] = load_of

    def of_now(self) -> "RunContext":
        """The same with the endpoints of now, for one run: a file that changes later does not change the run."""
        return replace(self, endpoints=self.endpoints.snapshot())
