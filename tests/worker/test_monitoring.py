"""What API and worker tell Prometheus, after real work."""

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.engine import make_url

from shared.program.monitoring import Names
from shared.providers.key_ring import KeyRing
from simulator.server import Simulator
from tests.support.proxy import proxy_to
from tests.support.service import Service, make_settings, running_api
from worker.monitoring import WorkerMetrics

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


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
    assert 0 < value(found, "llmbench_queue_oldest_age_seconds") < 30
    assert value(found, "llmbench_workers_alive") == 0
    assert value(found, "llmbench_database_up") == 1


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


async def test_a_worker_counts_requests_errors_and_first_tokens_by_model(service: Service) -> None:
    model = "sim-ttft60-gap1-n4-err500-every2"
    done = await service.run(model=model, prompts=["x"] * 4)
    assert done["status"] == "completed"
    metrics: WorkerMetrics = service.metrics
    found = samples(generate_latest(metrics.registry).decode())
    labels = {"provider": "simulator", "model": model}
    assert value(found, "llmbench_provider_requests_total", outcome="succeeded", **labels) == 2
    assert value(found, "llmbench_provider_requests_total", outcome="errored", **labels) == 2
    assert value(found, "llmbench_provider_errors_total", kind="server_error", **labels) == 2
    assert value(found, "llmbench_provider_ttft_seconds_count", **labels) == 2
    assert value(found, "llmbench_provider_ttft_seconds_bucket", le="0.05", **labels) == 0
    assert value(found, "llmbench_benchmarks_ended_total", status="completed") == 1
    assert value(found, "llmbench_runs") == 0
    assert value(found, "llmbench_streams_in_flight") == 0


def test_labels_that_callers_choose_are_bounded() -> None:
    names = Names(most=2)
    assert [names.label(name) for name in ("a", "b", "c", "a", "d")] == ["a", "b", "other", "a", "other"]
