"""`GET /benchmarks/{id}/curve`: the stages that have ended as points, the knee, and the highest load within SLOs."""

from itertools import islice
from random import Random
from typing import Any

import httpx2
import pytest

from shared.benchmark.load.plan import Stage
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.observed import Observed
from shared.benchmark.search.probe import Extent, Probe
from shared.benchmark.slo.slo_spec import SloSpec
from shared.db.runs.stages import RunStages
from shared.numbers.metrics import DISTRIBUTED, REPORTED
from tests.api.documents import problem, submit
from tests.shared.benchmark.closed_server import ClosedServer, Measured, Served, stage_of
from tests.shared.db.rows import Tables
from worker.run.summary import summary_of_stage

SERVER = ClosedServer(slots=8, service_s=0.2, deviation=0.05)
SLOS = SloSpec(ttft_ms=150)
LOADS = (1, 2, 4, 8, 16, 32)


def observed(number: int, served: Served) -> Observed:
    """A result whose first token came when it got its slot."""
    metrics: dict[str, float | None] = dict.fromkeys((*DISTRIBUTED, "latency_ms"))
    metrics["ttft_ms"] = (served.started_s - served.sent_s) * 1e3 + 10
    metrics["latency_ms"] = (served.ended_s - served.sent_s) * 1e3
    return Observed(
        id=RequestId(number),
        prompt_index=number,
        repetition=0,
        warmup=False,
        outcome="succeeded",
        sent_us=int(served.sent_s * 1e6),
        ended_us=int(served.ended_s * 1e6),
        queue_ms=0,
        metrics=metrics,
        counts=dict.fromkeys(REPORTED) | {"output_tokens": 10},
        cost_usd=None,
        provider_cost_usd=None,
        served_model=None,
        service_tier=None,
        finish_reason=None,
        error_kind=None,
        flags=[],
        gaps_ms=None,
        tokens=None,
    )


def measured(load: int) -> tuple[Stage, Measured]:
    stage = stage_of(0, Probe("concurrency", load, Extent(requests=400), label={"concurrency": load}))
    results = Measured(load, SLOS)
    for number, served in enumerate(islice(SERVER.requests(load, Random(load)), 400)):
        results.add(observed(number, served))
    return stage, results


@pytest.fixture
async def swept(api: httpx2.AsyncClient, tables: Tables) -> httpx2.AsyncClient:
    """A sweep over six loads of a server with eight slots; a seventh stage runs."""
    await submit(api)
    repository, lease = RunStages(tables.database), await tables.claimed()
    for number, load in enumerate(LOADS):
        stage, results = measured(load)
        await repository.enter(lease, dispatched=number + 1, stages={number: stage.label})
        await repository.leave(
            lease,
            number,
            ended_by="requests",
            aggregate=results.encode(),
            summary=summary_of_stage(stage, results, SLOS),
        )
    await repository.enter(lease, dispatched=7, stages={6: {"concurrency": 64}})
    return api


async def curve(client: httpx2.AsyncClient, **query: Any) -> dict[str, Any]:
    response = await client.get("/benchmarks/1/curve", params=query)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


async def test_a_sweep_has_a_curve_with_its_knee(swept: httpx2.AsyncClient) -> None:
    """The knee is at the slots of the server, and the throughput there is its capacity."""
    document = await curve(swept)
    assert document["control"] == "concurrency"
    assert [point["load"] for point in document["points"]] == list(LOADS)
    assert document["knee"]["load"] == pytest.approx(8, rel=0.1)
    assert document["knee"]["request_throughput"] == pytest.approx(SERVER.capacity, rel=0.1)
    assert document["knee"]["nearest_point"] == 8
    for point in document["points"]:
        low, high = point["request_throughput"]["ci95"]
        true = min(point["load"], 8) / SERVER.service_s
        assert low * 0.98 <= true <= high * 1.02, point
        assert point["ttft_ms"]["p95"] is not None
        assert (point["succeeded"], point["failed"], point["broken_off"]) == (400, 0, False)


async def test_the_highest_load_within_slos_can_be_read_off(swept: httpx2.AsyncClient) -> None:
    """Within those of the benchmark, or within any that the query names."""
    assert (await curve(swept))["highest"] == {
        "load": 8,
        "request_throughput": pytest.approx(40, rel=0.05),
        "is_sure": True,
        "first_missing": 16,
    }
    assert (await curve(swept, slo="ttft_ms:p95:300"))["highest"]["load"] == 16
    assert (await curve(swept, slo=["ttft_ms:p95:300", "latency_ms:p50:250"]))["highest"]["load"] == 8
    assert (await curve(swept, slo="latency_ms:p95:1"))["highest"] is None


@pytest.mark.parametrize("slo", ["ttft_ms", "ttft_ms:p90:5", "ttft_ms:p95:-1", "cost:p95:1", "ttft_ms:p95:1e3"])
async def test_a_wrong_slo_is_refused(empty_api: httpx2.AsyncClient, slo: str) -> None:
    problem(await empty_api.get("/benchmarks/1/curve", params={"slo": slo}), 422)


async def test_a_benchmark_without_stages_has_an_empty_curve(sqlite_api: httpx2.AsyncClient) -> None:
    """Before it has run there is nothing, and the reason says what a knee needs."""
    await submit(sqlite_api)
    document = await curve(sqlite_api)
    assert (document["points"], document["knee"], document["control"]) == ([], None, None)
    assert "at least 5" in document["knee_reason"]


async def test_there_is_no_curve_of_nothing(empty_api: httpx2.AsyncClient) -> None:
    problem(await empty_api.get("/benchmarks/9/curve"), 404)
