"""What a route needs: `dependencies=[needs("run")]` on the route or its router. A route without one fails at start.

The middleware reads these declarations and refuses a request before its body is read. As dependencies, they check the
caller once more, should the middleware ever take a request for one of another route.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from api.access.caller import CALLER
from shared.access.scopes import SCOPES, Scope


@dataclass(frozen=True, slots=True)
class Need:
    """`scope` None: the route is open to all. `across_owners`: an admin may change the rows of another owner.

    `even_unsafe`: the method is one of those that change things, and a smaller scope than `run` is enough.
    """

    scope: Scope | None
    across_owners: bool = False
    even_unsafe: bool = False

    async def __call__(self, request: Request) -> None:
        caller = getattr(request.state, CALLER, None)
        if self.scope is not None and (caller is None or not caller.may(self.scope)):
            raise HTTPException(403, f"this needs the scope {self.scope}")


OPEN = Need(None, even_unsafe=True)
READ = Need("read")


def needs(scope: Scope, *, across_owners: bool = False, even_unsafe: bool = False) -> Any:
    """The caller must have this scope. `across_owners`: `?owner=` of an admin counts although the method changes
    something. `even_unsafe`: for changes of the caller's own session, which everybody may end.
    """
    return Depends(Need(scope, across_owners, even_unsafe))


def open_to_all() -> Any:
    """No key is needed, not even a database."""
    return Depends(OPEN)


def strongest(found: list[Need]) -> Need | None:
    """What a route needs whose router and own declaration are these. None without any."""
    if not found:
        return None
    scopes = [SCOPES.index(need.scope) for need in found if need.scope is not None]
    return Need(
        SCOPES[max(scopes)] if scopes else None,
        any(need.across_owners for need in found),
        any(need.even_unsafe for need in found),
    )
