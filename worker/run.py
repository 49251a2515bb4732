"""One claimed benchmark from claim to end: heartbeat, engine, recording, summary, status."""

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import structlog

from shared.clock import Clock
from shared.db.benchmarks import BenchmarkRepository
from shared.db.leases import Lease, LeaseRepository
from shared.db.results import ResultRepository
from shared.db.tables import Benchmark
from shared.endpoints import Endpoint, EndpointRegistry
from shared.errors import LeaseLost, Unavailable
from shared.prices import PriceList, PriceSnapshot, TokenCounts, override
from shared.results import ResultRecord, Usage
from shared.secrets import Scrubber
from shared.settings import KeyRing, Settings
from worker.calibration import Calibration
from worker.engine.adapters import Adapters
from worker.engine.children import Children, processes_for
from worker.engine.engine import Engine, Plan
from worker.engine.measurer import MeasureContext, RunClock
from worker.engine.sdk_clients import make_target
from worker.plan import make_plan
from worker.recorder import Recorder
from worker.summary import SummaryBuilder

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunContext:
    """What every run of a worker needs."""

    settings: Settings
    clock: Clock
    endpoints: EndpointRegistry
    keys: KeyRing
    price_list: PriceList
    benchmarks: BenchmarkRepository
    leases: LeaseRepository
    results: ResultRepository
    children: Children
    # What `CALIBRATE_ON_START` found out about this host.
    calibration: Calibration | None = None
    adapters: Adapters = field(default_factory=Adapters)


class _CannotRun(Exception):
    """The benchmark fails as a whole: `kind` and message go into its `error`."""

    def __init__(self, kind: str, message: str, *, sum_up: bool = False) -> None:
        """`sum_up`: what was measured before gets its summary. Not after crashes: it may be what they came from."""
        super().__init__(message)
        self.document = {"kind": kind, "message": message}
        self.sum_up = sum_up


