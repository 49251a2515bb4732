"""An httpx2 transport that stamps at the socket when a connection is made, a request written, bytes read."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from shared.clock import monotonic_ns
from shared.network.round_trip import round_trip_ns
from shared.network.tls import TlsOptions, client_context
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

    def began(self, due_ns: int, renewed: int) -> Began:
        return Began(
            due_ns, self.started_ns, self.connected_ns, self.tls_ms, self.sent_ns, self.new_connection, renewed
        )


# The request of the current task: httpcore does the I/O of a request in that request's own task.
current_wire: ContextVar[Wire | None] = ContextVar("current_wire", default=None)


class StampingTransport(httpx2.AsyncBaseTransport):
    """HTTP/1.1 over a pool of `connections`, through `proxy` if it is given, without redirects and retries."""

    def __init__(self, *, connections: int, proxy: str | None, trust: TlsOptions) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=client_context(trust),
            proxy=httpcore2.Proxy(proxy) if proxy else None,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30,
            http1=True,
            http2=False,
            network_backend=_StampingBackend(httpcore2.AnyIOBackend()),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._pool.handle_async_request(
            httpcore2.Request(
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
        )
        return httpx2.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

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

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()


class _StampingBackend(httpcore2.AsyncNetworkBackend):
    def __init__(self, inner: httpcore2.AsyncNetworkBackend) -> None:
        self._inner = inner

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
            # Connecting starts only now: waiting for the pool is queueing.
            wire.started_ns = monotonic_ns()
            wire.new_connection = True
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
        if wire is not None and wire.sent_ns is None and not _is_connect(buffer):
            wire.sent_ns = monotonic_ns()
            wire.answered, wire.round_trip_ns = False, self._round_trip_ns
            if wire.on_sent is not None:
                wire.on_sent()
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        begin_ns = monotonic_ns()
        stream = await self._inner.start_tls(ssl_context, server_hostname, timeout)
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
