"""A route that does not say who may use it keeps the API from starting."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, Depends
from starlette.routing import Mount, Route

from api.access.needs import needs, open_to_all
from api.access.requirements import Requirements, UndeclaredRoute
from api.http.methods import routes_of


async def nothing() -> None:
    pass


def made(method: str, on_router: list[Any], on_route: list[Any]) -> list[Route]:
    router = APIRouter(dependencies=on_router)
    add: Callable[..., Any] = getattr(router, method)
    add("/thing/{name}", dependencies=on_route)(nothing)
    return routes_of(router.routes)


def scope_of(method: str, path: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path}


@pytest.mark.parametrize(
    ("method", "on_router", "on_route"),
    [
        ("get", [], []),
        ("get", [], [Depends(nothing)]),
        ("post", [], []),
        ("post", [needs("read")], []),
        ("put", [needs("read")], [Depends(nothing)]),
        ("patch", [], [needs("read")]),
        ("delete", [needs("read")], [needs("read")]),
    ],
)
def test_such_a_route_is_named(method: str, on_router: list[Any], on_route: list[Any]) -> None:
    with pytest.raises(UndeclaredRoute, match=f"{method.upper()} /thing/"):
        Requirements(made(method, on_router, on_route), {})


@pytest.mark.parametrize(
    ("method", "on_router", "on_route", "scope"),
    [
        ("get", [needs("read")], [], "read"),
        ("get", [open_to_all()], [], None),
        ("get", [open_to_all()], [needs("admin")], "admin"),
        ("post", [needs("read")], [needs("run")], "run"),
        ("post", [needs("run")], [needs("admin")], "admin"),
        ("post", [needs("admin")], [needs("run")], "admin"),
        ("post", [open_to_all()], [], None),
        ("post", [needs("read")], [needs("read", even_unsafe=True)], "read"),
    ],
)
def test_the_strongest_declaration_counts(
    method: str, on_router: list[Any], on_route: list[Any], scope: str | None
) -> None:
    requirements = Requirements(made(method, on_router, on_route), {})
    assert requirements.of(scope_of(method.upper(), "/thing/a")).scope == scope


def test_what_belongs_to_no_route_needs_a_key() -> None:
    requirements = Requirements(made("get", [open_to_all()], []), {})
    for method, path in (("GET", "/nothing"), ("POST", "/thing/a"), ("GET", "/thing/a/b")):
        assert requirements.of(scope_of(method, path)).scope == "read"
    assert requirements.of(scope_of("HEAD", "/thing/a")).scope is None


def test_a_prefix_of_a_proxy_is_not_part_of_the_route() -> None:
    requirements = Requirements(made("get", [needs("admin")], []), {})
    assert requirements.of({**scope_of("GET", "/bench/thing/a"), "root_path": "/bench"}).scope == "admin"


def test_what_is_no_route_keeps_it_from_starting() -> None:
    with pytest.raises(TypeError, match="is no route"):
        routes_of([Mount("/static", routes=[])])


def test_an_open_path_with_a_newline_at_its_end_needs_a_key() -> None:
    requirements = Requirements(made("get", [open_to_all()], []), {})
    assert requirements.of(scope_of("GET", "/thing/one")).scope is None
    assert requirements.of(scope_of("GET", "/thing/one\n")).scope == "read"
