"""An httpx2 transport that stamps at the socket when a connection is made, a request written, bytes read."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from shared.clock import monotonic_ns
from shared.network.round_trip import round_trip_ns
from shared.network.tls import TlsOptions, client_context
from shared.protocols.refusal_limits import MAX_REFUSAL_BYTES, REFUSAL_NS
from worker.engine.child.sdk_pool import Pool
from worker.engine.messages import Began


@dataclass(slots=True)
class Wire:
    """Stamps of one request, taken at the socket (monotonic ns)."""

    started_ns: int
    connected_ns: int | None = None
    tls_ms: float | None = None
    sent_ns: int | None = None
    last_read_ns: int | None = None
    new_connection: bool = False
    # Whether a byte has come in answer, and how long the way to the server and back takes.
    answered: bool = False
    round_trip_ns: int = 0
    on_sent: Callable[[], None] | None = None
    # Told of an error answer when its head has come: the SDK reads all of its body before it says anything.
    on_refusal: Callable[[httpx2.Response], None] | None = None
    # Set while the transport has the request: when its connection must stand.
    deadline: asyncio.Timeout | None = None

    def connects(self, connect_s: float) -> None:
        """A connection is begun only now: waiting for the pool is queueing."""
        self.started_ns, self.new_connection = monotonic_ns(), True
        if self.deadline is not None:
            self.deadline.reschedule(asyncio.get_running_loop().time() + connect_s)

    def sends(self, round_trip_ns: int) -> None:
        """The first byte of the request goes out."""
        self.sent_ns = monotonic_ns()
        self.answered, self.round_trip_ns = False, round_trip_ns
        if self.deadline is not None:
            self.deadline.reschedule(None)
        if self.on_sent is not None:
            self.on_sent()

    def began(self, due_ns: int, renewed: int) -> Began:
        return Began(
            due_ns, self.started_ns, self.connected_ns, self.tls_ms, self.sent_ns, self.new_connection, renewed
        )


# The request of the current task: httpcore does the I/O of a request in that request's own task.
current_wire: ContextVar[Wire | None] = ContextVar("current_wire", default=None)


class StampingTransport(httpx2.AsyncBaseTransport):
    """HTTP/1.1 over a pool of `connections`, through `proxy` if it is given, without redirects and retries.

    A new connection must carry its request within `connect_s`: DNS, TCP, the proxy's tunnel and TLS together.
    """

    def __init__(self, *, connections: int, proxy: str | None, trust: TlsOptions, connect_s: float) -> None:
        self._pool = Pool(
            connections=connections,
            proxy=proxy,
            ssl_context=client_context(trust),
            network_backend=_StampingBackend(httpcore2.AnyIOBackend(), connect_s),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        wire = current_wire.get()
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            async with asyncio.timeout(None) as deadline:
                if wire is not None:
                    wire.deadline = deadline
                response = await self._pool.handle_async_request(asked)
        except TimeoutError as exc:
            raise httpcore2.ConnectTimeout(str(exc)) from exc
        finally:
            if wire is not None:
                wire.deadline = None
        accepted = 200 <= response.status < 300
        answer = httpx2.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response) if accepted else _Refusal(response),
            extensions=response.extensions,
        )
        if not accepted and wire is not None and wire.on_refusal is not None:
            wire.on_refusal(answer)
        return answer

    async def close_idle(self) -> None:
        """Closes the connections that carry no request."""
        for connection in self._pool.connections:
            if connection.is_idle():
                await connection.aclose()

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        async for part in self._response.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()


class _Refusal(_Body):
    """The body of an error answer. It ends at the limits, because the SDK reads all of it."""

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        size, ends_at = 0, asyncio.get_running_loop().time() + REFUSAL_NS / 1e9
        async with aclosing(super().__aiter__()) as parts:
            while size < MAX_REFUSAL_BYTES:
                try:
                    async with asyncio.timeout_at(ends_at):
                        part = await anext(parts)
                except (StopAsyncIteration, OSError, httpcore2.NetworkError, httpcore2.ProtocolError):
                    # However it ended, the status is known.
                    break
                size += len(part)
                yield part


class _StampingBackend(httpcore2.AsyncNetworkBackend):
    def __init__(self, inner: httpcore2.AsyncNetworkBackend, connect_s: float) -> None:
        self._inner = inner
        self._connect_s = connect_s

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        wire = current_wire.get()
        if wire is not None:
            wire.connects(self._connect_s)
        begin_ns = monotonic_ns()
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        connected_ns = monotonic_ns()
        if wire is not None:
            wire.connected_ns = connected_ns
        sock = stream.get_extra_info("socket")
        return _StampingStream(stream, round_trip_ns(sock) or connected_ns - begin_ns)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _StampingStream(httpcore2.AsyncNetworkStream):
    def __init__(self, inner: httpcore2.AsyncNetworkStream, round_trip_ns: int) -> None:
        self._inner = inner
        self._round_trip_ns = round_trip_ns

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        wire, data = current_wire.get(), b""
        try:
            data = await self._inner.read(max_bytes, timeout)
        finally:
            if wire is not None:
                wire.last_read_ns = monotonic_ns()
                wire.answered |= bool(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        wire = current_wire.get()
        # The end of a request without a body, such as CONNECT, is written as no bytes.
        if wire is not None and wire.sent_ns is None and buffer and not _is_connect(buffer):
            wire.sends(self._round_trip_ns)
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        begin_ns = monotonic_ns()
        try:
            stream = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._inner.aclose()
            raise
        wire = current_wire.get()
        if wire is not None:
            wire.connected_ns = monotonic_ns()
            wire.tls_ms = (wire.connected_ns - begin_ns) / 1e6
        # Through a proxy, only the handshake goes all the way to the server.
        return _StampingStream(stream, max(self._round_trip_ns, monotonic_ns() - begin_ns))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _is_connect(data: bytes) -> bool:
    """Whether the bytes ask a proxy for a tunnel, which is part of connecting."""
    return data.startswith(b"CONNECT ")
