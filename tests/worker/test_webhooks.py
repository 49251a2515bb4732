"""Events from benchmarks to real receivers: delivered, signed, tried again, and never in anybody's way."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import trustme
from sqlalchemy import select, update

from shared.db.database import Database
from shared.db.tables import WebhookDelivery, WebhookEndpoint, WebhookEvent
from shared.db.types import utc_now
from shared.network.ssrf import networks
from shared.providers.key_ring import KeyRing
from shared.webhooks.message import new_secret
from shared.webhooks.secret_box import new_key
from simulator.server import Simulator
from tests.support.receiver import Answer, hang, in_turn, receiver, status
from tests.support.service import Service, running_service
from worker.engine.children import Children

LOOPBACK = networks("127.0.0.0/8,::1/128")
FAST = {"model": "sim-ttft5-gap1-n4", "prompts": ["x"]}
Json = dict[str, Any]


@pytest.fixture
async def service(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> AsyncIterator[Service]:
    options = {"encryption_key": new_key(), "allowed_private_cidrs": LOOPBACK, "public_url": "https://bench.example"}
    async with running_service(
        database_url, redis_url, simulator.base_url, KeyRing({}), children, **options
    ) as running:
        yield running


async def register(service: Service, url: str, **more: Any) -> Json:
    response = await service.client.post("/webhooks", json={"url": url, **more})
    assert response.status_code == 201, response.text
    document: Json = response.json()
    return document


async def deliveries(service: Service, path: str) -> list[Json]:
    items: list[Json] = (await service.client.get(path)).json()["items"]
    return items


async def settled(service: Service, path: str, count: int = 1) -> list[Json]:
    """Waits until so many attempts are stored."""
    async with asyncio.timeout(15):
        while True:
            items = await deliveries(service, path)
            if sum(attempt["duration_ms"] is not None for item in items for attempt in item["attempts"]) >= count:
                return items
            await asyncio.sleep(0.02)


async def make_due(database: Database) -> None:
    """What waits for its next attempt gets it now."""
    async with database.write() as session:
        await session.execute(
            update(WebhookDelivery).where(WebhookDelivery.status == "pending").values(next_attempt_at=utc_now())
        )


async def test_a_benchmark_tells_its_own_url_of_start_and_end(service: Service) -> None:
    async with receiver() as hooks:
        created = await service.client.post(
            "/benchmarks", json={"name": "told", **FAST, "webhook_url": hooks.url, "metadata": {"x": "y" * 16_000}}
        )
        assert created.status_code == 202, created.text
        secret = created.json()["webhook"]["secret"]
        first, second = (await hooks.has(2))[:2]
    started, completed = first.verified(secret), second.verified(secret)
    assert (started["type"], completed["type"]) == ("benchmark.started", "benchmark.completed")
    assert (started["data"]["sequence"], completed["data"]["sequence"]) == (1, 2)
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    assert (first.method, first.path, first.headers["content-type"]) == ("POST", "/hooks?token=x", "application/json")
    assert len(second.body) < 20_000
    data = completed["data"]
    assert data["url"] == f"https://bench.example/benchmarks/{created.json()['id']}"
    assert data["summary"]["requests"]["succeeded"] == 1
    shown = (await service.client.get(f"/benchmarks/{created.json()['id']}")).json()
    assert data["summary"]["ttft_ms"] == shown["summary"]["ttft_ms"]
    assert data["summary"]["cost"] == shown["summary"]["cost"]
    # The secret is shown once and stored in no readable form.
    assert shown["webhook"] == {"url": hooks.url, "events": None, "disabled_reason": None, "secret": None}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"model": "sim-ttft5-gap1-n4"}, "benchmark.completed"),
        ({"model": "sim-ttft5-gap1-n4-err401"}, "benchmark.failed"),
    ],
)
async def test_a_registered_endpoint_is_told_of_what_it_chose(service: Service, spec: Json, expected: str) -> None:
    async with receiver() as hooks:
        endpoint = await register(service, hooks.url, events=[expected])
        done = await service.run(prompts=["x"], **spec)
        (event,) = await hooks.has(1)
        assert event.verified(endpoint["secret"])["data"]["id"] == done["id"]
        assert event.verified(endpoint["secret"])["type"] == expected
        await settled(service, f"/webhooks/{endpoint['id']}/deliveries")
        assert len(hooks.received) == 1


async def test_a_pending_benchmark_that_is_cancelled_is_told_of_at_once(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    """By a bell: no sweep comes within the test."""
    options = {
        "encryption_key": new_key(),
        "allowed_private_cidrs": LOOPBACK,
        "worker_max_benchmarks": 1,
        "lease_s": 120,
        "sweep_s": 60,
    }
    async with (
        receiver() as hooks,
        running_service(database_url, redis_url, simulator.base_url, KeyRing({}), children, **options) as service,
    ):
        endless = {"name": "a", "model": "sim-ttft5-gap5-endless", "prompts": ["x"]}
        first = (await service.client.post("/benchmarks", json=endless)).json()["id"]
        second = (await service.client.post("/benchmarks", json={**endless, "webhook_url": hooks.url})).json()
        assert (await service.client.post(f"/benchmarks/{second['id']}/cancel")).json()["status"] == "cancelled"
        (event,) = await hooks.has(1)
        data = event.verified(second["webhook"]["secret"])
        assert (data["type"], data["data"]["sequence"], data["data"]["summary"]) == ("benchmark.cancelled", 1, None)
        await service.client.post(f"/benchmarks/{first}/cancel")


def too_much(writer: asyncio.StreamWriter, _number: int) -> Any:
    """A gigabyte, as fast as the other side takes it."""

    async def flood() -> None:
        writer.write(b"HTTP/1.1 500 X\r\ncontent-length: 1000000000\r\n\r\n")
        for _ in range(1_000):
            writer.write(b"x" * 1_000_000)
            await writer.drain()

    return flood()


def no_http(writer: asyncio.StreamWriter, _number: int) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")


REFUSALS: list[tuple[str, Answer, int | None, str]] = [
    ("500", status(500, body="broken"), 500, "answered 500"),
    ("404", status(404), 404, "answered 404"),
    ("redirect", status(301, "location: http://127.0.0.1:1/"), 301, "redirects are not followed"),
    ("307", status(307, "location: http://169.254.169.254/"), 307, "redirects are not followed"),
    ("flood", too_much, 500, "answered 500"),
    ("no http", no_http, None, "not HTTP"),
]


@pytest.mark.parametrize(("answer", "code", "words"), [item[1:] for item in REFUSALS], ids=[i[0] for i in REFUSALS])
async def test_what_is_not_2xx_has_failed_and_is_tried_again(
    service: Service, answer: Answer, code: int | None, words: str
) -> None:
    async with receiver(answer) as hooks:
        endpoint = await register(service, hooks.url)
        assert (await service.client.post(f"/webhooks/{endpoint['id']}/test")).status_code == 202
        (delivery,) = await settled(service, f"/webhooks/{endpoint['id']}/deliveries")
        assert len(hooks.received) == 1
    (attempt,) = delivery["attempts"]
    assert (delivery["status"], attempt["status_code"], attempt["url"]) == ("pending", code, hooks.url)
    assert words in attempt["error"]
    assert attempt["next_attempt_at"] == delivery["next_attempt_at"] > attempt["attempted_at"]
    assert len(attempt["response"] or "") <= 2_000
    standing = (await service.client.get(f"/webhooks/{endpoint['id']}")).json()
    assert standing["failing_since"] is not None
    assert standing["enabled"] is True


async def test_a_failing_receiver_gets_the_same_id_again_and_is_forgiven(service: Service, database: Database) -> None:
    async with receiver(in_turn(status(500), status(500), status(500), status(200))) as hooks:
        endpoint = await register(service, hooks.url)
        await service.client.post(f"/webhooks/{endpoint['id']}/test")
        path = f"/webhooks/{endpoint['id']}/deliveries"
        for count in range(1, 4):
            (delivery,) = await settled(service, path, count)
            await make_due(database)
        (delivery,) = await settled(service, path, 4)
    assert (delivery["status"], len(delivery["attempts"])) == ("delivered", 4), delivery
    assert delivery["delivered_at"] is not None
    assert {request.headers["webhook-id"] for request in hooks.received} == {delivery["event_id"]}
    assert {request.body for request in hooks.received} == {hooks.received[0].body}
    for request in hooks.received:
        assert request.verified(endpoint["secret"])["type"] == "webhook.test"
    assert (await service.client.get(f"/webhooks/{endpoint['id']}")).json()["failing_since"] is None


async def test_the_last_attempt_of_the_schedule_is_the_last(service: Service, database: Database) -> None:
    async with receiver(status(503)) as hooks:
        endpoint = await register(service, hooks.url)
        await service.client.post(f"/webhooks/{endpoint['id']}/test")
        path = f"/webhooks/{endpoint['id']}/deliveries"
        for count in range(1, 10):
            await settled(service, path, count)
            await make_due(database)
        (delivery,) = await settled(service, path, 10)
        assert (delivery["status"], delivery["next_attempt_at"]) == ("failed", None)
        hooks.answer = status(200)
        again = await service.client.post(f"{path}/{delivery['id']}/redeliver")
        assert (again.status_code, again.json()["event_id"]) == (202, delivery["event_id"])
        (delivery,) = await settled(service, path, 11)
    assert (delivery["status"], len(delivery["attempts"])) == ("delivered", 11)
    assert int(hooks.received[-1].headers["webhook-timestamp"]) >= int(hooks.received[0].headers["webhook-timestamp"])


async def test_retry_after_is_kept_where_it_is_longer(service: Service) -> None:
    async with receiver(status(429, "retry-after: 120")) as hooks:
        endpoint = await register(service, hooks.url)
        await service.client.post(f"/webhooks/{endpoint['id']}/test")
        (delivery,) = await settled(service, f"/webhooks/{endpoint['id']}/deliveries")
    (attempt,) = delivery["attempts"]
    assert "answered 429" in attempt["error"]
    waited_s = _seconds(attempt["next_attempt_at"]) - _seconds(attempt["attempted_at"])
    assert 115 <= waited_s <= 140


async def test_gone_disables_and_what_is_due_waits_until_it_is_enabled_again(service: Service) -> None:
    async with receiver(status(410)) as hooks:
        endpoint = await register(service, hooks.url)
        path = f"/webhooks/{endpoint['id']}"
        await service.client.post(f"{path}/test")
        await settled(service, f"{path}/deliveries")
        shown = (await service.client.get(path)).json()
        assert (shown["enabled"], shown["disabled_reason"]) == (False, "it answered 410 Gone")
        await service.run(prompts=["x"])
        assert len(await deliveries(service, f"{path}/deliveries")) == 1, "a disabled endpoint is told of nothing new"
        hooks.answer = status(200)
        (delivery,) = await deliveries(service, f"{path}/deliveries")
        assert delivery["status"] == "pending"
        enabled = (await service.client.patch(path, json={"enabled": True})).json()
        assert (enabled["enabled"], enabled["disabled_reason"], enabled["failing_since"]) == (True, None, None)
        await service.client.post(f"{path}/deliveries/{delivery['id']}/redeliver")
        (delivery,) = await settled(service, f"{path}/deliveries", 2)
        assert delivery["status"] == "delivered"


async def test_days_of_failure_disable_and_say_so(service: Service, database: Database) -> None:
    async with receiver(status(500)) as hooks:
        endpoint = await register(service, hooks.url)
        path = f"/webhooks/{endpoint['id']}"
        for days, enabled in ((4.9, True), (5.1, False)):
            async with database.write() as session:
                await session.execute(update(WebhookEndpoint).values(failing_since=utc_now(-days * 86_400)))
            before = sum(len(item["attempts"]) for item in await deliveries(service, f"{path}/deliveries"))
            await service.client.post(f"{path}/test")
            await settled(service, f"{path}/deliveries", before + 1)
            shown = (await service.client.get(path)).json()
            assert shown["enabled"] is enabled
        assert shown["disabled_reason"] == "no delivery has succeeded for 5 days"


async def test_after_a_rotation_both_secrets_verify(service: Service) -> None:
    async with receiver() as hooks:
        endpoint = await register(service, hooks.url)
        path = f"/webhooks/{endpoint['id']}"
        rotated = (await service.client.post(f"{path}/rotate-secret")).json()
        await service.client.post(f"{path}/test")
        (event,) = await hooks.has(1)
        for secret in (endpoint["secret"], rotated["secret"]):
            assert event.verified(secret)["type"] == "webhook.test"
        await service.client.post(f"{path}/rotate-secret")
        await service.client.post(f"{path}/test")
        _, event = await hooks.has(2)
        assert event.verified(rotated["secret"])["type"] == "webhook.test"
        assert len(event.headers["webhook-signature"].split(" ")) == 2, "the last two, no more"


async def test_a_receiver_without_a_certificate_that_we_trust_gets_nothing(service: Service) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with receiver(tls=tls) as hooks:
        endpoint = await register(service, hooks.url)
        await service.client.post(f"/webhooks/{endpoint['id']}/test")
        (delivery,) = await settled(service, f"/webhooks/{endpoint['id']}/deliveries")
        assert delivery["attempts"][0]["error"] == "TLS failed"
        assert hooks.received == []


async def test_a_hanging_receiver_holds_up_neither_another_nor_a_benchmark(service: Service) -> None:
    async with receiver(hang) as slow, receiver() as fast:
        await register(service, slow.url)
        await register(service, fast.url)
        for _ in range(12):
            await service.run(prompts=["x"])
        # Start and end of each, while the other has as many open as it may have.
        received = await fast.has(24, seconds=5)
        assert len(received) == 24
        assert len(slow.received) <= 8


async def test_a_url_that_leads_inside_is_refused_at_create_and_at_send(service: Service, database: Database) -> None:
    for url in ("http://10.0.0.1/", "http://169.254.169.254/latest", "http://2130706433/", "ftp://example.com/"):
        for path, body, field in (
            ("/webhooks", {"url": url}, "url"),
            ("/benchmarks", {"name": "x", **FAST, "webhook_url": url}, "webhook_url"),
        ):
            refused = await service.client.post(path, json=body)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    async with receiver() as hooks:
        endpoint = await register(service, hooks.url)
        # As a name would that leads elsewhere by now.
        async with database.write() as session:
            await session.execute(update(WebhookEndpoint).values(url="http://10.0.0.1/"))
        await service.client.post(f"/webhooks/{endpoint['id']}/test")
        (delivery,) = await settled(service, f"/webhooks/{endpoint['id']}/deliveries")
    assert delivery["attempts"][0]["error"] == "it leads to an address that is not public"


async def test_without_a_key_nothing_is_stored(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    async with running_service(database_url, redis_url, simulator.base_url, KeyRing({}), children) as service:
        for path, body in (
            ("/webhooks", {"url": "https://8.8.8.8/"}),
            ("/benchmarks", {"name": "x", **FAST, "webhook_url": "https://8.8.8.8/"}),
        ):
            refused = await service.client.post(path, json=body)
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert "ENCRYPTION_KEY" in refused.json()["detail"]
        assert (await service.client.get("/benchmarks")).json()["items"] == []
        # Benchmarks need none.
        assert (await service.run(prompts=["x"]))["status"] == "completed"


async def test_a_rerun_tells_whom_its_parent_told(service: Service) -> None:
    async with receiver() as hooks:
        body = {"name": "x", **FAST, "webhook_url": hooks.url, "webhook_events": ["benchmark.completed"]}
        first = (await service.client.post("/benchmarks", json=body, headers={"Prefer": "wait=20"})).json()
        again = await service.client.post(f"/benchmarks/{first['id']}/rerun", headers={"Prefer": "wait=20"})
        assert again.json()["webhook"]["url"] == hooks.url
        events = [item.verified(first["webhook"]["secret"]) for item in await hooks.has(2)]
    assert [event["data"]["id"] for event in events] == [first["id"], again.json()["id"]]


async def test_a_deleted_benchmark_takes_its_deliveries_along(service: Service, database: Database) -> None:
    async with receiver(status(500)) as hooks:
        body = {"name": "x", **FAST, "webhook_url": hooks.url}
        done = (await service.client.post("/benchmarks", json=body, headers={"Prefer": "wait=20"})).json()
        path = f"/benchmarks/{done['id']}/webhook-deliveries"
        assert len(await settled(service, path, 2)) == 2
        assert (await service.client.delete(f"/benchmarks/{done['id']}")).status_code == 204
        assert (await service.client.get(path)).status_code == 404


async def test_a_repeated_post_gets_the_secret_that_may_have_been_lost(service: Service) -> None:
    async with receiver() as hooks:
        body = {"name": "x", **FAST, "webhook_url": hooks.url}
        key = {"Idempotency-Key": "once"}
        first = (await service.client.post("/benchmarks", json=body, headers=key)).json()
        again = await service.client.post("/benchmarks", json=body, headers=key)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json()["webhook"]["secret"] == first["webhook"]["secret"]
        other = {**body, "webhook_secret": new_secret()}
        refused = await service.client.post("/benchmarks", json=other, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
        assert len(await hooks.has(2)) == 2


@pytest.mark.parametrize("value", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "soon", "-5", "1e9", "9" * 400])
async def test_an_odd_retry_after_is_passed_over(service: Service, value: str) -> None:
    async with receiver(status(503, f"retry-after: {value}")) as hooks:
        endpoint = await register(service, hooks.url)
        await service.client.post(f"/webhooks/{endpoint['id']}/test")
        (delivery,) = await settled(service, f"/webhooks/{endpoint['id']}/deliveries")
    assert "answered 503" in delivery["attempts"][0]["error"]
    assert delivery["next_attempt_at"] is not None


async def test_a_redelivery_brings_a_benchmarks_own_endpoint_back(service: Service) -> None:
    async with receiver(status(410)) as hooks:
        body = {"name": "x", **FAST, "webhook_url": hooks.url, "webhook_events": ["benchmark.completed"]}
        done = (await service.client.post("/benchmarks", json=body, headers={"Prefer": "wait=20"})).json()
        path = f"/benchmarks/{done['id']}/webhook-deliveries"
        (delivery,) = await settled(service, path)
        shown = (await service.client.get(f"/benchmarks/{done['id']}")).json()
        assert shown["webhook"]["disabled_reason"] == "it answered 410 Gone"
        hooks.answer = status(204)
        await service.client.post(f"{path}/{delivery['id']}/redeliver")
        (delivery,) = await settled(service, path, 2)
        assert delivery["status"] == "delivered"


async def test_a_redelivery_asked_for_during_an_attempt_is_made_after_it(service: Service) -> None:
    asked = asyncio.Event()

    def wait(writer: asyncio.StreamWriter, number: int) -> Any:
        async def answer() -> None:
            await asked.wait()
            status(500)(writer, number)

        return answer()

    async with receiver(in_turn(wait, status(204))) as hooks:
        endpoint = await register(service, hooks.url)
        path = f"/webhooks/{endpoint['id']}/deliveries"
        delivery = (await service.client.post(f"/webhooks/{endpoint['id']}/test")).json()
        await hooks.has(1)
        assert (await service.client.post(f"{path}/{delivery['id']}/redeliver")).status_code == 202
        asked.set()
        (delivery,) = await settled(service, path, 2)
        assert delivery["status"] == "delivered"
        assert [attempt["status_code"] for attempt in delivery["attempts"]] == [500, 204]


async def test_a_deleted_endpoint_takes_its_tests_along(service: Service, database: Database) -> None:
    async with receiver() as hooks:
        first, second = [await register(service, hooks.url) for _ in range(2)]
        for endpoint in (first, second):
            await service.client.post(f"/webhooks/{endpoint['id']}/test")
            await settled(service, f"/webhooks/{endpoint['id']}/deliveries")
        assert (await service.client.delete(f"/webhooks/{first['id']}")).status_code == 204
        (kept,) = await deliveries(service, f"/webhooks/{second['id']}/deliveries")
    async with database.read() as session:
        assert (await session.scalars(select(WebhookEvent.id))).all() == [kept["event_id"]]


def _seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()
