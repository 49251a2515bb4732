"""Sends by the official SDKs: their URLs, headers, auth and typed errors, over our stamping sockets. No retries."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import anthropic
import httpcore2
import httpx2
import openai

from shared.clock import Clock
from shared.endpoints import PROTOCOLS, Endpoint
from shared.results import Phase, RequestError
from shared.secrets import Scrubber
from worker.engine.adapters.base import failure, kind_of_http_status
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
# Fields that the SDKs' methods name; the rest of a body goes through as it is.
_NAMED = ("model", "messages", "max_tokens", "stream")
# A local server without a key still gets a header: both SDKs insist on one.
_NO_KEY = "not-needed"


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
    # Compressed answers arrive in blocks; their tokens cannot be timed.
    headers = {"Accept-Encoding": "identity"}
    scrubber = Scrubber([key] if key else [])
    if endpoint.protocol == "anthropic":
        anthropic_client = anthropic.AsyncAnthropic(
            api_key=key or _NO_KEY,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=timeout,
            http_client=http_client,
            default_headers=headers,
            open_telemetry=False,
        )
        return _SdkTransport(anthropic_client.messages.with_streaming_response.create, http_client, clock, scrubber)
    openai_client = openai.AsyncOpenAI(
        api_key=key or _NO_KEY,
        base_url=endpoint.base_url,
        max_retries=0,
        timeout=timeout,
        http_client=http_client,
        default_headers=headers,
    )
    return _SdkTransport(openai_client.chat.completions.with_streaming_response.create, http_client, clock, scrubber)


class _SdkTransport:
    def __init__(self, create: Any, http_client: httpx2.AsyncClient, clock: Clock, scrubber: Scrubber) -> None:
        self._create = create
        self._http_client = http_client
        self._clock = clock
        self._scrubber = scrubber

    @asynccontextmanager
    async def send(self, body: Mapping[str, Any], wire: Wire) -> AsyncIterator[Answer]:
        named = {name: body[name] for name in _NAMED if name in body}
        rest = {name: value for name, value in body.items() if name not in _NAMED}
        token = current_wire.set(wire)
        try:
            async with self._create(**named, extra_body=rest) as response:
                yield _SdkAnswer(response.http_response, wire, self._clock, self._scrubber)
        except (anthropic.APIStatusError, openai.APIStatusError) as exc:
            raise TransportFailed(_status_error(exc, self._scrubber, self._clock.wall_now())) from None
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


def _status_error(
    exc: anthropic.APIStatusError | openai.APIStatusError, scrubber: Scrubber, now: datetime
) -> RequestError:
    """An error answer, by the SDK's class and the provider's own words."""
    body = exc.body
    # The openai SDK hands over the inner error object, the anthropic SDK the whole body.
    inner = body.get("error", body) if isinstance(body, dict) else None
    said = failure(inner) if inner else None
    kind = kind_of_http_status(exc.status_code)
    if said is not None and said.kind != "provider_error":
        kind = said.kind
    message = said.message if said is not None else f"HTTP {exc.status_code}: {exc.response.text[:300]}"
    if said is not None and isinstance(inner, dict) and inner.get("param"):
        message = f"{message} (param: {inner['param']})"
    return RequestError(
        kind=kind,
        message=scrubber.scrub(message),
        phase="before_first_token",
        http_status=exc.status_code,
        provider_code=scrubber.scrub(said.provider_code, 100) if said and said.provider_code else None,
        retry_after_s=_retry_after_s(exc.response.headers, now),
    )


def _retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the provider asks to wait: `retry-after-ms`, or `Retry-After` as seconds or as a date."""
    milliseconds = headers.get("retry-after-ms", "")
    if milliseconds.replace(".", "", 1).isdecimal():
        return float(milliseconds) / 1_000
    value = headers.get("retry-after", "").strip()
    if value.replace(".", "", 1).isdecimal():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        # Against the server's own date where it gives one: our clock may differ.
        since = parsedate_to_datetime(headers["date"]) if "date" in headers else now
    except (ValueError, TypeError):
        return None
    return max(0.0, (until - since).total_seconds())


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
