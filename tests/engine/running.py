"""Runs plans over real sockets: one call from model names to records."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shared.clock import SystemClock
from shared.endpoints import Endpoint, Protocol
from shared.results import ResultRecord
from shared.spec import Parameters, Timeouts
from worker.engine.adapters import adapter_for
from worker.engine.engine import Engine, Plan
from worker.engine.measurer import Measurer, PlannedRequest, RunClock
from worker.engine.socket_transport import socket_transport
from worker.engine.transport import Transport

MakeTransport = Callable[..., Transport]
Run = Callable[..., Awaitable[list[ResultRecord]]]
KEY = "sk-test-0123456789abcdef"


def endpoint_at(url: str, protocol: Protocol) -> Endpoint:
    return Endpoint(name="test", protocol=protocol, base_url=url if protocol == "anthropic" else f"{url}/v1")


@asynccontextmanager
async def engine_at(
    url: str,
    protocol: Protocol,
    *,
    connections: int = 1,
    timeouts: Timeouts | None = None,
    make_transport: MakeTransport = socket_transport,
) -> AsyncIterator[Engine]:
    """An engine over a transport to a server of the test."""
    timeouts = timeouts or Timeouts(connect_s=5, ttft_s=10, idle_s=10, total_s=20)
    endpoint, clock = endpoint_at(url, protocol), SystemClock()
    transport = make_transport(endpoint, KEY, clock, connections=connections, connect_timeout_s=timeouts.connect_s)
    run = RunClock.start(clock)
    yield Engine(Measurer(transport, adapter_for(endpoint), timeouts, run, keep_timeline=True), clock)
    await transport.close()


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
    make_transport: MakeTransport,
    url: str,
    protocol: Protocol,
    *models: str,
    concurrency: int = 1,
    timeouts: Timeouts | None = None,
    max_tokens: int = 1_000,
) -> list[ResultRecord]:
    """The records of these requests, in their order."""
    async with engine_at(
        url, protocol, connections=concurrency, timeouts=timeouts, make_transport=make_transport
    ) as engine:
        plan = Plan([], requests(protocol, *models, max_tokens=max_tokens), concurrency)
        return sorted([record async for record in engine.run(plan)], key=lambda record: record.prompt_index)
