"""Events of benchmarks, from the POST to real receivers: delivered, signed, shown, and never in anybody's way."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.providers.key_ring import KeyRing
from shared.webhooks.secret_box import new_key
from simulator.server import Simulator
from tests.support.dates import instant
from tests.support.servers.receiver import LOOPBACK, after, receiver, status
from tests.support.service import WAIT, Service, running_service
from tests.support.waiting import until
from worker.engine.children import Children

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
    """The deliveries, once so many attempts are stored."""

    async def look() -> list[Json]:
        items = await deliveries(service, path)
        ended = [attempt for item in items for attempt in item["attempts"] if attempt["duration_ms"] is not None]
        return items if len(ended) >= count else []

    return await until(look)


async def test_a_benchmark_tells_its_own_url_of_start_and_end(service: Service) -> None:
    async with receiver() as hooks:
        created = await service.client.post(
            "/benchmarks", json={"name": "told", **FAST, "webhook_url": hooks.url, "metadata": {"x": "y" * 16_000}}
        )
        assert created.status_code == 202, created.text
        secret = created.json()["webhook"]["secret"]
        # Which of two deliveries under way arrives first is open: the sequence tells.
        events = sorted(await hooks.has(2), key=lambda request: request.verified(secret)["data"]["sequence"])
    first, second = events
    started, completed = first.verified(secret), second.verified(secret)
    assert (started["type"], completed["type"]) == ("benchmark.started", "benchmark.completed")
    assert (started["data"]["sequence"], completed["data"]["sequence"]) == (1, 2)
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
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
        "lease_s": 1_200,
        "sweep_s": 600,
    }
    async with (
        receiver() as hooks,
        running_service(database_url, redis_url, simulator.base_url, KeyRing({}), children, **options) as service,
    ):
        endless = {"name": "a", "model": "sim-ttft5-gap5-endless", "prompts": ["x"]}
        first = (await service.client.post("/benchmarks", json=endless)).json()["id"]
        # The worker has no place left for the second.
        await simulator.wait_for(lambda server: server.in_flight == 1)
        second = (await service.client.post("/benchmarks", json={**endless, "webhook_url": hooks.url})).json()
        assert (await service.client.post(f"/benchmarks/{second['id']}/cancel")).json()["status"] == "cancelled"
        (event,) = await hooks.has(1)
        data = event.verified(second["webhook"]["secret"])
        assert (data["type"], data["data"]["sequence"], data["data"]["summary"]) == ("benchmark.cancelled", 1, None)
        await service.client.post(f"/benchmarks/{first}/cancel")


async def test_a_failed_attempt_is_shown_with_its_answer_and_the_next_one(service: Service) -> None:
    async with receiver(status(500, body="b" * 3_000)) as hooks:
        endpoint = await register(service, hooks.url)
        assert (await service.client.post(f"/webhooks/{endpoint['id']}/test")).status_code == 202
        (delivery,) = await settled(service, f"/webhooks/{endpoint['id']}/deliveries")
    (attempt,) = delivery["attempts"]
    assert (delivery["status"], attempt["status_code"], attempt["url"]) == ("pending", 500, hooks.url)
    assert (attempt["error"], attempt["response"]) == ("answered 500", "b" * 2_000)
    assert attempt["next_attempt_at"] == delivery["next_attempt_at"]
    assert instant(attempt["next_attempt_at"]) > instant(attempt["attempted_at"])
    standing = (await service.client.get(f"/webhooks/{endpoint['id']}")).json()
    assert standing["failing_since"] is not None
    assert standing["enabled"] is True


async def test_a_disabled_endpoint_is_told_of_nothing_new(service: Service) -> None:
    async with receiver(status(410)) as hooks:
        path = f"/webhooks/{(await register(service, hooks.url))['id']}"
        await service.client.post(f"{path}/test")
        await settled(service, f"{path}/deliveries")
        shown = (await service.client.get(path)).json()
        assert (shown["enabled"], shown["disabled_reason"]) == (False, "it answered 410 Gone")
        await service.run(prompts=["x"])
        (delivery,) = await deliveries(service, f"{path}/deliveries")
        assert delivery["status"] == "pending"
        hooks.answer = status(200)
        enabled = (await service.client.patch(path, json={"enabled": True})).json()
        assert (enabled["enabled"], enabled["disabled_reason"], enabled["failing_since"]) == (True, None, None)
        await service.client.post(f"{path}/deliveries/{delivery['id']}/redeliver")
        (delivery,) = await settled(service, f"{path}/deliveries", 2)
        assert delivery["status"] == "delivered"


async def test_a_redelivery_brings_a_benchmarks_own_endpoint_back(service: Service) -> None:
    async with receiver(status(410)) as hooks:
        done = await service.run(**FAST, webhook_url=hooks.url, webhook_events=["benchmark.completed"])
        path = f"/benchmarks/{done['id']}/webhook-deliveries"
        (delivery,) = await settled(service, path)
        shown = (await service.client.get(f"/benchmarks/{done['id']}")).json()
        assert shown["webhook"]["disabled_reason"] == "it answered 410 Gone"
        hooks.answer = status(204)
        await service.client.post(f"{path}/{delivery['id']}/redeliver")
        (delivery,) = await settled(service, path, 2)
        assert delivery["status"] == "delivered"


async def test_a_hanging_receiver_holds_up_no_benchmark(service: Service) -> None:
    released = asyncio.Event()
    async with receiver(after(released, status(204))) as slow, receiver() as fast:
        await register(service, slow.url)
        await register(service, fast.url)
        for _ in range(6):
            await service.run(prompts=["x"])
        # Start and end of each.
        assert len(await fast.has(12)) == 12
        released.set()


async def test_a_rerun_tells_whom_its_parent_told(service: Service) -> None:
    async with receiver() as hooks:
        first = await service.run(**FAST, webhook_url=hooks.url, webhook_events=["benchmark.completed"])
        await hooks.has(1)
        again = await service.client.post(f"/benchmarks/{first['id']}/rerun", headers=WAIT)
        assert again.json()["webhook"]["url"] == hooks.url
        events = [item.verified(first["webhook"]["secret"]) for item in await hooks.has(2)]
    assert [event["data"]["id"] for event in events] == [first["id"], again.json()["id"]]


async def test_benchmarks_run_without_an_encryption_key(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    async with running_service(database_url, redis_url, simulator.base_url, KeyRing({}), children) as service:
        assert (await service.run(prompts=["x"]))["status"] == "completed"
