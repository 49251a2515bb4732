"""Keeps a worker busy: claims pending or abandoned benchmarks when a bell rings or a sweep is due, and runs them."""

import asyncio
import contextlib
import os
import socket
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from shared.db.runs.lease import Lease
from shared.db.runs.unclaimed import UnclaimedRepository
from shared.db.workers.repository import WorkerInfo, WorkerRepository
from shared.errors import Unavailable
from shared.program.heap import FullCollections
from shared.program.tasks import end
from shared.providers.identity import Holdings
from shared.providers.reload import ProvidersFile
from shared.queue.doorbell import Doorbell
from shared.version import __version__
from worker.holdings import held_endpoints
from worker.monitoring import WorkerMonitor
from worker.retention import Retention
from worker.run.context import RunContext
from worker.run.control import BenchmarkRun
from worker.webhooks.deliverer import Deliverer

log = structlog.get_logger(__name__)

# After a bell the worker claims one benchmark and waits this long before it claims another or sends due webhooks, so
# that the first request goes out undisturbed. A new bell ends the wait.
FIRST_REQUEST_S = 0.05
# How often a worker looks for money that nobody else settles.
SETTLE_EVERY_S = 60.0


def describe_worker(context: RunContext) -> WorkerInfo:
    """This worker's id, host and version, and its endpoints."""
    return WorkerInfo(
        id=f"{socket.gethostname()[:40]}-{uuid.uuid4().hex[:12]}",
        hostname=socket.gethostname(),
        pid=os.getpid(),
        version=__version__,
        endpoints=held_endpoints(context),
        calibration=context.calibration.document() if context.calibration else None,
    )


async def nothing() -> None:
    """Does nothing: the default of `warm_up`."""


