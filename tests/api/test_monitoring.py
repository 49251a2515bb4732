"""`/metrics` of the API."""

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from sqlalchemy.engine import make_url

from api.main import create_app
from api.monitoring import prefers_openmetrics
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.support.prometheus import samples, value
from tests.support.servers.proxy import proxy_to
from tests.support.service import make_settings, running_api


async def test_the_api_counts_requests_by_route_and_shows_the_backlog(
    database_url: str, redis_url: str, simulator: Simulator
) -> None:
    async with running_api(make_settings(database_url, redis_url, simulator.base_url), KeyRing({})) as client:
        for number in (1, 2):
            body = {"name": "x", "model": "sim", "prompts": ["x"]}
            assert (await client.post("/benchmarks", json=body)).status_code == 202
            await client.get(f"/benchmarks/{number}")
        await client.get("/benchmarks/99")
        await client.get("/nothing/of/the/kind")
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = samples(answer.text)
    route = "/benchmarks/{benchmark_id}"
    assert value(found, "llmbench_http_requests_total", method="POST", route="/benchmarks", status="202") == 2
    assert value(found, "llmbench_http_requests_total", method="GET", route=route, status="200") == 2
    assert value(found, "llmbench_http_requests_total", method="GET", route=route, status="404") == 1
    assert value(found, "llmbench_http_requests_total", method="GET", route="other", status="404") == 1
    assert value(found, "llmbench_http_request_duration_seconds_count", method="GET", route=route) == 3
    assert value(found, "llmbench_benchmarks", status="pending") == 2
    assert value(found, "llmbench_benchmarks", status="running") == 0
    assert 0 < value(found, "llmbench_queue_oldest_age_seconds") < 300
    assert value(found, "llmbench_workers_alive") == 0
    assert value(found, "llmbench_database_up") == 1
    assert value(found, "llmbench_queue_up") == 1


async def test_methods_that_callers_make_up_share_one_label(empty_api: httpx2.AsyncClient) -> None:
    """Whoever reaches the API, also without a key, could fill its memory with others."""
    for number in range(3):
        assert (await empty_api.request(f"MADE-UP-{number}", "/health")).status_code == 405
    found = samples((await empty_api.get("/metrics")).text)
    assert value(found, "llmbench_http_requests_total", method="other", route="/health", status="405") == 3
    assert "MADE-UP" not in str(found)


async def test_an_unexpected_error_counts_as_500(sqlite_url: str) -> None:
    """The alert on errors reads this number."""
    app = create_app(make_settings(sqlite_url, "redis://127.0.0.1:1/0", None), KeyRing({}))

    @app.get("/breaks")
    async def breaks() -> None:
        raise RuntimeError("a bug")

    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        assert (await client.get("/breaks")).status_code == 500
        found = samples((await client.get("/metrics")).text)
    assert value(found, "llmbench_http_requests_total", method="GET", route="/breaks", status="500") == 1
    # Nothing listens where this API looks for Redis.
    assert value(found, "llmbench_queue_up") == 0
    assert not any(("status", "0") in labels for _, labels in found)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_metrics_answer_while_the_database_is_away(database_url: str, redis_url: str) -> None:
    url = make_url(database_url)
    async with proxy_to(str(url.host), url.port or 5432) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        async with running_api(make_settings(through, redis_url, None), KeyRing({})) as client:
            assert value(samples((await client.get("/metrics")).text), "llmbench_database_up") == 1
            await proxy.cut()
            answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert value(samples(answer.text), "llmbench_database_up") == 0


# What Prometheus 3 sends.
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        (PROMETHEUS, True),
        ("Application/OpenMetrics-Text", True),
        ("application/openmetrics-text;version=abc", True),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.5", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nan", False),
        (",;,;q=1,", False),
    ],
)
def test_openmetrics_is_for_those_who_prefer_it(accept: str, expected: bool) -> None:
    assert prefers_openmetrics(accept) is expected


async def test_openmetrics_is_answered_on_request(sqlite_api: httpx2.AsyncClient) -> None:
    await sqlite_api.get("/benchmarks")
    answer = await sqlite_api.get("/metrics", headers={"Accept": PROMETHEUS})
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.text.endswith("# EOF\n")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"llmbench_http_requests", "process_resident_memory_bytes", "python_info"} <= names


async def test_the_process_and_python_are_in_the_metrics(sqlite_api: httpx2.AsyncClient) -> None:
    found = samples((await sqlite_api.get("/metrics")).text)
    assert value(found, "process_resident_memory_bytes") > 10_000_000
    assert value(found, "process_cpu_seconds_total") > 0
    assert value(found, "process_open_fds") > 0
    assert value(found, "python_gc_collections_total", generation="0") >= 0
    assert any(name == "python_info" for name, _ in found)
