"""`/ui/login` and `/ui/logout`: a browser shows a key once, and gets a session for it."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.access.cookie import delete_cookie, has_cookie
from api.access.login import Login, LoginRefused, TooManyTries
from api.access.needs import needs, open_to_all
from api.access.sessions import session_of
from api.http.proxy import link, user_of
from api.pages.next_page import next_page
from api.pages.routes.form_body import Form, done
from api.pages.site import page

router = APIRouter(prefix="/ui", include_in_schema=False)

PATH = "/ui/login"
# A form without a key of the API: whoever reaches it must not be able to fill the places of large bodies.
MAX_LOGIN_BYTES, ARRIVAL_S = 16_384, 10.0
# Answers of this page are about one person.
UNKEPT = {"Cache-Control": "no-store"}
Next = Annotated[str | None, Query(alias="next")]


async def _login(request: Request) -> Login:
    login: Login = request.app.state.access.login
    return login


Logins = Annotated[Login, Depends(_login)]


@router.get("/login", dependencies=[open_to_all()])
async def ask(request: Request, login: Logins, asked: Next = None) -> Response:
    """The form. A browser that is logged in, and everyone under open access, goes on to the page at once."""
    to = next_page(asked)
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        # A link on another site led here, so the browser has kept back a cookie that is SameSite=Strict. It sends the
        # cookie when a page of ours asks.
        return page(request, "access/onward.html", headers=UNKEPT, to=f"{link(PATH)}?next={quote(to, safe='')}")
    if not await login.is_needed() or await login.session(request.scope) is not None:
        return RedirectResponse(link(to), 303, UNKEPT)
    return await _form(request, login, to)


@router.post("/login", dependencies=[open_to_all()])
async def open_session(values: Form, request: Request, login: Logins) -> Response:
    """Sets the cookie of a new session. What was typed is not shown again."""
    to = next_page(values.get("next"))
    if not await login.is_needed():
        return RedirectResponse(link(to), 303, UNKEPT)
    try:
        if values.get("as") == "user":
            cookie = await login.as_user(request.scope)
        else:
            cookie = await login.with_key(values.get("key", ""), request.scope)
    except LoginRefused:
        wrong = (
            "This key was not accepted. Paste the whole key, from lbk_ to its last character. A key that was revoked "
            "or has expired is not accepted either."
        )
        return await _form(request, login, to, wrong, 422)
    except TooManyTries as exc:
        seconds = max(1, round(exc.wait_s))
        wrong = f"There were too many wrong tries. Wait {seconds} s and try again."
        return await _form(request, login, to, wrong, 429, {"Retry-After": str(seconds)})
    return RedirectResponse(link(to), 303, {**UNKEPT, "Set-Cookie": cookie})


@router.post("/logout", dependencies=[needs("read", even_unsafe=True)])
async def log_out(values: Form, request: Request, login: Logins) -> Response:
    """Ends this session."""
    session = session_of(request.scope)
    if session is not None:
        await login.close(session, request.scope)
    return _logged_out(request)


@router.post("/logout/everywhere", dependencies=[needs("read", even_unsafe=True)])
async def log_out_everywhere(values: Form, request: Request, login: Logins) -> Response:
    """Ends all sessions of the key."""
    session = session_of(request.scope)
    if session is not None:
        await login.close_all(session, request.scope)
    return _logged_out(request)


def _logged_out(request: Request) -> Response:
    answer = done(PATH, "logged-out")
    answer.headers["Set-Cookie"] = delete_cookie(request.scope)
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _form(
    request: Request,
    login: Login,
    to: str,
    wrong: str | None = None,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    known = await login.key_of_user(request.scope)
    if has_cookie(request.scope):
        # Its session has ended.
        headers = {**(headers or {}), "Set-Cookie": delete_cookie(request.scope)}
    return page(
        request,
        "access/login.html",
        status_code=status_code,
        headers={**UNKEPT, **(headers or {})},
        to=to,
        wrong=wrong,
        user=user_of(request.scope),
        known=None if known is None else known.row,
    )