class Dispatcher:
    """Runs up to `worker_max_benchmarks` at a time. The database says what to run; a bell only says "look now"."""

    def __init__(
        self,
        context: RunContext,
        workers: WorkerRepository,
        doorbell: Doorbell,
        deliverer: Deliverer,
        retention: Retention | None = None,
        *,
        unclaimed: UnclaimedRepository | None = None,
        collections: FullCollections | None = None,
        warm_up: Callable[[], Awaitable[None]] = nothing,
        on_endpoints: Callable[[], None] = lambda: None,
    ) -> None:
        """`warm_up` runs in the background. It loads what the first benchmark would otherwise wait for.

        `on_endpoints` is called after PROVIDERS_FILE has changed the endpoints.
        """
        self._context = context
        self._deliverer = deliverer
        self._retention = retention
        self._unclaimed = unclaimed
        self._collections = collections
        self._warm_up = warm_up
        self._workers = workers
        self._doorbell = doorbell
        self.info = describe_worker(context)
        self._on_endpoints = on_endpoints
        self._providers_file = ProvidersFile(
            context.settings.providers_file, context.endpoints, self._take_new_endpoints
        )
        self._to_report = asyncio.Event()
        self._rung = asyncio.Event()
        # By lease: a worker may claim its own benchmark again before the older run has noticed that it lost the lease.
        self._runs: dict[Lease, tuple[BenchmarkRun, asyncio.Task[None]]] = {}
        self._background: list[asyncio.Task[None]] = []
        # Loops that go on while runs end in the grace period: a cancel counts, and the worker is alive.
        self._until_left: list[asyncio.Task[None]] = []
        self._now = asyncio.Event()

    @property
    def monitor(self) -> WorkerMonitor:
        """What this worker tells Prometheus."""
        return self._context.monitor

    async def start(self) -> None:
        """Registers the worker and starts its loops. Raises Unavailable if the database is away."""
        structlog.contextvars.bind_contextvars(worker_id=self.info.id)
        await self._report_once()
        self._context.monitor.count_runs(
            lambda: len(self._runs), lambda: sum(run.in_flight for run, _ in list(self._runs.values()))
        )
        self._background = [
            asyncio.create_task(self._keep(self._context.monitor.watch, "loop_lag")),
            asyncio.create_task(self._keep(self._claim_loop, "claim_loop")),
            asyncio.create_task(self._keep(self._deliverer.run, "webhooks")),
            asyncio.create_task(self._keep(self._settle_left, "money")),
        ]
        if self._context.settings.providers_file is not None:
            self._background.append(asyncio.create_task(self._keep(self._providers_file.watch, "providers_file")))
        if self._retention is not None:
            self._background.append(asyncio.create_task(self._keep(self._retention.run, "retention")))
        if self._unclaimed is not None:
            self._background.append(asyncio.create_task(self._keep(self._look_for_unclaimed, "unclaimed")))
        self._background.append(asyncio.create_task(self._prepare()))
        self._until_left = [
            asyncio.create_task(self._keep(self._listen, "listen")),
            asyncio.create_task(self._keep(self._report, "report")),
        ]
        log.info("worker_started", providers=self.info.providers)

    def ring(self) -> None:
        """Makes the worker look for work now."""
        self._rung.set()

    async def stop(self) -> None:
        """Claims nothing new, lets requests in flight end within the grace period, then gives the benchmarks back."""
        await end(*self._background)
        running = list(self._runs.values())
        for run, _ in running:
            run.drain()
        log.info("worker_stopping", benchmarks=len(running), grace_s=self._context.settings.shutdown_grace_s)
        if running:
            await self._grace([task for _, task in running])
            for run, task in running:
                if not task.done():
                    run.cut_off()
            await asyncio.wait([task for _, task in running])
        await end(*self._until_left)
        await self._deliverer.stop()
        with contextlib.suppress(Unavailable):
            await self._context.leases.give_back_lost()
            # If this fails, the missing heartbeats say the same a little later.
            await self._workers.leave(self.info.id)
        for run, _ in running:
            # Another worker goes on with the benchmark without waiting for its sweep.
            await self._doorbell.ring(run.benchmark_id)
        await self._doorbell.announce_webhooks()
        log.info("worker_stopped")

    def stop_now(self) -> None:
        """Ends the grace period of `stop`: closes the streams in flight and gives the benchmarks back."""
        self._now.set()

    async def _grace(self, tasks: list[asyncio.Task[None]]) -> None:
        """Waits until all tasks have ended, the grace period is over, or `stop_now` is called."""
        ended = asyncio.create_task(asyncio.wait(tasks))
        ended.add_done_callback(lambda _: self._now.set())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._context.settings.shutdown_grace_s):
                await self._now.wait()
        ended.cancel()

    async def _claim_loop(self) -> None:
        """Claims while there is work and a run may start. Then waits for a bell, the end of a run, or the sweep."""
        settings = self._context.settings
        # A run reads the price list without waiting, so the list must be loaded first.
        await self._context.price_list.loaded()
        while True:
            rung = self._rung.is_set()
            self._rung.clear()
            claimed, context = None, self._context
            if len(self._runs) < settings.worker_max_benchmarks and not self._is_quiet:
                # Both from the same version of the endpoints: a run measures what it was claimed for.
                context, holdings = self._context.of_now(), Holdings.of(self.info.endpoints)
                claimed = await self._context.leases.claim(
                    self.info.id, look_first=not rung, holdings=holdings, is_idle=not self._runs
                )
            if claimed is None:
                pause_s = settings.sweep_s
            else:
                self._begin(BenchmarkRun(context, *claimed))
                pause_s = FIRST_REQUEST_S if rung else 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._rung.wait()

    @property
    def _is_quiet(self) -> bool:
        """An exclusive benchmark runs: nothing else may."""
        return any(run.is_exclusive for run, _ in self._runs.values())

    async def _look_for_unclaimed(self) -> None:
        """With each sweep, marks benchmarks that no worker can run, and fails those that have waited long enough."""
        context, unclaimed = self._context, self._unclaimed
        while unclaimed is not None:
            await asyncio.sleep(context.settings.sweep_s)
            await unclaimed.mark(Holdings.of(self.info.endpoints), alive_within_s=context.settings.lease_s)
            after_s = context.settings.unclaimed_after_s
            while (claimed := await context.leases.claim_overdue(self.info.id, after_s=after_s)) is not None:
                self._begin(BenchmarkRun(context.of_now(), *claimed))

    async def _settle_left(self) -> None:
        """Now and then, settles money that was reserved for benchmarks which are gone or have ended."""
        while True:
            if settled := await self._context.payments.settle_left():
                log.info("reservations_settled", benchmarks=settled)
            await asyncio.sleep(SETTLE_EVERY_S)

    def _begin(self, run: BenchmarkRun) -> None:
        task = asyncio.create_task(run.run())
        self._runs[run.lease] = (run, task)
        # The start of a run is a webhook event, and so is its end. Its first request goes out before.
        asyncio.get_running_loop().call_later(FIRST_REQUEST_S, self._deliverer.ring)

        def ended(_: asyncio.Task[None]) -> None:
            del self._runs[run.lease]
            if not task.cancelled() and (exc := task.exception()) is not None:
                log.error("run_broke", benchmark_id=run.benchmark_id, exc_info=exc)
            self.ring()
            self._deliverer.ring()

        task.add_done_callback(ended)

    async def _listen(self) -> None:
        async for bell in self._doorbell.listen():
            if bell.kind == "pending":
                self.ring()
            elif bell.kind == "webhooks":
                self._deliverer.ring()
            else:
                self._cancel(bell.benchmark_id)

    def _cancel(self, benchmark_id: int) -> None:
        # Not inside `_listen`, whose variables would keep the run alive until the next cancel.
        for run, _ in self._runs.values():
            if run.benchmark_id == benchmark_id:
                run.cancel()

    async def _report(self) -> None:
        """Stores the worker's own heartbeat, three times a lease, and when its endpoints have changed."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._context.settings.lease_s / 3):
                    await self._to_report.wait()
            self._to_report.clear()
            await self._report_once()

    def _take_new_endpoints(self) -> None:
        """Claims by the new endpoints from now on, and reports them."""
        self.info = replace(self.info, endpoints=held_endpoints(self._context))
        self._on_endpoints()
        self._to_report.set()
        self.ring()

    async def _report_once(self) -> None:
        self.info = replace(self.info, endpoints=held_endpoints(self._context))
        await self._workers.heartbeat(self.info, len(self._runs))
        if (path := self._context.settings.worker_health_file) is not None:
            path.write_text(str(self._context.settings.lease_s))

    async def _prepare(self) -> None:
        try:
            await self._warm_up()
        except Exception:
            # The run that needs it loads it.
            log.exception("warm_up_failed")
        # From here on, all that was loaded is frozen.
        if self._collections is not None:
            await self._collections.run(lambda: bool(self._runs))

    async def _keep(self, what: Callable[[], Awaitable[None]], name: str) -> None:
        """Restarts a loop that an error ended: a worker that sends heartbeats must also do its work."""
        while True:
            try:
                await what()
            except Unavailable as exc:
                log.warning("loop_waits", loop=name, error=exc.reason)
                await asyncio.sleep(1)
            except Exception:
                log.exception("loop_broke", loop=name)
                await asyncio.sleep(1)
