"""The suite's guards notice what they are for, and nothing else."""

import asyncio
import gc
import socket
import time
from collections.abc import Iterator

import pytest

from tests.support.guards import BUSY_S, LeavesThisMachine, LoopWatch, take_attempts

# Reserved for documentation: nobody has it.
ELSEWHERE = "192.0.2.1"


@pytest.fixture
def attempts() -> Iterator[None]:
    """So that this test is not the one that fails."""
    yield
    take_attempts()


async def test_a_connection_to_another_machine_is_refused_and_named(attempts: None) -> None:
    with pytest.raises(LeavesThisMachine, match=r"192\.0\.2\.1 port 443"):
        socket.create_connection((ELSEWHERE, 443))
    with pytest.raises(LeavesThisMachine, match="2001:db8::1 port 443"):
        await asyncio.open_connection("2001:db8::1", 443)
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(LeavesThisMachine):
        datagrams.sendto(b"x", (ELSEWHERE, 53))
    assert take_attempts() == [f"{ELSEWHERE} port 443", "2001:db8::1 port 443", f"{ELSEWHERE} port 53"]


async def test_the_name_of_another_machine_is_not_resolved(attempts: None) -> None:
    with pytest.raises(LeavesThisMachine, match=r"the name api\.example\.com"):
        await asyncio.open_connection("api.example.com", 443)
    with pytest.raises(LeavesThisMachine):
        socket.gethostbyname("api.example.com")
    assert take_attempts() == ["the name api.example.com"] * 2
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("nobody.invalid", 80)
    assert take_attempts() == []


async def test_this_machine_may_be_talked_to() -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
    there, here = socket.socketpair()
    there.close()
    here.close()


def spin(seconds: float) -> None:
    """Processor time, not time."""
    end_s = time.thread_time() + seconds
    while time.thread_time() < end_s:
        pass


async def busiest(seconds: float) -> LoopWatch:
    """A watch over a callback that takes so much processor time."""
    watch = LoopWatch()
    with watch.watching():
        asyncio.get_running_loop().call_soon(spin, seconds)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return watch


async def test_a_callback_that_keeps_the_loop_busy_is_named() -> None:
    watch = await busiest(0.02)
    assert 0.02 <= watch.busy_s < BUSY_S
    assert "spin" in watch.callback


async def test_waiting_keeps_no_loop_busy() -> None:
    watch = LoopWatch()
    with watch.watching():
        # As a busy machine does it: the thread has no processor.
        asyncio.get_running_loop().call_soon(time.sleep, 0.3)
        await asyncio.sleep(0.01)
    assert watch.busy_s < BUSY_S


async def test_collecting_garbage_counts_for_nobody() -> None:
    watch = LoopWatch()
    with watch.watching():
        asyncio.get_running_loop().call_soon(gc.collect)
        begin_s = time.thread_time()
        await asyncio.sleep(0.01)
        collecting_s = time.thread_time() - begin_s
    assert watch.busy_s < collecting_s / 2
