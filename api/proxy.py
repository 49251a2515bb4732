"""What a trusted proxy says about a request that it passed on: the scheme and the path prefix that the client used."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.network import path_prefix
from shared.network.ssrf import Network

_SCHEMES = ("http", "https")
_prefix: ContextVar[str] = ContextVar("prefix", default="")


def link(path: str) -> str:
    """A path of the API as the client of this request reaches it."""
    return _prefix.get() + path


@contextmanager
def links_of(scope: Scope) -> Iterator[None]:
    """Lets `link` work for this request in code that runs outside of the middleware."""
    token = _prefix.set(scope.get("root_path", ""))
    try:
        yield
    finally:
        _prefix.reset(token)


def route_path(scope: Scope) -> str:
    """The path without the prefix, as the routes have it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class ProxyMiddleware:
    """Puts the prefix and the scheme that the client used into the scope, and the prefix before every `link`.

    Works with proxies that take the prefix off the path and with proxies that leave it there.
    """

    def __init__(self, app: ASGIApp, *, root_path: str, trusted: Sequence[Network]) -> None:
        """`root_path` applies where no trusted proxy names a prefix."""
        self._app = app
        self._root_path = root_path
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # The server's own, which is already in the path (`uvicorn --root-path`).
        prefix = scope.get("root_path", "") or self._root_path
        if self._is_trusted(scope.get("client")):
            headers = Headers(scope=scope)
            prefix = _checked(headers.get("x-forwarded-prefix", "")) or prefix
            scheme = headers.get("x-forwarded-proto", "").lower()
            if scheme in _SCHEMES:
                scope["scheme"] = scheme
        if prefix:
            _put_before_path(prefix, scope)
        token = _prefix.set(prefix)
        try:
            await self._app(scope, receive, send)
        finally:
            _prefix.reset(token)

    def _is_trusted(self, client: tuple[str, int] | None) -> bool:
        if not self._trusted or client is None:
            return False
        try:
            address = ip_address(client[0])
        except ValueError:
            return False
        # A server that listens on IPv6 sees IPv4 clients in this form.
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address.version == network.version and address in network for network in self._trusted)


def _checked(text: str) -> str:
    """The prefix of a header; empty if it is not one."""
    try:
        return path_prefix.check(text.strip())
    except ValueError:
        return ""


def _put_before_path(prefix: str, scope: Scope) -> None:
    # In place, because the middleware outside reads the route from the same scope. ASGI wants the prefix in the path.
    scope["root_path"] = prefix
    if not (scope["path"] == prefix or scope["path"].startswith(f"{prefix}/")):
        scope["path"] = prefix + scope["path"]
        if scope.get("raw_path") is not None:
            scope["raw_path"] = prefix.encode() + scope["raw_path"]
