"""Requests of other sites' pages, of other host names, and of our own webhooks."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from api.main import create_app
from shared.providers.key_ring import KeyRing
from shared.version import __version__
from tests.api.conftest import KEYS, SIMULATOR
from tests.api.documents import EXAMPLE, problem, submit
from tests.support.programs.ports import free_port
from tests.support.servers.served import served_api
from tests.support.service import make_settings, running_api
from tests.support.waiting import PATIENCE_S

CHANGES = [
    ("POST", "/benchmarks"),
    ("POST", "/benchmarks/estimate"),
    ("POST", "/benchmarks/1/rerun"),
    ("POST", "/benchmarks/1/cancel"),
    ("DELETE", "/benchmarks/1"),
    ("PUT", "/baselines/main"),
    ("DELETE", "/baselines/main"),
    ("PUT", "/budgets/owners/acme/day"),
    ("DELETE", "/budgets/owners/acme/day"),
    ("PUT", "/budgets/keys/ab12cd34/day"),
    ("DELETE", "/budgets/keys/ab12cd34/day"),
    ("POST", "/keys"),
    ("DELETE", "/keys/ab12cd34"),
    ("POST", "/import"),
    ("POST", "/datasets"),
    ("DELETE", "/datasets/1"),
    ("POST", "/webhooks"),
    ("PATCH", "/webhooks/1"),
    ("DELETE", "/webhooks/1"),
    ("POST", "/webhooks/1/test"),
    ("POST", "/webhooks/1/rotate-secret"),
    ("POST", "/webhooks/1/deliveries/1/redeliver"),
    ("POST", "/benchmarks/1/webhook-deliveries/1/redeliver"),
    # The forms of pages.
    ("POST", "/ui/login"),
    ("POST", "/ui/logout"),
    ("POST", "/ui/logout/everywhere"),
    ("POST", "/ui/account/owner"),
    ("POST", "/ui/keys"),
    ("POST", "/ui/keys/ab12cd34/revoke"),
    ("POST", "/ui/benchmarks"),
    ("POST", "/ui/benchmarks/new/preview"),
    ("POST", "/ui/benchmarks/new/file"),
    ("POST", "/ui/benchmarks/1/rerun"),
    ("POST", "/ui/benchmarks/1/cancel"),
    ("POST", "/ui/benchmarks/1/delete"),
    ("POST", "/ui/demo"),
    ("POST", "/ui/webhooks"),
    ("POST", "/ui/webhooks/1/enable"),
    ("POST", "/ui/webhooks/1/disable"),
    ("POST", "/ui/webhooks/1/test"),
    ("POST", "/ui/webhooks/1/secret"),
    ("POST", "/ui/webhooks/1/delete"),
    ("POST", "/ui/webhooks/1/deliveries/1/redeliver"),
]
# What the pages say.
SAID = {"cross_site": "A page of another site", "own_webhook": "Webhooks are not received here"}
OTHER_SITE = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost:3000"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "Cross-Site "},
    {"sec-fetch-site": ""},
    {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
]
OWN_WEBHOOK = [{"webhook-id": "msg_1"}, {"user-agent": f"llmbench-webhooks/{__version__}"}]


@pytest.fixture
async def named_api(sqlite_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """An API that clients reach under a name."""
    settings = make_settings(
        sqlite_url,
        f"redis://127.0.0.1:{free_port()}/0",
        SIMULATOR,
        allowed_hosts=("llmbench-api",),
        public_url="https://bench.example.com",
    )
    async with running_api(settings, KEYS) as client:
        yield client


async def test_a_body_with_two_lengths_is_refused_and_its_connection_closed(sqlite_url: str) -> None:
    """What follows it may be the request of somebody else, whom a proxy in front sends over the same connection."""
    settings = make_settings(sqlite_url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR)
    async with served_api(settings) as (client, _), asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        head = (
            b"POST /benchmarks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        writer.write(head + b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"two_lengths" in answer


def assert_refused(answer: httpx2.Response, code: str) -> None:
    """Under /ui by a page, elsewhere by a problem document."""
    if answer.url.path.startswith("/ui/"):
        assert (answer.status_code, SAID[code] in answer.text) == (403, True)
    else:
        assert problem(answer, 403)["code"] == code


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_a_page_of_another_site_changes_nothing(sqlite_api: httpx2.AsyncClient, method: str, path: str) -> None:
    await submit(sqlite_api)
    for headers in OTHER_SITE:
        assert_refused(await sqlite_api.request(method, path, headers=headers), "cross_site")
    for twice in ("origin", "sec-fetch-site"):
        value = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}[twice]
        pairs = httpx2.Headers([(twice, value), (twice, value)])
        assert_refused(await sqlite_api.request(method, path, headers=pairs), "cross_site")
    assert [item["status"] for item in (await sqlite_api.get("/benchmarks")).json()["items"]] == ["pending"]


def test_every_route_that_changes_something_is_checked() -> None:
    """The list above is whole: one line for each method of each route, those of pages included."""
    app = create_app(make_settings("sqlite:///never-opened.db", "redis://127.0.0.1:1/0", None), KeyRing({}))
    routes = [(method, route) for route in app.state.routes for method in route.methods or ()]
    changing = [(method, route) for method, route in routes if method not in ("GET", "HEAD")]
    unchecked = [
        (method, route.path)
        for method, route in changing
        if not any(method == verb and route.path_regex.match(path) for verb, path in CHANGES)
    ]
    assert unchecked == []
    assert len(changing) == len(CHANGES)


async def test_its_own_page_and_programs_may_change_something(sqlite_api: httpx2.AsyncClient) -> None:
    for headers in (
        {},
        {"origin": "http://localhost"},
        {"origin": "http://localhost", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ):
        assert (await sqlite_api.post("/benchmarks", json=EXAMPLE, headers=headers)).status_code == 202, headers


async def test_a_page_behind_a_proxy_that_changes_the_host_is_its_own(named_api: httpx2.AsyncClient) -> None:
    headers = {"host": "llmbench-api", "origin": "https://bench.example.com"}
    assert (await named_api.post("/benchmarks", json=EXAMPLE, headers=headers)).status_code == 202
    headers["origin"] = "https://bench.example.com.evil.example"
    assert problem(await named_api.post("/benchmarks", json=EXAMPLE, headers=headers), 403)["code"] == "cross_site"


@pytest.mark.parametrize("path", ["/benchmarks", "/docs", "/openapi.json", "/metrics", "/nothing"])
async def test_another_host_name_is_not_answered(named_api: httpx2.AsyncClient, path: str) -> None:
    """A page of evil.example, whose name now leads here, could otherwise read everything."""
    for host in ("evil.example", "evil.example:80", "localhost.evil.example", ""):
        assert problem(await named_api.get(path, headers={"host": host}), 421)["code"] == "unknown_host"
        page = await named_api.get("/ui/benchmarks", headers={"host": host})
        assert (page.status_code, "or let its operator add this name" in page.text) == (421, True)
    twice = httpx2.Headers([("host", "localhost"), ("host", "evil.example")])
    assert problem(await named_api.get(path, headers=twice), 421)["code"] == "unknown_host"
    for host in ("localhost", "127.0.0.1:8000", "[::1]:8000", "LLMBENCH-API.:80", "bench.example.com", "10.2.3.4"):
        assert (await named_api.get(path, headers={"host": host})).status_code in (200, 404), host


async def test_probes_may_use_any_host_name(sqlite_api: httpx2.AsyncClient) -> None:
    assert (await sqlite_api.get("/health", headers={"host": "pod-7.cluster.local"})).status_code == 200
    assert (await sqlite_api.get("/ready", headers={"host": "pod-7.cluster.local"})).status_code == 503


@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_our_own_webhook_changes_nothing(sqlite_api: httpx2.AsyncClient, method: str, path: str) -> None:
    """A benchmark whose webhook is its own `/rerun` would run for ever."""
    await submit(sqlite_api)
    for headers in OWN_WEBHOOK:
        assert_refused(await sqlite_api.request(method, path, headers=headers), "own_webhook")
    assert [item["status"] for item in (await sqlite_api.get("/benchmarks")).json()["items"]] == ["pending"]


async def test_every_answer_has_the_security_headers(sqlite_api: httpx2.AsyncClient) -> None:
    answers = [
        await sqlite_api.get("/benchmarks"),
        await sqlite_api.get("/nothing"),
        await sqlite_api.get("/benchmarks", headers={"host": "evil.example"}),
        await sqlite_api.post("/benchmarks", content=b"{"),
    ]
    for answer in answers:
        headers = answer.headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
    page = await sqlite_api.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self' 'unsafe-inline'" in policy
    # Everything that the page loads comes from here.
    sources = [
        part.split('"')[0]
        for mark in ('src="', '<link rel="stylesheet" type="text/css" href="')
        for part in page.text.split(mark)[1:]
    ]
    assert sources
    assert all(source.startswith(("/", "http://localhost/")) for source in sources), sources
