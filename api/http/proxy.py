"""What a trusted proxy says about a request that it passed on: scheme, path prefix, and who the client is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.network import path_prefix
from shared.network.ssrf import Network

_SCHEMES = ("http", "https")
MAX_USER_CHARS = 200
_MAX_ADDRESS_CHARS = 45
# In the state of a request.
_CLIENT, _USER = "client_address", "user"
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


def client_of(scope: Scope) -> str:
    """The address of the client, behind a trusted proxy that of the proxy's client. Empty over a Unix socket."""
    address: str = scope.get("state", {}).get(_CLIENT) or (scope.get("client") or ("",))[0]
    return address


def user_of(scope: Scope) -> str | None:
    """The person whom a trusted proxy logged in (TRUSTED_USER_HEADER); None if none did."""
    user: str | None = scope.get("state", {}).get(_USER)
    return user


class ProxyMiddleware:
    """Puts the prefix and the scheme that the client used into the scope, and the prefix before every `link`.

    Works with proxies that take the prefix off the path and with proxies that leave it there.
    """

    def __init__(
        self, app: ASGIApp, *, root_path: str, trusted: Sequence[Network], user_header: str | None = None
    ) -> None:
        """`root_path` applies where no trusted proxy names a prefix. `user_header`: where it names the person."""
        self._app = app
        self._root_path = root_path
        self._trusted = trusted
        self._user_header = None if user_header is None else user_header.lower().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # The server's own, which is already in the path (`uvicorn --root-path`).
        prefix = scope.get("root_path", "") or self._root_path
        users = self._take_users(scope)
        client = scope.get("client")
        if client is not None and self._is_trusted(client[0]):
            headers = Headers(scope=scope)
            state = scope.setdefault("state", {})
            state[_CLIENT] = self._first_stranger(headers.getlist("x-forwarded-for"))
            state[_USER] = _user(users)
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

    def _is_trusted(self, client: str) -> bool:
        try:
            address = ip_address(client)
        except ValueError:
            return False
        # A server that listens on IPv6 sees IPv4 clients in this form.
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address.version == network.version and address in network for network in self._trusted)

    def _first_stranger(self, headers: Sequence[str]) -> str | None:
        """The last address that is no trusted proxy. Those before it are what the client says itself."""
        for part in reversed(",".join(headers).split(",")):
            address = _without_port(part.strip())
            if not self._is_trusted(address):
                return address[:_MAX_ADDRESS_CHARS] or None
        return None

    def _take_users(self, scope: Scope) -> list[bytes]:
        """Takes the header with the person's name out of the request, whoever sent it."""
        found = [value for name, value in scope["headers"] if name == self._user_header]
        if found:
            # In place, because the middleware outside has the same scope.
            scope["headers"] = [item for item in scope["headers"] if item[0] != self._user_header]
        return found


def _without_port(address: str) -> str:
    """Some proxies write `10.0.0.7:51234` or `[fe80::1]:51234`, where each connection would be another client."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def _user(values: Sequence[bytes]) -> str | None:
    """None for no name, for several, and for one that is no readable text."""
    if len(values) != 1:
        return None
    try:
        name = values[0].decode().strip()
    except UnicodeDecodeError:
        return None
    return name if 0 < len(name) <= MAX_USER_CHARS and name.isprintable() else None


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
