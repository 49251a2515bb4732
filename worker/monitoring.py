"""What a worker tells Prometheus: requests to providers by model, runs, lost leases, webhook attempts."""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

from shared.benchmark.results.record import ResultRecord
from shared.db.connection.database import Database
from shared.db.webhooks.deliveries import Attempt
from shared.program.monitoring import Names, ProcessMonitor

TTFT_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 60)
ATTEMPT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)


class WorkerMonitor(ProcessMonitor):
    """One for each process."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._models = Names()
        self._running = Gauge("llmbench_runs", "Benchmarks that this worker runs", registry=self.registry)
        self._in_flight = Gauge(
            "llmbench_streams_in_flight", "Requests that measuring processes have", registry=self.registry
        )
        self._requests = Counter(
            "llmbench_provider_requests",
            "Requests that have ended, by outcome",
            ["provider", "model", "outcome"],
            registry=self.registry,
        )
        self._errors = Counter(
            "llmbench_provider_errors", "Failed requests by kind", ["provider", "model", "kind"], registry=self.registry
        )
        self._ttft = Histogram(
            "llmbench_provider_ttft_seconds",
            "Time to first token of succeeded requests",
            ["provider", "model"],
            buckets=TTFT_BUCKETS,
            registry=self.registry,
        )
        self._ended = Counter(
            "llmbench_benchmarks_ended", "Benchmarks that this worker ended", ["status"], registry=self.registry
        )
        self._lost = Counter("llmbench_leases_lost", "Runs that another worker took over", registry=self.registry)
        self._attempts = Counter(
            "llmbench_webhook_attempts", "Attempts of deliveries", ["result"], registry=self.registry
        )
        self._attempt_durations = Histogram(
            "llmbench_webhook_attempt_duration_seconds",
            "Duration of attempts",
            buckets=ATTEMPT_BUCKETS,
            registry=self.registry,
        )

    def count_runs(self, running: Callable[[], int], in_flight: Callable[[], int]) -> None:
        """Sets the functions that are called at each scrape."""
        self._running.set_function(running)
        self._in_flight.set_function(in_flight)

    def request_ended(self, provider: str, model: str, record: ResultRecord) -> None:
        model = self._models.label(model)
        self._requests.labels(provider, model, record.outcome).inc()
        if record.error is not None:
            self._errors.labels(provider, model, record.error.kind).inc()
        if record.outcome == "succeeded" and record.ttft_ms is not None:
            self._ttft.labels(provider, model).observe(record.ttft_ms / 1e3)

    def benchmark_ended(self, status: str) -> None:
        self._ended.labels(status).inc()

    def lease_lost(self) -> None:
        self._lost.inc()

    def webhook_attempted(self, attempt: Attempt) -> None:
        self._attempts.labels("delivered" if attempt.succeeded else "failed").inc()
        self._attempt_durations.observe(attempt.duration_ms / 1e3)
