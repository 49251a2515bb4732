"""A server that closes kept connections under the requests that come over them."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.spoken import spoken


@dataclass
class ClosingServer:
    """Answers the first request of each connection. At the next, it works for `work_s`, says `last`, and closes."""

    protocol: str = "openai"
    work_s: float = 0
    last: bytes = b""
    reset: bool = False
    # How many connections it treats so. It answers all requests of the others.
    closing: int = 1
    requests: int = 0
    connections: int = 0
    url: str = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ClosingServer"]:
        async with await asyncio.start_server(self._serve, "127.0.0.1") as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        closes = self.connections <= self.closing
        try:
            await self._read(reader)
            self._answer(writer)
            await self._read(reader)
            if closes:
                await asyncio.sleep(self.work_s)
                writer.write(self.last)
                await writer.drain()
                return
            while True:
                self._answer(writer)
                await self._read(reader)
        except asyncio.IncompleteReadError:
            pass
        finally:
            if closes and self.reset:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            writer.close()

    def _answer(self, writer: asyncio.StreamWriter) -> None:
        stream, kind = spoken(self.protocol).stream("Hi"), spoken(self.protocol).content_type
        writer.write(
            f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(stream)}\r\n\r\n".encode() + stream
        )

    async def _read(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        await reader.readexactly(int(lengths[0]))
