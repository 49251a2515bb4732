"""One HTTP/1.1 connection: stamps bytes as the selector hands them over, parses them when somebody asks."""

import asyncio
from collections import deque

import httptools

from shared.clock import Clock
from worker.engine.transport import Read

# Unparsed bytes after which the socket is read no further until they are taken.
MAX_UNREAD = 1_000_000


class ConnectionLost(Exception):
    """The connection ended before the response did."""


class HttpConnection(asyncio.Protocol):
    """Response after response on one socket. `data_received` only stamps: parsing may wait, a stamp may not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._arrived: deque[Read] = deque()
        self._unread = 0
        self._waiter: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        self._ended = False
        self._response = _Response()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._arrived.append(Read(self._clock.monotonic_ns(), data))
        self._unread += len(data)
        if self._unread > MAX_UNREAD and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._lost = exc
        self._wake()

    # What the transport calls.

    @property
    def usable(self) -> bool:
        """Nothing has arrived on it unasked, and it has not ended."""
        return not self._ended and not self._arrived

    @property
    def keeps_alive(self) -> bool:
        """The response is complete and the server means to go on."""
        return self._response.complete and self._response.keeps_alive and self.usable

    def write(self, request: bytes) -> None:
        """Sends a request; what arrives from now on is its response."""
        self._response = _Response()
        if self._transport is not None:
            self._transport.write(request)

    async def head(self) -> tuple[int, dict[str, str], int]:
        """Status, headers (names in lower case), stamp of the read that completed them. Raises ConnectionLost."""
        while not self._response.head_complete:
            stamp_ns = await self._take()
            if stamp_ns is None:
                raise ConnectionLost(self._reason("the server closed the connection without an answer"))
        return self._response.status, self._response.headers, self._response.head_stamp_ns

    async def body(self) -> Read | None:
        """Body bytes of the next read that brought some; None at the end. Raises ConnectionLost where it breaks off."""
        while True:
            if self._response.parts:
                stamp_ns, data = self._response.stamp_ns, b"".join(self._response.parts)
                self._response.parts.clear()
                return Read(stamp_ns, data)
            if self._response.complete:
                return None
            if await self._take() is None:
                if self._response.ends_with_connection:
                    return None
                raise ConnectionLost(self._reason("the server closed the connection inside the answer"))

    @property
    def last_stamp_ns(self) -> int:
        """Stamp of the last read that was parsed."""
        return self._response.stamp_ns

    def close(self) -> None:
        """At once, without waiting for what is unsent or unread."""
        if self._transport is not None:
            self._transport.abort()

    async def _take(self) -> int | None:
        """Parses the next read; its stamp, or None where none will come."""
        while not self._arrived:
            if self._ended:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        read = self._arrived.popleft()
        self._unread -= len(read.data)
        if self._transport is not None and self._unread <= MAX_UNREAD and not self._ended:
            self._transport.resume_reading()
        try:
            self._response.feed(read)
        except httptools.HttpParserError as exc:
            raise ConnectionLost(f"the answer is not HTTP/1.1: {exc}") from None
        return read.stamp_ns

    def _reason(self, otherwise: str) -> str:
        return f"{type(self._lost).__name__}: {self._lost}" if self._lost is not None else otherwise

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Response:
    """What httptools' callbacks have told of one response."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.head_complete = False
        self.head_stamp_ns = 0
        self.complete = False
        self.keeps_alive = False
        self.parts: list[bytes] = []
        self.stamp_ns = 0
        self._parser = httptools.HttpResponseParser(self)

    @property
    def ends_with_connection(self) -> bool:
        """Neither a length nor chunks: the body is over when the connection is."""
        return self.head_complete and not {"content-length", "transfer-encoding"} & self.headers.keys()

    def feed(self, read: Read) -> None:
        self.stamp_ns = read.stamp_ns
        self._parser.feed_data(read.data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            # 100 and 103 come before the answer.
            self.headers.clear()
            return
        self.status, self.head_complete, self.head_stamp_ns = status, True, self.stamp_ns
        self.keeps_alive = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        self.parts.append(data)

    def on_message_complete(self) -> None:
        self.complete = self.head_complete
