"""The process that measures: shared load, its death, its worker's silence, and what a run says of its measuring."""

import asyncio
import os
import signal

import orjson
from msgspec import structs

from shared.benchmark.results.record import ResultRecord
from shared.clock import monotonic_ns
from shared.numbers.digest import Digest
from shared.numbers.disturbance import Disturbance
from simulator.server import Simulator
from tests.support.streams import openai_stream, openai_text, sse
from tests.support.waiting import PATIENCE_S
from tests.worker.engine.measuring import BEGAN, measurement, part
from tests.worker.engine.running import KEY, endpoint_at, engine_at, engine_over, load
from worker.engine.children import Child, Children, processes_for
from worker.engine.decoding import MOST_CALLS, Concluded, DecodingThread
from worker.engine.messages import (
    Began,
    Begin,
    End,
    Go,
    Head,
    Hold,
    Opened,
    Report,
    Request,
    Requests,
    Slice,
    Watermark,
)
from worker.engine.sdk_clients import make_target


def body(model: str) -> bytes:
    """As it travels to a measuring process."""
    return orjson.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": True})


HEAD = Head(200, {"content-type": "text/event-stream"})


async def test_the_concurrency_is_split_exactly_over_processes(children: Children, simulator: Simulator) -> None:
    async with engine_at(children, simulator.base_url, "openai", processes=2) as engine:
        plan = load(*["sim-ttft1000-gap1-n4"] * 10, concurrency=5)
        records = [record async for record in engine.run(plan)]
    assert [record.outcome for record in records] == ["succeeded"] * 10
    assert simulator.peak_in_flight == 5
    assert engine.disturbance.document()["processes"] == 2


async def test_a_process_that_is_killed_ends_the_run_and_loses_nothing_that_it_had_begun(simulator: Simulator) -> None:
    process = await Child.start()
    engine = await engine_over([process], simulator.base_url, "openai")

    async def consume() -> list[ResultRecord]:
        plan = load(*["sim-ttft5-gap5-endless"] * 3, concurrency=2)
        return [record async for record in engine.run(plan)]

    running = asyncio.create_task(consume())
    # Longer than a process keeps to itself what it has seen.
    await simulator.wait_for(lambda server: len(server.requests) == 2 and server.requests[1].content_events > 200)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        records = await running
    assert engine.failure == "a measuring process ended in the middle of the run"
    assert [(record.outcome, record.error.kind if record.error else None) for record in records] == [
        ("errored", "engine_died")
    ] * 2
    assert all(record.response for record in records)
    assert len(simulator.requests) == 2


async def test_a_worker_that_falls_silent_has_its_streams_closed(simulator: Simulator) -> None:
    """The worker's side is played by hand: it begins a run and says nothing more."""
    process = await Child.start()
    target = await make_target(endpoint_at(simulator.base_url, "openai"), KEY, proxy=None, connect_s=5)
    process.send(Begin(target, slots=1, silence_s=0.5))
    process.send(Requests([Request(1, body("sim-ttft5-gap5-endless"))]))
    process.send(Go(monotonic_ns(), [(0, 1)]))
    await simulator.wait_for(lambda server: bool(server.requests) and server.requests[0].content_events > 2)
    async with asyncio.timeout(PATIENCE_S):
        await simulator.wait_for(lambda server: server.requests[0].closed_by_client)
    process.end()


async def test_bodies_that_come_early_wait_until_all_connections_stand_and_the_worker_says_go(
    simulator: Simulator,
) -> None:
    """The worker's side is played by hand."""
    process = await Child.start()
    heard: asyncio.Queue[Report] = asyncio.Queue()
    process.on_report = heard.put_nowait
    target = await make_target(endpoint_at(simulator.base_url, "openai"), KEY, proxy=None, connect_s=5)
    bodies = [Request(number, body("m")) for number in range(3)]
    process.send(Begin(target, slots=2, silence_s=PATIENCE_S))
    process.send(Hold(connections=2))
    process.send(Requests(bodies[:2]))
    async with asyncio.timeout(PATIENCE_S):
        while not isinstance(await heard.get(), Opened):
            pass
        # Half a second later.
        while not isinstance(await heard.get(), Watermark):
            pass
    assert not simulator.requests
    process.send(Go(monotonic_ns(), [(0, 2)]))
    await simulator.wait_for(lambda server: len(server.requests) == 2 and not server.in_flight)
    process.send(Hold())
    process.send(Requests(bodies[2:]))
    process.send(Go(monotonic_ns(), [(0, 2)]))
    await simulator.wait_for(lambda server: len(server.requests) == 3)
    process.end()


class Listening:
    """Hears what the decoding thread tells."""

    def __init__(self) -> None:
        self.ended: asyncio.Queue[Concluded] = asyncio.Queue()
        self.has_caught_up = asyncio.Event()
        self.lost_ids: list[int] = []
        self.broken: Exception | None = None

    def accepted(self) -> None: ...

    def concluded(self, concluded: Concluded) -> None:
        self.ended.put_nowait(concluded)

    def caught_up(self) -> None:
        self.has_caught_up.set()

    def lost(self, request_ids: list[int]) -> None:
        self.lost_ids += request_ids

    def broke(self, exc: Exception) -> None:
        self.broken = exc


