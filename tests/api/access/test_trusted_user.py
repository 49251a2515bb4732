"""A proxy in front that logs people in, such as oauth2-proxy: its header counts only from a listed address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from starlette.types import ASGIApp

from api.access.cookie import NAME
from api.main import create_app
from shared.access.session import hash_of
from shared.access.trusted_users import TrustedUsers
from shared.db.connection.database import Database
from shared.db.tables.access import AuditEntry
from shared.db.tables.types import utc_now
from shared.network.ssrf import networks
from tests.api.access.browsers import cookie_in, make_key
from tests.api.conftest import KEYS, SIMULATOR
from tests.api.pages.forms_of import FORM, led_to, read
from tests.shared.db.access_rows import change_key
from tests.support.programs.ports import free_port
from tests.support.service import make_settings

HEADER = "x-forwarded-email"
PROXY, STRANGER = "10.0.0.7", "192.0.2.1"
LOGIN = "/ui/login"
HTML = {"accept": "text/html"}


class From:
    """Lets requests come from an address."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.address = PROXY
        self.seen: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["client"] = (self.address, 4_000)
        self.seen = scope
        await self.app(scope, receive, send)


@asynccontextmanager
async def behind(sqlite_url: str, users: dict[str, str]) -> AsyncIterator[tuple[httpx2.AsyncClient, From]]:
    settings = make_settings(
        sqlite_url,
        f"redis://127.0.0.1:{free_port()}/0",
        SIMULATOR,
        trusted_proxies=networks("10.0.0.0/8"),
        trusted_user_header="X-Forwarded-Email",
        trusted_users=TrustedUsers(users),
    )
    app = create_app(settings, KEYS)
    front = From(app)
    transport = httpx2.ASGITransport(app=front, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=HTML) as client,
    ):
        yield client, front


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    database = Database(sqlite_url)
    yield database
    await database.close()


async def as_user(client: httpx2.AsyncClient, user: str) -> httpx2.Response:
    content = urlencode({"as": "user", "next": "/ui/workers"})
    return await client.post(LOGIN, content=content, headers={**FORM, HEADER: user})


async def test_a_person_whom_the_proxy_names_goes_on_without_a_key(sqlite_url: str, database: Database) -> None:
    key_id, _ = await make_key(database, "acme", "run", "Everyone at Acme")
    async with behind(sqlite_url, {"*@acme.example": key_id}) as (client, _):
        form = read((await client.get(LOGIN, headers={HEADER: "alice@acme.example"})).text)
        assert "You are alice@acme.example. Go on as acme" in form.text
        answer = await as_user(client, "alice@acme.example")
        assert led_to(answer) == "/ui/workers"
        page = await client.get("/ui/workers", headers={HEADER: "alice@acme.example"})
        assert "acme Everyone at Acme run" in read(page.text).text
    async with database.read() as session:
        entry = await session.get_one(AuditEntry, 2)
    assert (entry.action, entry.key_id) == ("session.opened", key_id)
    assert entry.details == {"key_name": "Everyone at Acme", "user": "alice@acme.example"}


async def test_the_header_of_an_address_that_is_not_listed_is_ignored_and_dropped(
    sqlite_url: str, database: Database
) -> None:
    key_id, _ = await make_key(database, "acme", "admin")
    async with behind(sqlite_url, {"*": key_id}) as (client, front):
        front.address = STRANGER
        # A client can claim to come by a proxy, but not to be one.
        spoofed = {HEADER: "alice@acme.example", "x-forwarded-for": PROXY, "forwarded": f"for={PROXY}"}
        form = await client.get(LOGIN, headers=spoofed)
        assert "alice" not in form.text
        assert HEADER.encode() not in dict(front.seen["headers"])
        content = urlencode({"as": "user"})
        answer = await client.post(LOGIN, content=content, headers={**FORM, **spoofed})
        assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)
        assert (await client.get("/benchmarks", headers=spoofed)).status_code == 401


async def test_the_header_alone_is_no_login(sqlite_url: str, database: Database) -> None:
    key_id, _ = await make_key(database, "acme", "admin")
    async with behind(sqlite_url, {"*": key_id}) as (client, _):
        named = {HEADER: "alice@acme.example"}
        assert led_to(await client.get("/ui/workers", headers=named)) == "/ui/login?next=%2Fui%2Fworkers"
        assert (await client.get("/benchmarks", headers=named)).status_code == 401
        assert (await client.post("/benchmarks", json={}, headers=named)).status_code == 401


