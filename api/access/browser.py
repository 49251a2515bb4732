"""Middleware for what browsers with a session send: changes need the token of its forms, answers are not kept."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.caller import caller_of
from api.access.csrf import WrongCsrfToken, check_headers
from api.access.sessions import session_of
from api.access.viewer import Viewer, viewed_by
from api.errors import error_response


class BrowserMiddleware:
    """Stands inside the middleware of access, which puts caller and session into the state of the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, session = Request(scope), session_of(scope)

        async def send_unkept(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["cache-control"] = "no-store"
            await send(message)

        with viewed_by(Viewer(caller_of(request), session)):
            try:
                check_headers(scope)
            except WrongCsrfToken as exc:
                await error_response(request, exc)(scope, receive, send_unkept)
                return
            await self._app(scope, receive, send if session is None else send_unkept)
