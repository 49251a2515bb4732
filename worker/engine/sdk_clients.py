"""The official SDKs' clients, and what they make of a request: URL and headers, taken once as a template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import openai

from shared.endpoints import Endpoint

# Fields that the SDKs' methods name; the rest of a body goes through as it is.
_NAMED = ("model", "messages", "max_tokens", "stream")
# A local server without a key still gets a header: both SDKs insist on one.
_NO_KEY = "not-needed"
# Compressed answers arrive in blocks; their tokens cannot be timed.
_HEADERS = {"Accept-Encoding": "identity"}


def streamed_create(endpoint: Endpoint, key: str | None, http_client: httpx2.AsyncClient) -> Any:
    """The SDK's own method for this protocol, its retries off, over the given client."""
    if endpoint.protocol == "anthropic":
        return anthropic.AsyncAnthropic(
            api_key=key or _NO_KEY,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=http_client.timeout,
            http_client=http_client,
            default_headers=_HEADERS,
            open_telemetry=False,
        ).messages.with_streaming_response.create
    return openai.AsyncOpenAI(
        api_key=key or _NO_KEY,
        base_url=endpoint.base_url,
        max_retries=0,
        timeout=http_client.timeout,
        http_client=http_client,
        default_headers=_HEADERS,
    ).chat.completions.with_streaming_response.create


def arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as arguments of the SDK's method."""
    named: dict[str, Any] = {name: body[name] for name in _NAMED if name in body}
    return {**named, "extra_body": {name: value for name, value in body.items() if name not in _NAMED}}


@dataclass(frozen=True, slots=True)
class RequestTemplate:
    """All of a request but its body: where to connect, and the head up to the content length."""

    host: str
    port: int
    tls: bool
    head: bytes

    def request(self, body: bytes) -> bytes:
        """A whole request, ready to write."""
        return b"%scontent-length: %d\r\n\r\n%s" % (self.head, len(body), body)


class _Captured(httpx2.TransportError):
    """Ends the SDK's request where a socket would be: it is never sent."""


class _Capture(httpx2.AsyncBaseTransport):
    def __init__(self) -> None:
        self.request: httpx2.Request | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.request = request
        raise _Captured("captured")


async def request_template(endpoint: Endpoint, key: str | None) -> RequestTemplate:
    """What the SDK would send to this endpoint, taken from a request that it builds and that goes nowhere."""
    capture = _Capture()
    async with httpx2.AsyncClient(transport=capture, trust_env=False) as http_client:
        create = streamed_create(endpoint, key, http_client)
        body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}], "stream": True}
        try:
            async with create(**arguments(body)):
                raise AssertionError("a captured request has no answer")
        except (anthropic.APIConnectionError, openai.APIConnectionError, _Captured):
            pass
    request = capture.request
    if request is None:
        raise RuntimeError("the SDK sent no request")
    url = request.url
    tls = url.scheme == "https"
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), url.raw_path)]
    lines += [b"%s: %s" % item for item in request.headers.raw if item[0].lower() not in _OWN_HEADERS]
    head = b"\r\n".join([*lines, b"connection: keep-alive", b""])
    return RequestTemplate(url.host, url.port or (443 if tls else 80), tls, head)


# The length is the body's, and the connection is ours.
_OWN_HEADERS = (b"content-length", b"transfer-encoding", b"connection")
