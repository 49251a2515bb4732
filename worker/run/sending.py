"""Sends a benchmark's load: finds endpoint, key and price, then runs engine and recorder side by side."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import structlog

from shared.benchmark.extra_body import ExtraFields
from shared.benchmark.load.load import Load
from shared.benchmark.load.places import stage_of
from shared.benchmark.load.plan import PlannedLoad, StageResult
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.record import ResultRecord
from shared.benchmark.spec import BenchmarkSpec
from shared.db.money.reservations import Bill, Paid
from shared.db.runs.lease import Lease
from shared.db.tables.benchmarks import Benchmark
from shared.errors import LeaseLost, Unavailable
from shared.providers.worst_case import worst_price
from shared.providers.worst_requests import worst_case
from shared.scrubber import Scrubber
from shared.workloads.learnt_factor import LearntFactor
from worker.engine.children import processes_for
from worker.engine.engine import Engine
from worker.engine.planned import MeasureContext, RunClock
from worker.engine.sdk_clients import make_target
from worker.patience import until_available
from worker.run.context import RunContext
from worker.run.money import RunMoney, is_capped, make_purse
from worker.run.observing import Observer, scrapers_of
from worker.run.pricing import RunPrice, find_price
from worker.run.probing import prober_of
from worker.run.recorder import Recorder
from worker.run.recovery import Inheritance
from worker.run.secrets_of_record import mask_secrets
from worker.run.stages import Stages
from worker.run.summary import stage_summaries
from worker.run.target import UNVERIFIED, target_document, unverified
from worker.run.tracing import RequestSpans
from worker.run.usable_endpoint import usable_endpoint

log = structlog.get_logger(__name__)


class Sending:
    """Sends one worker's part of a benchmark. `cancel`, `drain` and `cut_off` may be called at any time."""

    def __init__(self, context: RunContext, lease: Lease, benchmark: Benchmark, inherited: Inheritance) -> None:
        self._context = context
        self._lease = lease
        self._benchmark = benchmark
        self._inherited = inherited
        self._stages: Stages | None = None
        # None until `run` has found out what requests may cost.
        self.money: RunMoney | None = None
        # Tokens that the provider counts for each one that the workload's tokenizer counts.
        self.token_factor = LearntFactor()
        self._engine: Engine | None = None
        self._observer: Observer | None = None
        self._cancelled = False
        self._draining = False
        self._sent_all = False
        self._most_timelines = context.settings.timeline_max_requests
        # How many results have a timeline, at most: those of earlier workers may have none.
        self._kept_timelines = inherited.recorded.count
        # The run's own deadline has passed.
        self.overdue = False
        # Requests that were cut off in flight. Another worker sends them again.
        self.cut: list[RequestId] = []

    @property
    def engine(self) -> Engine | None:
        """None until `run` has made it."""
        return self._engine

    @property
    def results(self) -> RunAggregate:
        """What the stored results of this worker add up to."""
        return RunAggregate(self._inherited.results.wave) if self._stages is None else self._stages.results

    @property
    def stages(self) -> Sequence[StageResult]:
        """The stages that have ended."""
        return self._inherited.stages if self._stages is None else self._stages.done

    @property
    def exhausted(self) -> bool:
        """Whether every request of the load was sent and has ended by itself."""
        return self._sent_all and not self.cut and self._engine is not None and self._engine.exhausted

    def cancel(self) -> None:
        """Closes the streams and records what they received."""
        self._cancelled = True
        if self._engine is not None:
            self._engine.cancel()

    def drain(self) -> None:
        """Sends nothing more, lets requests in flight end."""
        self._draining = True
        if self._observer is not None:
            self._observer.halt()
        if self._engine is not None:
            self._engine.drain()

    def cut_off(self) -> None:
        """Closes the streams of a draining run, because the grace period is over."""
        self._draining = True
        if self._engine is not None:
            self._engine.cancel()

    async def run(self, spec: BenchmarkSpec, load: PlannedLoad) -> None:
        """Sends all that has no result yet. Raises CannotRun, LeaseLost, Unavailable."""
        context, benchmark = self._context, self._benchmark
        endpoint, key = usable_endpoint(context, benchmark.provider)
        began_at = benchmark.started_at or context.clock.wall_now()
        price = find_price(endpoint, spec, benchmark.price, context.price_list, began_at)
        log.info("benchmark_started", already_recorded=self._inherited.recorded.count)
        target, capped = await asyncio.gather(
            make_target(
                endpoint,
                key,
                proxy=context.settings.proxy_for(endpoint.base_url),
                connect_s=spec.timeouts.connect_s,
                variables=context.keys.variables(endpoint),
            ),
            is_capped(context, benchmark),
        )
        dearest = worst_price(price.base, endpoint, spec, context.price_list, began_at)
        worst = worst_case(dearest, spec, load.workload, endpoint)
        purse = make_purse(benchmark, spec, worst, self._inherited.recorded, capped=capped)
        self.money = money = RunMoney(context, self._lease, purse, dearest)
        measuring = MeasureContext(
            adapter=context.adapters.of(endpoint),
            timeouts=spec.timeouts,
            clock=RunClock.start(context.clock),
            scrubber=Scrubber(context.keys.secrets([endpoint])),
            keep_timeline=(load.plan.planned_requests or 0) <= self._most_timelines,
            extra=ExtraFields(endpoint.extra_body, spec.extra_body),
        )

        async def describe() -> dict[str, Any]:
            return await target_document(endpoint, target, spec, measuring.adapter, measuring.extra, measuring.scrubber)

        processes = processes_for(load.plan.max_in_flight, context.settings.engine_processes)
        if spec.load is not None and spec.load.least_prefill is not None:
            # Each process keeps its own share of the limit.
            processes = min(processes, spec.load.least_prefill)
        async with context.children.lend(processes) as children:
            make_engine = partial(Engine, target=target, clock=context.clock, silence_s=context.settings.lease_s)
            engine = make_engine(children, context=measuring)
            # Nothing is sent before its mark is stored.
            engine.allow(0)
            self._engine = engine
            if self._cancelled:
                engine.cancel()
            elif self._draining:
                engine.drain()
            spans = RequestSpans(context.tracing, benchmark, endpoint)
            scrapers = scrapers_of(endpoint, context.keys, context.clock) if spec.observe else []
            settle = partial(self._settle, price)
            prober = prober_of(
                spec, self._lease, endpoint, context.children, measuring, make_engine, settle, money.of_probes
            )
            self._observer = observer = Observer(context.observations, self._lease, context.clock, scrapers, prober)
            await self._record_all(engine, spec, load, price, money, measuring.scrubber, spans, observer, describe)
        self._sent_all = True

    async def _record_all(
        self,
        engine: Engine,
        spec: BenchmarkSpec,
        load: PlannedLoad,
        price: RunPrice,
        money: RunMoney,
        scrubber: Scrubber,
        spans: RequestSpans,
        observer: Observer,
        describe: Callable[[], Awaitable[dict[str, Any]]],
    ) -> None:
        """`describe` gives the document of the run's target."""
        context, lease, inherited = self._context, self._lease, self._inherited
        recorder = Recorder(
            context.results,
            lease,
            context.clock,
            engine.allow,
            inherited.sent_in_vain,
            lambda: engine.in_flight,
            money.purse,
            engine.stored,
        )
        self._stages = stages = Stages(
            context.stages,
            lease,
            load,
            recorder,
            done=inherited.stages,
            begun=inherited.begun,
            recorded=inherited.recorded,
            stored=spec.has_stages,
            summarize=stage_summaries(spec, load.workload, inherited.sent_in_vain),
            slos=spec.slos,
            observed=observer.of,
        )

        async def begin(mark: int | None, bill: Bill | None) -> Paid | None:
            # Runs while connections are made. The first requests wait for both.
            benchmark = self._benchmark
            document = price.document if benchmark.price is None else None
            target = await describe()
            notices = None
            if unverified(target) and UNVERIFIED not in benchmark.notices:
                notices = benchmark.notices = [*benchmark.notices, UNVERIFIED]
            paid = await until_available(
                lambda: context.leases.begin(
                    lease,
                    dispatched=mark or 0,
                    price=document,
                    target=target if benchmark.target is None else None,
                    notices=notices,
                    bill=bill,
                ),
                "begin_waits",
            )
            observer.begin()
            return paid

        def stop() -> None:
            observer.halt()
            engine.drain()

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(recorder.run())
                observing = group.create_task(observer.run())
                deadline = group.create_task(self._deadline(spec))
                waiting = group.create_task(money.wait(recorder.allow, stop))
                phases = stages.phases(group, begin, lambda: engine.phase_ended_by)
                whole = Load(load.workload, phases, slots=load.plan.max_in_flight)
                async with contextlib.aclosing(engine.run(whole, inherited.recorded)) as records:
                    async for record in records:
                        if spec.has_stages:
                            # The engine tells seamless stages apart, which are one part with one place after another.
                            record.stage = stage_of(record.id.place) + (record.stage or 0)
                        if load.workload.has_turns:
                            record.turn = record.id.turn
                        if self._draining and not self._cancelled and record.outcome == "cancelled":
                            self.cut.append(record.id)
                            continue
                        if inherited.sent_in_vain[record.id]:
                            record.flags.append("possible_duplicate")
                        if (estimated := load.workload.estimated_tokens(record.id.place)) is not None:
                            self.token_factor.add(estimated, record.usage.total_input_tokens)
                        if record.usage.prompt_cached:
                            record.flags.append("prompt_cached")
                        await self._settle(price, record)
                        if load.plan.planned_requests is None and self._kept_timelines >= self._most_timelines:
                            # Only the first have one: nobody knows how many will follow.
                            record.timeline = None
                        self._kept_timelines += record.timeline is not None
                        mask_secrets(record, scrubber)
                        context.monitor.request_ended(self._benchmark.provider, self._benchmark.model, record)
                        recorder.add(record)
                        spans.add(record)
                await recorder.settled()
                recorder.close()
                deadline.cancel()
                waiting.cancel()
                if self._draining and not self._cancelled and money.stopped_by is None:
                    stages.pause()
                else:
                    why = "cancelled" if money.stopped_by is None else "budget"
                    await stages.leave("failed" if engine.failure is not None else why)
                await observer.close()
                observing.cancel()
        except* (LeaseLost, Unavailable) as lost:
            raise lost.exceptions[0] from None

    async def _settle(self, price: RunPrice, record: ResultRecord) -> None:
        """Finds the cost of a record. Stores the price of a model or tier that was served for the first time."""
        if price.settle(record):
            context, document = self._context, price.document
            await until_available(lambda: context.leases.store_price(self._lease, document), "price_waits")

    async def _deadline(self, spec: BenchmarkSpec) -> None:
        """Closes the streams when `max_duration_s` is over. A resumed run has only what is left of it."""
        if spec.max_duration_s is None:
            return
        gone_s = 0.0
        if self._benchmark.interrupted:
            benchmarks, number = self._context.benchmarks, self._lease.benchmark_id
            gone_s = await until_available(lambda: benchmarks.running_s(number), "deadline_waits")
        await asyncio.sleep(max(0, spec.max_duration_s - gone_s))
        self.overdue = True
        if self._engine is not None:
            self._engine.cancel()
