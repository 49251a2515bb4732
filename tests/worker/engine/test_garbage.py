"""A run collects no garbage, so requests must leave none: what refers to itself would stay until the run's end."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator

import orjson
import pytest
import trustme

from shared.clock import monotonic_ns
from simulator.server import Simulator
from tests.support.garbage import garbage
from tests.support.programs.ports import free_port
from worker.engine.child.keep_alive import KeepAlive
from worker.engine.child.load import Load
from worker.engine.child.loop_lag import WakefulSelector
from worker.engine.child.outbox import Outbox
from worker.engine.child.socket_reader import SocketReader
from worker.engine.child.socket_slot import Addresses, SocketSlot
from worker.engine.messages import Go, Request, SocketTarget

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"


class Unheard(asyncio.Transport):
    """Takes what is written."""

    def write(self, data: object) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0


@pytest.fixture
async def reader() -> AsyncIterator[SocketReader]:
    reader = SocketReader(asyncio.get_running_loop(), WakefulSelector())
    yield reader
    reader.pause()


async def garbage_of(reader: SocketReader, port: int, model: str, *, tls: bool = False) -> Counter[str]:
    """Objects of ours and of the HTTP parser that 20 requests leave to the collector."""
    target = SocketTarget("127.0.0.1", port, tls=tls, head=HEAD, connect_s=5)
    load = Load(
        [SocketSlot(target, Addresses(target), reader, KeepAlive()) for _ in range(2)], Outbox(Unheard(), reader)
    )
    body = orjson.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": "hi"}]})
    with garbage("worker.", "httptools.parser.parser.HttpResponse") as left:
        await load.open(2)
        running = asyncio.create_task(load.run())
        load.go(Go(monotonic_ns(), [(0, 2)]))
        load.add([Request(number, body) for number in range(20)])
        while not load.idle:
            await asyncio.sleep(0.01)
    running.cancel()
    await load.close()
    return left


@pytest.mark.heavy
@pytest.mark.parametrize("behaviour", ["n4", "n4-rst2", "n4-fin2", "n4-end2", "err500", "n4-miderr2", "n2-usage0"])
async def test_requests_leave_no_garbage(reader: SocketReader, simulator: Simulator, behaviour: str) -> None:
    assert await garbage_of(reader, simulator.port, f"sim-ttft1-gap1-{behaviour}") == {}
    assert len(simulator.requests) == 20


async def test_connections_that_cannot_be_made_leave_no_garbage(reader: SocketReader) -> None:
    assert await garbage_of(reader, free_port(), "m") == {}


async def test_refused_certificates_leave_no_garbage(reader: SocketReader) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with Simulator(tls=context) as server:
        assert await garbage_of(reader, server.port, "m", tls=True) == {}
