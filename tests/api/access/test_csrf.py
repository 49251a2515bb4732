"""A change that a browser's session asks for needs the token of its forms: in the form, or in a header."""

from urllib.parse import urlencode

import httpx2
import pytest
from starlette.routing import Route

from api.access.sessions import SAFE_METHODS
from api.pages.all_routes import ROUTERS as PAGES
from api.routes.all_routes import ROUTERS as JSON
from shared.access.session import csrf_token, new_secret
from shared.db.connection.database import Database
from tests.api.access.browsers import Browser, make_key
from tests.api.documents import EXAMPLE
from tests.api.pages.forms_of import FORM, led_to, read
from tests.api.pages.html import Page

SAME_ORIGIN = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}


def unsafe(routers: object) -> list[tuple[str, str]]:
    """(method, path) of all routes that change something, but those of the login itself."""
    return [
        (method, route.path.replace(":int", ""))
        for router in routers  # type: ignore[attr-defined]
        for route in router.routes
        if isinstance(route, Route)
        for method in sorted(set(route.methods or ()) - set(SAFE_METHODS))
        if route.path != "/ui/login"
    ]


def filled(path: str) -> str:
    """With something for each parameter of the path."""
    parts = ["1" if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


@pytest.fixture
async def admin(api: httpx2.AsyncClient, database: Database) -> Browser:
    _, key = await make_key(database, "default", "admin")
    browser = Browser(api)
    await browser.log_in(key)
    return browser


async def test_no_form_of_a_page_works_without_the_token_of_its_session(admin: Browser) -> None:
    other = csrf_token(new_secret())
    routes = unsafe(PAGES)
    assert len(routes) > 10
    for method, path in routes:
        for values in ({}, {"csrf": ""}, {"csrf": other}, {"csrf": str(admin.cookie)}):
            answer = await admin.client.request(method, filled(path), content=urlencode(values), headers=FORM)
            assert (answer.status_code, "belongs to another login" in answer.text) == (403, True), (path, values)


async def test_no_json_request_with_the_cookie_changes_anything_without_the_token(admin: Browser) -> None:
    routes = unsafe(JSON)
    assert len(routes) > 10
    for method, path in routes:
        for headers in ({}, {"x-csrf-token": csrf_token(new_secret())}, {"content-type": FORM["content-type"]}):
            answer = await admin.client.request(method, filled(path), headers={**SAME_ORIGIN, **headers})
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf"), path


async def test_a_token_in_several_headers_is_none(admin: Browser) -> None:
    token = await admin.token()
    headers = [*SAME_ORIGIN.items(), ("x-csrf-token", token), ("x-csrf-token", token)]
    answer = await admin.client.post("/benchmarks", json=EXAMPLE, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


async def test_with_the_token_a_session_may_do_what_its_key_may(admin: Browser) -> None:
    headers = {**SAME_ORIGIN, "x-csrf-token": await admin.token()}
    answer = await admin.client.post("/benchmarks", json=EXAMPLE, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["cache-control"] == "no-store"
    cancelled = await admin.send("/ui/benchmarks/1/cancel")
    assert led_to(cancelled) == "/ui/benchmarks/1?notice=cancelled"


async def test_htmx_sends_the_token_of_the_meta_tag_as_a_header(admin: Browser) -> None:
    page = read((await admin.client.get("/ui/benchmarks/new")).text)
    (meta,) = page.all("meta", name="csrf")
    assert {item["value"] for item in page.all("input", name="csrf")} == {meta["content"]}
    headers = {**FORM, "hx-request": "true", "x-csrf-token": meta["content"]}
    answer = await admin.client.post("/ui/benchmarks/new/preview", content="model=", headers=headers)
    assert answer.status_code == 200


async def test_a_key_needs_no_token(api: httpx2.AsyncClient, key: str) -> None:
    answer = await api.post("/benchmarks", json=EXAMPLE, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 202


async def test_under_open_access_forms_work_as_they_did(api: httpx2.AsyncClient) -> None:
    await api.post("/benchmarks", json=EXAMPLE)
    assert Page((await api.get("/ui/benchmarks/1")).text).all("input", name="csrf") == []
    assert led_to(await api.post("/ui/benchmarks/1/cancel", content="", headers=FORM)).endswith("notice=cancelled")


async def test_what_a_session_sees_is_kept_nowhere(admin: Browser) -> None:
    await admin.client.post("/benchmarks", json=EXAMPLE, headers={"x-csrf-token": await admin.token()})
    paths = ("/ui/benchmarks", "/ui/benchmarks/1", "/benchmarks/1", "/benchmarks", "/benchmarks/1/export", "/ui/x")
    for path in paths:
        assert (await admin.client.get(path)).headers["cache-control"] == "no-store", path
    style = next(
        item["href"] for item in Page((await admin.client.get("/ui/benchmarks")).text).all("link", rel="stylesheet")
    )
    assert "immutable" in (await admin.client.get(style)).headers["cache-control"]
