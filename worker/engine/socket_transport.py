"""Sends the SDK's request as a template over sockets of our own: nothing between the bytes and their stamps."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from shared.clock import Clock
from shared.endpoints import Endpoint
from shared.results import Phase, RequestError
from shared.secrets import Scrubber
from worker.engine.http_connection import ConnectionLost, HttpConnection
from worker.engine.refusals import status_error
from worker.engine.sdk_clients import RequestTemplate, request_template
from worker.engine.stamping import trust_store
from worker.engine.transport import Answer, Read, TransportFailed, Wire

# Of an error answer no more than this is read.
MAX_REFUSAL_BYTES = 64_000


def socket_transport(
    endpoint: Endpoint,
    key: str | None,
    clock: Clock,
    *,
    connections: int,
    connect_timeout_s: float,
    ssl_context: ssl.SSLContext | None = None,
) -> "SocketTransport":
    """A transport to the endpoint that keeps up to `connections` open."""
    return SocketTransport(endpoint, key, clock, connections, connect_timeout_s, ssl_context)


class SocketTransport:
    """HTTP/1.1 over kept connections, TLS with the system's trust store, IPv4 and IPv6. No proxy, no redirects."""

    def __init__(
        self,
        endpoint: Endpoint,
        key: str | None,
        clock: Clock,
        connections: int,
        connect_timeout_s: float,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self._endpoint = endpoint
        self._key = key
        self._clock = clock
        self._most_idle = connections
        self._connect_timeout_s = connect_timeout_s
        self._ssl_context = ssl_context
        self._scrubber = Scrubber([key] if key else [])
        self._template: RequestTemplate | None = None
        self._idle: list[HttpConnection] = []
        self._building = asyncio.Lock()

    @asynccontextmanager
    async def send(self, body: Mapping[str, Any], wire: Wire) -> AsyncIterator[Answer]:
        template = await self._get_template()
        request = template.request(orjson.dumps(body))
        connection = await self._connection(template, wire)
        try:
            wire.sent(self._clock.monotonic_ns())
            connection.write(request)
            try:
                status, headers, _ = await connection.head()
            except ConnectionLost as exc:
                raise self._lost(exc, stale=not wire.new_connection) from None
            if not 200 <= status < 300:
                raise TransportFailed(await self._refusal(connection, status, headers))
            yield _SocketAnswer(headers, connection, wire, self._lost)
        finally:
            if connection.keeps_alive and len(self._idle) < self._most_idle:
                self._idle.append(connection)
            else:
                connection.close()

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _get_template(self) -> RequestTemplate:
        if self._template is None:
            async with self._building:
                self._template = self._template or await request_template(self._endpoint, self._key)
        return self._template

    async def _connection(self, template: RequestTemplate, wire: Wire) -> HttpConnection:
        while self._idle:
            kept = self._idle.pop()
            if kept.usable:
                return kept
            kept.close()
        context = (self._ssl_context or trust_store()) if template.tls else None
        wire.started_ns, wire.new_connection = self._clock.monotonic_ns(), True
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: HttpConnection(self._clock),
                    template.host,
                    template.port,
                    ssl=context,
                    happy_eyeballs_delay=0.25,
                )
        except TimeoutError:
            error = RequestError("connect_timeout", "no connection within connect_s", "connect")
            raise TransportFailed(error, timed_out=True) from None
        except ssl.SSLError as exc:
            raise TransportFailed(self._cannot_connect("tls_error", exc)) from None
        except OSError as exc:
            raise TransportFailed(self._cannot_connect("connect_error", exc)) from None
        wire.connected_ns = self._clock.monotonic_ns()
        return connection

    async def _refusal(self, connection: HttpConnection, status: int, headers: dict[str, str]) -> RequestError:
        data = b""
        try:
            while len(data) < MAX_REFUSAL_BYTES and (read := await connection.body()) is not None:
                data += read.data
        except ConnectionLost:
            pass  # what came of it says enough
        text = data[:MAX_REFUSAL_BYTES].decode("utf-8", "replace")
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            document = None
        return status_error(status, headers, document, text, self._scrubber, self._clock.wall_now())

    def _cannot_connect(self, kind: str, exc: Exception) -> RequestError:
        return RequestError(kind, self._scrubber.scrub(f"cannot connect: {exc}"), "connect")

    def _lost(self, exc: ConnectionLost, *, stale: bool = False) -> TransportFailed:
        phase: Phase = "before_first_token" if stale else "mid_stream"
        message = self._scrubber.scrub(f"the connection broke off: {exc}")
        return TransportFailed(RequestError("connection_lost", message, phase), broke_off=True, stale=stale)


class _SocketAnswer:
    def __init__(self, headers: dict[str, str], connection: HttpConnection, wire: Wire, lost: Any) -> None:
        self._headers = headers
        self._connection = connection
        self._wire = wire
        self._lost = lost

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    async def reads(self) -> AsyncIterator[Read]:
        try:
            while (read := await self._connection.body()) is not None:
                self._wire.last_read_ns = read.stamp_ns
                yield read
        except ConnectionLost as exc:
            raise self._lost(exc) from None
        self._wire.last_read_ns = self._connection.last_stamp_ns
