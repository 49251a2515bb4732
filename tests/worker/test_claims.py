"""Workers with different endpoints and keys beside each other: who runs what, and what becomes of what nobody can."""

import asyncio
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from shared.db.connection.database import Database
from shared.db.tables.webhooks import WebhookEvent
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.support.service import WAIT, make_settings, running_api, running_worker
from tests.support.waiting import until
from worker.engine.children import Children

WITHOUT, WITH = KeyRing({}), KeyRing({"K": "secret-of-the-worker"})
SPEC = {"name": "test", "model": "sim-ttft5-gap1-n4", "provider": "mine", "prompts": ["x"], "concurrency": 1}


def endpoint(url: str, **changes: Any) -> dict[str, Any]:
    return {"name": "mine", "protocol": "openai", "base_url": f"{url}/v1", "api_key_env": "K", **changes}


async def test_adding_a_key_by_a_rolling_restart_fails_nothing(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    """Two workers without the key are replaced one after the other, while benchmarks are submitted."""
    settings = make_settings(database_url, redis_url, None, providers=[endpoint(simulator.base_url)])
    async with running_api(settings, WITH) as client:

        async def submit() -> str:
            answer = await client.post("/benchmarks", json=SPEC)
            assert answer.status_code == 202, answer.text
            return str(answer.headers["location"])

        async def read(url: str) -> dict[str, Any]:
            document: dict[str, Any] = (await client.get(url)).json()
            return document

        async with running_worker(settings, WITHOUT, children) as second:
            async with running_worker(settings, WITHOUT, children):
                early = [await submit() for _ in range(3)]

                async def says_so() -> bool:
                    return bool((await read(early[0]))["notices"])

                await until(says_so)
                waiting = await read(early[0])
                assert waiting["status"] == "pending"
                assert "cannot use it: K is not set, nor K_FILE" in waiting["notices"][0]
            async with running_worker(settings, WITH, children):
                late = [await submit() for _ in range(3)]
                second.ring()
                documents = [await _ended(client, url) for url in [*early, *late]]
    assert {document["status"] for document in documents} == {"completed"}
    assert {tuple(document["notices"]) for document in documents} == {()}
    assert len(simulator.requests) == 6


@pytest.mark.heavy
async def test_the_same_name_at_another_url_is_never_measured(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    free = {"api_key_env": None}
    async with Simulator() as other:
        here = make_settings(database_url, redis_url, None, providers=[endpoint(simulator.base_url, **free)])
        there = make_settings(database_url, redis_url, None, providers=[endpoint(other.base_url, **free)])
        async with (
            running_worker(here, WITHOUT, children),
            running_worker(there, WITHOUT, children),
            running_api(here, WITHOUT) as to_here,
            running_api(there, WITHOUT) as to_there,
        ):
            answers = await asyncio.gather(
                *(
                    client.post("/benchmarks", json=SPEC, headers=WAIT)
                    for _ in range(5)
                    for client in (to_here, to_there)
                )
            )
            documents = [answer.json() for answer in answers]
        assert {document["status"] for document in documents} == {"completed"}
        for document in documents:
            assert document["endpoint"]["base_url"] == document["target"]["base_url"]
        bases = [document["target"]["base_url"] for document in documents]
        assert bases == [f"{server.base_url}/v1" for _ in range(5) for server in (simulator, other)]
        assert (len(simulator.requests), len(other.requests)) == (5, 5)


async def test_what_nobody_can_run_fails_in_time_and_says_why(
    database_url: str, database: Database, redis_url: str, children: Children
) -> None:
    """The API knows another server of this name than the worker."""
    wanted, had = (
        make_settings(database_url, redis_url, None, providers=[endpoint(url, api_key_env=None)], unclaimed_after_s=0.1)
        for url in ("http://127.0.0.1:9", "http://127.0.0.1:10")
    )
    async with running_worker(had, WITHOUT, children), running_api(wanted, WITHOUT) as client:
        done = (await client.post("/benchmarks", json=SPEC, headers=WAIT)).json()
    assert (done["status"], done["error"]["kind"]) == ("failed", "no_worker")
    message = done["error"]["message"]
    assert "no worker could run it: it needs endpoint 'mine' (openai at http://127.0.0.1:9/v1)" in message
    assert "has another one of this name (openai at http://127.0.0.1:10/v1)" in message
    assert (done["started_at"], done["notices"], done["segments"], done["summary"]) == (None, [], [], None)
    async with database.read() as session:
        (event,) = (await session.scalars(select(WebhookEvent))).all()
    assert (event.type, event.sequence, event.data["error"]) == ("benchmark.failed", 1, done["error"])


async def test_a_run_that_nobody_can_continue_keeps_its_results(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    changes = {"providers": [endpoint(simulator.base_url)], "unclaimed_after_s": 0.1, "shutdown_grace_s": 0}
    settings = make_settings(database_url, redis_url, None, **changes)
    async with running_api(settings, WITH) as client:
        async with running_worker(settings, WITH, children):
            body = {**SPEC, "model": "sim-ttft20-gap1-n4", "prompts": ["x"] * 500}
            url = (await client.post("/benchmarks", json=body)).headers["location"]
            await until(lambda: _done(client, url, 2))
        async with running_worker(settings, WITHOUT, children):
            ended = await _ended(client, url)
    assert (ended["status"], ended["error"]["kind"]) == ("failed", "missing_key")
    assert ended["summary"]["requests"]["succeeded"] >= 2
    assert ended["summary"]["interrupted"] is True
    assert [segment["ended_by"] for segment in ended["segments"]] == ["released"]


async def test_the_identity_is_shown_and_holds_no_secret(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    configured = endpoint(simulator.base_url, headers={"X-Token": {"env": "T"}})
    keys = KeyRing({"K": "secret-of-the-worker", "T": "another-secret"})
    settings = make_settings(database_url, redis_url, None, providers=[configured])
    async with running_worker(settings, keys, children) as dispatcher, running_api(settings, keys) as client:
        done = (await client.post("/benchmarks", json=SPEC, headers=WAIT)).json()
        listed = (await client.get("/benchmarks")).json()["items"][0]
        (provider,) = [item for item in (await client.get("/providers")).json()["items"] if item["name"] == "mine"]
        again = await client.post(f"{done['results_url'].removesuffix('/results')}/rerun", headers=WAIT)
    assert done["endpoint"] == listed["endpoint"] == again.json()["endpoint"]
    assert done["endpoint"] == {
        "name": "mine",
        "protocol": "openai",
        "base_url": f"{simulator.base_url}/v1",
        "fingerprint": provider["fingerprint"],
    }
    assert again.json()["notices"] == []
    reported = orjson.dumps([item.document() for item in dispatcher.info.endpoints]).decode()
    assert "secret" not in reported + orjson.dumps(done["endpoint"]).decode()


async def test_a_rerun_says_if_the_endpoint_has_changed(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> None:
    before, after = (
        make_settings(database_url, redis_url, None, providers=[endpoint(url, api_key_env=None)])
        for url in ("http://127.0.0.1:9", simulator.base_url)
    )
    async with running_api(before, WITHOUT) as client:
        number = (await client.post("/benchmarks", json=SPEC)).json()["id"]
    async with running_api(after, WITHOUT) as client, running_worker(after, WITHOUT, children):
        again = (await client.post(f"/benchmarks/{number}/rerun", headers=WAIT)).json()
    assert again["status"] == "completed"
    (notice,) = again["notices"]
    assert notice.startswith(
        f"Endpoint 'mine' has changed since benchmark {number}. It was openai at http://127.0.0.1:9/v1"
    )
    assert notice.endswith(f"and is openai at {simulator.base_url}/v1.")


async def _ended(client: Any, url: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        document: dict[str, Any] = (await client.get(url)).json()
        return document if document["completed_at"] else None

    return await until(look) or {}


async def _done(client: Any, url: str, least: int) -> bool:
    return bool((await client.get(url)).json()["progress"]["done"] >= least)
