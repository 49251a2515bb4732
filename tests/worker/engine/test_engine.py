"""Load: how many requests are in flight, what waits where, and how a run ends early."""

import asyncio
from datetime import timedelta

import pytest

from shared.benchmark.load.pace import ConstantRate
from shared.benchmark.results.record import ResultRecord
from shared.benchmark.timeouts import Timeouts
from shared.protocols.registry import PROTOCOLS
from simulator.server import Simulator
from tests.support.waiting import PATIENCE_S
from tests.worker.engine.running import Run, Transport, engine_at, load
from worker.engine.children import Children


async def test_the_server_sees_as_many_in_flight_as_were_asked_for(
    transport: Transport, children: Children, simulator: Simulator
) -> None:
    """None of them answers before all are there."""
    async with engine_at(children, simulator.base_url, "openai", transport=transport) as engine:

        async def consume() -> list[ResultRecord]:
            plan = load(*["sim-hanghead"] * 128, concurrency=128)
            return [record async for record in engine.run(plan)]

        running = asyncio.create_task(consume())
        await simulator.wait_for(lambda server: server.in_flight == 128)
        engine.cancel()
        assert {record.outcome for record in await running} == {"cancelled"}
    assert simulator.peak_in_flight == 128


async def test_many_at_once_all_succeed(run: Run, simulator: Simulator) -> None:
    records = await run(simulator.base_url, "openai", *["sim-ttft300-gap1-n2"] * 128, concurrency=128)
    assert {record.outcome for record in records} == {"succeeded"}
    assert simulator.peak_in_flight <= 128


async def test_the_server_never_sees_more_in_flight_than_were_asked_for(run: Run, simulator: Simulator) -> None:
    await run(simulator.base_url, "openai", *["sim-ttft500-gap1-n4"] * 12, concurrency=4)
    assert simulator.peak_in_flight == 4


async def test_waiting_for_a_slot_is_queueing_and_not_latency(run: Run, simulator: Simulator) -> None:
    records = await run(simulator.base_url, "anthropic", *["sim-ttft150-gap10-n6"] * 5)
    for number, record in enumerate(records):
        assert record.latency_ms is not None
        assert record.latency_ms >= 200 - 5
        assert record.metrics["queue_ms"] >= number * 195
    # The last one waited for four others, which its latency does not show.
    assert records[-1].latency_ms is not None
    assert records[-1].latency_ms < records[-1].metrics["queue_ms"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_twenty_refusals_leak_no_connection(run: Run, simulator: Simulator, protocol: str) -> None:
    refused = ["sim-ttft5-gap1-n4-err429"] * 20
    records = await run(simulator.base_url, protocol, *refused, "sim-ttft5-gap1-n4", concurrency=1)
    assert [record.outcome for record in records] == ["errored"] * 20 + ["succeeded"]
    assert simulator.open_connections <= 1


async def test_one_hung_stream_does_not_hold_up_the_others(run: Run, simulator: Simulator) -> None:
    models = ["sim-ttft5-gap1-n4"] * 19 + ["sim-ttft5-gap1-n4-hanghead"]
    records = await run(simulator.base_url, "openai", *models, concurrency=20, timeouts=Timeouts(ttft_s=3))
    assert [record.outcome for record in records] == ["succeeded"] * 19 + ["timed_out"]


async def test_warm_up_ends_before_the_first_measured_request_is_sent(
    transport: Transport, children: Children, simulator: Simulator
) -> None:
    async with engine_at(children, simulator.base_url, "openai", transport=transport) as engine:
        order = [record async for record in engine.run(load(*["sim-ttft600-gap1-n4"] * 3, warmup=2, concurrency=3))]
    assert [record.prompt_index for record in order][-1] == 2
    assert order[-1].scheduled_at >= max(record.sent_at for record in order[:2])
    warm_up_ms = order[0].latency_ms
    assert warm_up_ms is not None
    assert order[-1].metrics["queue_ms"] < warm_up_ms, "it was due when the warm-up had ended, not at the start"


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
        # A second's worth: by then each process has seen some of it, and has told of it.
        await simulator.wait_for(lambda server: sum(request.content_events > 200 for request in server.requests) == 2)
        engine.cancel()
        # None of them would end by itself before its total timeout.
        async with asyncio.timeout(PATIENCE_S / 2):
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
        plan = load(*["sim-ttft1500-gap1-n2"] * 12, pace=ConstantRate(25, 12))
        records = sorted([record async for record in engine.run(plan)], key=lambda record: record.scheduled_at)
    assert [record.outcome for record in records] == ["succeeded"] * 12
    due_ms = [(record.scheduled_at - records[0].scheduled_at) / timedelta(milliseconds=1) for record in records]
    assert due_ms == pytest.approx([40 * number for number in range(12)], abs=0.01)
    # Never early; and late by what a busy machine takes, not by what an answer takes.
    assert all(0 <= record.metrics["queue_ms"] < 1_500 for record in records)
    # A closed loop of one would send the second request after the first answer: here all have been sent by then.
    answered_ns = [request.first_content_ns for request in simulator.requests if request.first_content_ns is not None]
    assert max(request.received_ns for request in simulator.requests) < min(answered_ns)
    assert simulator.peak_in_flight == 12


async def test_an_open_loop_without_a_free_slot_waits_and_says_so(children: Children, simulator: Simulator) -> None:
    async with engine_at(children, simulator.base_url, "openai") as engine:
        plan = load(*["sim-ttft200-gap1-n2"] * 6, pace=ConstantRate(100, 1))
        records = sorted([record async for record in engine.run(plan)], key=lambda record: record.scheduled_at)
    assert simulator.peak_in_flight == 1
    assert records[5].metrics["queue_ms"] >= 5 * 200 - 50
    assert records[5].ttft_ms is not None
    assert records[5].ttft_ms < records[5].metrics["queue_ms"]
    # The server was too slow for one stream. We were not.
    assert (engine.disturbance.send_delays_ms.max or 0) < 200


async def test_a_drain_sends_nothing_more_of_a_schedule(children: Children, simulator: Simulator) -> None:
    async with engine_at(children, simulator.base_url, "openai") as engine:

        async def consume() -> list[ResultRecord]:
            plan = load(*["sim-ttft50-gap1-n2"] * 10, pace=ConstantRate(1 / 1.5, 10))
            return [record async for record in engine.run(plan)]

        running = asyncio.create_task(consume())
        await simulator.wait_for(lambda server: len(server.requests) == 2)
        engine.drain()
        async with asyncio.timeout(PATIENCE_S):
            records = await running
    assert len(records) == len(simulator.requests) == 2
