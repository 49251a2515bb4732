"""A sweep and a search of the queueing simulator, whose capacity is known: the whole way from POST to the answer."""

from typing import Any

import pytest

from simulator.profile import Profile
from simulator.queueing.truth import closed_loop
from simulator.server import Simulator
from tests.support.service import Service

# A request takes 20 ms to its first token and 420 ms in all: few requests a second, which a busy machine can send.
MODEL = "sim-slots4-ttft20-gap40-n11"
PROMPTS = ["Name a river.", "Name a mountain."]
# The database has no part in it.
pytestmark = [pytest.mark.parametrize("database_url", ["sqlite"], indirect=True), pytest.mark.heavy]


async def curve(service: Service, run: dict[str, Any]) -> dict[str, Any]:
    response = await service.client.get(f"/benchmarks/{run['id']}/curve")
    document: dict[str, Any] = response.json()
    return document


async def test_a_sweep_measures_the_capacity(service: Service, simulator: Simulator) -> None:
    """Each load is a stage with its own statistics. Throughput rises up to the slots, and no further."""
    sweep = {"concurrency": [1, 2, 4, 8], "requests": 16, "warmup_s": 0.1}
    run = await service.run(model=MODEL, prompts=PROMPTS, load={"sweep": sweep})
    assert run["status"] == "completed", run["error"]
    assert [stage["label"] for stage in run["stages"]] == [{"concurrency": load} for load in sweep["concurrency"]]
    assert [stage["summary"]["requests"]["succeeded"] for stage in run["stages"]] == [16] * 4
    assert run["summary"]["search"]["values"] == sweep["concurrency"]
    points = (await curve(service, run))["points"]
    measured = {point["load"]: point["request_throughput"]["value"] for point in points}
    profile = Profile.parse(MODEL, {}, Profile())
    for load in sweep["concurrency"]:
        # A busy machine makes it slower, never faster.
        assert measured[load] < 1.1 * closed_loop(profile, load, 11, 0)["requests_per_s"], measured
    assert measured[4] > 2 * measured[1]
    assert measured[8] < 1.5 * measured[4]


async def test_a_search_finds_the_slots(service: Service, simulator: Simulator) -> None:
    """With an SLO that a stream in the queue misses, the answer is the number of slots.

    It holds on a busy machine: a first token is due after 20 ms, and a quarter of them may be 180 ms late. With six
    streams, a third of the first tokens wait longer than that for a slot. If more were late, the machine was too busy
    to send four streams, and the search is made again; a search that is wrong is wrong each time.
    """
    search = {"start": 4, "max": 8, "probe_requests": 30, "warmup_s": 0.1, "sustain_s": 1.0, "tolerance": 0.5}
    for _ in range(3):
        run = await service.run(
            model="sim-slots4-ttft20-gap60-n11",
            prompts=PROMPTS,
            slos={"ttft_ms": 200.0, "attainment": 0.75},
            load={"search": search},
        )
        assert run["status"] == "completed", run["error"]
        loads = [stage["label"]["concurrency"] for stage in run["stages"]]
        if {4, 8} <= set(loads) and 2 not in loads:
            break
    assert {4, 8} <= set(loads)
    assert 2 not in loads, "what a later stage shows changes nothing about an earlier one"
    assert run["stages"][-1]["label"]["sustain"]
    answer = run["summary"]["search"]
    assert answer["concurrency"] == answer["highest_passing"] == 4, answer
    assert (await curve(service, run))["highest"]["load"] == 4
