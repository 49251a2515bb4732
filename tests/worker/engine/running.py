"""Runs plans over real sockets: one call from model names to records."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from shared.benchmark.record import ResultRecord
from shared.benchmark.spec import Parameters, Timeouts
from shared.clock import SystemClock
from shared.protocols import adapter_for
from shared.providers.endpoints import Endpoint, Protocol
from shared.scrubber import Scrubber
from tests.support.waiting import PATIENCE_S
from worker.engine.children import Child, Children
from worker.engine.engine import Engine, Plan
from worker.engine.measurer import MeasureContext, PlannedRequest, RunClock
from worker.engine.sdk_clients import make_target

Run = Callable[..., Awaitable[list[ResultRecord]]]
Transport = Literal["auto", "sdk"]
KEY = "sk-test-0123456789abcdef"


def endpoint_at(url: str, protocol: Protocol, transport: Transport = "auto") -> Endpoint:
    base_url = url if protocol == "anthropic" else f"{url}/v1"
    return Endpoint(name="test", protocol=protocol, base_url=base_url, transport=transport)


async def engine_over(
    processes: Sequence[Child],
    url: str,
    protocol: Protocol,
    *,
    timeouts: Timeouts | None = None,
    transport: Transport = "auto",
    proxy: str | None = None,
) -> Engine:
    """An engine over these processes, for a server of the test."""
    timeouts = timeouts or Timeouts(connect_s=60, ttft_s=60, idle_s=60, total_s=PATIENCE_S)
    endpoint, clock = endpoint_at(url, protocol, transport), SystemClock()
    context = MeasureContext(
        adapter=adapter_for(endpoint),
        timeouts=timeouts,
        clock=RunClock.start(clock),
        scrubber=Scrubber([KEY]),
        keep_timeline=True,
    )
    target = await make_target(endpoint, KEY, proxy=proxy, connect_s=timeouts.connect_s)
    return Engine(processes, target, context, clock)


@asynccontextmanager
async def engine_at(
    pool: Children, url: str, protocol: Protocol, *, processes: int = 1, **options: Any
) -> AsyncIterator[Engine]:
    """The same over processes of the pool."""
    async with pool.lend(processes) as children:
        yield await engine_over(children, url, protocol, **options)


def requests(protocol: Protocol, *models: str, max_tokens: int = 1_000) -> list[PlannedRequest]:
    """One request for each model name."""
    adapter = adapter_for(endpoint_at("http://127.0.0.1", protocol))
    parameters = Parameters(max_tokens=max_tokens)
    return [
        PlannedRequest(
            prompt_index=index,
            repetition=0,
            warmup=False,
            body=adapter.body(model, [{"role": "user", "content": "hi"}], None, parameters),
            max_tokens=max_tokens,
        )
        for index, model in enumerate(models)
    ]


async def run_over(
    pool: Children,
    transport: Transport,
    url: str,
    protocol: Protocol,
    *models: str,
    concurrency: int = 1,
    timeouts: Timeouts | None = None,
    max_tokens: int = 1_000,
) -> list[ResultRecord]:
    """The records of these requests, in their order."""
    async with engine_at(pool, url, protocol, timeouts=timeouts, transport=transport) as engine:
        plan = Plan([], requests(protocol, *models, max_tokens=max_tokens), concurrency)
        return sorted([record async for record in engine.run(plan)], key=lambda record: record.prompt_index)
