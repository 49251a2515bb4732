"""What the workers send is in the benchmark, and no secret is anywhere."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from shared.providers.key_ring import KeyRing
from shared.scrubber import MASK
from simulator.server import Simulator
from tests.support.servers.scripted import ScriptedServer, http
from tests.support.service import Service, running_service
from worker.engine.children import Children
from worker.run.target import UNVERIFIED

KEY, SIG, TOKEN = "planted-key-0123456789", "planted/sig+0123456789", "planted-token-0123456789"
PLAIN = "sk-planted-0123456789abcdef"
KEYS = KeyRing({"SOME_KEY": KEY, "SIG": SIG, "TOKEN": TOKEN})


def endpoint_at(url: str, **options: Any) -> dict[str, Any]:
    return {"name": "deployed", "protocol": "openai", "base_url": f"{url}/v1", "api_key_env": "SOME_KEY", **options}


async def fails(service: Service, kind: str, words: str) -> None:
    """A benchmark that no worker can run fails in these words."""
    done = await service.run(provider="deployed", prompts=["x"])
    assert done["status"] == "failed"
    assert done["error"]["kind"] == kind
    assert words in done["error"]["message"]


OPTIONS: dict[str, Any] = {
    "key_header": "api-key",
    "query": {"api-version": "2024-10-21", "sig": {"env": "SIG"}},
    "headers": {"X-Team": "search", "X-Token": {"env": "TOKEN"}},
    "extra_body": {"ignore_eos": True, "service_tier": "flex", "custom": {"api_key": PLAIN}},
}


@pytest.mark.parametrize("transport", ["auto", "sdk"])
async def test_the_target_says_what_is_sent(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, transport: str
) -> None:
    endpoint = endpoint_at(simulator.base_url, transport=transport, **OPTIONS)
    async with running_service(database_url, redis_url, None, KEYS, children, providers=[endpoint]) as service:
        done = await service.run(
            provider="deployed",
            model="sim-ttft5-gap1-n4",
            prompts=["x"],
            parameters={"max_tokens": 9},
            extra_body={"min_tokens": 4},
        )
    target = done["target"]
    assert done["extra_body"] == {"min_tokens": 4}
    headers = target.pop("headers")
    assert target == {
        "protocol": "openai",
        "base_url": f"{simulator.base_url}/v1",
        "path": "/v1/chat/completions",
        "query": {"api-version": "2024-10-21", "sig": MASK},
        "key_env": "SOME_KEY",
        "body": {
            "stream": True,
            "max_tokens": 9,
            "stream_options": {"include_usage": True},
            "ignore_eos": True,
            "service_tier": "flex",
            "custom": {"api_key": MASK},
            "min_tokens": 4,
        },
        "extra_body": {
            "ignore_eos": True,
            "service_tier": "flex",
            "custom": {"api_key": MASK},
            "min_tokens": 4,
        },
        "service_tier": "flex",
        "tls": None,
        "transport": "sdk" if transport == "sdk" else "socket",
        "proxy": False,
    }
    assert (headers["api-key"], headers["x-token"], headers["x-team"]) == (MASK, MASK, "search")
    (request,) = simulator.requests
    arrived = set(request.headers) - {"content-length"}
    assert arrived == set(headers)
    assert request.body == {
        "model": "sim-ttft5-gap1-n4",
        "messages": [{"role": "user", "content": "x"}],
        **target["body"],
        "custom": {"api_key": PLAIN},
    }


async def test_no_secret_is_stored_logged_or_returned(
    database_url: str, redis_url: str, children: Children, capfd: pytest.CaptureFixture[str]
) -> None:
    """Although the server repeats all of them, in an error and in an answer."""
    said = f"{KEY} {SIG} {TOKEN} {PLAIN}"
    error = http(f'{{"error": {{"message": "wrong: {said}", "code": "{TOKEN}"}}}}'.encode(), "401 Unauthorized")
    chunk = f'{{"model": "{KEY}", "choices": [{{"delta": {{"content": "{said}", "reasoning": "{said}"}}}}]}}'
    end = '{"choices": [{"delta": {}, "finish_reason": "stop"}]}'
    answer = http(f"data: {chunk}\n\ndata: {end}\n\ndata: [DONE]\n\n".encode(), headers=f"x-request-id: {SIG}\r\n")
    whole = ""
    for number, response in enumerate((error, answer), 1):
        async with ScriptedServer([response]).running() as server:
            options = {"providers": [endpoint_at(server.url, **OPTIONS)], "log_level": "DEBUG"}
            async with running_service(database_url, redis_url, None, KEYS, children, **options) as service:
                await service.run(provider="deployed", prompts=["x"])
                shown = [f"/benchmarks/{number}?include=timeline,warmup", "/providers", "/workers", "/benchmarks"]
                whole += "".join([(await service.client.get(path)).text for path in shown])
        assert TOKEN in server.requests[0].decode()
    assert MASK in whole
    whole += "".join(capfd.readouterr())
    for secret in (KEY, SIG, TOKEN, PLAIN, SIG.replace("/", "%2F").replace("+", "%2B")):
        assert secret not in whole


async def test_a_missing_variable_is_named_with_its_endpoint(
    database_url: str, redis_url: str, children: Children
) -> None:
    endpoint = endpoint_at("http://127.0.0.1:9", **OPTIONS)
    keys = KeyRing({"SOME_KEY": KEY, "SIG": SIG})
    async with running_service(database_url, redis_url, None, keys, children, providers=[endpoint]) as service:
        body = {"name": "n", "model": "m", "provider": "deployed", "prompts": ["x"]}
        refused = await service.client.post("/benchmarks", json=body)
        (provider,) = [
            item for item in (await service.client.get("/providers")).json()["items"] if item["name"] == "deployed"
        ]
        assert service.dispatcher.info.providers == ()
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["field"] == "provider"
    assert "endpoint 'deployed' needs" in error["message"]
    assert "TOKEN" in error["message"]
    assert provider["ready"] is False
    assert provider["variables"] == ["SOME_KEY", "SIG", "TOKEN"]
    assert provider["query"] == {"api-version": "2024-10-21", "sig": MASK}
    assert provider["headers"] == {"X-Team": "search", "X-Token": MASK}
    assert provider["extra_body"]["custom"] == {"api_key": MASK}


async def test_a_worker_that_lost_a_variable_fails_the_benchmark_in_words(
    database_url: str, redis_url: str, tmp_path: Path, children: Children
) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN, encoding="utf-8")
    keys = KeyRing({"SOME_KEY": KEY, "SIG": SIG, "TOKEN_FILE": str(path)})

    class Forgetful(KeyRing):
        """The file is gone once the API has seen it. The worker has reported before that it can use the endpoint."""

        def can_use(self, endpoint: Any) -> bool:
            usable = super().can_use(endpoint)
            path.unlink(missing_ok=True)
            return usable

    forgetful = Forgetful(keys._environment)
    endpoint = endpoint_at("http://127.0.0.1:9", **OPTIONS)
    async with running_service(
        database_url, redis_url, None, forgetful, children, providers=[endpoint], lease_s=600
    ) as service:
        done = await service.run(provider="deployed", prompts=["x"])
    assert done["error"] == {
        "kind": "missing_key",
        "message": "this worker cannot use endpoint 'deployed': TOKEN is not set, nor TOKEN_FILE",
    }
    assert done["target"] is None


def server_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("elsewhere.example").configure_cert(context)
    return context


async def test_a_run_without_verification_says_so(database_url: str, redis_url: str, children: Children) -> None:
    async with Simulator(tls=server_context()) as server:
        endpoint = endpoint_at(server.base_url, tls={"verify": False})
        async with running_service(database_url, redis_url, None, KEYS, children, providers=[endpoint]) as service:
            done = await service.run(provider="deployed", prompts=["x"])
    assert done["status"] == "completed"
    assert done["notices"] == [UNVERIFIED]
    assert done["target"]["tls"] == {"verify": False, "ca_file": None, "client_cert": None, "client_key": None}


async def test_a_proxy_that_no_worker_can_use_fails_the_benchmark_in_words(
    database_url: str, redis_url: str, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and no measuring process dies of it."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.invalid:1080")
    monkeypatch.delenv("https_proxy", raising=False)
    endpoint = endpoint_at("https://deployed.invalid")
    async with running_service(
        database_url, redis_url, None, KEYS, children, providers=[endpoint], unclaimed_after_s=0.1
    ) as service:
        await fails(service, "unusable_proxy", "cannot use it: HTTPS_PROXY cannot be used: it must be like")


async def test_tls_files_that_no_worker_can_use_fail_the_benchmark_in_words(
    database_url: str, redis_url: str, children: Children
) -> None:
    endpoint = endpoint_at("https://127.0.0.1:9", tls={"ca_file": "/nowhere/ca.pem"})
    async with running_service(
        database_url, redis_url, None, KEYS, children, providers=[endpoint], unclaimed_after_s=0.1
    ) as service:
        await fails(service, "unusable_tls", "cannot use it: tls.ca_file /nowhere/ca.pem cannot be used")
