"""What Prometheus reads from the API: requests by route, and the backlog in the database."""

from prometheus_client import Counter, Gauge, Histogram, generate_latest
from starlette.types import Scope

from shared.db.database import Database
from shared.db.monitoring import Backlog
from shared.program.monitoring import ProcessMonitor

DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class ApiMonitor(ProcessMonitor):
    """The API's own numbers. Each process has one."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._requests = Counter(
            "llmbench_http_requests", "Requests by route", ["method", "route", "status"], registry=self.registry
        )
        self._durations = Histogram(
            "llmbench_http_request_duration_seconds",
            "Duration of requests by route",
            ["method", "route"],
            buckets=DURATION_BUCKETS,
            registry=self.registry,
        )
        self._database_up = Gauge("llmbench_database_up", "Whether the database answered", registry=self.registry)
        self._queue_up = Gauge("llmbench_queue_up", "Whether Redis answered", registry=self.registry)
        self._open = Gauge("llmbench_benchmarks", "Open benchmarks by status", ["status"], registry=self.registry)
        self._oldest = Gauge(
            "llmbench_queue_oldest_age_seconds", "Age of the oldest pending benchmark", registry=self.registry
        )
        self._workers = Gauge("llmbench_workers_alive", "Workers that reported lately", registry=self.registry)
        self._due = Gauge(
            "llmbench_webhook_deliveries_due", "Deliveries whose next attempt is due", registry=self.registry
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """Counts a request that took `seconds`. `status` is 0 if the client went away before the answer."""
        route = getattr(scope.get("route"), "path", "other")
        self._requests.labels(scope["method"], route, str(status)).inc()
        self._durations.labels(scope["method"], route).observe(seconds)

    def queue_checked(self, ok: bool) -> None:
        self._queue_up.set(ok)

    def text(self, backlog: Backlog | None) -> bytes:
        """All numbers in Prometheus' text format. `backlog` is None if the database does not answer."""
        self._database_up.set(backlog is not None)
        if backlog is not None:
            self._open.labels("pending").set(backlog.pending)
            self._open.labels("running").set(backlog.running)
            self._oldest.set(backlog.oldest_pending_s)
            self._workers.set(backlog.workers_alive)
            self._due.set(backlog.deliveries_due)
        return generate_latest(self.registry)
