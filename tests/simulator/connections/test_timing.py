"""When bytes come: lower bounds and ratios only, as the machine that runs the tests may be busy."""

import asyncio
import socket
import sys
from collections.abc import Callable
from functools import partial
from random import Random

import pytest

from shared.clock import monotonic_ns
from simulator.connections.timer import LoopTimer, Timer, TimerFd, make_timer
from simulator.profile import Profile
from simulator.protocols.call import Event
from simulator.record import RequestRecord
from simulator.script import Close, Deadlines, Ending, Script, Write
from simulator.server import Simulator
from tests.simulator.raw import (
    RequestOf,
    anthropic_request,
    exchange,
    openai_request,
    responses_request,
    stream,
)
from tests.support.waiting import PATIENCE_S

MS = 1_000_000


def ttft_ms(record: RequestRecord) -> float:
    assert record.first_content_ns is not None
    return (record.first_content_ns - record.received_ns) / MS


def total_ms(record: RequestRecord) -> float:
    assert record.last_content_ns is not None
    return (record.last_content_ns - record.received_ns) / MS


def steps_of(profile: Profile, seed: int = 0) -> list[Write | Ending]:
    deadlines = Deadlines(profile, 0, Random(seed))
    events = [Event(-1, b"start"), *(Event(i, b"content", 1) for i in range(4)), Event(3, b"finish")]
    return list(Script(profile, deadlines, lambda data: data, b": alive\n\n", b"error", Close.DONE).steps(events))


def test_deadlines_are_absolute() -> None:
    """Content event i is due at ttft + i * gap; what frames the answer is due with its neighbour."""
    steps = steps_of(Profile(ttft_ms=100, gap_ms=10))
    assert [step.due_ns / MS for step in steps] == [100, 100, 110, 120, 130, 130, 130]


def test_early_role_is_due_at_once() -> None:
    """`earlyrole` moves what precedes the first content to the moment of the request."""
    steps = steps_of(Profile(ttft_ms=100, gap_ms=10, early_role=True))
    assert [step.due_ns / MS for step in steps][:3] == [0, 100, 110]


def test_jitter_repeats_with_its_seed() -> None:
    """The same seed gives the same deadlines, another seed gives others, and events never overtake each other."""
    profile = Profile(ttft_ms=100, gap_ms=1, jitter_ms=20)
    dues = [step.due_ns for step in steps_of(profile, seed=1)]
    assert dues == [step.due_ns for step in steps_of(profile, seed=1)]
    assert dues != [step.due_ns for step in steps_of(profile, seed=2)]
    assert dues == sorted(dues)
    assert dues[0] > 100 * MS


def test_fault_strikes_when_the_next_event_was_due() -> None:
    """A connection fault after two events comes with the deadline of the third."""
    steps = steps_of(Profile.parse("sim-ttft100-gap10-rst2", {}, Profile()))
    assert steps[-1] == Ending(120 * MS, Close.RST)


def test_split_delays_the_second_half() -> None:
    """The second half of an event is due `split` later, and the event counts with it."""
    steps = [step for step in steps_of(Profile(ttft_ms=100, gap_ms=10, split_ms=3)) if isinstance(step, Write)]
    assert [step.due_ns / MS for step in steps][:4] == [100, 103, 103, 106]
    assert [step.events for step in steps][:4] == [0, 0, 0, 1]


@pytest.mark.parametrize("request_of", [anthropic_request, openai_request, responses_request])
async def test_first_content_is_never_early(sim: Simulator, request_of: RequestOf) -> None:
    """TTFT is at least what was asked for, and the last content event at least n - 1 gaps later."""
    response = await stream(sim, request_of("sim-ttft60-gap10-n6"))
    record = sim.requests[0]
    assert ttft_ms(record) >= 60
    assert total_ms(record) >= 110
    assert response.reads[-1][0] - record.received_ns >= 110 * MS


async def test_twice_the_gap_takes_twice_as_long(sim: Simulator) -> None:
    """The time after the first token grows with the gap."""
    quickest: dict[int, float] = {}
    for gap in (10, 20):
        begin = len(sim.requests)
        await asyncio.gather(*(stream(sim, openai_request(f"sim-ttft5-gap{gap}-n11")) for _ in range(5)))
        # A busy machine makes an answer late, never early.
        quickest[gap] = min(total_ms(record) for record in list(sim.requests)[begin:])
    assert 5 + 100 <= quickest[10] < 2 * (5 + 100)
    assert 1.5 < (quickest[20] - 5) / (quickest[10] - 5) < 2.5


