"""The cookie behind a proxy with a path prefix, and what is read from headers that browsers do not send."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.types import Scope

from api.access.cookie import HOST_NAME, NAME, delete_cookie, has_cookie, secret_of, set_cookie
from shared.access.session import new_secret
from shared.db.connection.database import Database
from tests.api.access.browsers import make_key
from tests.api.http.test_proxy import PREFIX, TRUSTED, behind_proxy
from tests.api.pages.forms_of import FORM, led_to

ONE, OTHER = new_secret(), new_secret()


def scope(*cookies: str, scheme: str = "http", root_path: str = "") -> Scope:
    headers = [(b"cookie", cookie.encode("latin-1")) for cookie in cookies]
    return {"type": "http", "scheme": scheme, "root_path": root_path, "headers": headers}


@pytest.mark.parametrize(
    ("scheme", "root_path", "header"),
    [
        ("http", "", f"{NAME}=x; Path=/; HttpOnly; SameSite=Strict"),
        ("http", "/llmbench", f"{NAME}=x; Path=/llmbench; HttpOnly; SameSite=Strict"),
        ("https", "", f"{HOST_NAME}=x; Path=/; HttpOnly; SameSite=Strict; Secure"),
        # A cookie of the whole host would be sent to the other programs of the host as well.
        ("https", "/llmbench", f"{NAME}=x; Path=/llmbench; HttpOnly; SameSite=Strict; Secure"),
    ],
)
def test_the_cookie_goes_nowhere_else(scheme: str, root_path: str, header: str) -> None:
    here = scope(scheme=scheme, root_path=root_path)
    assert set_cookie(here, "x") == header
    assert delete_cookie(here) == header.replace("=x;", "=;") + "; Max-Age=0"


def test_the_cookie_of_the_longest_path_counts() -> None:
    assert secret_of(scope(f"a=b; {NAME}={ONE};{NAME}={OTHER}")) == ONE
    assert secret_of(scope("a=b", f"{NAME}={ONE}")) == ONE


@pytest.mark.parametrize(
    "cookie", ["", "a=b", NAME, f"{NAME}=", f"{NAME}=short", f"x{NAME}={ONE}", f'{NAME}="{ONE}"', f"{NAME}={ONE}\xff"]
)
def test_anything_else_is_no_session(cookie: str) -> None:
    assert secret_of(scope(cookie)) is None


def test_a_cookie_that_another_host_can_set_is_not_read_where_there_is_a_safer_name() -> None:
    assert secret_of(scope(f"{NAME}={ONE}", scheme="https")) is None
    assert secret_of(scope(f"{HOST_NAME}={ONE}", scheme="https")) == ONE
    assert secret_of(scope(f"{HOST_NAME}={ONE}")) is None
    assert (has_cookie(scope(f"{NAME}=x")), has_cookie(scope(f"{NAME}=x", scheme="https"))) == (True, False)


async def test_behind_a_prefix_login_pages_and_redirects_work(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    _, key = await make_key(database)
    await database.close()
    headers = {**PREFIX, "X-Forwarded-Proto": "https", "accept": "text/html"}
    async with behind_proxy(sqlite_url, **TRUSTED) as client:
        asked = await client.get("/llmbench/ui/workers", headers=headers)
        assert led_to(asked) == "/llmbench/ui/login?next=%2Fui%2Fworkers"
        form = {**FORM, **headers, "origin": "https://127.0.0.1"}
        content = urlencode({"key": key, "next": "/ui/workers"})
        answer = await client.post("/llmbench/ui/login", content=content, headers=form)
        assert led_to(answer) == "/llmbench/ui/workers"
        cookie = answer.headers["set-cookie"]
        assert "Path=/llmbench; HttpOnly; SameSite=Strict; Secure" in cookie
        client.cookies.clear()
        page = await client.get("/llmbench/ui/workers", headers={**headers, "cookie": cookie.partition(";")[0]})
        assert page.status_code == 200
        assert 'action="/llmbench/ui/logout"' in page.text
