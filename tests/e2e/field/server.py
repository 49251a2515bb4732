"""A server that answers each request with the reads of its case, each written at its time."""

import asyncio
import re
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import orjson

from tests.e2e.field.case import Answer, Attempt, Case

# The path begins with the run, the prompt names the case.
_RUN = re.compile(rb"POST /([^/]+)/")
_CASE = re.compile(rb"case:([a-z0-9-]+)")


class FieldServer:
    """Runs in a thread of its own, so that its writes come in time while the test's loop is busy."""

    def __init__(self, cases: Iterable[Case]) -> None:
        self._cases = {case.name: case for case in cases}
        self.attempts: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
        self.url = ""
        self._connections = 0

    @contextmanager
    def running(self) -> Iterator["FieldServer"]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        server = asyncio.run_coroutine_threadsafe(self._start(), loop).result()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._stop(server), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", backlog=1_024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def _stop(self, server: asyncio.Server) -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        connection = self._connections
        try:
            # The client may close at any time.
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    run, body = await _request(reader)
                    name = _CASE.findall(body)[-1].decode()
                    attempts = self.attempts[run, name]
                    attempt = Attempt(orjson.loads(body), connection)
                    attempts.append(attempt)
                    if not await _answer(self._cases[name].answer(len(attempts) - 1), attempt, reader, writer):
                        break
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    found = _RUN.match(head)
    assert found is not None, head
    return found[1].decode(), await reader.readexactly(length)


async def _answer(answer: Answer, attempt: Attempt, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Writes the reads in time. True if the connection can take another request."""
    loop, head = asyncio.get_running_loop(), b"" if answer.raw else answer.head
    begin = loop.time()
    for at_ms, read in answer.reads:
        # A timer's resolution is a millisecond, so only shorter gaps are waited out.
        if (left_s := begin + at_ms / 1_000 - loop.time()) > 0.001:
            await asyncio.sleep(left_s)
        while loop.time() < begin + at_ms / 1_000:
            await asyncio.sleep(0)
        framed = b"%x\r\n%s\r\n" % (len(read), read) if answer.chunked and not answer.raw and read else read
        if writer.is_closing():
            return False
        attempt.sent[at_ms] = time.time()
        # Nothing is waiting to be written, so this is one call of `send`.
        writer.write(head + framed)
        head = b""
    if head:
        writer.write(head)
    match answer.ending:
        case "complete":
            if answer.chunked and not answer.raw:
                writer.write(b"0\r\n\r\n")
            return True
        case "open":
            await reader.read(1)
        case "reset":
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
    return False
