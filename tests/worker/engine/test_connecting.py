"""How a slot comes to its connection when a name has several addresses, of which some are dead."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from shared.clock import monotonic_ns
from simulator.server import Simulator
from tests.support.programs.ports import free_port
from worker.engine.child.keep_alive import KeepAlive
from worker.engine.child.loop_lag import WakefulSelector
from worker.engine.child.outbox import Stream
from worker.engine.child.socket_reader import SocketReader
from worker.engine.child.socket_slot import IDLE_NS, Address, Addresses, SocketSlot
from worker.engine.messages import Began, End, EndKind, SocketTarget

BODY = b'{"model": "sim-ttft1-gap1-n2", "messages": [{"role": "user", "content": "hi"}]}'
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: several.test\r\ncontent-type: application/json\r\n"


class KnownAddresses(Addresses):
    """A name that resolves to these, in this order."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        self._known = [address(host, port) for host, port in addresses]

    async def get(self) -> list[Address]:
        return self._known


def address(host: str, port: int) -> Address:
    if ":" in host:
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))


class Seen(Stream):
    """Keeps what a slot says of a request."""

    def __init__(self) -> None:
        self.kernel = True
        self.first: Began | None = None
        self.last: End | None = None

    def began(self, began: Began) -> None:
        self.first = began

    def head(self, status: int, headers: dict[str, str]) -> None: ...

    def read(self, stamp_ns: int, late_us: int, data: bytes) -> None: ...

    def end(
        self, kind: EndKind, stamp_ns: int | None = None, message: str = "", *, network_rtt_ns: int | None = None
    ) -> None:
        self.last = End(kind, stamp_ns or 0, message, network_rtt_ns)


@contextmanager
def black_hole() -> Iterator[int]:
    """A port of 127.0.0.2 that answers no one: its queue of connections is full, so the kernel drops what comes."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.2", 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.2", port))
        yield port
        for filler in fillers:
            filler.close()


@pytest.fixture
async def reader() -> AsyncIterator[SocketReader]:
    reader = SocketReader(asyncio.get_running_loop(), WakefulSelector())
    yield reader
    reader.pause()


async def lost_once(reader: SocketReader, idle_s: float) -> tuple[int, EndKind]:
    """Opens a connection, waits, and sends a request over it, upon which the server closes it. It answers a second one.

    Returns how many requests the server got, and how the request ended.
    """
    asked = 0

    async def answer(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        if await stream.read(65_536):
            asked += 1
        if asked > 1:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        addresses = KnownAddresses(("127.0.0.1", server.sockets[0].getsockname()[1]))
        target = SocketTarget("several.test", 80, tls=False, head=HEAD, connect_s=5)
        slot, seen = SocketSlot(target, addresses, reader, KeepAlive()), Seen()
        await slot.open()
        await asyncio.sleep(idle_s)
        await slot.exchange(BODY, seen, monotonic_ns())
        await slot.close()
    assert seen.last is not None
    return asked, seen.last.kind


async def test_a_request_over_a_connection_that_was_opened_long_ahead_is_sent_again(reader: SocketReader) -> None:
    """The server may have closed it as idle. A busy machine may be too slow to show the race."""
    assert (2, "complete") in [await lost_once(reader, IDLE_NS / 1e9) for _ in range(3)]


async def test_a_request_over_a_new_connection_is_not_sent_again(reader: SocketReader) -> None:
    assert (1, "lost") in [await lost_once(reader, 0) for _ in range(3)]


async def exchange(reader: SocketReader, addresses: Addresses, connect_s: float = 5) -> tuple[Began, End]:
    slot = SocketSlot(
        SocketTarget("several.test", 80, tls=False, head=HEAD, connect_s=connect_s), addresses, reader, KeepAlive()
    )
    seen = Seen()
    await slot.exchange(BODY, seen, monotonic_ns())
    await slot.close()
    assert seen.first is not None
    assert seen.last is not None
    return seen.first, seen.last


async def test_a_refusing_address_is_passed_over_at_once(reader: SocketReader, simulator: Simulator) -> None:
    addresses = KnownAddresses(("::1", free_port()), ("127.0.0.1", simulator.port))
    began, end = await exchange(reader, addresses)
    assert (end.kind, len(simulator.requests)) == ("complete", 1)
    assert began.connected_ns is not None


async def test_a_silent_address_costs_a_quarter_of_a_second_not_a_timeout(
    reader: SocketReader, simulator: Simulator
) -> None:
    with black_hole() as port:
        addresses = KnownAddresses(("127.0.0.2", port), ("127.0.0.1", simulator.port))
        began, end = await exchange(reader, addresses, connect_s=20)
    assert (end.kind, len(simulator.requests)) == ("complete", 1)
    assert began.connected_ns is not None
    assert 0.2 <= (began.connected_ns - began.started_ns) / 1e9 < 5


async def test_ipv6_first_where_both_answer(reader: SocketReader) -> None:
    async with Simulator("::1") as new, Simulator("127.0.0.1") as old:
        _, end = await exchange(reader, KnownAddresses(("::1", new.port), ("127.0.0.1", old.port)))
        assert (end.kind, len(new.requests), len(old.requests)) == ("complete", 1, 0)


async def test_silence_of_all_is_a_connect_timeout(reader: SocketReader) -> None:
    with black_hole() as port:
        _, end = await exchange(reader, KnownAddresses(("127.0.0.2", port)), connect_s=0.3)
    assert end.kind == "connect_timeout"


async def test_a_name_that_nobody_knows_is_a_connect_error(reader: SocketReader) -> None:
    target = SocketTarget("nobody.invalid", 80, tls=False, head=HEAD, connect_s=20)
    _, end = await exchange(reader, Addresses(target), connect_s=20)
    assert end.kind == "connect_error"
