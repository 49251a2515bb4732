"""Sends requests of one token beside a load, with a measuring process of their own. They are no results of the run."""

import asyncio
import contextlib
import hashlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from shared.benchmark.extra_body import ExtraFields
from shared.benchmark.load.load import Load, Phase
from shared.benchmark.load.pace import ConstantRate
from shared.benchmark.prompt import Parameters
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.record import ResultRecord
from shared.benchmark.run_spec import RunSpec
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.db.runs.lease import Lease
from shared.errors import LeaseLost, Unavailable
from shared.observing.probe import Probe
from shared.program.tasks import end
from shared.providers.endpoints import Endpoint
from worker.engine.children import Child, Children
from worker.engine.engine import Engine
from worker.engine.planned import MeasureContext
from worker.run.probe_money import ProbeMoney

log = structlog.get_logger(__name__)

# The most probes in flight. One that finds no room for so many intervals is dropped.
ROOM = 8
DROPPED_AFTER_INTERVALS = 1
# The probes of so many seconds are paid ahead, if a cap counts.
PAID_FOR_S = 10.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ProbeWorkload(Workload):
    """A short prompt without end, which begins with a text of its own each time: no cache knows it."""

    def __init__(self, spec: RunSpec, name: str) -> None:
        """`name`: of these probes, among all of all benchmarks and workers."""
        self._model = spec.model
        self._name = name
        self._parameters = Parameters(max_tokens=1, service_tier=spec.parameters.service_tier)

    @property
    def length(self) -> None:
        return None

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        if turn:
            return None
        marker = hashlib.sha256(f"probe {self._name} {place}".encode()).hexdigest()[:16]
        message = {"role": "user", "content": f"{marker}\n\nSay yes."}
        return WorkItem(RequestId(place), 0, place, self._model, [message], None, self._parameters)

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return RequestId(repetition)


def probe_load(spec: RunSpec, name: str, rate: float) -> Load:
    """Probes at this rate, in requests/s, until they are stopped."""
    phase = Phase(ConstantRate(rate, ROOM), drop_after_ns=round(DROPPED_AFTER_INTERVALS / rate * 1e9))
    return Load(ProbeWorkload(spec, name), [phase], slots=ROOM)


class Prober:
    """The probes of one run on one worker. Nothing that happens to them ends the run."""

    def __init__(
        self,
        children: Children,
        make_engine: Callable[[Sequence[Child]], Engine],
        load: Load,
        settle: Callable[[ResultRecord], Awaitable[None]],
        money: ProbeMoney,
        ahead: int = 2 * ROOM,
    ) -> None:
        """`settle` finds the cost of a record. `ahead`: how many probes are paid ahead, if a cap counts."""
        self.money = money
        self._ahead = ahead
        self._ended = 0
        self._children = children
        self._make_engine = make_engine
        self._load = load
        self._settle = settle
        self._may_begin = asyncio.Event()
        self._halted = False
        self._engine: Engine | None = None

    def begin(self) -> None:
        """The run has begun: probes may be sent."""
        self._may_begin.set()

    def halt(self) -> None:
        """Sends no more probes and closes those in flight."""
        self._halted = True
        self._may_begin.set()
        if self._engine is not None:
            self._engine.cancel()

    async def run(self, heard: Callable[[Probe], None]) -> None:
        """Sends until `halt`; `heard` is called with each probe that has ended by itself. Raises LeaseLost."""
        await self._may_begin.wait()
        try:
            async with self._children.lend(1) as children:
                self._engine = engine = self._make_engine(children)
                if self._halted:
                    return
                async with self._paid(engine), contextlib.aclosing(engine.run(self._load)) as records:
                    async for record in records:
                        self._ended += 1
                        if record.outcome != "cancelled":
                            await self._settle(record)
                            heard(_probe_of(record))
                        self.money.ended(record)
                if engine.failure is not None:
                    log.warning("probes_ended", reason=engine.failure)
        except (LeaseLost, Unavailable):
            raise
        except Exception:
            log.exception("probes_broke")

    @contextlib.asynccontextmanager
    async def _paid(self, engine: Engine) -> AsyncIterator[None]:
        """While probes are sent: allows as many as are paid."""
        if not self.money.capped:
            yield
            return
        engine.allow(0)
        paying = asyncio.create_task(self._keep_paid(engine))
        try:
            yield
        finally:
            await end(paying)

    async def _keep_paid(self, engine: Engine) -> None:
        # Who loses the lease hears of it elsewhere.
        with contextlib.suppress(LeaseLost):
            while True:
                engine.allow(await self.money.mark_to(self._ended + self._ahead), limited=True)
                await asyncio.sleep(PAID_FOR_S / 2)


def prober_of(
    spec: RunSpec,
    lease: Lease,
    endpoint: Endpoint,
    children: Children,
    measuring: MeasureContext,
    make_engine: Callable[..., Engine],
    settle: Callable[[ResultRecord], Awaitable[None]],
    money_of: Callable[[Workload, ExtraFields], ProbeMoney],
) -> Prober | None:
    """What sends the probes of a run; None if its load wants none. `measuring`: of the run itself.

    `money_of` makes the money of the requests of a workload whose bodies get these fields.
    """
    if spec.load is None or spec.load.probe_rate is None:
        return None
    # The benchmark's own fields may want more than a token, as `min_tokens` does.
    context = replace(measuring, extra=ExtraFields(endpoint.extra_body), keep_timeline=False)
    rate = spec.load.probe_rate
    load = probe_load(spec, f"{lease.benchmark_id} {lease.fence}", rate)
    money = money_of(load.workload, context.extra)
    ahead = max(2 * ROOM, math.ceil(rate * PAID_FOR_S))
    return Prober(children, partial(make_engine, context=context), load, settle, money, ahead)


def _probe_of(record: ResultRecord) -> Probe:
    sent_us = (record.sent_at - _EPOCH) // timedelta(microseconds=1)
    return Probe(sent_us, record.outcome, record.metrics["ttft_ms"], record.cost_usd)
