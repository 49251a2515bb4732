"""One claimed benchmark from claim to end: heartbeat, engine, recording, summary, status."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import structlog
from opentelemetry.trace import StatusCode

from shared.benchmark.record import ResultRecord
from shared.benchmark.spec import BenchmarkSpec
from shared.clock import Clock
from shared.db.benchmarks import BenchmarkRepository
from shared.db.leases import Lease, LeaseRepository
from shared.db.results import ResultRepository
from shared.db.segments import SegmentEnd, SegmentRepository, Slot
from shared.db.tables import Benchmark
from shared.errors import Conflict, LeaseLost, NotFound, Unavailable
from shared.program.tracing import Tracing
from shared.providers.adapters import Adapters
from shared.providers.endpoints import Endpoint, EndpointRegistry
from shared.providers.key_ring import KeyRing
from shared.providers.prices import PriceList
from shared.scrubber import Scrubber
from shared.settings import Settings
from worker.calibration import Calibration
from worker.engine.children import Children, processes_for
from worker.engine.engine import Engine, Plan
from worker.engine.measurer import MeasureContext, RunClock
from worker.engine.sdk_clients import make_target
from worker.monitoring import WorkerMetrics
from worker.patience import until_available
from worker.run.plan import make_plan, open_slots, slots
from worker.run.pricing import RunPrice, find_price
from worker.run.recorder import Recorder
from worker.run.send_window import DispatchWindow
from worker.run.tracing import RequestSpans, run_span
from worker.run.verdict import Verdict, failure, judge, sum_up

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
    segments: SegmentRepository
    children: Children
    metrics: WorkerMetrics
    tracing: Tracing = field(default_factory=Tracing)
    # What `CALIBRATE_ON_START` found out about this host.
    calibration: Calibration | None = None
    adapters: Adapters = field(default_factory=Adapters)


class _CannotRun(Exception):
    """The benchmark fails as a whole: `kind` and message go into its `error`."""

    def __init__(self, kind: str, message: str, *, sum_up: bool = False) -> None:
        """`sum_up`: what was measured before gets its summary. Not after crashes: it may be what they came from."""
        super().__init__(message)
        self.kind = kind
        self.message = message
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
        # How often a request may have been sent by earlier workers without its answer being stored.
        self._unanswered: Counter[Slot] = Counter()
        # What this worker sent and then cut off, to be sent again by another.
        self._cut: list[Slot] = []

    @property
    def benchmark_id(self) -> int:
        return self._lease.benchmark_id

    @property
    def in_flight(self) -> int:
        """Requests that its measuring processes have."""
        return 0 if self._engine is None else self._engine.in_flight

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
        with (
            structlog.contextvars.bound_contextvars(benchmark_id=self.benchmark_id, fence=self._lease.fence),
            run_span(self._context.tracing, self._benchmark, self._lease) as span,
        ):
            try:
                async with asyncio.TaskGroup() as group:
                    heartbeat = group.create_task(self._heartbeat())
                    try:
                        span.set_attribute("llmbench.status", await self._to_the_end())
                    finally:
                        heartbeat.cancel()
            except* (LeaseLost, NotFound):
                self._context.metrics.lease_lost()
                span.set_status(StatusCode.ERROR, "lease lost")
                log.warning("lease_lost")
            except* Unavailable as lost:
                # Nothing can be written now, not even a failure. The lease lapses, and somebody goes on from there.
                span.set_status(StatusCode.ERROR, "the database is away")
                log.warning("run_abandoned", error=str(lost.exceptions[0]))

    async def _to_the_end(self) -> str:
        """Sends what is to be sent, then gives the benchmark back or ends it. Waits for a database that is away.

        Returns the final status, or `released`.
        """
        context, lease = self._context, self._lease
        end: SegmentEnd | None = None
        try:
            await until_available(self._take_over, "takeover_waits")
            spec = await until_available(self._check, "spec_waits")
            if spec is not None:
                await self._send_all(spec)
            if self._draining and not self._cancelled and await until_available(self._unfinished, "release_waits"):
                given_back = SegmentEnd(await self._left_unanswered(), self._measurement())
                await until_available(lambda: context.leases.release(lease, given_back), "release_waits")
                log.info("benchmark_released", unanswered=len(given_back.unanswered))
                return "released"
            end = SegmentEnd(await self._left_unanswered(), self._measurement())
            self._unanswered.update(end.unanswered)
            verdict = await until_available(self._judge, "verdict_waits")
        except (LeaseLost, NotFound, Unavailable):
            raise
        except _CannotRun as exc:
            end = SegmentEnd()
            verdict = failure(exc.kind, exc.message)
            if exc.sum_up:
                verdict = replace(verdict, summary=(await until_available(self._judge, "verdict_waits")).summary)
        except Exception as exc:  # the run must end, whatever broke
            log.exception("run_broke")
            verdict = failure("internal_error", f"{type(exc).__name__} in the worker")
        if end is None:
            end = SegmentEnd(await until_available(self._maybe_sent, "finish_waits"), self._measurement())
        final = await until_available(lambda: self._finish(verdict, end), "finish_waits")
        self._context.metrics.benchmark_ended(final)
        log.info("benchmark_ended", status=final)
        return final

    async def _finish(self, verdict: Verdict, end: SegmentEnd) -> str:
        return await self._context.leases.finish(
            self._lease, verdict.status, summary=verdict.summary, error=verdict.error, end=end
        )

    async def _unfinished(self) -> bool:
        benchmark = await self._context.benchmarks.get(self.benchmark_id)
        return benchmark.done < benchmark.planned

    async def _take_over(self) -> None:
        """Counts what earlier workers may have sent without its answer being stored, and closes what they left open."""
        if not self._benchmark.interrupted:
            return
        segments = await self._context.segments.of(self.benchmark_id)
        if any(segment.ended_at is None for segment in segments):
            await self._context.leases.end_crashed(self._lease, await self._maybe_sent())
            segments = await self._context.segments.of(self.benchmark_id)
        self._unanswered = Counter(
            (index, repetition) for segment in segments for index, repetition in segment.unanswered or ()
        )

    async def _left_unanswered(self) -> list[Slot]:
        """What this worker sent and has no result: exactly what it cut off, unless a measuring process died."""
        if self._engine is not None and self._engine.failure is not None:
            return await until_available(self._maybe_sent, "verdict_waits")
        return self._cut

    async def _maybe_sent(self) -> list[Slot]:
        """Requests of the last open segment that were marked as dispatched and have no result."""
        context = self._context
        dispatched = (await context.benchmarks.get(self.benchmark_id)).dispatched
        recorded = await context.results.recorded(self.benchmark_id)
        try:
            spec, _ = await context.benchmarks.spec(self.benchmark_id)
        except Conflict:  # its texts are gone, and with them the order of its requests
            return []
        return [slot for slot in islice(slots(spec), dispatched) if slot not in recorded]

    async def _check(self) -> BenchmarkSpec | None:
        """What to send; None where the run was cancelled before. Raises _CannotRun."""
        context, benchmark = self._context, self._benchmark
        if benchmark.crashes >= context.settings.max_crashes:
            raise _CannotRun(
                "crash_loop", f"workers died {benchmark.crashes} times on this benchmark; it is not tried again"
            )
        if self._cancelled:
            return None
        if benchmark.interrupted and benchmark.spec.get("on_interrupt") == "fail":
            message = "its worker stopped or died in the middle, and on_interrupt is fail"
            raise _CannotRun("interrupted", message, sum_up=True)
        return (await context.benchmarks.spec(self.benchmark_id))[0]

    async def _send_all(self, spec: BenchmarkSpec) -> None:
        context, benchmark = self._context, self._benchmark
        endpoint, key = self._target()
        price = find_price(endpoint, benchmark.model, benchmark.price, context.price_list, context.clock.wall_now())
        adapter = context.adapters.of(endpoint)
        recorded = await until_available(self._recorded, "spec_waits")
        wanted = open_slots(spec, recorded)
        plan = make_plan(spec, adapter, [slot for _, slot in wanted])
        window = DispatchWindow([place for place, _ in wanted], spec.concurrency)
        log.info("benchmark_started", requests=len(wanted), already_recorded=len(recorded))
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
            engine = Engine(children, target, measuring, context.clock, silence_s=context.settings.lease_s)
            # Nothing goes out before the database knows that it may have.
            engine.limit(0)
            self._engine = engine
            if self._cancelled:
                engine.cancel()
            elif self._draining:
                engine.drain()
            spans = RequestSpans(context.tracing, benchmark, endpoint, context.clock)
            await self._record_all(engine, plan, window, price, measuring.scrubber, spans)

    async def _recorded(self) -> set[Slot]:
        if not self._benchmark.interrupted:
            return set()
        return await self._context.results.recorded(self.benchmark_id)

    async def _deadline(self) -> None:
        """Closes the streams of a run that takes longer than it may; a resumed one has what is left of its time."""
        longest_s = self._benchmark.spec.get("max_duration_s")
        if longest_s is None:
            return
        gone_s = 0.0
        if self._benchmark.interrupted:
            gone_s = await until_available(self._running_s, "deadline_waits")
        await asyncio.sleep(max(0, longest_s - gone_s))
        self._overdue = True
        if self._engine is not None:
            self._engine.cancel()

    async def _running_s(self) -> float:
        return await self._context.benchmarks.running_s(self.benchmark_id)

    async def _record_all(
        self,
        engine: Engine,
        plan: Plan,
        window: DispatchWindow,
        price: RunPrice,
        scrubber: Scrubber,
        spans: RequestSpans,
    ) -> None:
        context, lease = self._context, self._lease
        recorder = Recorder(context.results, lease, context.clock, window, engine.limit)

        async def begin() -> None:
            # While connections are made: the first requests wait for whichever is later.
            document = price.document if self._benchmark.price is None else None
            sendable, mark = window.sendable, window.mark
            await until_available(lambda: context.leases.begin(lease, dispatched=mark, price=document), "begin_waits")
            engine.limit(sendable)

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(begin())
                group.create_task(recorder.run())
                deadline = group.create_task(self._deadline())
                async with contextlib.aclosing(engine.run(plan)) as records:
                    async for record in records:
                        slot = (record.prompt_index, record.repetition)
                        if self._draining and not self._cancelled and record.outcome == "cancelled":
                            self._cut.append(slot)
                            continue
                        if self._unanswered[slot]:
                            record.flags = sorted([*record.flags, "possible_duplicate"])
                        record.cost_usd = price.cost_usd(record.usage)
                        _scrub(record, scrubber)
                        context.metrics.request_ended(self._benchmark.provider, self._benchmark.model, record)
                        recorder.add(record)
                        spans.add(record)
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

    async def _judge(self) -> Verdict:
        """From what is stored."""
        builder = await sum_up(self._benchmark, self._context.results, self._unanswered)
        return await judge(
            self._benchmark,
            builder,
            self._measurement(),
            engine_failure=self._engine.failure if self._engine is not None else None,
            cancelled=self._cancelled,
            overdue=self._overdue,
        )

    def _measurement(self) -> dict[str, Any] | None:
        """How far the measuring may have distorted the run, and what this host is known to manage."""
        if self._engine is None:
            return None
        calibration = self._context.calibration
        known = calibration and {
            "streams_within_1ms": calibration.within(1),
            "streams_within_5ms": calibration.within(5),
        }
        return {**self._engine.disturbance.document(), "calibrated": known}

    async def _heartbeat(self) -> None:
        """A third of the lease apart. Raises LeaseLost, which ends the run without another write.

        Raises Unavailable once the database has been away for a whole lease, whether it refused or kept silent: by
        then another worker may go on.
        """
        lease_s = self._context.settings.lease_s
        loop = asyncio.get_running_loop()
        prolonged = loop.time()
        while True:
            await asyncio.sleep(lease_s / 3)
            begun = loop.time()
            try:
                # If it was this process that slept, it asks before it gives up: nobody may have taken over.
                async with asyncio.timeout_at(max(prolonged + lease_s, begun + lease_s / 3)):
                    cancel_requested = await until_available(self._prolong, "heartbeat_missed")
            except TimeoutError:
                raise Unavailable(f"the database has not answered for a whole lease of {lease_s:g} s") from None
            prolonged = begun
            if cancel_requested and not self._cancelled:
                self.cancel()

    async def _prolong(self) -> bool:
        return await self._context.leases.heartbeat(self._lease)


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
