"""Links, redirects and documents behind a proxy that publishes the API below a path."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from api.main import create_app
from shared.network.ssrf import networks
from shared.providers.key_ring import KeyRing
from tests.support.service import make_settings

PEER = "10.1.2.3"
TRUSTED = {"trusted_proxies": networks("10.0.0.0/8")}
PREFIX = {"X-Forwarded-Prefix": "/llmbench"}


@asynccontextmanager
async def behind_proxy(sqlite_url: str, peer: str = PEER, **changes: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """The API as a proxy at `peer` calls it."""
    app = create_app(make_settings(sqlite_url, "redis://127.0.0.1:9/0", "http://127.0.0.1:9", **changes), KeyRing({}))
    transport = httpx2.ASGITransport(app=app, client=(peer, 1))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield client


async def submitted(client: httpx2.AsyncClient, path: str = "/benchmarks", **headers: str) -> httpx2.Response:
    body = {"name": "proxied", "model": "sim-n1", "prompts": ["x"]}
    answer = await client.post(path, json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer


@pytest.mark.parametrize("path", ["/benchmarks", "/llmbench/benchmarks"], ids=["taken off", "left on"])
@pytest.mark.parametrize(
    ("changes", "headers"), [(TRUSTED, PREFIX), ({"root_path": "/llmbench"}, {})], ids=["header", "ROOT_PATH"]
)
async def test_links_begin_with_the_prefix(
    sqlite_url: str, path: str, changes: dict[str, Any], headers: dict[str, str]
) -> None:
    async with behind_proxy(sqlite_url, **changes) as client:
        answer = await submitted(client, path, **headers)
        assert answer.headers["location"] == "/llmbench/benchmarks/1"
        assert answer.json()["results_url"] == "/llmbench/benchmarks/1/results"
        listed = (await client.get(path, headers=headers)).json()["items"]
        assert [item["results_url"] for item in listed] == ["/llmbench/benchmarks/1/results"]
        missing = await client.get(f"{path}/9", headers=headers)
        assert (missing.status_code, missing.json()["instance"]) == (404, "/llmbench/benchmarks/9")
        assert (await client.get("/openapi.json", headers=headers)).json()["servers"][0] == {"url": "/llmbench"}


async def test_redirects_and_the_docs_page_lead_to_what_the_client_used(sqlite_url: str) -> None:
    headers = {**PREFIX, "X-Forwarded-Proto": "https"}
    async with behind_proxy(sqlite_url, **TRUSTED) as client:
        root = await client.get("/", headers=headers)
        assert root.headers["location"] == "/llmbench/ui/benchmarks"
        slash = await client.get("/benchmarks/", headers=headers)
        assert slash.headers["location"] == "https://127.0.0.1/llmbench/benchmarks"
        page = (await client.get("/docs", headers=headers)).text
        assert "https://127.0.0.1/llmbench/swagger/swagger-ui-bundle.js" in page
        assert "'/llmbench/openapi.json'" in page
        assert (await client.get("/swagger/swagger-ui.css", headers=headers)).status_code == 200


async def test_a_page_below_the_prefix_has_the_same_headers(sqlite_url: str) -> None:
    async with behind_proxy(sqlite_url) as client:
        plain = await client.get("/docs")
    async with behind_proxy(sqlite_url, **TRUSTED) as client:
        for path in ("/docs", "/llmbench/docs"):
            proxied = await client.get(path, headers=PREFIX)
            assert proxied.headers["content-security-policy"] == plain.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("peer", "changes"),
    [
        (PEER, {}),
        ("192.0.2.1", TRUSTED),
        ("testclient", TRUSTED),
    ],
    ids=["nobody is trusted", "another address", "no address"],
)
async def test_the_headers_of_others_are_ignored(sqlite_url: str, peer: str, changes: dict[str, Any]) -> None:
    async with behind_proxy(sqlite_url, peer, **changes) as client:
        answer = await submitted(client, **PREFIX, **{"X-Forwarded-Proto": "https"})
        assert answer.headers["location"] == "/benchmarks/1"
        slash = await client.get("/benchmarks/", headers={"X-Forwarded-Proto": "https"})
        assert slash.headers["location"] == "http://127.0.0.1/benchmarks"


async def test_a_trusted_proxy_may_reach_us_over_a_socket_of_both_families(sqlite_url: str) -> None:
    async with behind_proxy(sqlite_url, f"::ffff:{PEER}", **TRUSTED) as client:
        assert (await submitted(client, **PREFIX)).headers["location"] == "/llmbench/benchmarks/1"


@pytest.mark.parametrize(
    "prefix", ["//evil.example", "/a/../b", "https://evil.example", "/a?b", "/a b", "/" + "a" * 300, "llmbench", "/"]
)
async def test_a_prefix_that_is_no_plain_path_is_ignored(sqlite_url: str, prefix: str) -> None:
    async with behind_proxy(sqlite_url, **TRUSTED) as client:
        assert (await submitted(client, **{"X-Forwarded-Prefix": prefix})).headers["location"] == "/benchmarks/1"


async def test_probes_need_no_prefix(sqlite_url: str) -> None:
    """They reach the API directly."""
    async with behind_proxy(sqlite_url, root_path="/llmbench") as client:
        assert (await client.get("/health", headers={"Host": "any.example"})).status_code == 200
        assert 'route="/health"' in (await client.get("/metrics")).text
