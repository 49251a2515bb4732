"""What each route needs, found out once at the start. Default deny: a route that says nothing keeps the API from
starting, and a path that belongs to no route needs a key.
"""

from collections.abc import Iterable, Mapping

from starlette.routing import Route
from starlette.types import Scope as AsgiScope

from api.access.needs import OPEN, READ, Need, strongest
from api.http.proxy import route_path
from shared.settings import Settings

_UNSAFE = frozenset(("POST", "PUT", "PATCH", "DELETE"))
# Files of Swagger's page.
_SWAGGER = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")


class UndeclaredRoute(RuntimeError):
    """A programming error: routes that do not say what they need."""


class Requirements:
    """What the request of a scope needs, by the route that will answer it."""

    def __init__(self, routes: Iterable[Route], elsewhere: Mapping[str, Need]) -> None:
        """`routes`: in the order in which they are tried. `elsewhere`: needs of routes that libraries make, by path.

        Raises UndeclaredRoute.
        """
        self._routes: list[tuple[Route, Need]] = []
        wrong: list[str] = []
        for route in routes:
            need = elsewhere.get(route.path) or _declared(route)
            name = f"{','.join(sorted(route.methods or ()))} {route.path}"
            if need is None:
                wrong.append(f"{name}: says neither needs(...) nor open_to_all()")
            elif need.scope == "read" and not need.even_unsafe and _UNSAFE & (route.methods or set()):
                wrong.append(f"{name}: changes something, so it must say needs('run') or needs('admin') itself")
            else:
                self._routes.append((route, need))
        if wrong:
            raise UndeclaredRoute("routes without a legal declaration of who may use them:\n  " + "\n  ".join(wrong))

    def of(self, scope: AsgiScope) -> Need:
        """What this request needs: the first route of its path and method decides, as in the router."""
        path = route_path(scope)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        for route, need in self._routes:
            if method in (route.methods or ()) and route.path_regex.match(path):
                # A newline at the end of a path fits the pattern too, but no path that the API knows by its name.
                return READ if need.scope is None and path.endswith("\n") else need
        return READ


def needs_elsewhere(settings: Settings) -> dict[str, Need]:
    """Routes of FastAPI and of Swagger's page, and the one with a switch."""
    swagger = ("/docs", "/openapi.json", *(f"/swagger/{name}" for name in _SWAGGER))
    return {**dict.fromkeys(swagger, READ), "/metrics": OPEN if settings.metrics_access == "open" else READ}


def _declared(route: Route) -> Need | None:
    found = [item.dependency for item in getattr(route, "dependencies", [])]
    return strongest([need for need in found if isinstance(need, Need)])
