"""`/webhooks` and `webhook_url` without a worker: what is stored, shown once, refused and deleted."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from shared.db.connection.database import Database
from shared.db.tables.webhooks import WebhookEvent
from shared.providers.key_ring import KeyRing
from shared.webhooks.message import new_secret
from shared.webhooks.secret_box import new_key
from tests.api.conftest import SIMULATOR
from tests.api.documents import EXAMPLE, problem, submit
from tests.support.dates import instant
from tests.support.servers.receiver import LOOPBACK
from tests.support.service import make_settings, running_api

# Nobody is sent anything here.
URL = "http://127.0.0.1:9/hooks"
Json = dict[str, Any]


@pytest.fixture
async def api(database_url: str, redis_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """It can seal secrets, and URLs of this machine are allowed."""
    options = {"encryption_key": new_key(), "allowed_private_cidrs": LOOPBACK}
    async with running_api(make_settings(database_url, redis_url, SIMULATOR, **options), KeyRing({})) as client:
        yield client


async def register(api: httpx2.AsyncClient, **more: Any) -> Json:
    response = await api.post("/webhooks", json={"url": URL, **more})
    assert response.status_code == 201, response.text
    document: Json = response.json()
    assert response.headers["location"] == f"/webhooks/{document['id']}"
    return document


async def test_a_new_endpoint_shows_its_secret_once(api: httpx2.AsyncClient) -> None:
    created = await register(api, events=["benchmark.failed"], description="pager")
    assert created.pop("secret").startswith("whsec_")
    assert created["events"] == ["benchmark.failed"]
    assert (created["enabled"], created["failing_since"], created["disabled_reason"]) == (True, None, None)
    assert (await api.get(f"/webhooks/{created['id']}")).json() == created
    assert (await api.get("/webhooks")).json()["items"] == [created]


async def test_an_endpoint_is_disabled_and_enabled_by_hand(api: httpx2.AsyncClient) -> None:
    path = f"/webhooks/{(await register(api))['id']}"
    off = (await api.patch(path, json={"enabled": False})).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "by PATCH")
    on = (await api.patch(path, json={"enabled": True, "events": ["benchmark.completed"]})).json()
    assert (on["enabled"], on["disabled_reason"], on["events"]) == (True, None, ["benchmark.completed"])


async def test_a_new_secret_is_another_and_the_one_before_is_valid_for_a_while(api: httpx2.AsyncClient) -> None:
    created = await register(api)
    rotated = (await api.post(f"/webhooks/{created['id']}/rotate-secret")).json()
    assert rotated["secret"] != created["secret"]
    assert instant(rotated["previous_expires_at"]) > instant(created["created_at"])


async def test_a_test_event_waits_for_a_worker_and_can_be_sent_again(api: httpx2.AsyncClient) -> None:
    path = f"/webhooks/{(await register(api))['id']}"
    sent = await api.post(f"{path}/test")
    assert sent.status_code == 202
    (delivery,) = (await api.get(f"{path}/deliveries")).json()["items"]
    assert delivery == sent.json()
    assert (delivery["type"], delivery["status"], delivery["attempts"]) == ("webhook.test", "pending", [])
    again = await api.post(f"{path}/deliveries/{delivery['id']}/redeliver")
    assert (again.status_code, again.json()["event_id"]) == (202, delivery["event_id"])


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://169.254.169.254/latest", "http://2130706433/", "ftp://example.com/"]
)
async def test_a_url_that_leads_inside_is_refused(api: httpx2.AsyncClient, url: str) -> None:
    for path, body, field in (
        ("/webhooks", {"url": url}, "url"),
        ("/benchmarks", {**EXAMPLE, "webhook_url": url}, "webhook_url"),
    ):
        assert problem(await api.post(path, json=body), 422)["errors"][0]["field"] == field


async def test_without_a_key_nothing_is_stored(sqlite_api: httpx2.AsyncClient) -> None:
    for path, body in (
        ("/webhooks", {"url": "https://8.8.8.8/"}),
        ("/benchmarks", {**EXAMPLE, "webhook_url": "https://8.8.8.8/"}),
    ):
        refused = problem(await sqlite_api.post(path, json=body), 503)
        assert refused["code"] == "unavailable"
        assert "ENCRYPTION_KEY" in refused["detail"]
    assert (await sqlite_api.get("/benchmarks")).json()["items"] == []
    assert (await sqlite_api.get("/webhooks")).json()["items"] == []


async def test_the_secret_of_a_benchmarks_own_endpoint_is_shown_once(api: httpx2.AsyncClient) -> None:
    created = await submit(api, webhook_url=URL)
    assert created["webhook"].pop("secret").startswith("whsec_")
    shown = (await api.get(f"/benchmarks/{created['id']}")).json()["webhook"]
    assert shown == {"url": URL, "events": None, "disabled_reason": None, "secret": None}
    assert (await api.get("/webhooks")).json()["items"] == [], "it is not registered for all benchmarks"


async def test_a_repeated_post_gets_the_secret_that_may_have_been_lost(api: httpx2.AsyncClient) -> None:
    body, key = {**EXAMPLE, "webhook_url": URL}, {"Idempotency-Key": "once"}
    first = (await api.post("/benchmarks", json=body, headers=key)).json()
    again = await api.post("/benchmarks", json=body, headers=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["webhook"]["secret"] == first["webhook"]["secret"]
    other = {**body, "webhook_secret": new_secret()}
    refused = problem(await api.post("/benchmarks", json=other, headers=key), 422)
    assert refused["code"] == "idempotency_key_reused"


async def test_nobody_keeps_an_answer_that_shows_a_secret(api: httpx2.AsyncClient) -> None:
    endpoint = (await register(api))["id"]
    own = {**EXAMPLE, "webhook_url": URL}
    answers = [
        await api.post("/webhooks", json={"url": URL}),
        await api.post(f"/webhooks/{endpoint}/rotate-secret"),
        await api.post("/benchmarks", json=own),
        await api.post("/benchmarks", json=own, headers={"Prefer": "wait=0"}),
    ]
    for answer in answers:
        assert "whsec_" in answer.text
        assert answer.headers["cache-control"] == "no-store", answer.request.url
    assert "cache-control" not in (await api.post("/benchmarks", json=EXAMPLE)).headers


async def test_a_deleted_benchmark_takes_its_deliveries_along(api: httpx2.AsyncClient) -> None:
    path = f"/benchmarks/{(await submit(api, webhook_url=URL))['id']}"
    await api.post(f"{path}/cancel")
    (delivery,) = (await api.get(f"{path}/webhook-deliveries")).json()["items"]
    assert delivery["type"] == "benchmark.cancelled"
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(f"{path}/webhook-deliveries")).status_code == 404


async def test_a_deleted_endpoint_takes_its_tests_along(api: httpx2.AsyncClient, database: Database) -> None:
    first, second = [f"/webhooks/{(await register(api))['id']}" for _ in range(2)]
    for path in (first, second):
        assert (await api.post(f"{path}/test")).status_code == 202
    assert (await api.delete(first)).status_code == 204
    (kept,) = (await api.get(f"{second}/deliveries")).json()["items"]
    async with database.read() as session:
        assert (await session.scalars(select(WebhookEvent.id))).all() == [kept["event_id"]]
