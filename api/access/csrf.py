"""The token of a session's forms: every change that a browser asks for must have it."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from api.access.sessions import SAFE_METHODS, session_of
from api.access.viewer import CSRF_FIELD, CSRF_HEADER
from api.http.proxy import route_path
from api.pages.forms.values import MEDIA_TYPE, Values
from shared.access.session import is_csrf_token
from shared.errors import LlmBenchError

# In the state of a request: the token is not yet checked, because it is in the body. `check_form` does it.
_IN_BODY = "csrf_in_body"


class WrongCsrfToken(LlmBenchError):
    """A change without the token of the session's forms, or with that of another one."""

    code = "csrf"


def check_headers(scope: Scope) -> None:
    """Before the body is read. Raises WrongCsrfToken, but not for a form of a page, whose token is in the body."""
    session = session_of(scope)
    if session is None or scope["method"] in SAFE_METHODS:
        return
    headers = Headers(scope=scope)
    given = headers.getlist(CSRF_HEADER)
    if len(given) == 1 and is_csrf_token(given[0], session.secret):
        return
    is_form = headers.get("content-type", "").partition(";")[0].strip().lower() == MEDIA_TYPE
    if given or not is_form or not route_path(scope).startswith("/ui/"):
        raise _wrong_token(scope)
    scope["state"][_IN_BODY] = True


def check_form(request: Request, values: Values) -> Values:
    """The values without the token. Every route of a form gets them from here. Raises WrongCsrfToken."""
    session = session_of(request.scope)
    given = values.get(CSRF_FIELD, "")
    is_due = getattr(request.state, _IN_BODY, False)
    if session is not None and is_due and not is_csrf_token(given, session.secret):
        raise _wrong_token(request.scope)
    return {name: value for name, value in values.items() if name != CSRF_FIELD}


def _wrong_token(scope: Scope) -> WrongCsrfToken:
    if route_path(scope).startswith("/ui/"):
        return WrongCsrfToken("this form belongs to another login, or to none")
    return WrongCsrfToken(
        f"a change by a session needs its token in {CSRF_HEADER}; programs send an API key instead, and so does /docs "
        "after Authorize"
    )
