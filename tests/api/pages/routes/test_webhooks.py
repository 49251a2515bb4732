"""The pages of webhooks: registered endpoints, deliveries with their attempts, and what can be done about them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import httpx2
import pytest
from sqlalchemy import insert, select, update

from shared.db.connection.database import Database
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from shared.webhooks.message import EventType
from shared.webhooks.secret_box import new_key
from tests.api.conftest import KEYS, SIMULATOR
from tests.api.documents import submit
from tests.api.pages.forms_of import FORM, led_to, read, seen, send
from tests.support.programs.ports import free_port
from tests.support.servers.receiver import LOOPBACK
from tests.support.service import make_settings, running_api

LIST, ONE = "/ui/webhooks", "/ui/webhooks/1"
URL = "http://127.0.0.1:9/hooks"
ALL = {f"event.{event}": "on" for event in get_args(EventType)}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> \u202egnp.exe"


@pytest.fixture
async def client(sqlite_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """It can seal secrets, and URLs of this machine are allowed."""
    redis_url = f"redis://127.0.0.1:{free_port()}/0"
    options = {"encryption_key": new_key(), "allowed_private_cidrs": LOOPBACK}
    async with running_api(make_settings(sqlite_url, redis_url, SIMULATOR, **options), KEYS) as client:
        yield client


@pytest.fixture
async def rows(client: httpx2.AsyncClient, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """The same database, as a worker writes it."""
    database = Database(sqlite_url)
    yield database
    await database.close()


async def register(client: httpx2.AsyncClient, **values: str) -> httpx2.Response:
    answer = await send(client, LIST, {"url": URL, **ALL, **values})
    assert answer.status_code == 201, answer.text
    return answer


async def attempted(rows: Database, **values: object) -> None:
    """An attempt of the first delivery."""
    async with rows.write() as session:
        await session.execute(
            insert(WebhookAttempt).values(delivery_id=1, number=1, url=URL, attempted_at=utc_now(), **values)
        )


async def test_without_webhooks_the_page_says_what_they_are_for(empty_api: httpx2.AsyncClient) -> None:
    page = await seen(empty_api, LIST)
    assert "llmbench webhooks listen" in page.text
    assert "Set ENCRYPTION_KEY for the API and the workers first." in page.text
    assert {item["name"] for item in page.all("input") if item.get("name", "").startswith("event.")} == {
        *(f"event.benchmark.{event}" for event in ("started", "completed", "failed", "cancelled")),
        "event.budget.reached",
    }


async def test_a_secret_is_shown_once(client: httpx2.AsyncClient) -> None:
    answer = await register(client, description="release pipeline")
    assert answer.headers["cache-control"] == "no-store"
    (secret,) = [text for text in read(answer.text).texts if text.startswith("whsec_")]
    for path in (LIST, ONE, f"{ONE}/delete"):
        assert secret not in (await client.get(path)).text
    page = await seen(client, LIST)
    assert all(text in page.text for text in (URL, "release pipeline", "● on", "all"))
    rotated = await send(client, f"{ONE}/secret")
    (other,) = [text for text in read(rotated.text).texts if text.startswith("whsec_")]
    assert other != secret
    assert "The secret before signs too until" in read(rotated.text).text


async def test_only_some_events(client: httpx2.AsyncClient) -> None:
    await send(client, LIST, {"url": URL, "event.benchmark.failed": "on", "event.benchmark.completed": "on"})
    assert (await client.get("/webhooks/1")).json()["events"] == ["benchmark.completed", "benchmark.failed"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"url": ""}, "Must not be empty."),
        ({"url": "ftp://127.0.0.1/"}, "Must start with https:// or http://."),
        ({"url": "http://10.0.0.1/"}, "It leads to an address that is not public."),
        ({"url": URL, **dict.fromkeys(ALL, "")}, "Choose at least one."),
        ({"url": URL, "description": "x" * 501}, "Must have at most 500 characters."),
    ],
)
async def test_errors_stand_beside_their_fields(
    client: httpx2.AsyncClient, values: dict[str, str], message: str
) -> None:
    answer = await send(client, LIST, {**ALL, "description": "ours", **values})
    assert answer.status_code == 422
    page = read(answer.text)
    assert message in page.text
    assert page.all("input", name="url")[0]["value"] == values["url"]
    assert (await client.get("/webhooks")).json()["items"] == []


async def test_without_a_key_for_secrets_nothing_is_lost(sqlite_api: httpx2.AsyncClient) -> None:
    answer = await send(sqlite_api, LIST, {"url": "https://hooks.example.com/x", **ALL})
    assert answer.status_code == 422
    assert "ENCRYPTION_KEY" in read(answer.text).text
    assert read(answer.text).all("input", name="url")[0]["value"] == "https://hooks.example.com/x"


async def test_off_and_on(client: httpx2.AsyncClient) -> None:
    await register(client)
    assert led_to(await send(client, f"{ONE}/disable")) == f"{ONE}?notice=webhook-disabled"
    page = await seen(client, ONE)
    assert "○ off turned off by a person" in page.text
    assert "Deliveries that are due wait" in page.text
    assert led_to(await send(client, f"{ONE}/enable")) == f"{ONE}?notice=webhook-enabled"
    assert "● on" in (await seen(client, ONE)).text


async def test_a_test_event_and_its_attempts(client: httpx2.AsyncClient, rows: Database) -> None:
    await register(client)
    assert "Nothing was sent yet" in (await seen(client, ONE)).text
    assert led_to(await send(client, f"{ONE}/test")) == f"{ONE}?notice=webhook-tested"
    assert "No attempt yet" in (await seen(client, ONE)).text
    await attempted(rows, status_code=500, duration_ms=182.4, error="answered 500", response=HOSTILE)
    answer = await client.get(ONE)
    page = read(answer.text)
    assert "Answered 500." in page.text
    assert "182 ms" in page.text
    assert HOSTILE in page.text
    assert '"type": "webhook.test"' in page.text


async def test_what_fails_says_since_when(client: httpx2.AsyncClient, rows: Database) -> None:
    await register(client)
    async with rows.write() as session:
        await session.execute(update(WebhookEndpoint).values(failing_since=utc_now(-7_300)))
    for path in (LIST, ONE):
        assert "✕ failing since 2 h ago" in (await seen(client, path)).text
    async with rows.write() as session:
        await session.execute(update(WebhookEndpoint).values(enabled=False, disabled_reason=HOSTILE))
    assert HOSTILE in (await seen(client, LIST)).text


async def test_an_event_is_sent_again(client: httpx2.AsyncClient, rows: Database) -> None:
    await register(client)
    await send(client, f"{ONE}/test")
    async with rows.write() as session:
        await session.execute(update(WebhookDelivery).values(status="failed", next_attempt_at=None))
    assert "✕ failed" in (await seen(client, ONE)).text
    assert led_to(await send(client, f"{ONE}/deliveries/1/redeliver")) == f"{ONE}?notice=redelivered"
    async with rows.read() as session:
        assert await session.scalar(select(WebhookDelivery.status)) == "pending"


async def test_a_deletion_asks(client: httpx2.AsyncClient) -> None:
    await register(client)
    assert URL in (await seen(client, f"{ONE}/delete")).text
    assert (await send(client, f"{ONE}/delete")).status_code == 200
    assert led_to(await send(client, f"{ONE}/delete", {"confirmed": "yes"})) == f"{LIST}?notice=webhook-deleted"
    assert (await client.get("/webhooks")).json()["items"] == []


async def test_deliveries_come_in_pages(client: httpx2.AsyncClient) -> None:
    await register(client)
    for _ in range(21):
        await client.post("/webhooks/1/test")
    page = await seen(client, ONE)
    (following,) = page.all("a", rel="next")
    assert following["href"] == f"{ONE}?before=2"
    rest = await seen(client, following["href"])
    assert len(rest.all("details", class_="section")) == 1
    assert rest.all("a", rel="prev")[0]["href"] == ONE
    # Every id was there once.
    assert len(page.all("details", class_="section")) == 20


async def test_the_webhook_of_a_benchmark_is_no_page_of_its_own(client: httpx2.AsyncClient) -> None:
    """It belongs to its benchmark."""
    await submit(client, webhook_url=URL)
    await seen(client, ONE, 404)
    assert "Nothing is told about benchmarks yet" in (await seen(client, LIST)).text


@pytest.mark.parametrize(
    "path",
    ["", "/1/enable", "/1/disable", "/1/test", "/1/secret", "/1/delete", "/1/deliveries/1/redeliver"],
)
async def test_pages_of_other_sites_change_nothing(client: httpx2.AsyncClient, path: str) -> None:
    await register(client)
    headers = {**FORM, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    answer = await client.post(f"{LIST}{path}", content="confirmed=yes", headers=headers)
    assert answer.status_code == 403
    assert (await client.post(f"{LIST}{path}", json={})).status_code == 415


@pytest.mark.parametrize("path", ["", "/enable", "/disable", "/test", "/secret", "/delete", "/deliveries/1/redeliver"])
async def test_what_is_gone_is_a_page_that_says_so(client: httpx2.AsyncClient, path: str) -> None:
    answer = await (send(client, f"{LIST}/7{path}", {"confirmed": "yes"}) if path else client.get(f"{LIST}/7"))
    assert answer.status_code == 404
    assert "There is no webhook 7." in read(answer.text).text