class BenchmarkRun:
    """A benchmark under this worker's lease. `cancel` and `drain` may be called at any time."""

    def __init__(self, context: RunContext, lease: Lease, benchmark: Benchmark) -> None:
        self._context = context
        self._lease = lease
        self._benchmark = benchmark
        self._engine: Engine | None = None
        self._cancelled = benchmark.cancel_requested_at is not None
        self._draining = False
        # The run's own deadline has passed.
        self._overdue = False
        self._price: PriceSnapshot | None = None

    @property
    def benchmark_id(self) -> int:
        return self._lease.benchmark_id

    def cancel(self) -> None:
        """Closes the streams; what was seen of them is recorded, then the benchmark ends as cancelled."""
        self._cancelled = True
        if self._engine is not None:
            self._engine.cancel()

    def drain(self) -> None:
        """Sends nothing more, lets what is in flight end, then gives the benchmark back."""
        self._draining = True
        if self._engine is not None:
            self._engine.drain()

    def cut_off(self) -> None:
        """Closes the streams of a draining run: the grace period is over."""
        self._draining = True
        if self._engine is not None:
            self._engine.cancel()

    async def run(self) -> None:
        """Runs to a terminal status, or gives the benchmark back. Never raises for what belongs to the run."""
        with structlog.contextvars.bound_contextvars(benchmark_id=self.benchmark_id, fence=self._lease.fence):
            try:
                async with asyncio.TaskGroup() as group:
                    heartbeat = group.create_task(self._heartbeat())
                    try:
                        await self._to_the_end()
                    finally:
                        heartbeat.cancel()
            except* LeaseLost:
                log.warning("lease_lost")
            except* Unavailable as lost:
                # Nothing can be written now, not even a failure. The lease lapses, and somebody goes on from there.
                log.warning("run_abandoned", error=str(lost.exceptions[0]))

    async def _to_the_end(self) -> None:
        summary = None
        try:
            await self._send_all()
            if self._draining and not self._cancelled and await self._unfinished():
                await self._context.leases.release(self._lease)
                log.info("benchmark_released")
                return
            status, summary, error = await self._verdict()
        except (LeaseLost, Unavailable):
            raise
        except _CannotRun as exc:
            status, error = "failed", exc.document
            if exc.sum_up:
                _, summary, _ = await self._verdict()
        except Exception as exc:  # the run must end, whatever broke
            log.exception("run_broke")
            status, error = "failed", {"kind": "internal_error", "message": f"{type(exc).__name__} in the worker"}
        final = await self._context.leases.finish(self._lease, status, summary=summary, error=error)
        log.info("benchmark_ended", status=final)

    async def _unfinished(self) -> bool:
        benchmark = await self._context.benchmarks.get(self.benchmark_id)
        return benchmark.done < benchmark.planned

    async def _send_all(self) -> None:
        context, benchmark = self._context, self._benchmark
        if benchmark.crashes >= context.settings.max_crashes:
            raise _CannotRun(
                "crash_loop", f"workers died {benchmark.crashes} times on this benchmark; it is not tried again"
            )
        if self._cancelled:
            return
        if benchmark.interrupted and benchmark.spec.get("on_interrupt") == "fail":
            message = "its worker stopped or died in the middle, and on_interrupt is fail"
            raise _CannotRun("interrupted", message, sum_up=True)
        spec, _ = await context.benchmarks.spec(self.benchmark_id)
        endpoint, key = self._target()
        self._find_price(endpoint)
        adapter = context.adapters.of(endpoint)
        recorded = await context.results.recorded(self.benchmark_id) if benchmark.interrupted else set()
        plan = make_plan(spec, adapter, lambda index, repetition: (index, repetition) in recorded)
        log.info("benchmark_started", requests=len(plan.warmup) + len(plan.measured), already_recorded=len(recorded))
        target = await make_target(
            endpoint, key, proxy=context.settings.proxy_for(endpoint.base_url), connect_s=spec.timeouts.connect_s
        )
        measuring = MeasureContext(
            adapter=adapter,
            timeouts=spec.timeouts,
            clock=RunClock.start(context.clock),
            scrubber=Scrubber([key] if key else []),
            keep_timeline=spec.planned_requests <= context.settings.timeline_max_requests,
        )
        processes = processes_for(spec.concurrency, context.settings.engine_processes)
        async with context.children.lend(processes) as children:
            self._engine = Engine(children, target, measuring, context.clock, silence_s=context.settings.lease_s)
            if self._cancelled:
                self._engine.cancel()
            elif self._draining:
                self._engine.drain()
            await self._record_all(self._engine, plan, measuring.scrubber)

    async def _deadline(self) -> None:
        """Closes the streams of a run that takes longer than it may; a resumed one has what is left of its time."""
        longest_s = self._benchmark.spec.get("max_duration_s")
        if longest_s is None:
            return
        started_at = self._benchmark.started_at
        gone_s = (self._context.clock.wall_now() - started_at).total_seconds() if started_at is not None else 0
        # Of a run that was not resumed the two clocks' difference is no time gone.
        await asyncio.sleep(max(0, longest_s - (gone_s if self._benchmark.interrupted else 0)))
        self._overdue = True
        if self._engine is not None:
            self._engine.cancel()

    async def _record_all(self, engine: Engine, plan: Plan, scrubber: Scrubber) -> None:
        recorder = Recorder(self._context.results, self._lease, self._context.clock)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(recorder.run())
                deadline = group.create_task(self._deadline())
                # Beside the first requests, not before them: the price in memory is the one that counts.
                group.create_task(self._keep_price())
                async with contextlib.aclosing(engine.run(plan)) as records:
                    async for record in records:
                        record.cost_usd = self._cost_usd(record.usage)
                        _scrub(record, scrubber)
                        if not (self._draining and record.outcome == "cancelled"):
                            recorder.add(record)
                recorder.close()
                deadline.cancel()
        except* (LeaseLost, Unavailable) as lost:
            raise lost.exceptions[0] from None

    def _target(self) -> tuple[Endpoint, str | None]:
        endpoint = self._context.endpoints.get(self._benchmark.provider)
        if endpoint is None:
            raise _CannotRun("unknown_provider", f"this worker has no endpoint named {self._benchmark.provider!r}")
        if not self._context.keys.can_use(endpoint):
            raise _CannotRun("missing_key", f"this worker does not hold {endpoint.api_key_env}")
        secret = self._context.keys.get(endpoint)
        return endpoint, secret.get_secret_value() if secret else None

    def _find_price(self, endpoint: Endpoint) -> None:
        """The price in force at the start; a resumed run keeps the one that it began with."""
        document = self._benchmark.price
        if document is not None:
            self._price = PriceSnapshot(document)
            return
        model = self._benchmark.model
        if endpoint.prices is not None:
            prices: dict[str, Decimal] = endpoint.prices.model_dump(exclude_none=True)
            self._price = override(prices, model, endpoint.name)
        elif endpoint.price_provider is not None:
            provider = None if endpoint.price_provider == "*" else endpoint.price_provider
            self._price = self._context.price_list.snapshot(model, provider, self._context.clock.wall_now())

    async def _keep_price(self) -> None:
        if self._price is not None and self._benchmark.price is None:
            await self._context.leases.set_price(self._lease, self._price.document)

    def _cost_usd(self, usage: Usage) -> Decimal | None:
        if self._price is None or usage.input_tokens is None or usage.output_tokens is None:
            return None
        read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
        uncached = usage.input_tokens - (read + write if usage.cache_in_input else 0)
        return self._price.cost_usd(TokenCounts(max(0, uncached), usage.output_tokens, read, write))

    async def _verdict(self) -> tuple[str, dict[str, Any], dict[str, Any] | None]:
        """Terminal status, summary, and the reason of a failure."""
        builder = SummaryBuilder(
            planned=self._benchmark.planned,
            concurrency=int(self._benchmark.spec["concurrency"]),
            interrupted=self._benchmark.interrupted,
            request_rate=self._benchmark.spec.get("request_rate"),
        )
        async for result in self._context.results.all_for_summary(self.benchmark_id):
            builder.add(result)
        summary = await asyncio.to_thread(builder.document)
        if self._engine is not None:
            summary["measurement"] = self._measurement(self._engine)
        if self._engine is not None and self._engine.failure is not None:
            return "failed", summary, {"kind": "engine_died", "message": self._engine.failure}
        if self._cancelled and not builder.whole:
            return "cancelled", summary, None
        if self._overdue and not builder.whole:
            message = f"not ended within max_duration_s = {self._benchmark.spec['max_duration_s']:g} s"
            return "failed", summary, {"kind": "run_timeout", "message": message}
        if builder.succeeded == 0 and builder.failed:
            message = f"none of {builder.failed} requests succeeded; most often: {builder.commonest_error}"
            return "failed", summary, {"kind": "all_requests_failed", "message": message}
        return "completed", summary, None

    def _measurement(self, engine: Engine) -> dict[str, Any]:
        """How far the measuring may have distorted the run, and what this host is known to manage."""
        calibration = self._context.calibration
        known = calibration and {
            "streams_within_1ms": calibration.within(1),
            "streams_within_5ms": calibration.within(5),
        }
        return {**engine.disturbance.document(), "calibrated": known}

    async def _heartbeat(self) -> None:
        """A third of the lease apart. Raises LeaseLost, which ends the run without another write.

        Raises Unavailable once the database has been away for a whole lease: by then another worker may go on.
        """
        lease_s, clock = self._context.settings.lease_s, self._context.clock
        prolonged_ns = clock.monotonic_ns()
        while True:
            await asyncio.sleep(lease_s / 3)
            try:
                cancel_requested = await self._context.leases.heartbeat(self._lease)
            except Unavailable as exc:
                if clock.monotonic_ns() - prolonged_ns > lease_s * 1e9:
                    raise
                log.warning("heartbeat_missed", error=exc.message)
                continue
            prolonged_ns = clock.monotonic_ns()
            if cancel_requested and not self._cancelled:
                self.cancel()


def _scrub(record: ResultRecord, scrubber: Scrubber) -> None:
    """A server may echo the key that it was sent."""
    if record.error is not None:
        code = record.error.provider_code
        record.error = replace(
            record.error,
            message=scrubber.scrub(record.error.message),
            provider_code=None if code is None else scrubber.scrub(code, 100),
        )
    if record.response is not None:
        record.response = scrubber.mask_known(record.response)
