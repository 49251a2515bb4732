"""The page of keys, for admins: list, make, revoke. On both databases."""

import re
from datetime import timedelta

import httpx2
import pytest

from shared.access.api_key import Hasher, parse
from shared.access.caller import Caller
from shared.clock import wall_now
from shared.db.access.keys import KeyRepository, NewKey
from shared.db.connection.database import Database
from shared.db.tables.access import ApiKey
from tests.api.access.browsers import Browser, make_key
from tests.api.pages.forms_of import led_to, read, seen, send

KEYS = "/ui/keys"
HOSTILE = "<script>alert(1)</script> \u202egnp.exe"
WHOLE = {"name": "nightly", "owner": "beta", "scope": "run", "expires": "30"}


@pytest.fixture
async def admin(api: httpx2.AsyncClient, database: Database) -> Browser:
    _, key = await make_key(database, "default", "admin", "Ops")
    browser = Browser(api)
    await browser.log_in(key)
    return browser


async def stored(database: Database, key_id: str) -> ApiKey:
    async with database.read() as session:
        return await session.get_one(ApiKey, key_id)


def shown_key(markup: str) -> str:
    (text,) = [item for item in read(markup).texts if item.startswith("lbk_")]
    return text


async def test_a_new_key_is_shown_once_and_works(admin: Browser, database: Database) -> None:
    answer = await admin.send(KEYS, {**WHOLE, "requests_per_minute": "5", "concurrent_requests": ""})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    text = shown_key(answer.text)
    row = await stored(database, parse(text).id)
    assert (row.owner, row.name, row.scope, row.requests_per_minute, row.concurrent_requests) == (
        *("beta", "nightly", "run"),
        *(5, None),
    )
    assert row.expires_at is not None
    assert abs(row.expires_at - wall_now() - timedelta(days=30)) < timedelta(minutes=1)
    page = await seen(admin.client, f"{KEYS}?owner=beta")
    assert text not in page.text
    assert f"beta nightly {row.id} run ● usable" in page.text
    assert "5 a minute" in page.text
    whoami = await admin.client.get("/whoami", headers={"authorization": f"Bearer {text}", "cookie": ""})
    assert whoami.json()["owner"] == "beta"


async def test_a_key_of_a_missing_secret_key_is_unknown(admin: Browser, database: Database) -> None:
    elsewhere = KeyRepository(Caller("default", "admin"), database, Hasher(["e" * 32]))
    row, _ = await elsewhere.create(NewKey("default", "elsewhere", "run"))
    page = await seen(admin.client, KEYS)
    assert f"default elsewhere {row.id} run ✕ unknown its SECRET_KEY is not set here" in page.text
    answer = await admin.client.get("/keys")
    assert {item["name"]: item["state"] for item in answer.json()["items"]} == {"Ops": "usable", "elsewhere": "unknown"}


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"name": ""}, "name", "Must not be empty."),
        ({"name": "x" * 101}, "name", "Must have at most 100 characters."),
        ({"owner": "No Owner"}, "owner", "Must begin with a small letter or a digit"),
        ({"owner": ""}, "owner", "Must begin with a small letter or a digit"),
        ({"owner": "*"}, "owner", "Must begin with a small letter or a digit"),
        ({"scope": "root"}, "scope", "'read', 'run' or 'admin'"),
        ({"requests_per_minute": "many"}, "requests_per_minute", "Must be an integer."),
        ({"requests_per_minute": "0"}, "requests_per_minute", "greater than or equal to 1"),
        ({"expires": "36500"}, "expires", "Is none of the choices."),
    ],
)
async def test_errors_stand_beside_their_fields_and_nothing_is_made(
    admin: Browser, changes: dict[str, str], field: str, message: str
) -> None:
    answer = await admin.send(KEYS, {**WHOLE, **changes})
    assert answer.status_code == 422
    page = read(answer.text)
    (error,) = page.all("p", class_="error")
    assert error["id"] == f"e-{field}"
    assert message.lower() in page.text.lower()
    if field in ("name", "owner", "requests_per_minute"):
        (control,) = page.all("input", name=field)
        assert (control["value"], control["aria-invalid"]) == (changes[field], "true")
    assert len((await admin.client.get("/keys?owner=*")).json()["items"]) == 1


async def test_a_hostile_name_is_text(admin: Browser, database: Database) -> None:
    await make_key(database, "beta", name=HOSTILE)
    assert HOSTILE in (await seen(admin.client, f"{KEYS}?owner=*")).text


