"""Middleware for browsers with a session: pages know who looks at them, answers are not kept, changes need a token."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.csrf import WrongCsrfToken, check_headers
from api.access.sessions import session_of
from api.access.viewer import viewed_in
from api.http.errors import error_response
from api.http.proxy import route_path


class ViewerMiddleware:
    """Stands outside the middleware of access, so that the page of a refusal knows the session as well."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_unkept(message: Message) -> None:
            # Neither a proxy nor the browser keeps what a session may see: the back button shows nothing after logout.
            if message["type"] == "http.response.start" and session_of(scope) is not None and _is_private(scope):
                MutableHeaders(scope=message)["cache-control"] = "no-store"
            await send(message)

        with viewed_in(scope):
            await self._app(scope, receive, send_unkept)


class CsrfMiddleware:
    """Stands inside the middleware of access, which finds the session, and before the body is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                check_headers(scope)
            except WrongCsrfToken as exc:
                await error_response(Request(scope), exc)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_private(scope: Scope) -> bool:
    """Styles and scripts are the same for everyone."""
    return not route_path(scope).startswith("/ui/assets/")
