"""Monitoring that API and workers share: process, Python, the event loop's lag and the use of the database pool."""

import asyncio

from prometheus_client import CollectorRegistry, Gauge, GCCollector, Histogram, PlatformCollector, ProcessCollector

from shared.clock import monotonic_ns
from shared.db.connection.database import Database
from shared.version import __version__

LAG_EVERY_S = 0.5
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class ProcessMonitor:
    """A Prometheus registry with the values that every program has. The program runs `watch` as a task."""

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        # `process_*` and `python_*`, as every Prometheus client has them, without a worker's measuring processes.
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._lag = Histogram(
            "llmbench_event_loop_lag_seconds",
            "How late the event loop woke from a short sleep",
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        build = Gauge("llmbench_build_info", "1, with the version as a label", ["version"], registry=self.registry)
        build.labels(__version__).set(1)
        pool = Gauge(
            "llmbench_database_connections", "Connections of this process's pool", ["state"], registry=self.registry
        )
        pool.labels("in_use").set_function(lambda: database.connections()[0])
        pool.labels("idle").set_function(lambda: database.connections()[1])

    async def watch(self) -> None:
        """Samples the event loop's lag until it is cancelled."""
        while True:
            begin_ns = monotonic_ns()
            await asyncio.sleep(LAG_EVERY_S)
            self._lag.observe(max(0.0, (monotonic_ns() - begin_ns) / 1e9 - LAG_EVERY_S))


class Names:
    """Limits label values that callers choose: after `most` different ones, every new one becomes `other`."""

    def __init__(self, most: int = 200) -> None:
        self._most = most
        self._known: set[str] = set()

    def label(self, name: str) -> str:
        if name not in self._known:
            if len(self._known) >= self._most:
                return "other"
            self._known.add(name)
        return name
