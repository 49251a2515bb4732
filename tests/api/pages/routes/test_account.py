"""The page of a login, and the owner whom an admin looks at. On both databases."""

import httpx2
import pytest

from shared.db.connection.database import Database
from tests.api.access.browsers import Browser, make_key
from tests.api.documents import EXAMPLE
from tests.api.pages.forms_of import led_to, seen

ACCOUNT, SWITCH = "/ui/account", "/ui/account/owner"


@pytest.fixture
async def admin(api: httpx2.AsyncClient, database: Database) -> Browser:
    """Of `default`. The owners `acme` and `beta` have a benchmark each, 1 and 2."""
    for owner in ("acme", "beta"):
        _, key = await make_key(database, owner)
        headers = {"authorization": f"Bearer {key}"}
        answer = await api.post("/benchmarks", json={**EXAMPLE, "name": f"Of {owner}"}, headers=headers)
        assert answer.status_code == 202
    _, key = await make_key(database, "default", "admin", "Ops")
    browser = Browser(api)
    await browser.log_in(key)
    return browser


async def names(admin: Browser) -> list[bool]:
    """Whether the list shows the benchmarks of acme and of beta."""
    text = (await seen(admin.client, "/ui/benchmarks")).text
    return ["Of acme" in text, "Of beta" in text]


async def test_the_page_says_who_is_logged_in_and_until_when(browser: Browser) -> None:
    page = await seen(browser.client, ACCOUNT)
    for text in ("Logged in for acme", "Scoperun: see, run, cancel and delete", "Key expiresnever", "Endsin 11 h"):
        assert text in page.text
    assert page.all("select", name="owner") == []


async def test_an_admin_looks_at_one_owner_at_all_and_at_his_own_again(admin: Browser) -> None:
    page = await seen(admin.client, ACCOUNT)
    choices = [item["value"] for item in page.all("option")]
    assert choices[-4:] == ["", "*", "acme", "beta"]
    assert await names(admin) == [False, False]
    assert led_to(await admin.send(SWITCH, {"owner": "acme"})) == "/ui/benchmarks"
    assert await names(admin) == [True, False]
    assert "You look at the rows of acme." in (await seen(admin.client, "/ui/benchmarks")).text
    await admin.send(SWITCH, {"owner": "*"})
    assert await names(admin) == [True, True]
    text = (await seen(admin.client, "/ui/benchmarks")).text
    assert "Of acme of acme" in text
    assert "Of beta of beta" in text
    assert "You look at all owners." in (await seen(admin.client, "/ui/benchmarks/2")).text
    await admin.send(SWITCH, {"owner": ""})
    assert await names(admin) == [False, False]
    await seen(admin.client, "/ui/benchmarks/1", 404)
    assert (await admin.send(SWITCH, {"owner": "nobody"})).status_code == 404


async def test_downloads_of_pages_are_those_of_the_owner_who_is_looked_at(admin: Browser) -> None:
    assert (await admin.client.get("/benchmarks/1")).status_code == 404
    await admin.send(SWITCH, {"owner": "acme"})
    assert (await admin.client.get("/benchmarks/1")).json()["name"] == "Of acme"
    assert (await admin.client.get("/benchmarks/1/export?format=csv")).status_code == 200
    assert (await admin.client.get("/benchmarks/2")).status_code == 404


async def test_what_is_made_belongs_to_the_own_owner(admin: Browser) -> None:
    await admin.send(SWITCH, {"owner": "acme"})
    page = await seen(admin.client, "/ui/benchmarks/1")
    actions = [item.get("action") for item in page.all("form")]
    assert "/ui/benchmarks/1/cancel" in actions
    # It would look for a benchmark of the own owner.
    assert "/ui/benchmarks/1/rerun" not in actions
    assert (await admin.send("/ui/benchmarks/1/rerun")).status_code == 404
    values = {"model": "sim-n4", "prompts": "Hi", "load": "closed", "source": "prompts"}
    made = led_to(await admin.send("/ui/benchmarks", values)).partition("?")[0]
    await seen(admin.client, made, 404)
    await admin.send(SWITCH, {"owner": ""})
    await seen(admin.client, made)


async def test_an_admin_cancels_and_deletes_benchmarks_of_the_one_owner_he_looks_at(admin: Browser) -> None:
    for looks_at in ("", "*"):
        await admin.send(SWITCH, {"owner": looks_at})
        assert (await admin.send("/ui/benchmarks/1/cancel")).status_code == 404
    # Among all of them nothing is offered that would be refused.
    page = await seen(admin.client, "/ui/benchmarks/1")
    assert {item.get("action") for item in page.all("form", method="post")} == {"/ui/logout", SWITCH}
    await admin.send(SWITCH, {"owner": "acme"})
    assert led_to(await admin.send("/ui/benchmarks/1/cancel")) == "/ui/benchmarks/1?notice=cancelled"
    assert led_to(await admin.send("/ui/benchmarks/1/delete", {"confirmed": "yes"})).startswith("/ui/benchmarks?")
    await seen(admin.client, "/ui/benchmarks/1", 404)


async def test_others_cannot_look_at_other_owners(browser: Browser) -> None:
    assert (await browser.send(SWITCH, {"owner": "*"})).status_code == 403


async def test_actions_that_the_scope_does_not_allow_are_not_shown(api: httpx2.AsyncClient, database: Database) -> None:
    _, key = await make_key(database, scope="run")
    await api.post("/benchmarks", json=EXAMPLE, headers={"authorization": f"Bearer {key}"})
    _, key = await make_key(database, scope="read")
    browser = Browser(api)
    await browser.log_in(key)
    for path in ("/ui/benchmarks", "/ui/benchmarks/1", "/ui/webhooks", "/ui/workers", "/ui/history"):
        page = await seen(api, path)
        actions = {item.get("action") for item in page.all("form", method="post")}
        assert actions == {"/ui/logout"}, path
        links = {item["href"].partition("?")[0] for item in page.all("a")}
        assert not links & {"/ui/benchmarks/new", "/ui/benchmarks/1/delete", "/ui/keys", "/ui/audit"}, path
    page = await seen(api, "/ui/benchmarks/new", 403)
    assert "This needs a key with the scope run; this one has the scope read." in page.text
