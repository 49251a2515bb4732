"""Runs loads over real sockets: one call from model names to records."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Literal

from shared.benchmark.extra_body import ExtraFields
from shared.benchmark.load.load import Load, Phase
from shared.benchmark.load.pace import ClosedLoop, Pace
from shared.benchmark.prompt import Parameters
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.record import ResultRecord
from shared.benchmark.timeouts import Timeouts
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.clock import SystemClock
from shared.protocols.registry import protocol_named
from shared.providers.adapters import adapter_for
from shared.providers.endpoints import Endpoint
from shared.scrubber import Scrubber
from tests.support.waiting import PATIENCE_S
from worker.engine.children import Child, Children
from worker.engine.engine import Engine
from worker.engine.planned import MeasureContext, RunClock
from worker.engine.sdk_clients import make_target

Run = Callable[..., Awaitable[list[ResultRecord]]]
Transport = Literal["auto", "sdk"]
KEY = "sk-test-0123456789abcdef"


def endpoint_at(url: str, protocol: str, transport: Transport = "auto", **options: Any) -> Endpoint:
    base_url = f"{url}{protocol_named(protocol).base_path}"
    fields = {"name": "test", "protocol": protocol, "base_url": base_url, "transport": transport}
    return Endpoint.model_validate(fields | options)


async def engine_over(
    processes: Sequence[Child],
    url: str,
    protocol: str,
    *,
    timeouts: Timeouts | None = None,
    transport: Transport = "auto",
    proxy: str | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    variables: Mapping[str, str] = MappingProxyType({}),
    extra_body: Mapping[str, Any] = MappingProxyType({}),
) -> Engine:
    """An engine over these processes, for a server of the test. `options` are further fields of the endpoint."""
    timeouts = timeouts or Timeouts(connect_s=60, ttft_s=60, idle_s=60, total_s=PATIENCE_S)
    endpoint, clock = endpoint_at(url, protocol, transport, **options), SystemClock()
    context = MeasureContext(
        adapter=adapter_for(endpoint),
        timeouts=timeouts,
        clock=RunClock.start(clock),
        scrubber=Scrubber([KEY]),
        keep_timeline=True,
        extra=ExtraFields(endpoint.extra_body, extra_body),
    )
    key = None if options.get("api_key_env", "KEY") is None else KEY
    target = await make_target(endpoint, key, proxy=proxy, connect_s=timeouts.connect_s, variables=variables)
    return Engine(processes, target, context, clock)


@asynccontextmanager
async def engine_at(
    pool: Children, url: str, protocol: str, *, processes: int = 1, **options: Any
) -> AsyncIterator[Engine]:
    """The same over processes of the pool."""
    async with pool.lend(processes) as children:
        yield await engine_over(children, url, protocol, **options)


@asynccontextmanager
async def collecting(engine: Engine, work: Load) -> AsyncIterator[tuple[list[ResultRecord], asyncio.Task[None]]]:
    """The records of a run so far, and the run. Cancels what is left of it."""
    records: list[ResultRecord] = []

    async def collect() -> None:
        async for record in engine.run(work):
            records.append(record)  # noqa: PERF401 - the test looks at them while the run goes on

    running = asyncio.create_task(collect())
    try:
        yield records, running
    finally:
        engine.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await running


async def until(condition: Callable[[], bool]) -> None:
    """Until it is true of what tells nobody when it changes."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.001)


class Models(Workload):
    """One request for each model name, all of them with the same prompt."""

    def __init__(self, *models: str, warmup: int = 0, text: str = "hi", max_tokens: int = 1_000) -> None:
        self.warmup = warmup
        self._models = models
        self._messages = [{"role": "user", "content": text}]
        self._parameters = Parameters(max_tokens=max_tokens)

    @property
    def length(self) -> int:
        return len(self._models)

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        if turn or place >= self.length:
            return None
        repetition = -1 if place < self.warmup else 0
        model = self._models[place]
        return WorkItem(RequestId(place), place, repetition, model, self._messages, None, self._parameters)

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return RequestId(prompt_index)


def load(*models: str, concurrency: int = 1, warmup: int = 0, pace: Pace | None = None, **options: Any) -> Load:
    """These models in a closed loop, or at a pace; the first `warmup` of them as a phase of their own."""
    phases = [Phase(pace or ClosedLoop(concurrency), first=warmup)]
    if warmup:
        phases.insert(0, Phase(ClosedLoop(concurrency), end=warmup))
    return Load(Models(*models, warmup=warmup, **options), phases)


async def run_over(
    pool: Children,
    transport: Transport,
    url: str,
    protocol: str,
    *models: str,
    concurrency: int = 1,
    timeouts: Timeouts | None = None,
    max_tokens: int = 1_000,
    **options: Any,
) -> list[ResultRecord]:
    """The records of these requests, in their order. `options` are those of `engine_over`."""
    async with engine_at(pool, url, protocol, timeouts=timeouts, transport=transport, **options) as engine:
        work = load(*models, concurrency=concurrency, max_tokens=max_tokens)
        return sorted([record async for record in engine.run(work)], key=lambda record: record.prompt_index)
