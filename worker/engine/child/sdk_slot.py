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
from worker.engine.child.keep_alive import KeepAlive
from worker.engine.child.losses import words_of_loss, words_of_place
from worker.engine.child.outbox import Stream
from worker.engine.child.sdk_stamping import StampingTransport, Wire, current_wire
from worker.engine.child.slot import lost_in_race
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
    # Also that of a TLS record that cannot be decrypted.
    OSError,
)


class SdkClient:
    """One SDK client for all slots of a run, with a pool of as many connections."""

    def __init__(self, target: SdkTarget, slots: int) -> None:
        transport = self._transport = StampingTransport(
            connections=slots, proxy=target.proxy, trust=target.trust, connect_s=target.connect_s
        )
        self.sdk = protocol_named(target.protocol).sdk()
        self._http, self.send = streamed_create(self.sdk, target, transport)
        self.keep_alive = KeepAlive()

    async def close_idle(self) -> None:
        """Closes the connections that carry no request, so that the next request goes out on a new one."""
        await self._transport.close_idle()

    async def close(self) -> None:
        await self._http.aclose()


class SdkSlot:
    """A slot that sends through the SDK, which owns the connections."""

    def __init__(self, client: SdkClient) -> None:
        self._client = client
        self._sending: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Not known: the connections belong to all slots together."""
        return False

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
        for renewed in (0, 1):
            if not self._client.keep_alive.holds:
                await self._client.close_idle()
            wire = Wire(monotonic_ns(), on_refusal=lambda answer: stream.head(answer.status_code, _headers(answer)))
            # Reported when the request is sent, because deadlines count from then; else at the end.
            wire.on_sent = lambda wire=wire, renewed=renewed: stream.began(wire.began(due_ns, renewed))
            try:
                end = await self._attempt(body, stream, wire)
            finally:
                if wire.sent_ns is None:
                    wire.on_sent()
            if renewed or not _lost_in_race(end[0], wire):
                if not wire.new_connection:
                    self._client.keep_alive.carried()
                return stream.end(end[0], wire.last_read_ns, end[1])
            self._client.keep_alive.lost()
            await self._client.close_idle()
        return None

    async def _attempt(self, body: dict[str, Any], stream: Stream, wire: Wire) -> tuple[EndKind, str]:
        token, sdk, head_complete = current_wire.set(wire), self._client.sdk, False
        try:
            async with self._client.send(body) as response:
                http = response.http_response
                head_complete = True
                stream.head(http.status_code, _headers(http))
                async for data in http.aiter_raw():
                    # Chunks of the same read come one by one, and all get the stamp of that read.
                    stream.read(wire.last_read_ns or monotonic_ns(), 0, data)
            return "complete", ""
        except sdk.status_error as exc:
            stream.read(wire.last_read_ns or monotonic_ns(), 0, exc.response.content)
            return "complete", ""
        except (sdk.connection_error, *_SOCKET_ERRORS) as exc:
            if _switches_protocols(exc):
                stream.head(101, {})
                return "complete", ""
            return _connection_failure(exc, wire, head_complete=head_complete)
        except sdk.error as exc:
            return "client_error", str(exc)
        except Exception as exc:  # noqa: BLE001 - what a library cannot do must not end the process
            return "client_error", f"{type(exc).__name__}: {exc}"
        finally:
            current_wire.reset(token)


def _headers(response: httpx2.Response) -> dict[str, str]:
    """The last value of each header, as over our own sockets."""
    return {name.lower(): value for name, value in response.headers.multi_items()}


def _switches_protocols(exc: BaseException) -> bool:
    """Whether the server answered 101, which the SDK's HTTP library refuses in its own words."""
    return any("_SWITCH_UPGRADE" in str(cause) for cause in _causes(exc))


def _lost_in_race(kind: EndKind, wire: Wire) -> bool:
    return (
        kind == "lost"
        and wire.sent_ns is not None
        and lost_in_race(
            kept=not wire.new_connection,
            answered=wire.answered,
            sent_ns=wire.sent_ns,
            lost_ns=wire.last_read_ns or wire.sent_ns,
            round_trip_ns=wire.round_trip_ns,
        )
    )


def _connection_failure(exc: BaseException, wire: Wire, *, head_complete: bool) -> tuple[EndKind, str]:
    """The kind of end, by how far the request got, and what happened."""
    causes = list(_causes(exc))
    words = next((str(cause) for cause in reversed(causes) if str(cause)), type(exc).__name__)
    if wire.sent_ns is not None:
        return "lost", _words_of_loss(
            causes, words, words_of_place(answered=wire.answered, head_complete=head_complete)
        )
    if any(isinstance(cause, httpcore2.ConnectTimeout) for cause in causes):
        return "connect_timeout", "no connection within connect_s"
    if any(isinstance(cause, httpcore2.ProxyError) for cause in causes):
        return "connect_error", f"cannot connect: the proxy answered {words}"
    tls = "SSL" in words or "certificate" in words.lower()
    return ("tls_error" if tls else "connect_error"), f"cannot connect: {words}"


def _words_of_loss(causes: list[BaseException], words: str, place: str) -> str:
    for cause in causes:
        if isinstance(cause, OSError):
            return f"{words_of_loss(cause)} {place}"
    protocol_error = next((str(cause) for cause in causes if isinstance(cause, httpcore2.RemoteProtocolError)), None)
    if protocol_error is not None and not any(word in protocol_error for word in ("disconnected", "closed connection")):
        return f"the answer is not HTTP/1.1: {words}"
    return f"the server closed the connection {place}"


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while exc is not None and exc not in seen:
        seen.append(exc)
        yield exc
        exc = exc.__cause__ or exc.__context__
