"""What Prometheus reads from the API: requests by route, and the backlog in the database."""

import re

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.types import Scope

from shared.db.connection.database import Database
from shared.db.workers.monitoring import Backlog
from shared.program.monitoring import ProcessMonitor

# Those that routes have, and those that browsers and proxies send.
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
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
        # Callers may send any word, and each label is kept for ever.
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._durations.labels(method, route).observe(seconds)

    def queue_checked(self, ok: bool) -> None:
        self._queue_up.set(ok)

    def text(self, backlog: Backlog | None, accept: str = "") -> tuple[bytes, str]:
        """All numbers, and their media type: Prometheus' text format, or OpenMetrics if the header `accept` prefers it.

        `backlog` is None if the database does not answer.
        """
        self._database_up.set(backlog is not None)
        if backlog is not None:
            self._open.labels("pending").set(backlog.pending)
            self._open.labels("running").set(backlog.running)
            self._oldest.set(backlog.oldest_pending_s)
            self._workers.set(backlog.workers_alive)
            self._due.set(backlog.deliveries_due)
        if prefers_openmetrics(accept):
            text: bytes = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]
            return text, openmetrics.CONTENT_TYPE_LATEST
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


def prefers_openmetrics(accept: str) -> bool:
    """Whether an `Accept` header gives OpenMetrics at least the weight of plain text. Wildcards mean plain text."""
    weights = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for item in accept.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        if name in weights:
            weights[name] = max(weights[name], _weight(parameters))
    return weights["application/openmetrics-text"] > 0 and max(weights, key=weights.__getitem__) != "text/plain"


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key == "q":
            return float(value) if re.fullmatch(r"[01](\.\d{0,3})?", value) else 0.0
    return 1.0
