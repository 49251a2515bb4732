"""The page of the audit log, for admins: filters in the URL, pages, links to what is still there. On both databases."""

import httpx2
import pytest

from shared.access.caller import Caller
from shared.db.access.audit import record
from shared.db.connection.database import Database
from tests.api.access.browsers import Browser, make_key
from tests.api.pages.forms_of import read, seen

AUDIT = "/ui/audit"
EVERYTHING_OF_ACME = ["webhook created", "benchmark deleted", "benchmark created"]
ACME = Caller("acme", "run", "ab12cd34", request_id="req-1")


@pytest.fixture
async def admin(api: httpx2.AsyncClient, database: Database) -> Browser:
    _, key = await make_key(database, "default", "admin", "Ops")
    browser = Browser(api)
    await browser.log_in(key)
    async with database.write() as session:
        await record(session, ACME, "benchmark.created", "benchmark", 7, {"model": "sim<b>", "planned_requests": 5})
        await record(session, ACME, "benchmark.deleted", "benchmark", 7)
        await record(session, ACME, "webhook.created", "webhook", 3, {"host": "x.example", "events": ["a", "b"]})
    return browser


async def rows(admin: Browser, query: str = "") -> list[str]:
    """The actions in the table, in order. `query` may name an owner; else it asks for all."""
    if "owner=" not in query:
        query = f"{query}&owner=*" if query else "?owner=*"
    text = (await seen(admin.client, AUDIT + query)).text.partition("Details ")[2]
    names = ("benchmark created", "benchmark deleted", "webhook created", "session opened", "key created")
    found = [(text.find(name), name) for name in names if name in text]
    return [name for _, name in sorted(found)]


async def test_the_log_says_who_did_what_newest_first(admin: Browser) -> None:
    assert await rows(admin) == [
        *("webhook created", "benchmark deleted", "benchmark created"),
        *("session opened", "key created"),
    ]
    text = (await seen(admin.client, f"{AUDIT}?owner=*")).text
    assert "benchmark created benchmark 7 acme ab12cd34 model sim<b> planned requests 5 req-1" in text
    assert "webhook created webhook 3 acme ab12cd34 host x.example events a, b" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?action=benchmark.deleted", ["benchmark deleted"]),
        ("?kind=benchmark", ["benchmark deleted", "benchmark created"]),
        ("?kind=webhook&target=3", ["webhook created"]),
        ("?target=4", []),
        ("?owner=default", ["session opened", "key created"]),
        ("?key_id=ab12cd34&action=webhook.created", ["webhook created"]),
        ("?from=2999-01-01", []),
        ("?to=2001-01-01", []),
        ("?from=2001-01-01&to=2999-01-01&kind=webhook", ["webhook created"]),
        ("?action=&kind=&target=&key_id=&owner=acme&from=&to=&theme=dark", EVERYTHING_OF_ACME),
    ],
)
async def test_filters_are_in_the_url(admin: Browser, query: str, found: list[str]) -> None:
    assert await rows(admin, query) == found


async def test_entries_of_other_owners_are_shown_by_asking(admin: Browser, database: Database) -> None:
    await make_key(database, "acme")

    async def shown(query: str = "") -> tuple[bool, bool, list[str]]:
        """Whether there are entries of acme and of default, and the owner in the filter."""
        page = await seen(admin.client, AUDIT + query)
        chosen = [option["value"] for option in page.all("option", selected="")]
        return "webhook 3 acme" in page.text, "key created" in page.text.partition("Details ")[2], chosen

    assert await shown() == (False, True, ["default"])
    assert await shown("?owner=") == (False, True, ["default"])
    assert await shown("?owner=*") == (True, True, ["*"])
    await admin.send("/ui/account/owner", {"owner": "acme"})
    assert (await shown())[::2] == (True, ["acme"])
    assert await shown("?owner=default") == (False, True, ["default"])
    await admin.send("/ui/account/owner", {"owner": "*"})
    assert await shown() == (True, True, ["*"])


@pytest.mark.parametrize("query", ["?action=x", "?kind=x", "?key_id=short", "?owner=No", "?from=yesterday", "?below=0"])
async def test_a_wrong_filter_is_named(admin: Browser, query: str) -> None:
    answer = await admin.client.get(AUDIT + query)
    assert answer.status_code == 422
    assert query[1:].partition("=")[0] in read(answer.text).text


async def test_pages_keep_the_filters(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.pages.routes.audit.ENTRIES_A_PAGE", 2)
    page = await seen(admin.client, f"{AUDIT}?owner=acme")
    (link,) = page.all("a", rel="next")
    assert "owner=acme" in link["href"]
    last = await seen(admin.client, link["href"])
    assert len(last.all("tr", data_row="")) == 1
    assert last.all("a", rel="prev")[0]["href"] == f"{AUDIT}?owner=acme"


async def test_only_what_can_be_opened_is_a_link(admin: Browser, database: Database) -> None:
    await make_key(database, "acme")
    page = await seen(admin.client, f"{AUDIT}?owner=acme")
    assert "webhook 3" in page.text
    assert "/ui/webhooks/3" not in [item["href"] for item in page.all("a")]
    await admin.send("/ui/account/owner", {"owner": "acme"})
    links = [item["href"] for item in (await seen(admin.client, AUDIT)).all("a")]
    assert links.count("/ui/webhooks/3") == 1
    # Created and deleted: the entry of the creation does not know of the deletion.
    assert links.count("/ui/benchmarks/7") == 1


async def test_only_admins_see_it(browser: Browser) -> None:
    assert (await browser.client.get(AUDIT)).status_code == 403
    assert AUDIT not in [item["href"] for item in (await seen(browser.client, "/ui/benchmarks")).all("a")]


async def test_an_empty_log_says_what_will_be_in_it(empty_api: httpx2.AsyncClient) -> None:
    assert "Nothing was changed yet" in (await seen(empty_api, AUDIT)).text
