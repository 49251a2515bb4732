"""HTTP methods: HEAD works wherever GET does, and a 405 names every method that the path has."""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadMiddleware:
    """Answers HEAD like GET, without the body. The innermost middleware, so that the others see the real method."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            # The answer ends with its head. The body of some, such as a stream of events, would never end.
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        # A copy, because the server reads the real method from its own. The route that was found is read from it too.
        inner = {**scope, "method": "GET"}
        # An answer that is long to make can be left out.
        inner.setdefault("state", {})["is_head"] = True
        try:
            await self._app(inner, receive, send_without_body)
        finally:
            scope.update({**inner, "method": "HEAD"})


def routes_of(routes: Iterable[BaseRoute]) -> list[Route]:
    """The routes of an application, in the order in which they are tried.

    Raises TypeError for what is no route, such as a mounted application: nothing here knows who may use it.
    """
    found = list(routes)
    for route in found:
        if not isinstance(route, Route):
            raise TypeError(f"{route!r} is no route")
    return [route for route in found if isinstance(route, Route)]


def allowed_methods(routes: Iterable[Route], path: str) -> list[str]:
    """Every method that some route has for this path. One route alone knows only its own."""
    found = {method for route in routes if route.path_regex.match(path) for method in route.methods or ()}
    if "GET" in found:
        found.add("HEAD")
    return sorted(found)
