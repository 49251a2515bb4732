"""Runs that end before they are done: cancelled, deleted, or longer than they may be."""

from typing import Any

from simulator.server import Simulator
from tests.support.service import Service
from tests.support.waiting import until as eventually


async def until(service: Service, benchmark_id: int, status: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        document: dict[str, Any] = (await service.client.get(f"/benchmarks/{benchmark_id}")).json()
        return document if document["status"] == status else None

    return await eventually(look) or {}


async def submit(service: Service, **spec: Any) -> int:
    response = await service.client.post("/benchmarks", json={"name": "test", "prompts": ["x"], **spec})
    assert response.status_code == 202, response.text
    number: int = response.json()["id"]
    return number


async def test_a_cancel_closes_the_streams_and_keeps_results(service: Service, simulator: Simulator) -> None:
    model = "sim-ttft5-gap5-n4-endless-every2"
    number = await submit(service, model=model, prompts=["x"] * 4, concurrency=1)
    # A second's worth: by then the measuring process has seen some of it.
    await simulator.wait_for(lambda server: len(server.requests) == 2 and server.requests[1].content_events > 200)
    answer = await service.client.post(f"/benchmarks/{number}/cancel")
    await simulator.wait_for(lambda server: server.requests[1].closed_by_client)
    assert answer.status_code == 202
    document = await until(service, number, "cancelled")
    assert [item["outcome"] for item in document["results"]] == ["succeeded", "cancelled"]
    assert document["results"][1]["response"]
    assert document["summary"]["requests"]["cancelled"] == 1
    assert len(simulator.requests) == 2


async def test_deleting_a_running_benchmark_closes_its_streams(service: Service, simulator: Simulator) -> None:
    number = await submit(service, model="sim-ttft5-gap5-endless")
    await simulator.wait_for(lambda server: bool(server.requests) and server.requests[0].content_events > 2)
    assert (await service.client.delete(f"/benchmarks/{number}")).status_code == 204
    await simulator.wait_for(lambda server: server.requests[0].closed_by_client)
    assert (await service.client.get(f"/benchmarks/{number}")).status_code == 404


async def test_a_run_that_takes_longer_than_it_may_is_cut_and_is_not_complete(
    service: Service, simulator: Simulator
) -> None:
    # One in four never ends.
    model = "sim-ttft5-gap5-n4-endless-every4"
    run = await service.run(prompts=["a"] * 4, model=model, concurrency=4, max_duration_s=3)
    assert run["status"] == "failed"
    assert run["error"]["kind"] == "run_timeout"
    assert run["error"]["message"] == "not ended within max_duration_s = 3 s"
    assert run["summary"]["requests"]["succeeded"] == 3
    assert run["summary"]["requests"]["cancelled"] == 1
    assert len(run["results"]) == 4
    await simulator.wait_for(lambda server: server.in_flight == 0)


async def test_a_run_that_ends_in_time_is_complete(service: Service) -> None:
    run = await service.run(prompts=["a"], max_duration_s=60)
    assert (run["status"], run["error"], run["max_duration_s"]) == ("completed", None, 60)
