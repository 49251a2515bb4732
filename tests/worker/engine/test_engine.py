"""Load: how many requests are in flight, what waits where, and how a run ends early."""

import asyncio
from datetime import timedelta

import pytest

from shared.benchmark.pace import ConstantRate
from shared.benchmark.record import ResultRecord
from shared.benchmark.spec import Timeouts
from shared.protocols.registry import PROTOCOLS
from simulator.server import Simulator
from tests.worker.engine.running import Run, Transport, engine_at, load
from worker.engine.children import Children


async def test_the_server_sees_as_many_in_flight_as_were_asked_for(run: Run, simulator: Simulator) -> None:
    records = await run(simulator.base_url, "openai", *["sim-ttft2000-gap1-n2"] * 128, concurrency=128)
    assert {record.outcome for record in records} == {"succeeded"}
    assert simulator.peak_in_flight == 128


async def test_the_server_never_sees_more_in_flight_than_were_asked_for(run: Run, simulator: Simulator) -> None:
    await run(simulator.base_url, "openai", *["sim-ttft300-gap1-n4"] * 12, concurrency=4)
    assert simulator.peak_in_flight == 4


async def test_waiting_for_a_slot_is_queueing_and_not_latency(run: Run, simulator: Simulator) -> None:
    records = await run(simulator.base_url, "anthropic", *["sim-ttft150-gap10-n6"] * 5)
    for number, record in enumerate(records):
        assert record.latency_ms is not None
        assert 200 - 5 <= record.latency_ms < 400
        assert record.metrics["queue_ms"] >= number * 195


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_twenty_refusals_leak_no_connection(run: Run, simulator: Simulator, protocol: str) -> None:
    refused = ["sim-ttft5-gap1-n4-err429"] * 20
    records = await run(simulator.base_url, protocol, *refused, "sim-ttft5-gap1-n4", concurrency=1)
    assert [record.outcome for record in records] == ["errored"] * 20 + ["succeeded"]
    assert simulator.open_connections <= 1


async def test_one_hung_stream_does_not_hold_up_the_others(run: Run, simulator: Simulator) -> None:
    models = ["sim-ttft5-gap1-n4"] * 19 + ["sim-ttft5-gap1-n4-hanghead"]
    records = await run(simulator.base_url, "openai", *models, concurrency=20, timeouts=Timeouts(ttft_s=0.5))
    assert [record.outcome for record in records] == ["succeeded"] * 19 + ["timed_out"]


async def test_warm_up_ends_before_the_first_measured_request_is_sent(
    transport: Transport, children: Children, simulator: Simulator
) -> None:
    async with engine_at(children, simulator.base_url, "openai", transport=transport) as engine:
        order = [record async for record in engine.run(load(*["sim-ttft300-gap1-n4"] * 3, warmup=2, concurrency=3))]
    assert [record.prompt_index for record in order][-1] == 2
    assert order[-1].scheduled_at >= max(record.sent_at for record in order[:2])
    assert order[-1].metrics["queue_ms"] < 150


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_cancel_closes_the_streams_and_keeps_what_came(
    transport: Transport, children: Children, simulator: Simulator, protocol: str
) -> None:
    records: list[ResultRecord] = []
    async with engine_at(children, simulator.base_url, protocol, transport=transport) as engine:

        async def consume() -> None:
            plan = load(*["sim-ttft5-gap5-endless"] * 4, concurrency=2)
            async for record in engine.run(plan):
                records.append(record)  # noqa: PERF401 - the list is read while it grows

        running = asyncio.create_task(consume())
        await simulator.wait_for(lambda server: sum(request.content_events >= 3 for request in server.requests) == 2)
        engine.cancel()
        async with asyncio.timeout(1):
            await simulator.wait_for(lambda server: all(request.closed_by_client for request in server.requests))
            await running
    assert [record.outcome for record in records] == ["cancelled"] * 2
    assert all(record.response for record in records)
    assert len(simulator.requests) == 2


