"""Sends requests by the official SDK's own client: for proxies, and for endpoints that need the SDK.

Reads are stamped when a coroutine wakes up, and requests are built on the measuring loop. So the stamps are less exact:
the run's measurement says `transport: sdk`, and its grade is lower.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpcore2
import httpx2
import orjson

from shared.clock import monotonic_ns
from shared.protocols.registry import protocol_named
from worker.engine.child.outbox import Stream
from worker.engine.child.sdk_stamping import StampingTransport, Wire, current_wire
from worker.engine.child.slot import MAX_RENEWALS
from worker.engine.messages import EndKind, SdkTarget
from worker.engine.sdk_clients import streamed_create

# Errors of the socket that an SDK may not wrap.
_SOCKET_ERRORS = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
    httpx2.TransportError,
)


class SdkClient:
    """One SDK client for all slots of a run, with a pool of as many connections."""

    def __init__(self, target: SdkTarget, slots: int) -> None:
        transport = StampingTransport(connections=slots, proxy=target.proxy, trust=target.trust)
        self.sdk = protocol_named(target.protocol).sdk()
        self._http, self.send = streamed_create(self.sdk, target, transport)

    async def close(self) -> None:
        await self._http.aclose()


class SdkSlot:
    """A slot that sends through the SDK, which owns the connections."""

    def __init__(self, client: SdkClient) -> None:
        self._client = client
        self._sending: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """The SDK connects when it sends."""

    async def exchange(self, body: bytes, stream: Stream, due_ns: int) -> None:
        self._sending = asyncio.create_task(self._exchange(orjson.loads(body), stream, due_ns))
        await asyncio.wait([self._sending])
        if self._sending.cancelled():
            stream.end("closed")
        else:
            self._sending.result()

    def abort(self) -> None:
        if self._sending is not None:
            self._sending.cancel()

    async def close(self) -> None:
        self.abort()

    async def _exchange(self, body: dict[str, Any], stream: Stream, due_ns: int) -> None:
        stream.kernel = False
        for renewed in range(MAX_RENEWALS + 1):
            wire = Wire(monotonic_ns())
            # Reported when the request is sent, because deadlines count from then; else at the end.
            wire.on_sent = lambda wire=wire, renewed=renewed: stream.began(wire.began(due_ns, renewed))
            try:
                end = await self._attempt(body, stream, wire)
            finally:
                if wire.sent_ns is None:
                    wire.on_sent()
            stale = end[0] == "lost" and not wire.new_connection and not wire.answered
            if not stale or renewed == MAX_RENEWALS:
                return stream.end(end[0], wire.last_read_ns, end[1])
        return None

    async def _attempt(self, body: dict[str, Any], stream: Stream, wire: Wire) -> tuple[EndKind, str]:
        token, sdk = current_wire.set(wire), self._client.sdk
        try:
            async with self._client.send(body) as response:
                http = response.http_response
                wire.answered = True
                stream.head(http.status_code, dict(http.headers))
                async for data in http.aiter_raw():
                    # Chunks of the same read come one by one, and all get the stamp of that read.
                    stream.read(wire.last_read_ns or monotonic_ns(), 0, data)
            return "complete", ""
        except sdk.status_error as exc:
            wire.answered = True
            stream.head(exc.status_code, dict(exc.response.headers))
            stream.read(wire.last_read_ns or monotonic_ns(), 0, exc.response.content)
            return "complete", ""
        except (sdk.connection_error, *_SOCKET_ERRORS) as exc:
            return _connection_failure(exc, wire)
        except sdk.error as exc:
            return "client_error", str(exc)
        finally:
            current_wire.reset(token)


def _connection_failure(exc: BaseException, wire: Wire) -> tuple[EndKind, str]:
    """The kind of end, by how far the request got, and the message of the deepest cause."""
    causes = list(_causes(exc))
    words = next((str(cause) for cause in reversed(causes) if str(cause)), type(exc).__name__)
    if wire.sent_ns is not None:
        return "lost", words
    if any(isinstance(cause, httpcore2.ConnectTimeout) for cause in causes):
        return "connect_timeout", "no connection within connect_s"
    tls = "SSL" in words or "certificate" in words.lower()
    return ("tls_error" if tls else "connect_error"), f"cannot connect: {words}"


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while exc is not None and exc not in seen:
        seen.append(exc)
        yield exc
        exc = exc.__cause__ or exc.__context__
