"""PROVIDERS_FILE changes while API and worker run."""

from pathlib import Path
from typing import Any

import httpx2

from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.support.service import WAIT, make_settings, running_api, running_worker
from tests.support.waiting import until
from worker.engine.children import Children

NO_KEYS = KeyRing({})
SPEC = {"name": "test", "model": "sim-ttft5-gap1-n4", "provider": "mine", "prompts": ["x"], "concurrency": 1}


def write(path: Path, **urls: str) -> None:
    path.write_text(
        "".join(f"- {{name: {name}, protocol: openai, base_url: '{url}/v1'}}\n" for name, url in urls.items())
    )


async def test_a_new_endpoint_is_measured_without_a_restart(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, tmp_path: Path
) -> None:
    """The worker would look for work once in a minute, and report as seldom, if the file did not make it do so."""
    path = tmp_path / "providers.yaml"
    write(path)
    settings = make_settings(database_url, redis_url, None, providers_file=path, sweep_s=60, lease_s=180)
    async with running_worker(settings, NO_KEYS, children), running_api(settings, NO_KEYS) as client:
        refused = await client.post("/benchmarks", json=SPEC)
        assert refused.json()["errors"][0]["code"] == "unknown_provider"
        write(path, mine=simulator.base_url)
        await until(lambda: _base_url(client, "mine"))
        done = (await client.post("/benchmarks", json=SPEC, headers=WAIT)).json()
        assert (done["status"], done["endpoint"]["base_url"]) == ("completed", f"{simulator.base_url}/v1")

        async def reported() -> bool:
            return "mine" in (await client.get("/workers")).json()["items"][0]["providers"]

        await until(reported)
        write(path)

        async def is_gone() -> bool:
            return await _base_url(client, "mine") is None and not await reported()

        await until(is_gone)


async def test_a_running_benchmark_keeps_its_endpoint_and_the_next_has_the_new_one(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, tmp_path: Path
) -> None:
    path = tmp_path / "providers.yaml"
    write(path, mine=simulator.base_url)
    settings = make_settings(database_url, redis_url, None, providers_file=path)
    async with (
        Simulator() as other,
        running_worker(settings, NO_KEYS, children) as worker,
        running_api(settings, NO_KEYS) as client,
    ):
        body = {**SPEC, "model": "sim-ttft50-gap1-n4", "prompts": ["x"] * 5_000}
        url = (await client.post("/benchmarks", json=body)).headers["location"]

        async def has_begun() -> bool:
            return bool((await client.get(url)).json()["progress"]["done"])

        await until(has_begun)
        write(path, mine=other.base_url)

        async def both_know() -> bool:
            worker_knows = f"{other.base_url}/v1" in {item.identity.base_url for item in worker.info.endpoints}
            return worker_knows and await _base_url(client, "mine") == f"{other.base_url}/v1"

        await until(both_know)
        before = len(simulator.requests)
        await until(lambda: _more(simulator, before))
        assert len(other.requests) == 0
        done = (await client.post("/benchmarks", json=SPEC, headers=WAIT)).json()
        assert (done["status"], done["target"]["base_url"]) == ("completed", f"{other.base_url}/v1")
        assert len(other.requests) == 1
        first = (await client.get(url)).json()
        assert (first["status"], first["endpoint"]["base_url"]) == ("running", f"{simulator.base_url}/v1")
        await client.post(f"{url}/cancel")


async def test_what_waits_for_the_old_endpoint_is_not_measured_at_the_new_one(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, tmp_path: Path
) -> None:
    path = tmp_path / "providers.yaml"
    write(path, mine="http://127.0.0.1:9")
    settings = make_settings(database_url, redis_url, None, providers_file=path, unclaimed_after_s=0.1)
    async with running_api(settings, NO_KEYS) as client:
        url = (await client.post("/benchmarks", json=SPEC)).headers["location"]
        write(path, mine=simulator.base_url)
        async with running_worker(settings, NO_KEYS, children):

            async def ended() -> dict[str, Any] | None:
                document: dict[str, Any] = (await client.get(url)).json()
                return document if document["completed_at"] else None

            done = await until(ended) or {}
    assert (done["status"], done["error"]["kind"]) == ("failed", "no_worker")
    assert len(simulator.requests) == 0


async def test_a_wrong_file_keeps_the_endpoints_and_ready_names_it(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, tmp_path: Path
) -> None:
    path = tmp_path / "providers.yaml"
    write(path, mine=simulator.base_url)
    settings = make_settings(database_url, redis_url, None, providers_file=path)
    async with running_worker(settings, NO_KEYS, children), running_api(settings, NO_KEYS) as client:
        path.write_text("- {name: mine, protocol: telepathy}")

        async def says_so() -> dict[str, Any] | None:
            response = await client.get("/ready")
            check: dict[str, Any] = response.json()["providers_file"]
            return None if check["ok"] else {**check, "status": response.status_code}

        check = await until(says_so) or {}
        assert check["status"] == 200
        assert check["detail"].startswith(f"the endpoints from before its last change stay: {path}: protocol: ")
        done = (await client.post("/benchmarks", json=SPEC, headers=WAIT)).json()
        assert done["status"] == "completed"
        write(path, mine=simulator.base_url)

        async def is_right_again() -> bool:
            check = (await client.get("/ready")).json()["providers_file"]
            return bool(check == {"ok": True, "detail": f"{path} is in use"})

        await until(is_right_again)


async def _base_url(client: httpx2.AsyncClient, name: str) -> str | None:
    items = (await client.get("/providers")).json()["items"]
    return next((str(item["base_url"]) for item in items if item["name"] == name), None)


async def _more(simulator: Simulator, than: int) -> bool:
    return len(simulator.requests) > than