async def test_decoding_that_is_behind_says_so_and_says_when_it_has_caught_up() -> None:
    """With a stream that never ends: that is no reason to be heard no more."""
    listening = Listening()
    decoding = DecodingThread(listening, most_waiting_bytes=1_000)
    decoding.begin(1, measurement("openai"))
    for number in range(10):
        decoding.take(part((10.0 + number, sse(*openai_text("x" * 200))), began=BEGAN, head=HEAD))
    assert decoding.behind, "nothing is decoded before the thread starts"
    decoding.start()
    async with asyncio.timeout(PATIENCE_S):
        await listening.has_caught_up.wait()
    assert not decoding.behind
    decoding.stop()


async def test_an_error_of_ours_in_decoding_ends_that_request_and_no_other() -> None:
    listening = Listening()
    decoding = DecodingThread(listening)
    for request_id in (1, 2):
        decoding.begin(request_id, measurement("openai"))
    decoding.take(Slice(1, BEGAN, HEAD, b"", b"not whole reads", kernel=True, end=None))
    whole = part((10.0, openai_stream("Hi")), began=BEGAN, head=HEAD, end=End("complete", 11_000_000))
    decoding.take(structs.replace(whole, id=2))
    decoding.start()
    async with asyncio.timeout(PATIENCE_S):
        first, second = [(await listening.ended.get()).record for _ in range(2)]
    assert (first.outcome, second.outcome) == ("errored", "succeeded")
    assert first.error is not None
    assert (first.error.kind, listening.broken) == ("unreadable_answer", None)


async def test_what_decoding_tells_comes_in_order_and_nothing_waits_for_more_work() -> None:
    listening, count = Listening(), 2 * MOST_CALLS + 1
    decoding = DecodingThread(listening)
    whole = part((10.0, openai_stream("Hi")), began=BEGAN, head=HEAD, end=End("complete", 11_000_000))
    for request_id in range(count):
        decoding.begin(request_id, measurement("openai"))
        decoding.take(structs.replace(whole, id=request_id))
    decoding.start()
    async with asyncio.timeout(PATIENCE_S):
        assert [(await listening.ended.get()).request_id for _ in range(count)] == list(range(count))
        # The thread has told the last one although its work goes on.
        decoding.lose([count], "the process died")
        while not listening.lost_ids:
            await asyncio.sleep(0.01)
    decoding.stop()


def test_processes_follow_the_setting_and_never_outnumber_the_streams() -> None:
    assert processes_for(1, 0) == 1
    assert processes_for(4, 8) == 4
    assert processes_for(1_000, 3) == 3
    cores = len(os.sched_getaffinity(0))
    assert processes_for(1_000, 0) == min(4, max(1, cores - 1))


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
    assert Disturbance("socket", requests=200, send_delays_ms=Digest([0.1] * 200), cpu_share=0.3).grade() == ("A", [])
    grade, reasons = Disturbance("sdk", requests=200, send_delays_ms=Digest([0.1] * 200)).grade() or ("", [])
    assert grade == "C"
    assert "SDK" in reasons[0]


def test_doubtful_first_tokens_lower_the_grade() -> None:
    grade, reasons = Disturbance("socket", requests=100, doubtful=4).grade() or ("", [])
    assert grade == "B"
    assert "4 of 100" in reasons[0]


async def test_a_process_that_stands_still_lowers_the_grade(simulator: Simulator) -> None:
    """It is stopped for half of the run, in which it takes hardly a sample."""
    process = await Child.start()
    engine = await engine_over([process], simulator.base_url, "openai")
    plan = load("sim-ttft5-gap10-n200")

    async def consume() -> list[ResultRecord]:
        return [record async for record in engine.run(plan)]

    running = asyncio.create_task(consume())
    assert process.pid is not None
    for events in (20, 100):
        await simulator.wait_for(
            lambda server, events=events: bool(server.requests) and server.requests[0].content_events > events
        )
        os.kill(process.pid, signal.SIGSTOP)
        # How long it stands still is what the grade must tell.
        await asyncio.sleep(0.5)
        os.kill(process.pid, signal.SIGCONT)
    async with asyncio.timeout(PATIENCE_S):
        records = await running
    process.end()
    assert [record.outcome for record in records] == ["succeeded"]
    measured = engine.disturbance.document()
    assert measured["loop_lag_ms"]["p99"] > 400
    assert measured["grade"] in ("C", "D")
    assert f"{measured['loop_lag_ms']['p99']:.1f} ms late (P99)" in measured["reasons"][0]


async def test_a_run_of_which_nothing_was_sent_has_no_grade(children: Children) -> None:
    """Nobody listens on port 1."""
    async with engine_at(children, "http://127.0.0.1:1", "openai") as engine:
        records = [record async for record in engine.run(load("m", "m"))]
    assert [record.error.kind if record.error else None for record in records] == ["connect_error"] * 2
    assert engine.disturbance.document()["grade"] is None


def test_connecting_is_not_our_delay() -> None:
    """Times in ms. A request on a new connection: due, connecting from, connected, sent, and what remains as ours."""
    for due, started, connected, sent, delay in (
        (0, 0, 800, 801, 1),
        (0, 30, 800, 801, 31),
        (500, 0, 800, 801, 1),
        (900, 0, 800, 905, 5),
    ):
        began = Began(
            due * 10**6, started * 10**6, connected * 10**6, None, sent * 10**6, new_connection=True, renewed=0
        )
        measured = measurement("openai")
        measured.take(part(began=began))
        assert measured.send_delay_ns == delay * 10**6
    kept = measurement("openai")
    kept.take(part(began=Began(0, 0, None, None, 7 * 10**6, new_connection=False, renewed=0)))
    assert kept.send_delay_ns == 7 * 10**6
