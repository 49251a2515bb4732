"""Submitting a benchmark: find its endpoint, check what only the endpoint knows, store it, ring."""

from collections.abc import Callable

from shared.db.benchmarks import BenchmarkRepository
from shared.db.tables import Benchmark
from shared.db.workers import WorkerRepository
from shared.endpoints import Endpoint, EndpointRegistry
from shared.queue import Doorbell
from shared.settings import KeyRing
from shared.spec import BenchmarkSpec, check_parameters


class Submitter:
    """What `POST /benchmarks` does."""

    def __init__(
        self,
        endpoints: EndpointRegistry,
        keys: KeyRing,
        benchmarks: BenchmarkRepository,
        workers: WorkerRepository,
        doorbell: Doorbell,
    ) -> None:
        self._endpoints = endpoints
        self._keys = keys
        self._benchmarks = benchmarks
        self._workers = workers
        self._doorbell = doorbell

    async def submit(self, spec: BenchmarkSpec) -> Benchmark:
        """Stores a pending benchmark. Raises InvalidRequest. Redis may be away: a worker's sweep finds the row."""
        has_key = await self.key_holders()
        endpoint = self._endpoints.resolve(spec.model, spec.provider, has_key)
        spec = spec.with_defaults()
        check_parameters(spec, endpoint)
        benchmark = await self._benchmarks.create(spec, endpoint.name, notices(spec, endpoint))
        await self._doorbell.ring(benchmark.id)
        return benchmark

    async def key_holders(self) -> Callable[[Endpoint], bool]:
        """Whether an endpoint can be used: here, or by a worker. The API itself need not hold any key."""
        reported = await self._workers.providers()
        return lambda endpoint: self._keys.can_use(endpoint) or endpoint.name in reported


def notices(spec: BenchmarkSpec, endpoint: Endpoint) -> list[str]:
    """What a reader of the numbers must know."""
    if endpoint.stand_in and not spec.model.startswith("sim"):
        return [
            (
                f"The simulator answered for {spec.model}: these are not its real latencies, answers or costs. "
                "Set the provider's key to measure it."
            )
        ]
    return []
