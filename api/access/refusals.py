"""Answers to requests that may not do what they ask for. They are problem documents; browsers are led to the login."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.http.errors import problem_response
from api.http.proxy import link, route_path
from api.pages.site import is_partial
from shared.access.scopes import Scope
from shared.errors import FieldError

LOGIN = "/ui/login"
_REALM = 'Bearer realm="llmbench"'
# Beside `/ui`, browsers open these.
_PAGES = ("/", "/ui", "/docs")


def no_key(request: Request) -> Response:
    """401 for a request without a key and without a session. A browser that opens a page gets the login page."""
    if _is_browser_on_a_page(request):
        where = f"{LOGIN}?next={quote(_next(request), safe='')}" if request.method == "GET" else LOGIN
        if not is_partial(request):
            return RedirectResponse(link(where), 303, {"Cache-Control": "no-store"})
        # htmx leads the whole page there.
        return _unauthorised(request, "log in again", {"HX-Redirect": link(LOGIN)})
    detail = "send an API key, as in `Authorization: Bearer lbk_...`; an admin makes one with `llmbench keys create`"
    return _unauthorised(request, detail, {"WWW-Authenticate": _REALM})


def wrong_key(request: Request, why: str) -> Response:
    """401 for a key that counts for nothing. `why` never repeats it."""
    detail = f"the API key {why}"
    return _unauthorised(request, detail, {"WWW-Authenticate": f'{_REALM}, error="invalid_token"'}, "invalid_key")


def missing_scope(request: Request, needed: Scope, has: Scope, what: str = "this") -> Response:
    """403 for a key that may do less."""
    detail = f"{what} needs a key with the scope {needed}; this one has the scope {has}"
    headers = {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{needed}"'}
    return problem_response(request, 403, "The key may not do this", detail, code="missing_scope", headers=headers)


def without_keys_only_here(request: Request) -> Response:
    """403 under open access, for a request that came in by an address that others reach."""
    detail = (
        "this API has no keys, so it answers only on this machine's loopback; "
        "make a first key with `llmbench keys bootstrap`"
    )
    return problem_response(request, 403, "There are no keys", detail, code="no_keys")


def wrong_owner(request: Request, message: str) -> Response:
    """422 for an `owner=` that means nothing here."""
    error = FieldError("owner", message, "invalid_request")
    title, detail = "The request is not valid", f"owner: {message}"
    return problem_response(request, 422, title, detail, code="invalid_request", errors=[error])


def _unauthorised(
    request: Request, detail: str, headers: dict[str, str], code: str = "authentication_required"
) -> Response:
    headers = {"Cache-Control": "no-store", **headers}
    return problem_response(request, 401, "An API key is needed", detail, code=code, headers=headers)


def _is_browser_on_a_page(request: Request) -> bool:
    path = route_path(request.scope)
    is_page = path in _PAGES or (path.startswith("/ui/") and not path.startswith("/ui/assets/"))
    return is_page and ("text/html" in request.headers.get("accept", "") or is_partial(request))


def _next(request: Request) -> str:
    """The path that was asked for, without the prefix of a proxy: the login page puts it before."""
    query = request.url.query
    return route_path(request.scope) + (f"?{query}" if query else "")