async def test_a_session_belongs_to_the_person_whom_the_proxy_named(sqlite_url: str, database: Database) -> None:
    key_id, _ = await make_key(database, "acme", "run")
    async with behind(sqlite_url, {"*": key_id}) as (client, front):
        cookie = {"cookie": f"{NAME}={cookie_in(await as_user(client, 'alice@acme.example'))}"}
        client.cookies.clear()

        async def status(**headers: str) -> int:
            return (await client.get("/ui/workers", headers={**cookie, **headers})).status_code

        assert await status(**{HEADER: "alice@acme.example"}) == 200
        # Somebody else logged in at the proxy, with the same browser.
        assert await status(**{HEADER: "bob@acme.example"}) == 303
        assert await status() == 303
        front.address = STRANGER
        assert await status(**{HEADER: "alice@acme.example"}) == 303


async def test_who_has_no_usable_key_is_asked_for_one(sqlite_url: str, database: Database) -> None:
    key_id, key = await make_key(database, "acme", "run")
    async with behind(sqlite_url, {"alice@acme.example": key_id}) as (client, _):
        form = read((await client.get(LOGIN, headers={HEADER: "bob@acme.example"})).text)
        assert "Your login as bob@acme.example has no key here" in form.text
        assert (await as_user(client, "bob@acme.example")).status_code == 422
        assert (await as_user(client, "")).status_code == 422
        # A key works for everyone.
        content = urlencode({"key": key})
        answer = await client.post(LOGIN, content=content, headers={**FORM, HEADER: "bob@acme.example"})
        assert led_to(answer) == "/ui/benchmarks"
        cookie = cookie_in(answer)
        client.cookies.clear()
        await change_key(database, key_id, revoked_at=utc_now())
        assert (await as_user(client, "alice@acme.example")).status_code == 422
        headers = {"cookie": f"{NAME}={cookie}", HEADER: "bob@acme.example"}
        assert led_to(await client.get("/ui/workers", headers=headers)).startswith(LOGIN)
    assert hash_of(cookie) != hash_of(cookie, "bob@acme.example")


NOBODY = {"two": ["alice@acme.example", "root@acme.example"], "bytes": ["\xff"], "long": ["x" * 201], "blank": [" "]}


@pytest.mark.parametrize("values", NOBODY.values(), ids=NOBODY.keys())
async def test_a_header_that_names_nobody_for_sure_counts_for_nothing(
    sqlite_url: str, database: Database, values: list[str]
) -> None:
    key_id, _ = await make_key(database, "acme", "run")
    async with behind(sqlite_url, {"*": key_id}) as (client, _):
        headers = [(HEADER, value.encode("latin-1")) for value in values]
        form = await client.get(LOGIN, headers=headers)
        assert "Go on as" not in form.text


async def test_the_address_behind_the_proxy_is_slowed_down_and_not_the_proxy(
    sqlite_url: str, database: Database
) -> None:
    _, key = await make_key(database)
    async with behind(sqlite_url, {}) as (client, _):

        async def tried(text: str, forwarded: str) -> int:
            headers = {**FORM, "x-forwarded-for": forwarded}
            return (await client.post(LOGIN, content=urlencode({"key": text}), headers=headers)).status_code

        # What the client itself said stands before what the proxies added, and changes nothing.
        wrong = [await tried("lbk_wrong", f"203.0.113.{number}, 198.51.100.1, 10.0.0.9") for number in range(6)]
        assert wrong == [422] * 5 + [429]
        assert await tried(key, "198.51.100.2, 10.0.0.9") == 303


@pytest.mark.parametrize("written", ["198.51.100.7:{}", "[2001:db8::7]:{}"])
async def test_the_port_of_a_client_makes_it_no_other_one(sqlite_url: str, database: Database, written: str) -> None:
    await make_key(database)
    async with behind(sqlite_url, {}) as (client, _):
        content = urlencode({"key": "lbk_wrong"})
        answers = [
            await client.post(LOGIN, content=content, headers={**FORM, "x-forwarded-for": written.format(port)})
            for port in range(50_000, 50_006)
        ]
        assert [answer.status_code for answer in answers] == [422] * 5 + [429]
