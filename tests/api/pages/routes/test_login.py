"""Logging in and out of the pages, on both databases."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

import httpx2
import pytest
from sqlalchemy import select

from api.access.cookie import HOST_NAME, NAME
from api.access.throttle import FREE_TRIES
from shared.access.api_key import ApiKeyText, make
from shared.access.session import hash_of
from shared.db.connection.database import Database
from shared.db.tables.access import AuditEntry, Session
from shared.db.tables.types import utc_now
from tests.api.access.browsers import Browser, cookie_in, make_key
from tests.api.pages.forms_of import FORM, led_to, read, send
from tests.shared.db.access_rows import age_session, change_key

LOGIN = "/ui/login"


async def audited(database: Database) -> list[tuple[str, str | None, dict[str, object]]]:
    async with database.read() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    return [(entry.action, entry.key_id, entry.details) for entry in entries if entry.action != "key.created"]


async def test_a_page_asks_for_a_login_and_the_login_leads_back_to_it(
    api: httpx2.AsyncClient, database: Database, key: str
) -> None:
    browser = Browser(api)
    asked = await api.get("/ui/benchmarks?status=failed&name=a%26b")
    where = led_to(asked)
    assert where == "/ui/login?next=%2Fui%2Fbenchmarks%3Fstatus%3Dfailed%26name%3Da%2526b"
    form = read((await api.get(where)).text)
    (to,) = [item["value"] for item in form.all("input", name="next")]
    assert to == "/ui/benchmarks?status=failed&name=a%26b"
    assert form.all("nav", aria_label="Pages") == []
    assert form.all("input", name="key")[0]["type"] == "password"
    assert await browser.log_in(f"  {key}\n", to) == to
    page = read((await api.get(to)).text)
    assert "acme CI run" in page.text
    assert [item.get("action") for item in page.all("form")].count("/ui/logout") == 1


async def test_the_cookie_is_kept_from_scripts_and_from_other_sites(
    api: httpx2.AsyncClient, database: Database, key: str
) -> None:
    answer = await send(api, LOGIN, {"key": key})
    assert answer.headers["cache-control"] == "no-store"
    name, _, rest = answer.headers["set-cookie"].partition("=")
    value, *attributes = rest.split("; ")
    assert (name, attributes) == (NAME, ["Path=/", "HttpOnly", "SameSite=Strict"])
    async with database.read() as session:
        (row,) = (await session.scalars(select(Session))).all()
    assert row.hash == hash_of(value)
    assert key not in answer.text


async def test_the_key_is_nowhere_but_in_the_form_that_was_sent(
    api: httpx2.AsyncClient, database: Database, key: str
) -> None:
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    for given in (key, wrong):
        answer = await send(api, LOGIN, {"key": given, "next": f"/ui/{given}"})
        assert given not in answer.text.replace(f'value="/ui/{given}"', "")
    browser = Browser(api)
    await browser.log_in(key)
    for path in ("/ui/benchmarks", "/ui/account", LOGIN):
        assert key not in (await api.get(path)).text


async def wrong_key(database: Database, kind: str) -> str:
    key_id, key = await make_key(database)
    if kind == "revoked":
        await change_key(database, key_id, revoked_at=utc_now())
    elif kind == "expired":
        await change_key(database, key_id, expires_at=utc_now(-1))
    other = {
        "nothing": "",
        "no key": "hello",
        "hostile": "<script>alert(1)</script>",
        "unknown": make().text,
        "wrong secret": ApiKeyText(key_id, make().secret).text,
        "wrong checksum": key[:-1] + ("0" if key[-1] != "0" else "1"),
        "too long": key * 200,
    }
    return other.get(kind, key)


KINDS = ["nothing", "no key", "hostile", "unknown", "wrong secret", "wrong checksum", "too long", "revoked", "expired"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_key_is_refused_in_the_same_words_whatever_is_wrong(
    sqlite_api: httpx2.AsyncClient, sqlite_url: str, kind: str
) -> None:
    database = Database(sqlite_url)
    given = await wrong_key(database, kind)
    answer = await send(sqlite_api, LOGIN, {"key": given, "next": "/ui/workers"})
    await database.close()
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers
    page = read(answer.text)
    words = page.text.partition("API key ")[2].partition(" An admin makes one")[0]
    assert words == (
        "This key was not accepted. Paste the whole key, from lbk_ to its last character. "
        "A key that was revoked or has expired is not accepted either."
    )
    assert page.all("input", name="key")[0].get("value", "") == ""
    assert page.all("input", name="next")[0]["value"] == "/ui/workers"


async def test_a_refused_key_that_exists_is_in_the_audit_log(api: httpx2.AsyncClient, database: Database) -> None:
    for kind in ("revoked", "expired", "unknown", "wrong secret"):
        await send(api, LOGIN, {"key": await wrong_key(database, kind)})
    entries = await audited(database)
    assert [(action, details) for action, _, details in entries] == [
        ("login.refused", {"reason": "revoked"}),
        ("login.refused", {"reason": "expired"}),
    ]


async def test_many_wrong_tries_are_slowed_down_and_the_right_key_waits_too(api: httpx2.AsyncClient, key: str) -> None:
    for _ in range(FREE_TRIES):
        assert (await send(api, LOGIN, {"key": "lbk_wrong"})).status_code == 422
    answer = await send(api, LOGIN, {"key": key})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert "too many wrong tries" in read(answer.text).text


async def test_each_login_has_a_cookie_of_its_own_and_ends_the_one_before(api: httpx2.AsyncClient, key: str) -> None:
    browser = Browser(api)
    planted = "A" * 43
    browser.use(planted)
    first = cookie_in(await send(api, LOGIN, {"key": key}))
    browser.use(first)
    second = cookie_in(await send(api, LOGIN, {"key": key}))
    assert len({planted, first, second}) == 3
    assert [await browser.status(cookie) for cookie in (planted, first, second)] == [303, 303, 200]


@pytest.mark.parametrize(
    "asked",
    [
        "https://evil.example/",
        "//evil.example/ui/",
        "/\\evil.example/ui/",
        "/ui/../../x",
        "/ui//evil.example",
        "/ui/%2e%2e/x",
        "/ui/\x00",
        "/ui/a\r\nSet-Cookie: x=y",
        "javascript:alert(1)",
        "/benchmarks/1/export",
        "/ui/login?next=/ui/login",
        "/ui/logout",
        "ui/benchmarks",
        "http:/ui/x",
        "/ui/" + "x" * 3_000,
        "",
    ],
)
async def test_a_login_leads_nowhere_else(empty_api: httpx2.AsyncClient, asked: str) -> None:
    # Under open access everyone goes on at once.
    answer = await send(empty_api, LOGIN, {"next": asked})
    assert led_to(answer) == "/ui/benchmarks"
    answer = await empty_api.get(LOGIN, params={"next": asked})
    assert led_to(answer) == "/ui/benchmarks"


@pytest.mark.parametrize("asked", ["/ui/compare?ids=1,2", "/docs", "/ui/benchmarks/12/curve?slo=30"])
async def test_a_login_leads_to_the_page_that_was_asked_for(empty_api: httpx2.AsyncClient, asked: str) -> None:
    assert led_to(await empty_api.get(LOGIN, params={"next": asked})) == asked


async def test_logout_ends_the_session_and_takes_the_cookie_away(browser: Browser, database: Database) -> None:
    cookie = browser.cookie
    answer = await browser.send("/ui/logout")
    assert led_to(answer) == "/ui/login?notice=logged-out"
    assert answer.headers["set-cookie"] == f"{NAME}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
    assert browser.cookie is None
    page = read((await browser.client.get(led_to(answer))).text)
    assert "You are logged out." in page.text
    again = await browser.client.get("/ui/benchmarks", headers={"cookie": f"{NAME}={cookie}"})
    assert led_to(again).startswith(LOGIN)
    assert [entry[0] for entry in await audited(database)] == ["session.opened", "session.closed"]


async def test_logout_everywhere_ends_the_sessions_of_the_key_and_no_others(
    browser: Browser, database: Database, key: str
) -> None:
    mine, (_, other_key) = str(browser.cookie), await make_key(database, name="Other")
    browser.use(None)
    same = cookie_in(await send(browser.client, LOGIN, {"key": key}))
    browser.use(None)
    other = cookie_in(await send(browser.client, LOGIN, {"key": other_key}))
    assert [await browser.status(cookie) for cookie in (mine, same, other)] == [200, 200, 200]
    browser.use(mine)
    await browser.send("/ui/logout/everywhere")
    assert [await browser.status(cookie) for cookie in (mine, same, other)] == [303, 303, 200]


async def test_a_revoked_key_ends_its_sessions_at_once(browser: Browser, database: Database) -> None:
    assert (await browser.client.get("/ui/benchmarks")).status_code == 200
    async with database.read() as session:
        (row,) = (await session.scalars(select(Session))).all()
    await change_key(database, row.key_id, revoked_at=utc_now())
    assert (await browser.client.get("/ui/benchmarks")).status_code == 303
    assert (await browser.client.get("/benchmarks")).status_code == 401


async def test_an_ended_session_leads_to_the_login_and_the_whole_page_of_htmx_too(
    browser: Browser, database: Database
) -> None:
    await age_session(database, hash_of(str(browser.cookie)), timedelta(hours=12))
    assert led_to(await browser.client.get("/ui/workers")) == "/ui/login?next=%2Fui%2Fworkers"
    part = await browser.client.get("/ui/benchmarks", headers={"hx-request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/ui/login")
    # The cookie is worth nothing any more, so the browser may forget it.
    form = await browser.client.get(LOGIN)
    assert "Max-Age=0" in form.headers["set-cookie"]


async def test_a_page_that_updates_itself_does_not_prolong_the_login(browser: Browser, database: Database) -> None:
    hashed = hash_of(str(browser.cookie))
    await age_session(database, hashed, timedelta(hours=1))

    async def expires_at() -> datetime:
        async with database.read() as session:
            return (await session.get_one(Session, hashed)).expires_at

    before = await expires_at()
    news = await browser.client.get("/ui/benchmarks/live?newest=1", headers={"hx-request": "true"})
    assert news.status_code < 300
    assert await expires_at() == before
    await browser.client.get("/ui/benchmarks")
    assert await expires_at() > before


async def test_a_link_of_another_site_is_followed_by_a_page_of_ours(browser: Browser) -> None:
    # The browser keeps a cookie with SameSite=Strict back, and says that another site led here.
    cookie, client = browser.cookie, browser.client
    browser.use(None)
    answer = await client.get(LOGIN, params={"next": "/ui/workers"}, headers={"sec-fetch-site": "cross-site"})
    (refresh,) = read(answer.text).all("meta", http_equiv="refresh")
    assert refresh["content"] == "0; url=/ui/login?next=%2Fui%2Fworkers"
    browser.use(cookie)
    onward = await client.get(refresh["content"].partition("url=")[2], headers={"sec-fetch-site": "same-origin"})
    assert led_to(onward) == "/ui/workers"


async def test_the_login_of_another_site_is_refused(api: httpx2.AsyncClient, key: str) -> None:
    answer = await send(api, LOGIN, {"key": key}, origin="https://evil.example", **{"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_over_https_the_cookie_is_bound_to_the_host(api: httpx2.AsyncClient, key: str) -> None:
    secure = {"origin": "https://localhost"}
    answer = await api.post("https://localhost/ui/login", content=urlencode({"key": key}), headers={**FORM, **secure})
    assert led_to(answer) == "/ui/benchmarks"
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert (name, rest.split("; ")[1:]) == (HOST_NAME, ["Path=/", "HttpOnly", "SameSite=Strict", "Secure"])
    value = rest.partition(";")[0]
    api.cookies.clear()
    for url, sent, status in (
        ("https://localhost", HOST_NAME, 200),
        # A cookie that another host may have set counts for nothing.
        ("https://localhost", NAME, 303),
        ("http://localhost", HOST_NAME, 303),
    ):
        got = await api.get(f"{url}/ui/benchmarks", headers={"cookie": f"{sent}={value}", "accept": "text/html"})
        assert got.status_code == status


async def test_without_keys_there_is_no_login_and_no_logout(empty_api: httpx2.AsyncClient) -> None:
    page = read((await empty_api.get("/ui/benchmarks")).text)
    assert "/ui/logout" not in [item.get("action") for item in page.all("form")]
    assert page.all("meta", name="csrf") == page.all("input", name="csrf") == []
    assert led_to(await empty_api.get("/ui/account")) == "/ui/benchmarks"


@pytest.mark.parametrize("path", [LOGIN, f"{LOGIN}%0A"])
async def test_who_has_no_key_sends_no_large_body(api: httpx2.AsyncClient, key: str, path: str) -> None:
    """Large bodies have few places for all requests together."""
    answer = await api.post(path, content=b"key=" + b"x" * 20_000, headers=FORM)
    assert answer.status_code == (413 if path == LOGIN else 401), answer.text
