"""Sends by the official SDKs: their URLs, headers, auth and typed errors, over our stamping sockets. No retries."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import httpcore2
import httpx2
import openai

from shared.clock import Clock
from shared.endpoints import PROTOCOLS, Endpoint
from shared.results import Phase, RequestError
from shared.secrets import Scrubber
from worker.engine.refusals import status_error
from worker.engine.sdk_clients import arguments, streamed_create
from worker.engine.stamping import StampingTransport, current_wire, trust_store
from worker.engine.transport import Answer, Read, Transport, TransportFailed, Wire

# What sockets raise, where an SDK does not wrap it.
_SOCKET_ERRORS = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
    httpx2.TransportError,
)


async def warm_up(clock: Clock) -> None:
    """Goes the way of a first request to a server of our own: certificates, and what is imported when first used."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    await asyncio.to_thread(trust_store)
    body = {"model": "warm-up", "messages": [{"role": "user", "content": "warm-up"}], "max_tokens": 1, "stream": True}
    async with await asyncio.start_server(refuse, "127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for protocol in PROTOCOLS:
            endpoint = Endpoint(name="warm-up", protocol=protocol, base_url=url)
            transport = sdk_transport(endpoint, None, clock, connections=1, connect_timeout_s=1)
            with contextlib.suppress(TransportFailed):
                async with transport.send(body, Wire(clock.monotonic_ns())):
                    pass
            await transport.close()


def sdk_transport(
    endpoint: Endpoint, key: str | None, clock: Clock, *, connections: int, connect_timeout_s: float
) -> Transport:
    """A transport to the endpoint, with a pool of as many connections as the load needs."""
    stamping = StampingTransport(clock, connections=connections)
    # Deadlines are the measurer's; only connecting is timed here, where it can be told from the rest.
    timeout = httpx2.Timeout(None, connect=connect_timeout_s)
    http_client = httpx2.AsyncClient(transport=stamping, timeout=timeout, follow_redirects=False, trust_env=False)
    create = streamed_create(endpoint, key, http_client)
    return _SdkTransport(create, http_client, clock, Scrubber([key] if key else []))


class _SdkTransport:
    def __init__(self, create: Any, http_client: httpx2.AsyncClient, clock: Clock, scrubber: Scrubber) -> None:
        self._create = create
        self._http_client = http_client
        self._clock = clock
        self._scrubber = scrubber

    @asynccontextmanager
    async def send(self, body: Mapping[str, Any], wire: Wire) -> AsyncIterator[Answer]:
        token = current_wire.set(wire)
        try:
            async with self._create(**arguments(body)) as response:
                yield _SdkAnswer(response.http_response, wire, self._clock, self._scrubber)
        except (anthropic.APIStatusError, openai.APIStatusError) as exc:
            refusal = status_error(
                exc.status_code,
                exc.response.headers,
                exc.body,
                exc.response.text,
                self._scrubber,
                self._clock.wall_now(),
            )
            raise TransportFailed(refusal) from None
        except (anthropic.APIConnectionError, openai.APIConnectionError, *_SOCKET_ERRORS) as exc:
            raise _connection_failure(exc, wire, self._scrubber) from None
        except (anthropic.APIError, openai.APIError) as exc:
            raise TransportFailed(RequestError("client_error", self._scrubber.scrub(str(exc)), "connect")) from None
        finally:
            current_wire.reset(token)

    async def close(self) -> None:
        await self._http_client.aclose()


class _SdkAnswer:
    def __init__(self, response: httpx2.Response, wire: Wire, clock: Clock, scrubber: Scrubber) -> None:
        self._response = response
        self._wire = wire
        self._clock = clock
        self._scrubber = scrubber

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    async def reads(self) -> AsyncIterator[Read]:
        try:
            async for data in self._response.aiter_raw():
                # Several chunks of one read come one by one: all carry the stamp of that read.
                yield Read(self._wire.last_read_ns or self._clock.monotonic_ns(), data)
        except _SOCKET_ERRORS as exc:
            message = self._scrubber.scrub(f"the connection broke off: {str(exc) or type(exc).__name__}")
            raise TransportFailed(RequestError("connection_lost", message, "mid_stream"), broke_off=True) from None


def _connection_failure(exc: BaseException, wire: Wire, scrubber: Scrubber) -> TransportFailed:
    """No answer came: by its cause, and by how far the request got."""
    causes = list(_causes(exc))
    phase: Phase = "connect" if wire.sent_ns is None else "before_first_token"
    words = next((str(cause) for cause in reversed(causes) if str(cause)), type(exc).__name__)
    if any(isinstance(cause, httpcore2.ConnectTimeout) for cause in causes):
        error = RequestError("connect_timeout", "no connection within connect_s", "connect")
        return TransportFailed(error, timed_out=True)
    if any(isinstance(cause, httpcore2.ConnectError) for cause in causes):
        kind = "tls_error" if "SSL" in words or "certificate" in words.lower() else "connect_error"
        return TransportFailed(RequestError(kind, scrubber.scrub(f"cannot connect: {words}"), "connect"))
    error = RequestError("connection_lost", scrubber.scrub(f"the connection broke off: {words}"), phase)
    # The request was sent and may have been billed: its answer is cut short, not refused.
    sent = wire.sent_ns is not None
    return TransportFailed(error, broke_off=sent, stale=sent and not wire.new_connection)


def _causes(exc: BaseException | None) -> "list[BaseException]":
    found: list[BaseException] = []
    while exc is not None and exc not in found:
        found.append(exc)
        exc = exc.__cause__ or exc.__context__
    return found
