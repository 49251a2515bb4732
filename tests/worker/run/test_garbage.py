"""A run frees what it held when it ends: the collector, which would stop the event loop, has nothing to do."""

import gc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.service import Service

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

# What a run is made of. Statements of SQLAlchemy refer to themselves, whoever makes them.
OURS = ("shared.benchmark.", "shared.workloads.", "worker.")
# The SDK's client, which builds one request for each run, refers to itself and to these.
IN_A_CLIENT = {"worker.engine.sdk_clients._Capture", "worker.engine.messages.SdkTarget"}
PROMPTS = [f"Name {number} rivers." for number in range(40)]


@pytest.fixture
def no_collection() -> Iterator[None]:
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


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
async def test_a_run_leaves_no_garbage(service: Service, no_collection: None, spec: dict[str, Any]) -> None:
    await service.run(prompts=PROMPTS, **spec)
    gc.collect()
    gc.disable()
    await service.run(prompts=PROMPTS, **spec)
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    kinds = Counter(f"{type(thing).__module__}.{type(thing).__qualname__}" for thing in gc.garbage)
    assert {kind: count for kind, count in kinds.items() if kind.startswith(OURS) and kind not in IN_A_CLIENT} == {}
