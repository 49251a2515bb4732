"""What load tests promise about the numbers, against the simulator's own record of each request."""

from collections.abc import Sequence
from typing import Any

import pytest

from simulator.record import RequestRecord
from simulator.server import Simulator
from tests.support.dates import instant
from tests.support.service import Service

# The database has no part in it.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PROMPTS = [f"Name {number} rivers." for number in range(10)]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "load",
    [
        {"concurrency": 4, "requests": 200},
        {"concurrency": 4, "requests": 200, "ramp": {"from": 1, "over_s": 0.5}},
        {"request_rate": 60, "arrival": "poisson", "seed": 7, "requests": 200},
    ],
    ids=["closed", "ramp", "open"],
)
async def test_the_steady_window_is_what_the_simulator_counts(
    service: Service, simulator: Simulator, load: dict[str, Any]
) -> None:
    """The throughput of requests is that of the simulator in the same time: within 1 %, or one request at each edge."""
    run = await service.run(model="sim-ttft20-gap5-n5-slots64", prompts=PROMPTS, load=load)
    window = run["summary"]["steady_window"]
    records = sorted(simulator.requests, key=lambda record: record.received_ns)
    begin_ns = records[0].received_ns + window["begin_s"] * 1e9
    ended = sum(
        0 <= record.last_content_ns - begin_ns <= window["duration_s"] * 1e9
        for record in records
        if record.last_content_ns is not None
    )
    assert ended > 100
    measured = window["request_throughput"] * window["duration_s"]
    # The first request that was sent need not be the first that arrived, and this machine may be busy in between.
    assert abs(measured - ended) <= max(0.01 * ended, 2)


async def test_one_seed_gives_the_same_requests_at_the_same_offsets_again(
    service: Service, simulator: Simulator
) -> None:
    """Texts, lengths and times are those of the first run. Another seed gives others."""
    first, again, other = [await _sent(service, simulator, seed) for seed in (7, 7, 8)]
    assert [request[1:] for request in first] == [request[1:] for request in again]
    # Dates have microseconds.
    assert [request[0] for request in first] == pytest.approx([request[0] for request in again], abs=2)
    assert not {text for _, text, _ in first} & {text for _, text, _ in other}
    assert [request[0] for request in first] != pytest.approx([request[0] for request in other], abs=2)


async def _sent(service: Service, simulator: Simulator, seed: int) -> Sequence[tuple[float, str, int]]:
    """Each request in the order of the schedule: when it was due (µs after the first), its text and its max_tokens."""
    lengths = {"distribution": "lognormal", "mean": 60, "stdev": 40, "min": 20, "max": 300}
    run = await service.run(
        model="sim-ttft5-gap1-n2",
        workload={"source": "generated", "input_tokens": lengths, "output_tokens": lengths, "seed": seed},
        load={"request_rate": 50, "arrival": "poisson", "seed": seed, "requests": 40},
    )
    results = sorted(run["results"], key=lambda result: result["prompt_index"])
    assert len(results) == 40
    begin = instant(results[0]["scheduled_at"])
    found = []
    for result in results:
        record = simulator.requests[int(result["provider_request_id"].rpartition("_")[2]) - 1]
        due_us = (instant(result["scheduled_at"]) - begin).total_seconds() * 1e6
        found.append((due_us, _text(record), record.body["max_tokens"]))
    return found


def _text(record: RequestRecord) -> str:
    content: str = record.body["messages"][0]["content"]
    return content


@pytest.mark.parametrize(
    ("cache", "least", "most"),
    [
        # Ten prompts of 400 tokens, 40 requests: all but the first of each are read, but for a last block.
        ("none", 0.7, 0.75),
        ("bust", 0, 0),
        # Four fifths begin with one of two prefixes. Each text after it is one of ten.
        ({"shared_prefix": {"tokens": 400, "prefixes": 2, "share": 0.8}}, 0.5, 0.9),
    ],
    ids=["none", "bust", "shared"],
)
async def test_the_cached_share_proves_what_was_done_about_caches(
    service: Service, simulator: Simulator, cache: Any, least: float, most: float
) -> None:
    """It is what the provider reports, and here that is known to be true."""
    prompts = [f"{number}. " + "Tell me more about it. " * 70 for number in range(10)]
    run = await service.run(
        model="sim-ttft5-gap1-n2-slots8-cache1000000",
        prompts=prompts,
        workload={"cache": cache, "seed": 7},
        load={"concurrency": 1, "requests": 40},
    )
    share = run["summary"]["cached_share"]
    records = simulator.requests
    given = sum(record.input_tokens or 0 for record in records)
    assert share == pytest.approx(sum(record.cached_tokens or 0 for record in records) / given, abs=1e-6)
    assert least <= share <= most
