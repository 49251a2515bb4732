"""Builds clients of the official SDKs, and takes the head of a request from them, once for each target.

The SDKs take up to a second to import. They are imported when they are first used, by `load_sdk` in a thread.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx2

from shared.benchmark.prompt import Parameters
from shared.protocols.registry import protocol_named
from shared.protocols.sdk import Sdk
from shared.providers.adapters import adapter_for
from shared.providers.endpoints import Endpoint
from worker.engine.messages import SdkTarget, SocketTarget

# Sent to a server that needs no key, because the SDKs require one.
_NO_KEY = "not-needed"
# Asks for uncompressed answers: tokens in a compressed block cannot be timed.
_HEADERS = {"Accept-Encoding": "identity"}
_loaded: dict[str, Sdk] = {}


async def load_sdk(protocol: str) -> Sdk:
    """The SDK of a protocol. The event loop runs on while it is imported."""
    if protocol not in _loaded:
        _loaded[protocol] = await asyncio.to_thread(protocol_named(protocol).sdk)
    return _loaded[protocol]


def streamed_create(
    sdk: Sdk, base_url: str, key: str | None, http_client: httpx2.AsyncClient
) -> Callable[[Mapping[str, Any]], Any]:
    """A function that sends a body by the SDK's own method over the given client, without the SDK's retries."""
    return sdk.create(
        api_key=key or _NO_KEY,
        base_url=base_url,
        max_retries=0,
        timeout=http_client.timeout,
        http_client=http_client,
        default_headers=_HEADERS,
    )


async def warm_up(protocols: Iterable[str]) -> None:
    """Imports the SDK of each protocol and builds one request with it, so that the first benchmark need not wait."""
    for protocol in protocols:
        await make_target(
            Endpoint(name="warm-up", protocol=protocol, base_url="http://127.0.0.1"), None, proxy=None, connect_s=1
        )


class _Captured(httpx2.TransportError):
    """Raised by the transport instead of sending the SDK's request."""


class _Capture(httpx2.AsyncBaseTransport):
    def __init__(self) -> None:
        self.request: httpx2.Request | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.request = request
        raise _Captured("captured")


async def make_target(
    endpoint: Endpoint, key: str | None, *, proxy: str | None, connect_s: float
) -> SocketTarget | SdkTarget:
    """What a measuring process needs to know of an endpoint. `connect_s`: the connect timeout in seconds.

    If there is a proxy, or the endpoint's `transport` is `sdk`, the SDK's own client sends the requests. Otherwise the
    head is the one that the SDK would send: the SDK builds one request, which is captured and not sent.
    """
    if proxy is not None or endpoint.transport == "sdk":
        return SdkTarget(endpoint.protocol, endpoint.base_url, key, proxy, connect_s)
    capture, adapter, sdk = _Capture(), adapter_for(endpoint), await load_sdk(endpoint.protocol)
    async with httpx2.AsyncClient(transport=capture, trust_env=False) as http_client:
        send = streamed_create(sdk, endpoint.base_url, key, http_client)
        body = adapter.body("m", [{"role": "user", "content": "x"}], None, Parameters(max_tokens=1))
        try:
            async with send(body):
                raise AssertionError("a captured request has no answer")
        except (sdk.connection_error, _Captured):
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


# The socket slot writes these itself.
_OWN_HEADERS = (b"content-length", b"transfer-encoding", b"connection")
