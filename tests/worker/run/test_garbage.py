"""A run frees what it held when it ends: the collector, which would stop the event loop, has nothing to do."""

import gc
import weakref
from typing import Any

import pytest

from tests.support.garbage import garbage
from tests.support.service import Service
from tests.support.waiting import until
from tests.worker.run.test_cut_short import submit
from worker.run.control import BenchmarkRun

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

# What a run is made of. Statements of SQLAlchemy refer to themselves, whoever makes them.
OURS = ("shared.benchmark.", "shared.workloads.", "worker.")
# The SDK's client, which builds one request for each run, refers to itself and to these.
IN_A_CLIENT = {"worker.engine.sdk_clients._Capture", "worker.engine.messages.SdkTarget"}
PROMPTS = [f"Name {number} rivers." for number in range(40)]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "spec",
    [
        {"repetitions": 5, "concurrency": 8},
        {"load": {"stages": [{"concurrency": 2, "requests": 40}, {"concurrency": 4, "requests": 40}]}},
        {"load": {"request_rate": 100, "duration_s": 1}, "workload": {"order": "shuffled", "seed": 1}},
        {"concurrency": 4, "workload": {"cache": {"shared_prefix": {"tokens": 50}}, "seed": 1}},
        {"concurrency": 4, "model": "sim-n4-err500"},
    ],
    ids=["plain", "stages", "open", "prefixes", "failing"],
)
async def test_a_run_leaves_no_garbage(service: Service, spec: dict[str, Any]) -> None:
    await service.run(prompts=PROMPTS, **spec)
    with garbage(*OURS) as left:
        await service.run(prompts=PROMPTS, **spec)
    assert {kind: count for kind, count in left.items() if kind not in IN_A_CLIENT} == {}


@pytest.mark.heavy
async def test_a_cancelled_run_is_freed_while_its_worker_lives_on(service: Service) -> None:
    async def running() -> list[BenchmarkRun]:
        return [thing for thing in gc.get_objects() if isinstance(thing, BenchmarkRun) and thing.in_flight]

    number = await submit(service, model="sim-ttft5-gap5-endless")
    run = weakref.ref((await until(running))[0])
    assert (await service.client.post(f"/benchmarks/{number}/cancel")).status_code == 202

    async def freed() -> bool:
        gc.collect()
        return run() is None

    await until(freed)
