"""The official SDKs' clients, and what they make of a request: URL and headers, taken once for a target.

The SDKs take up to a second to import. They are imported when they are first used, by `load_sdk` in a thread.
"""

import asyncio
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx2

from shared.providers.endpoints import Endpoint, Protocol
from worker.engine.messages import SdkTarget, SocketTarget

# Fields that the SDKs' methods name; the rest of a body goes through as it is.
_NAMED = ("model", "messages", "max_tokens", "stream")
# A local server without a key still gets a header: both SDKs insist on one.
_NO_KEY = "not-needed"
# Compressed answers arrive in blocks; their tokens cannot be timed.
_HEADERS = {"Accept-Encoding": "identity"}
# A protocol has the name of its SDK's package.
_loaded: dict[Protocol, ModuleType] = {}


async def load_sdk(protocol: Protocol) -> Any:
    """The SDK of a protocol. The event loop runs on while it is imported."""
    if protocol not in _loaded:
        _loaded[protocol] = await asyncio.to_thread(import_module, protocol)
    return _loaded[protocol]


def streamed_create(protocol: Protocol, base_url: str, key: str | None, http_client: httpx2.AsyncClient) -> Any:
    """The SDK's own method for this protocol, its retries off, over the given client."""
    options: dict[str, Any] = {
        "api_key": key or _NO_KEY,
        "base_url": base_url,
        "max_retries": 0,
        "timeout": http_client.timeout,
        "http_client": http_client,
        "default_headers": _HEADERS,
    }
    if protocol == "anthropic":
        import anthropic

        return anthropic.AsyncAnthropic(**options, open_telemetry=False).messages.with_streaming_response.create
    import openai

    return openai.AsyncOpenAI(**options).chat.completions.with_streaming_response.create


def arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as arguments of the SDK's method."""
    named: dict[str, Any] = {name: body[name] for name in _NAMED if name in body}
    return {**named, "extra_body": {name: value for name, value in body.items() if name not in _NAMED}}


async def warm_up(protocols: Iterable[Protocol]) -> None:
    """Builds a request of each SDK: imports and first uses that the first benchmark would wait for otherwise."""
    for protocol in protocols:
        await make_target(
            Endpoint(name="warm-up", protocol=protocol, base_url="http://127.0.0.1"), None, proxy=None, connect_s=1
        )


class _Captured(httpx2.TransportError):
    """Ends the SDK's request where a socket would be: it is never sent."""


class _Capture(httpx2.AsyncBaseTransport):
    def __init__(self) -> None:
        self.request: httpx2.Request | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.request = request
        raise _Captured("captured")


async def make_target(
    endpoint: Endpoint, key: str | None, *, proxy: str | None, connect_s: float
) -> SocketTarget | SdkTarget:
    """What a measuring process needs to know of an endpoint.

    The request's head is what the SDK would send, taken from a request that it builds and that goes nowhere. Through
    a proxy, and where the endpoint's `transport` says so, the SDK's own client sends.
    """
    if proxy is not None or endpoint.transport == "sdk":
        return SdkTarget(endpoint.protocol, endpoint.base_url, key, proxy, connect_s)
    sdk, capture = await load_sdk(endpoint.protocol), _Capture()
    async with httpx2.AsyncClient(transport=capture, trust_env=False) as http_client:
        create = streamed_create(endpoint.protocol, endpoint.base_url, key, http_client)
        body = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}], "stream": True}
        try:
            async with create(**arguments(body)):
                raise AssertionError("a captured request has no answer")
        except (sdk.APIConnectionError, _Captured):
            pass
    request = capture.request
    if request is None:
        raise RuntimeError("the SDK sent no request")
    url = request.url
    tls = url.scheme == "https"
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), url.raw_path)]
    lines += [b"%s: %s" % item for item in request.headers.raw if item[0].lower() not in _OWN_HEADERS]
    head = b"\r\n".join([*lines, b"connection: keep-alive", b""])
    return SocketTarget(url.host, url.port or (443 if tls else 80), tls, head, connect_s)


# The length is the body's, and the connection is ours.
_OWN_HEADERS = (b"content-length", b"transfer-encoding", b"connection")
