"""A server that writes exact bytes, and a clock that stands still."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared.clock import SystemClock


class FrozenClock(SystemClock):
    """Monotonic time that stands at zero: scripted stamps are then milliseconds since the start."""

    def monotonic_ns(self) -> int:
        return 0


def cut(data: bytes, size: int) -> list[bytes]:
    """The bytes in pieces of `size`."""
    return [data[start : start + size] for start in range(0, len(data), size)]


@dataclass
class ScriptedServer:
    """Writes the same bytes to every request, then closes with FIN, or RST where `reset`."""

    chunks: Iterable[bytes]
    gap_s: float = 0
    reset: bool = False
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ScriptedServer"]:
        async with await asyncio.start_server(self._answer, "127.0.0.1", ssl=self.tls) as server:
            self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        self.requests.append(head + await reader.readexactly(length))
        for chunk in self.chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(self.gap_s)
        if self.reset:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        writer.close()


def http(body: bytes, status: str = "200 OK", content_type: str = "text/event-stream", headers: str = "") -> bytes:
    """A response that ends with the connection."""
    return f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\nconnection: close\r\n{headers}\r\n".encode() + body
