"""An httpx2 transport that stamps at the socket: when a connection was made, a request written, bytes read."""

import ssl
from collections.abc import AsyncIterator, Iterable
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpcore2
import httpx2

from shared.clock import Clock
from worker.engine.transport import Wire

# The request whose task is at the socket now: httpcore does a request's I/O in the request's own task.
current_wire: ContextVar[Wire | None] = ContextVar("current_wire", default=None)


@cache
def trust_store() -> ssl.SSLContext:
    """The system's certificates. Reading them takes tens of milliseconds, so once for a process."""
    return httpx2.create_ssl_context()


class StampingTransport(httpx2.AsyncBaseTransport):
    """Plain HTTP/1.1 over a pool as large as the load; no proxies, no redirects, no retries."""

    def __init__(self, clock: Clock, *, connections: int, ssl_context: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl_context or trust_store(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30,
            http1=True,
            http2=False,
            network_backend=_StampingBackend(httpcore2.AnyIOBackend(), clock),
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
    def __init__(self, inner: httpcore2.AsyncNetworkBackend, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

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
            # The pool may have made us wait for a connection before: that is queueing, not connecting.
            wire.started_ns = self._clock.monotonic_ns()
            wire.new_connection = True
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        if wire is not None:
            wire.connected_ns = self._clock.monotonic_ns()
        return _StampingStream(stream, self._clock)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _StampingStream(httpcore2.AsyncNetworkStream):
    def __init__(self, inner: httpcore2.AsyncNetworkStream, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = await self._inner.read(max_bytes, timeout)
        wire = current_wire.get()
        if wire is not None:
            wire.last_read_ns = self._clock.monotonic_ns()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        wire = current_wire.get()
        if wire is not None:
            wire.sent(self._clock.monotonic_ns())
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        stream = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        wire = current_wire.get()
        if wire is not None:
            wire.connected_ns = self._clock.monotonic_ns()
        return _StampingStream(stream, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