async def test_whole_answer_takes_as_long_as_its_stream(sim: Simulator) -> None:
    """Without streaming, the answer comes when the last content event would have come."""
    await exchange(sim, openai_request("sim-ttft30-gap10-n6", {"connection": "close"}, stream=False))
    assert total_ms(sim.requests[0]) >= 80


async def test_five_hundred_streams_at_once(sim: Simulator) -> None:
    """Five hundred streams run side by side, each complete, each counted."""
    responses = await asyncio.gather(*(stream(sim, openai_request("sim-ttft200-gap20-n8")) for _ in range(500)))
    assert {len(response.contents) for response in responses} == {8}
    assert {record.outcome for record in sim.requests} == {"succeeded"}
    assert sim.peak_in_flight == max(record.in_flight for record in sim.requests) > 1
    assert sim.in_flight == 0


async def test_five_hundred_streams_are_in_flight_until_their_clients_leave(sim: Simulator) -> None:
    """None waits for another, and each has its first token."""
    requests = [
        asyncio.create_task(exchange(sim, openai_request("sim-ttft1-gap600000-n2"), until=b"never")) for _ in range(500)
    ]
    await sim.wait_for(lambda sim: sum(record.content_events for record in sim.requests) == 500)
    assert sim.in_flight == sim.peak_in_flight == 500
    assert sorted(record.in_flight for record in sim.requests) == list(range(1, 501))
    for request in requests:
        request.cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    await sim.wait_for(lambda sim: sim.in_flight == 0)
    assert all(record.closed_by_client for record in sim.requests)


@pytest.mark.parametrize("make", [LoopTimer, make_timer])
async def test_timers_fire_in_order_and_never_early(make: Callable[[asyncio.AbstractEventLoop], Timer]) -> None:
    """Deadlines fire by time, not by the order of asking; a cancelled one never does."""
    timer = make(asyncio.get_running_loop())
    fired: list[tuple[int, int]] = []
    done = asyncio.Event()
    start = monotonic_ns()

    def fire(due_ms: int) -> None:
        fired.append((due_ms, monotonic_ns() - start))
        if due_ms == 9:
            done.set()

    try:
        for due_ms in (9, 3, 6):
            timer.at(start + due_ms * MS, partial(fire, due_ms))
        timer.at(start + 5 * MS, lambda: fire(5)).cancel()
        async with asyncio.timeout(PATIENCE_S):
            await done.wait()
    finally:
        timer.close()
    assert [due for due, _ in fired] == [3, 6, 9]
    assert all(at >= due * MS for due, at in fired)


async def test_cancelled_deadlines_do_not_pile_up() -> None:
    """Ten thousand cancelled deadlines of tomorrow leave the heap small, and a timer's error stops no other."""
    loop = asyncio.get_running_loop()
    timer = TimerFd(loop)
    errors: list[dict[str, object]] = []
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: errors.append(context))
    done = asyncio.Event()

    def fail() -> None:
        raise ValueError

    try:
        for _ in range(10_000):
            timer.at(monotonic_ns() + 86_400_000 * MS, done.set).cancel()
        assert timer.pending <= 2048
        timer.at(monotonic_ns(), fail)
        timer.at(monotonic_ns() + MS, done.set)
        async with asyncio.timeout(PATIENCE_S):
            await done.wait()
    finally:
        timer.close()
        loop.set_exception_handler(handler)
    assert len(errors) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives")
async def test_a_request_that_waited_for_a_busy_loop_is_stamped_when_it_came(simulator: Simulator) -> None:
    """Connected and sent while the loop has not even accepted yet."""
    body = b'{"model": "sim-ttft0-gap0-n1", "messages": [{"role": "user", "content": "hi"}]}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", simulator.port)) as client:
        client.sendall(head + body)
        sent_ns = monotonic_ns()
        while monotonic_ns() < sent_ns + 300_000_000:
            pass
        free_ns = monotonic_ns()
        await simulator.wait_for(lambda server: bool(server.requests))
    received_ns = simulator.requests[0].received_ns
    assert received_ns - sent_ns < free_ns - received_ns, "nearer to the sending than to the first chance to read it"
