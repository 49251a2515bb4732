"""Requests of one token beside a load: they are sent, priced and reported apart, and are no results of the run."""

import asyncio
from typing import Any

from shared.benchmark.spec import BenchmarkSpec
from simulator.server import Simulator
from tests.support.service import Service
from worker.run.probing import ProbeWorkload, probe_load

# A request of the load takes more than a second.
SLOW = "sim-ttft400-gap100-n10"


def probes_of(simulator: Simulator) -> list[Any]:
    return [request for request in simulator.requests if request.body.get("max_tokens") == 1]


async def run(service: Service, **load: Any) -> dict[str, Any]:
    return await service.run(model=SLOW, prompts=["x"], load=load)


async def test_probes_stand_apart_from_the_run(service: Service, simulator: Simulator) -> None:
    done = await run(service, concurrency=1, requests=2, probe_rate=5)
    sent = probes_of(simulator)
    assert done["status"] == "completed"
    assert (done["summary"]["requests"]["succeeded"], len(done["results"]), done["progress"]["done"]) == (2, 2, 2)
    assert len(simulator.requests) == len(sent) + 2
    for found in (done["summary"]["probes"], done["stages"][0]["summary"]["probes"]):
        assert 3 <= found["requests"]["succeeded"] <= len(sent)
        assert (found["requests"]["failed"], found["ttft_ms"]["count"]) == (0, found["requests"]["succeeded"])
        assert 400 <= found["ttft_ms"]["min"] <= found["ttft_ms"]["p50"]
        assert found["ttft_ms"]["interval_basis"] is None
    # The run's own numbers know nothing of them.
    assert done["summary"]["ttft_ms"]["count"] == 2
    assert done["summary"]["concurrency"]["peak"] == 1
    assert done["summary"]["tokens"]["output_tokens"] == sum(result["output_tokens"] for result in done["results"])
    assert done["summary"]["observed"] is None
    assert (await service.client.get("/benchmarks/1/observations")).json()["series"] == {}


async def test_each_probe_has_a_text_of_its_own(service: Service, simulator: Simulator) -> None:
    await run(service, concurrency=1, requests=1, probe_rate=10)
    texts = [request.body["messages"][0]["content"] for request in probes_of(simulator)]
    assert len({text[:16] for text in texts}) == len(texts) >= 3


async def test_probes_that_fail_are_counted(service: Service) -> None:
    load = {"concurrency": 1, "duration_s": 1.5, "think_time_s": 0.2, "probe_rate": 10}
    done = await service.run(model="sim-err500", prompts=["x"], load=load)
    assert done["status"] == "failed"
    found = done["summary"]["probes"]
    assert (found["requests"]["succeeded"], found["ttft_ms"]["count"]) == (0, 0)
    assert found["requests"]["failed"] >= 2
    assert done["summary"]["requests"]["errored"] == len(done["results"])


async def test_a_cancel_ends_the_probes_too(service: Service, simulator: Simulator) -> None:
    load = {"concurrency": 1, "requests": 2, "probe_rate": 5}
    running = asyncio.create_task(service.run(model="sim-ttft100-gap100-endless", prompts=["x"], load=load))
    await simulator.wait_for(lambda server: len(server.requests) >= 4)
    await service.client.post("/benchmarks/1/cancel")
    done = await running
    assert done["status"] == "cancelled"
    await simulator.wait_for(lambda server: server.in_flight == 0)
    count = len(simulator.requests)
    # It takes as long as several probes are apart.
    await service.run(model="sim-ttft1000-gap1-n2", prompts=["x"])
    assert len(simulator.requests) == count + 1


def test_without_a_rate_nothing_is_sent_beside_the_load_and_specs_stay_the_same() -> None:
    body = {"name": "n", "model": "m", "prompts": ["x"], "load": {"concurrency": 1, "requests": 1}}
    spec = BenchmarkSpec.model_validate(body).with_defaults()
    assert "probe_rate" not in spec.model_dump(mode="json")["load"]


def test_the_marker_follows_from_benchmark_worker_and_place() -> None:
    body = {"name": "n", "model": "m", "prompts": ["x"], "extra_body": {"min_tokens": 9}}
    spec = BenchmarkSpec.model_validate(body)
    one, same, other = ProbeWorkload(spec, "1 1"), ProbeWorkload(spec, "1 1"), ProbeWorkload(spec, "1 2")
    assert one.item(3) == same.item(3)
    texts = {item.messages[0]["content"] for item in (one.item(3), one.item(4), other.item(3)) if item is not None}
    assert len(texts) == 3
    assert one.item(3, 1) is None
    item = one.item(7)
    assert item is not None
    assert one.id_of(item.prompt_index, item.repetition) == item.id
    assert (item.parameters.max_tokens, item.system) == (1, None)


def test_a_probe_that_finds_no_room_is_dropped() -> None:
    (phase,) = probe_load(BenchmarkSpec.model_validate({"name": "n", "model": "m", "prompts": ["x"]}), "1 1", 4).phases
    assert phase.drop_after_ns == 250_000_000
    assert phase.pace.max_in_flight == 8
