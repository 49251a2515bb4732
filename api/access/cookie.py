"""The cookie of a browser's session: its name, how it is read, set and deleted."""

from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.types import Scope

from shared.access.session import is_secret

NAME = "llmbench_session"
# Browsers take a cookie of this name only over HTTPS and for the whole host, so no other host can set it.
HOST_NAME = f"__Host-{NAME}"


def cookie_name(scope: Scope) -> str:
    """What the cookie is called for the browser that made this request."""
    return HOST_NAME if _is_https(scope) and not scope.get("root_path") else NAME


def secret_of(scope: Scope) -> str | None:
    """The session's secret; None if the request has none, or something else in its place."""
    # The first is that of the longest path.
    value = next(_values(scope), "")
    return value if is_secret(value) else None


def has_cookie(scope: Scope) -> bool:
    """Whether the browser sends such a cookie, of a session or of none."""
    return next(_values(scope), None) is not None


def set_cookie(scope: Scope, secret: str) -> str:
    """The header that gives the browser the secret until it is closed; the server ends the session earlier."""
    return _header(scope, secret)


def delete_cookie(scope: Scope) -> str:
    """The header that takes it away."""
    return _header(scope, "", "Max-Age=0")


def _values(scope: Scope) -> Iterator[str]:
    """What the request has under the name of the cookie, in its order."""
    wanted = cookie_name(scope)
    for header in Headers(scope=scope).getlist("cookie"):
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == wanted:
                yield value


def _header(scope: Scope, value: str, *more: str) -> str:
    parts = [
        f"{cookie_name(scope)}={value}",
        f"Path={scope.get('root_path') or '/'}",
        "HttpOnly",
        "SameSite=Strict",
        *(["Secure"] if _is_https(scope) else []),
        *more,
    ]
    return "; ".join(parts)


def _is_https(scope: Scope) -> bool:
    """As the client sees it: `api.http.proxy` puts what a trusted proxy says into the scope."""
    return scope.get("scheme") == "https"
