"""The process that measures: shared load, its death, its worker's silence, and what a run says of its measuring."""

import asyncio
import os
import signal

from simulator.server import Simulator
from tests.engine.measuring import BEGAN, measurement, part
from tests.engine.running import engine_at, requests
from tests.support.streams import openai_text, sse
from worker.engine.children import Children, processes_for
from worker.engine.engine import Plan
from worker.engine.grade import Disturbance
from worker.engine.messages import Head

HEAD = Head(200, {"content-type": "text/event-stream"})


async def test_the_concurrency_is_split_exactly_over_processes(children: Children, simulator: Simulator) -> None:
    async with engine_at(children, simulator.base_url, "openai", processes=2) as engine:
        plan = Plan([], requests("openai", *["sim-ttft500-gap1-n4"] * 10), 5)
        records = [record async for record in engine.run(plan)]
    assert [record.outcome for record in records] == ["succeeded"] * 10
    assert simulator.peak_in_flight == 5
    assert engine.disturbance.document()["processes"] == 2


async def test_a_process_that_is_killed_ends_the_run_and_loses_nothing_that_it_had_begun(simulator: Simulator) -> None:
    pool = Children()
    async with pool.lend(1) as lent, engine_at(Children(), simulator.base_url, "openai") as engine:
        engine._children = lent  # the process to kill must be known
        records = []

        async def consume() -> None:
            async for record in engine.run(Plan([], requests("openai", *["sim-ttft5-gap5-endless"] * 3), 2)):
                records.append(record)  # noqa: PERF401 - the list is read while it grows

        running = asyncio.create_task(consume())
        # Longer than a process keeps to itself what it has seen.
        await simulator.wait_for(lambda server: len(server.requests) == 2 and server.requests[1].content_events > 100)
        pid = lent[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(5):
            await running
    await pool.close()
    assert engine.failure == "a measuring process ended in the middle of the run"
    assert [(record.outcome, record.error.kind if record.error else None) for record in records] == [
        ("errored", "engine_died")
    ] * 2
    assert len(simulator.requests) == 2


async def test_a_worker_that_falls_silent_has_its_streams_closed(simulator: Simulator) -> None:
    pool = Children()
    async with pool.lend(1) as lent, engine_at(Children(), simulator.base_url, "openai") as engine:
        engine._children, engine._silence_s = lent, 0.9
        running = asyncio.create_task(
            anext(engine.run(Plan([], requests("openai", "sim-ttft5-gap5-endless"), 1)), None)
        )
        await simulator.wait_for(lambda server: bool(server.requests) and server.requests[0].content_events > 2)
        lent[0].pause()
        lent[0].send = lambda command: None  # type: ignore[method-assign]
        async with asyncio.timeout(5):
            await simulator.wait_for(lambda server: server.requests[0].closed_by_client)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await pool.close()


def test_processes_follow_the_setting_and_never_outnumber_the_streams() -> None:
    assert processes_for(1, 0) == 1
    assert processes_for(4, 8) == 4
    assert processes_for(1_000, 3) == 3


def test_a_first_token_that_lay_unread_with_later_ones_is_doubtful() -> None:
    together = sse(*openai_text("a", "b"))
    for reads, late_us, kernel, doubtful in (
        ([(10.0, together)], 1_500, True, True),
        ([(10.0, together)], 500, True, False),
        ([(10.0, sse(*openai_text("a"))), (20.0, sse(*openai_text("b")))], 1_500, True, False),
        ([(10.0, sse(*openai_text("a"))), (20.0, sse(*openai_text("b")))], 1_500, False, True),
    ):
        measured = measurement("openai")
        measured.take(part(*reads, began=BEGAN, head=HEAD, late_us=late_us, kernel=kernel))
        assert measured.doubtful is doubtful, (late_us, kernel)


def test_an_undisturbed_run_is_graded_a_and_the_sdk_never_better_than_c() -> None:
    assert Disturbance("socket", requests=200, send_delays_ms=[0.1] * 200, cpu_share=0.3).grade() == ("A", [])
    grade, reasons = Disturbance("sdk", requests=200, send_delays_ms=[0.1] * 200).grade()
    assert grade == "C"
    assert "SDK" in reasons[0]


def test_doubtful_first_tokens_lower_the_grade() -> None:
    grade, reasons = Disturbance("socket", requests=100, doubtful=4).grade()
    assert grade == "B"
    assert "4 of 100" in reasons[0]