async def test_draining_sends_nothing_more_and_lets_the_rest_end(
    transport: Transport, children: Children, simulator: Simulator
) -> None:
    async with engine_at(children, simulator.base_url, "openai", transport=transport) as engine:

        async def consume() -> list[ResultRecord]:
            plan = load(*["sim-ttft500-gap1-n4"] * 10, concurrency=2)
            return [record async for record in engine.run(plan)]

        running = asyncio.create_task(consume())
        await simulator.wait_for(lambda server: server.in_flight == 2)
        engine.drain()
        records = await running
    assert [record.outcome for record in records] == ["succeeded"] * 2
    assert len(simulator.requests) == 2


async def test_leaving_the_iterator_early_closes_every_stream(
    transport: Transport, children: Children, simulator: Simulator
) -> None:
    async with engine_at(children, simulator.base_url, "openai", transport=transport) as engine:
        plan = load("sim-ttft5-gap1-n4", *["sim-ttft5-gap5-endless"] * 3, concurrency=2)
        iterator = engine.run(plan)
        assert (await anext(iterator)).outcome == "succeeded"
        await iterator.aclose()  # type: ignore[attr-defined]
        await simulator.wait_for(lambda server: server.in_flight == 0)
    assert len(simulator.requests) <= 3


async def test_failures_do_not_end_a_run(run: Run, simulator: Simulator) -> None:
    models = ["sim-ttft5-gap1-n4-err500", "sim-ttft5-gap1-n4-rst2", "sim-ttft5-gap1-n4"]
    records = await run(simulator.base_url, "openai", *models)
    assert [record.outcome for record in records] == ["errored", "truncated", "succeeded"]


async def test_an_open_loop_sends_by_its_schedule_whatever_the_answers_take(
    children: Children, simulator: Simulator
) -> None:
    async with engine_at(children, simulator.base_url, "openai", processes=2) as engine:
        plan = load(*["sim-ttft400-gap1-n2"] * 12, pace=ConstantRate(20, 12))
        records = sorted([record async for record in engine.run(plan)], key=lambda record: record.scheduled_at)
    assert [record.outcome for record in records] == ["succeeded"] * 12
    due_ms = [(record.scheduled_at - records[0].scheduled_at) / timedelta(milliseconds=1) for record in records]
    assert due_ms == pytest.approx([50 * number for number in range(12)], abs=0.01)
    # Never early; late by what a busy machine takes.
    assert all(0 <= record.metrics["queue_ms"] < 200 for record in records)
    # A closed loop would have sent the next after 400 ms: here eight are in flight by then.
    assert simulator.peak_in_flight >= 5
    received_ms = [(request.received_ns - simulator.requests[0].received_ns) / 1e6 for request in simulator.requests]
    assert received_ms[-1] == pytest.approx(550, abs=200)


async def test_an_open_loop_without_a_free_slot_waits_and_says_so(children: Children, simulator: Simulator) -> None:
    async with engine_at(children, simulator.base_url, "openai") as engine:
        plan = load(*["sim-ttft200-gap1-n2"] * 3, pace=ConstantRate(100, 1))
        records = sorted([record async for record in engine.run(plan)], key=lambda record: record.scheduled_at)
    assert simulator.peak_in_flight == 1
    assert records[2].metrics["queue_ms"] >= 2 * 200 - 20
    assert records[2].ttft_ms is not None
    assert records[2].ttft_ms < records[2].metrics["queue_ms"] + 200
    assert (engine.disturbance.send_delays_ms.max or 0) >= 2 * 200 - 20


async def test_a_drain_sends_nothing_more_of_a_schedule(children: Children, simulator: Simulator) -> None:
    async with engine_at(children, simulator.base_url, "openai") as engine:

        async def consume() -> list[ResultRecord]:
            plan = load(*["sim-ttft50-gap1-n2"] * 10, pace=ConstantRate(10 / 3, 10))
            return [record async for record in engine.run(plan)]

        running = asyncio.create_task(consume())
        await simulator.wait_for(lambda server: len(server.requests) == 2)
        engine.drain()
        async with asyncio.timeout(5):
            records = await running
    assert len(records) == len(simulator.requests) == 2
