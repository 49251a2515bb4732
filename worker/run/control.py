"""Controls one claimed benchmark from claim to end: its lease, its course, its terminal status."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date

import structlog
from opentelemetry.trace import StatusCode

from shared.benchmark.load.plan import PlannedLoad
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.spec import BenchmarkSpec
from shared.db.money.reservations import Refusal
from shared.db.money.spend import Charge
from shared.db.runs.lease import Lease
from shared.db.runs.segments import SegmentEnd
from shared.db.tables.benchmarks import Benchmark
from shared.errors import Conflict, LeaseLost, NotFound, Unavailable
from worker.patience import until_available
from worker.run.cannot_run import CannotRun
from worker.run.context import RunContext
from worker.run.heartbeat import Heartbeat
from worker.run.money import RunMoney
from worker.run.observing import observed_of
from worker.run.recovery import Inheritance, Recovery, stored_ids
from worker.run.sending import Sending
from worker.run.summary import Plan, load_in_numbers, prompts_in_numbers, summarize
from worker.run.tracing import run_span
from worker.run.verdict import Course, JsonObject, Verdict, failure, judge

log = structlog.get_logger(__name__)


class BenchmarkRun:
    """A benchmark under this worker's lease. `cancel` and `drain` may be called at any time."""

    def __init__(self, context: RunContext, lease: Lease, benchmark: Benchmark) -> None:
        self._context = context
        self._lease = lease
        self._benchmark = benchmark
        self._recovery = Recovery(context, lease, benchmark)
        self._load: PlannedLoad | None = None
        self._inherited: Inheritance | None = None
        self._sending: Sending | None = None
        self._cancelled = benchmark.cancel_requested_at is not None
        self._draining = False

    @property
    def lease(self) -> Lease:
        return self._lease

    @property
    def benchmark_id(self) -> int:
        return self._lease.benchmark_id

    @property
    def is_exclusive(self) -> bool:
        """Nothing else may run on this worker meanwhile."""
        return self._benchmark.exclusive

    @property
    def _money(self) -> RunMoney | None:
        return None if self._sending is None else self._sending.money

    @property
    def _stopped_by(self) -> Refusal | None:
        """The cap that could not pay for more."""
        return None if self._money is None else self._money.stopped_by

    def _charges(self, unanswered: Sequence[RequestId]) -> Mapping[date | None, Charge]:
        return {} if self._money is None else self._money.charges(unanswered)

    @property
    def in_flight(self) -> int:
        """Requests that the measuring processes of this run have."""
        engine = self._sending.engine if self._sending is not None else None
        return 0 if engine is None else engine.in_flight

    def cancel(self) -> None:
        """Closes the streams and records what they received. Then the benchmark ends as cancelled."""
        self._cancelled = True
        if self._sending is not None:
            self._sending.cancel()

    def drain(self) -> None:
        """Sends nothing more, lets requests in flight end, then gives the benchmark back."""
        self._draining = True
        if self._sending is not None:
            self._sending.drain()

    def cut_off(self) -> None:
        """Closes the streams of a draining run, because the grace period is over."""
        self._draining = True
        if self._sending is not None:
            self._sending.cut_off()

    async def run(self) -> None:
        """Runs to a terminal status, or gives the benchmark back. Failures of the run end it and are not raised."""
        with (
            structlog.contextvars.bound_contextvars(benchmark_id=self.benchmark_id, fence=self._lease.fence),
            run_span(self._context.tracing, self._benchmark, self._lease) as span,
        ):
            try:
                async with asyncio.TaskGroup() as group:
                    heartbeat = group.create_task(self._heartbeat().beat())
                    try:
                        span.set_attribute("llmbench.status", await self._to_the_end())
                    finally:
                        heartbeat.cancel()
            except* (LeaseLost, NotFound):
                if await self._is_deleted():
                    span.set_attribute("llmbench.status", "deleted")
                    log.info("benchmark_deleted")
                else:
                    self._context.monitor.lease_lost()
                    span.set_status(StatusCode.ERROR, "lease lost")
                    log.warning("lease_lost")
            except* Unavailable as lost:
                # No failure can be stored now. The lease lapses, and another worker goes on.
                span.set_status(StatusCode.ERROR, "the database is away")
                log.warning("run_abandoned", error=str(lost.exceptions[0]))

    def _heartbeat(self) -> Heartbeat:
        def cancel() -> None:
            if not self._cancelled:
                self.cancel()

        leases = self._context.leases
        return Heartbeat(lambda: leases.heartbeat(self._lease), cancel, lease_s=self._context.settings.lease_s)

    async def _is_deleted(self) -> bool:
        """Whether the lease ended because a caller deleted the benchmark. False if the database is away."""
        try:
            await self._context.benchmarks.status(self.benchmark_id)
        except NotFound:
            return True
        except Unavailable:
            return False
        return False

    async def _to_the_end(self) -> str:
        """Sends the load, then ends the benchmark or gives it back. Waits while the database is away.

        Returns the final status, or `released`.
        """
        try:
            verdict, end = await self._course()
        except (LeaseLost, NotFound, Unavailable):
            raise
        except CannotRun as exc:
            # Of a cancelled one nothing would be sent, so it ends like any other.
            sum_up = exc.sum_up or (self._cancelled and self._inherited is not None)
            summary = await self._summary(SegmentEnd()) if sum_up else None
            failed = failure(exc.kind, exc.message, summary)
            verdict, end = Verdict("cancelled", summary) if self._cancelled else failed, SegmentEnd()
        except Exception as exc:  # the run must end, whatever broke
            log.exception("run_broke")
            verdict = failure("internal_error", f"{type(exc).__name__} in the worker")
            maybe_sent = await self._recovery.maybe_sent(self._load)
            end = SegmentEnd(stored_ids(self._load, maybe_sent), self._measurement(), charges=self._charges(maybe_sent))
        if verdict is None:
            await until_available(lambda: self._context.leases.release(self._lease, end), "release_waits")
            log.info("benchmark_released", unanswered=len(end.unanswered))
            return "released"
        final = await until_available(lambda: self._finish(verdict, end), "finish_waits")
        self._context.monitor.benchmark_ended(final)
        log.info("benchmark_ended", status=final)
        return final

    async def _course(self) -> tuple[Verdict | None, SegmentEnd]:
        """Takes over, sends, judges. The verdict is None if this worker gives the benchmark back. Raises CannotRun."""
        self._load = load = await self._recovery.load()
        self._inherited = await self._recovery.take_over(load)
        spec = await self._check()
        if self._draining and not self._cancelled:
            return None, SegmentEnd()
        self._sending = sending = Sending(self._context, self._lease, self._benchmark, self._inherited)
        if spec is not None and load is not None:
            await sending.run(spec, load)
        end = await self._segment_end(sending)
        if self._draining and not self._cancelled and not sending.exhausted and self._stopped_by is None:
            return None, end
        course = Course(
            exhausted=sending.exhausted,
            cancelled=self._cancelled,
            overdue=sending.overdue,
            engine_failure=sending.engine.failure if sending.engine is not None else None,
            stopped=self._stopped_by is not None,
        )
        summary = await self._summary(end)
        return judge(self._inherited.results, summary, course, spec.max_duration_s if spec is not None else None), end

    async def _check(self) -> BenchmarkSpec | None:
        """The spec to send; None if the benchmark was cancelled before. Raises CannotRun."""
        context, benchmark = self._context, self._benchmark
        if benchmark.crashes >= context.settings.max_crashes:
            raise CannotRun(
                "crash_loop", f"workers died {benchmark.crashes} times on this benchmark; it is not tried again"
            )
        if self._cancelled:
            return None
        if benchmark.unclaimable is not None:
            waited_s, why = context.settings.unclaimed_after_s, benchmark.unclaimable
            message = f"for {waited_s:g} s no worker could run it: {why['message']}"
            raise CannotRun(why["kind"], message, sum_up=benchmark.interrupted)
        if benchmark.interrupted and benchmark.spec.on_interrupt == "fail":
            message = "its worker stopped or died during the run, and on_interrupt is fail"
            raise CannotRun("interrupted", message, sum_up=True)
        try:
            return await self._recovery.spec()
        except Conflict as exc:
            raise CannotRun("prompts_deleted", exc.message) from None

    async def _segment_end(self, sending: Sending) -> SegmentEnd:
        """What this worker leaves: requests without an answer, the aggregate of its results, how well it measured."""
        engine = sending.engine
        unanswered = sending.cut
        if engine is not None:
            sending.results.observe(engine.disturbance)
            if engine.failure is not None:
                # The last requests that a dead process began are not known.
                unanswered = await self._recovery.maybe_sent(self._load)
        aggregate = await asyncio.to_thread(sending.results.encode)
        charges = self._charges(unanswered)
        return SegmentEnd(stored_ids(self._load, unanswered), self._measurement(), aggregate, charges)

    async def _summary(self, end: SegmentEnd) -> JsonObject:
        """The summary of all segments: the earlier ones and, if it has sent anything, this one."""
        inherited = self._inherited or Inheritance(RunAggregate(1))
        if self._sending is not None:
            # In a thread: the aggregates of a long run hold many values.
            await asyncio.to_thread(inherited.results.merge, self._sending.results)
        spec, load = self._benchmark.spec, self._load
        equal_prompts = await asyncio.to_thread(load.workload.equal_prompts) if load is not None else {}
        plan = Plan(
            requests=self._benchmark.planned,
            **load_in_numbers(spec, load),
            interrupted=self._benchmark.interrupted,
            sent_in_vain=inherited.sent_in_vain.total() + len(end.unanswered),
            **prompts_in_numbers(spec, inherited.results, equal_prompts),
            slos=spec.slos,
        )
        summary = await asyncio.to_thread(summarize, inherited.results, plan)
        summary |= await observed_of(self._context.observations, self.benchmark_id, inherited.results)
        stages = self._sending.stages if self._sending is not None else inherited.stages
        if load is not None and (found := load.plan.conclusion(stages)) is not None:
            summary["search"] = found
        if self._sending is not None and (factor := self._sending.token_factor.value) is not None:
            summary["tokens"]["per_estimate"] = factor
        if summary.get("measurement") is not None:
            summary["measurement"]["calibrated"] = self._calibrated()
        return summary

    def _measurement(self) -> JsonObject | None:
        """How far the measuring may have distorted this worker's results. None if it measured nothing."""
        engine = self._sending.engine if self._sending is not None else None
        if engine is None or not engine.disturbance.sent:
            return None
        return {**engine.disturbance.document(), "calibrated": self._calibrated()}

    def _calibrated(self) -> JsonObject | None:
        """The concurrency that this host measures exactly; None if it was not calibrated."""
        calibration = self._context.calibration
        if calibration is None:
            return None
        return {"streams_within_1ms": calibration.within(1), "streams_within_5ms": calibration.within(5)}

    async def _finish(self, verdict: Verdict, end: SegmentEnd) -> str:
        notices = self._money.notices if self._money is not None else []
        refusal = self._stopped_by if verdict.status == "completed" else None
        return await self._context.leases.finish(
            self._lease,
            verdict.status,
            summary=verdict.summary,
            error=verdict.error,
            whole=verdict.whole,
            end=end,
            notices=[*self._benchmark.notices, *notices] if notices else None,
            stopped_by=None if refusal is None else refusal.cap.key,
        )
