"""The frame of every page: layout, headers, theme, links behind a proxy, and what no page may contain."""

import re

import httpx2
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from api.pages.all_routes import ROUTERS
from api.pages.site import environment
from shared.db.connection.database import Database
from tests.api.conftest import KEYS, SIMULATOR
from tests.api.documents import problem, submit
from tests.api.http.test_proxy import PREFIX, TRUSTED, behind_proxy
from tests.api.pages.html import Page, forbidden
from tests.support.service import make_settings, running_api

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HOSTILE = "<img src=x onerror=alert(1)>"


async def test_browsers_are_led_from_the_root_to_the_list(sqlite_api: httpx2.AsyncClient) -> None:
    for path in ("/", "/ui", "/ui/"):
        answer = await sqlite_api.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/ui/benchmarks")


async def test_pages_allow_nothing_inline(sqlite_api: httpx2.AsyncClient) -> None:
    answer = await sqlite_api.get("/ui/nothing")
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["x-content-type-options"] == "nosniff"
    # Otherwise browsers would send `Origin: null` with forms, which the guard refuses.
    assert answer.headers["referrer-policy"] == "same-origin"
    assert forbidden(answer.text) == []


async def test_an_error_is_a_page_in_the_same_layout_that_says_what_to_do(sqlite_api: httpx2.AsyncClient) -> None:
    answer = await sqlite_api.get("/ui/nothing")
    page = Page(answer.text)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is nothing at this path. It may have been deleted." in page.text
    assert answer.headers["x-request-id"] in page.text
    assert page.all("a", href="/ui/benchmarks")


async def test_an_error_of_a_part_is_a_message_in_the_place_of_messages(sqlite_api: httpx2.AsyncClient) -> None:
    answer = await sqlite_api.get("/ui/nothing", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert (answer.status_code, answer.headers["hx-retarget"]) == (404, "#messages")
    assert answer.text.startswith("<p ")
    assert "There is nothing at this path." in answer.text


async def test_a_refused_host_name_is_a_page_too(sqlite_api: httpx2.AsyncClient) -> None:
    answer = await sqlite_api.get("/ui/benchmarks", headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert "ALLOWED_HOSTS" in Page(answer.text).text


async def test_what_nobody_expected_is_a_page_too_with_links_below_the_prefix(sqlite_url: str) -> None:
    """Its handler runs outside of the middleware that knows the prefix and adds the headers."""
    settings = make_settings(sqlite_url, "redis://127.0.0.1:9/0", SIMULATOR, root_path="/llmbench")
    database = Database(sqlite_url)
    async with running_api(settings, KEYS) as client:
        await submit(client)
        async with database.write() as session:
            # A row that no version of this service wrote.
            await session.execute(text("UPDATE benchmarks SET summary = '{}'"))
        answer = await client.get("/ui/benchmarks", headers={"x-request-id": "find-me"})
    await database.close()
    page = Page(answer.text)
    assert (answer.status_code, answer.headers["content-security-policy"]) == (500, CSP)
    assert "find-me" in page.text
    assert page.all("a", href="/llmbench/ui/benchmarks")
    assert "KeyError" not in answer.text


async def test_errors_of_the_api_and_of_assets_stay_documents(sqlite_api: httpx2.AsyncClient) -> None:
    for path in ("/nothing", "/benchmarks/7", "/ui/assets/0/nothing.css"):
        problem(await sqlite_api.get(path), 404)


async def test_links_of_a_page_begin_with_the_prefix_of_the_proxy(sqlite_url: str) -> None:
    async with behind_proxy(sqlite_url, **TRUSTED) as client:
        assert (await client.get("/", headers=PREFIX)).headers["location"] == "/llmbench/ui/benchmarks"
        page = Page((await client.get("/ui/nothing", headers=PREFIX)).text)
    local = [
        attributes[name] for _, attributes in page.elements for name in ("href", "src", "action") if name in attributes
    ]
    assert local
    assert {url for url in local if not url.startswith(("/llmbench/", "#"))} == set()


@pytest.mark.parametrize(
    ("query", "theme"), [("", None), ("?theme=dark", "dark"), ("?theme=light", "light"), ("?theme=x", None)]
)
async def test_the_url_may_choose_the_theme(sqlite_api: httpx2.AsyncClient, query: str, theme: str | None) -> None:
    (root,) = Page((await sqlite_api.get(f"/ui/nothing{query}")).text).all("html")
    assert root.get("data-theme") == theme


def test_templates_refuse_unknown_names_and_escape_values() -> None:
    template = environment().from_string("{{ value }}")
    assert template.render(value="<img onerror=alert(1)>") == "&lt;img onerror=alert(1)&gt;"
    with pytest.raises(Exception, match="is undefined"):
        template.render()


# The report is a file of its own: its styles are in it, and its CSP says so.
# `/live` may be a stream without an end.
NOT_PAGES = re.compile(r"/ui/report|/ui/assets/|.*/live$")


async def test_no_page_contains_what_its_csp_refuses(sqlite_api: httpx2.AsyncClient) -> None:
    """Every page that there is, of benchmarks with hostile names."""
    for _ in range(2):
        await submit(sqlite_api, name=HOSTILE, metadata={HOSTILE: HOSTILE}, prompts=[HOSTILE], system=HOSTILE)
    paths = {
        re.sub(r"\{benchmark_id(:int)?\}", "1", route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" in route.methods and not NOT_PAGES.match(route.path)
    }
    shown = 0
    for path in sorted(paths):
        query = "?ids=1,2" if path == "/ui/compare" else ""
        async with sqlite_api.stream("GET", path + query) as answer:
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            await answer.aread()
        assert forbidden(answer.text) == [], path
        assert answer.headers["content-security-policy"] == CSP, path
        assert HOSTILE not in answer.text, path
        shown += answer.status_code == 200
    assert shown >= 3