async def test_a_key_is_revoked_only_after_a_question(admin: Browser, database: Database) -> None:
    key_id, text = await make_key(database, "beta", name="old CI")
    question = await seen(admin.client, f"{KEYS}/{key_id}/revoke")
    assert "old CI" in question.text
    assert "every browser that logged in with it" in question.text
    asked = await admin.send(f"{KEYS}/{key_id}/revoke")
    assert asked.status_code == 200
    assert (await stored(database, key_id)).revoked_at is None
    assert led_to(await admin.send(f"{KEYS}/{key_id}/revoke", {"confirmed": "yes"})) == f"{KEYS}?notice=key-revoked"
    page = await seen(admin.client, f"{KEYS}?notice=key-revoked&owner=beta")
    assert "The key was revoked." in page.text
    assert "✕ revoked" in page.text
    answer = await admin.client.get("/benchmarks", headers={"authorization": f"Bearer {text}", "cookie": ""})
    assert answer.status_code == 401
    assert "It was revoked" in (await seen(admin.client, f"{KEYS}/{key_id}/revoke")).text
    await seen(admin.client, f"{KEYS}/zzzzzzzz/revoke", 404)


async def test_revoking_the_own_key_says_so_and_logs_out(admin: Browser, database: Database) -> None:
    (own,) = (await admin.client.get("/keys")).json()["items"]
    path = f"{KEYS}/{own['id']}/revoke"
    assert "Revoking it logs you out." in (await seen(admin.client, path)).text
    answer = await admin.send(path, {"confirmed": "yes"})
    assert led_to(await admin.client.get(led_to(answer))).startswith("/ui/login")


async def test_keys_of_one_owner_and_in_pages(
    admin: Browser, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.pages.routes.keys.KEYS_A_PAGE", 2)
    for number in range(3):
        await make_key(database, "beta", name=f"b{number}")
    page = await seen(admin.client, f"{KEYS}?owner=beta")
    assert len(page.all("tr", data_row="")) == 2
    (link,) = page.all("a", rel="next")
    assert "owner=beta" in link["href"]
    last = await seen(admin.client, link["href"])
    assert len(last.all("tr", data_row="")) == 1
    assert last.all("a", rel="next") == []
    assert last.all("a", rel="prev")[0]["href"] == f"{KEYS}?owner=beta"


@pytest.mark.parametrize(
    ("looks_at", "query", "shown"),
    [
        ("", "", ["Ops"]),
        ("", "?owner=", ["Ops"]),
        ("", "?owner=beta", ["of beta"]),
        ("", "?owner=*", ["of acme", "of beta", "Ops"]),
        ("acme", "", ["of acme"]),
        ("acme", "?owner=default", ["Ops"]),
        ("*", "", ["of acme", "of beta", "Ops"]),
        ("*", "?owner=beta", ["of beta"]),
        ("", "?owner=nobody", []),
    ],
)
async def test_keys_of_other_owners_are_shown_by_asking(
    admin: Browser, database: Database, looks_at: str, query: str, shown: list[str]
) -> None:
    for owner in ("acme", "beta"):
        await make_key(database, owner, name=f"of {owner}")
    await admin.send("/ui/account/owner", {"owner": looks_at})
    page = await seen(admin.client, KEYS + query)
    labels = [link["aria-label"] for link in page.all("a") if "aria-label" in link]
    assert labels == [f"Revoke {name}" for name in shown]
    # The second one is the lifetime of a new key.
    chosen = [option["value"] for option in page.all("option", selected="")]
    assert chosen == [query.partition("=")[2] or looks_at or "default", "90"]
    assert ("There are no keys here." in page.text) == (not shown)


async def test_a_list_after_a_mistake_is_that_of_the_owner_who_is_looked_at(admin: Browser, database: Database) -> None:
    await make_key(database, "acme", name="of acme")
    await admin.send("/ui/account/owner", {"owner": "acme"})
    answer = await admin.send(KEYS, {**WHOLE, "name": ""})
    assert answer.status_code == 422
    assert "of acme" in read(answer.text).text
    assert len(read(answer.text).all("tr", data_row="")) == 1


async def test_only_admins_see_the_page_and_its_link(browser: Browser) -> None:
    answer = await browser.client.get(KEYS)
    assert answer.status_code == 403
    page = read(answer.text)
    assert "This needs a key with the scope admin; this one has the scope run." in page.text
    assert "Ask an admin for a key" in page.text
    assert "acme CI run" in page.text
    assert KEYS not in [item["href"] for item in page.all("a")]


async def test_the_first_key_ends_open_access_and_must_be_one_of_an_admin(
    api: httpx2.AsyncClient, database: Database
) -> None:
    page = await seen(api, KEYS)
    assert "Nobody needs a key yet" in page.text
    refused = await send(api, KEYS, WHOLE)
    assert refused.status_code == 422
    assert "The first key needs the scope admin" in read(refused.text).text
    made = await send(api, KEYS, {**WHOLE, "scope": "admin"})
    assert made.status_code == 201
    assert "open access has ended" in read(made.text).text
    browser = Browser(api)
    assert re.match("/ui/login", led_to(await api.get(KEYS)))
    assert await browser.log_in(shown_key(made.text), KEYS) == KEYS
    assert "beta nightly" in (await seen(api, KEYS)).text
