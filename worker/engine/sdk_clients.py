"""Builds clients of the official SDKs, and takes the head of a request from them, once for each target.

The SDKs take up to a second to import. They are imported when they are first used, by `load_sdk` in a thread.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import httpx2

from shared.benchmark.prompt import Parameters
from shared.network.tls import TlsOptions
from shared.protocols.registry import protocol_named
from shared.protocols.sdk import Sdk
from shared.providers.endpoints import Endpoint
from worker.engine.messages import SdkTarget, SocketTarget

# The SDKs require a key. Where a server needs none, the header that would carry this one is not sent.
_NO_KEY = "not-needed"
# Asks for uncompressed answers: tokens in a compressed block cannot be timed.
_HEADERS = {"Accept-Encoding": "identity"}
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
_loaded: dict[str, Sdk] = {}


async def load_sdk(protocol: str) -> Sdk:
    """The SDK of a protocol. The event loop runs on while it is imported."""
    if protocol not in _loaded:
        _loaded[protocol] = await asyncio.to_thread(protocol_named(protocol).sdk)
    return _loaded[protocol]


def streamed_create(
    sdk: Sdk, target: SdkTarget, transport: httpx2.AsyncBaseTransport
) -> tuple[httpx2.AsyncClient, Callable[[Mapping[str, Any]], Any]]:
    """(client to close, function that sends a body). It sends by the SDK's own method, without the SDK's retries."""

    async def complete(request: httpx2.Request) -> None:
        _set_headers(request.headers, target)

    # The worker applies all deadlines but that of connecting, which the transport applies.
    timeout = httpx2.Timeout(None)
    http_client = httpx2.AsyncClient(
        transport=transport,
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
        event_hooks={"request": [complete]},
    )
    send = sdk.create(
        api_key=target.key or _NO_KEY,
        base_url=target.base_url,
        max_retries=0,
        timeout=timeout,
        http_client=http_client,
        default_headers=_HEADERS,
        default_query=target.query,
    )
    return http_client, send


def _set_headers(headers: httpx2.Headers, target: SdkTarget) -> None:
    """Puts the key where the endpoint wants it, and adds the endpoint's headers. No header goes out twice."""
    if target.key is None or target.key_header is not None:
        # Headers in which the SDK put the key, or what stands for none.
        sent = target.key or _NO_KEY
        for name in [name for name, value in headers.items() if value in (sent, f"Bearer {sent}")]:
            del headers[name]
    if target.key is not None and target.key_header is not None:
        bearer = target.key_header.lower() == "authorization"
        headers[target.key_header] = f"Bearer {target.key}" if bearer else target.key
    for name, value in target.headers.items():
        headers[name] = value


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
    endpoint: Endpoint,
    key: str | None,
    *,
    proxy: str | None,
    connect_s: float,
    variables: Mapping[str, str] = _NO_VARIABLES,
) -> SocketTarget | SdkTarget:
    """What a measuring process needs to know of an endpoint. `connect_s`: the connect timeout in seconds.

    `variables`: the values of those that the endpoint's `query` and `headers` name; raises KeyError if one is missing.
    If there is a proxy, or the endpoint's `transport` is `sdk`, the SDK's own client sends the requests. Otherwise the
    head is the one that the SDK would send: the SDK builds one request, which is captured and not sent.
    """
    target = SdkTarget(
        protocol=endpoint.protocol,
        base_url=endpoint.base_url,
        key=key,
        proxy=proxy,
        connect_s=connect_s,
        key_header=endpoint.key_header,
        query={name: value.resolved(variables) for name, value in endpoint.query.items()},
        headers={name: value.resolved(variables) for name, value in endpoint.headers.items()},
        trust=endpoint.tls.options if endpoint.tls else TlsOptions(),
    )
    if proxy is not None or endpoint.transport == "sdk":
        return target
    request = await sample_request(target)
    url = request.url
    tls = url.scheme == "https"
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), url.raw_path)]
    lines += [b"%s: %s" % item for item in request.headers.raw if item[0].lower() not in _OWN_HEADERS]
    head = b"\r\n".join([*lines, b"connection: keep-alive", b""])
    # The ASCII form: Python's own encoding of international names is an older one, which makes others of some of them.
    return SocketTarget(url.raw_host.decode(), url.port or (443 if tls else 80), tls, head, connect_s, target.trust)


# The socket slot writes these itself.
_OWN_HEADERS = (b"content-length", b"transfer-encoding", b"connection")


async def sample_request(target: SdkTarget) -> httpx2.Request:
    """A request as the SDK would send it to this target. Nothing is sent."""
    capture, sdk, protocol = _Capture(), await load_sdk(target.protocol), protocol_named(target.protocol)
    body = protocol(protocol.options()).body("m", [{"role": "user", "content": "x"}], None, Parameters(max_tokens=1))
    http_client, send = streamed_create(sdk, target, capture)
    async with http_client:
        try:
            async with send(body):
                raise AssertionError("a captured request has no answer")
        except (sdk.connection_error, _Captured):
            pass
    if capture.request is None:
        raise RuntimeError("the SDK sent no request")
    return capture.request
