"""Who looks at a page: what templates show of them, and what they may do. Templates call it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from markupsafe import Markup
from starlette.requests import Request
from starlette.types import Scope as AsgiScope

from api.access.caller import caller_of
from api.access.sessions import BrowserSession, session_of
from shared.access.caller import LOCAL, Caller
from shared.access.owner import ALL_OWNERS
from shared.access.scopes import Scope

# The field of forms that has the token, and the header of requests that have no form.
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller of a page. `session`: None under open access, and for a program that sends its key."""

    caller: Caller = LOCAL
    session: BrowserSession | None = None

    @property
    def is_known(self) -> bool:
        """False on the page of the login, and on errors before anybody knows who asks."""
        return self.caller.owner != ""

    @property
    def looks_at(self) -> str | None:
        return None if self.session is None else self.session.looks_at


_scope: ContextVar[AsgiScope | None] = ContextVar("scope", default=None)


@contextmanager
def viewed_in(scope: AsgiScope) -> Iterator[None]:
    """The functions of this module answer for this request. Its state may still be filled in."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


def viewer() -> Viewer:
    """Where there is no request: everyone, as under open access."""
    scope = _scope.get()
    if scope is None:
        return Viewer()
    session = session_of(scope)
    # A session whose scope is too small was refused before it became the caller.
    return Viewer(caller_of(Request(scope)) if session is None else session.caller(scope), session)


def csrf_token() -> str:
    """Empty where no session is to be protected."""
    session = viewer().session
    return "" if session is None else session.csrf


def csrf_field() -> Markup:
    """The hidden field that every form with `method="post"` has."""
    token = csrf_token()
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, token) if token else Markup()


def may(scope: Scope, *, across: bool = False) -> bool:
    """Whether a page shows an action. `across`: it also works for the one owner that an admin looks at."""
    here = viewer()
    return here.caller.may(scope) and (here.looks_at is None or (across and here.looks_at != ALL_OWNERS))
