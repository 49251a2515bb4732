"""The queueing mode over real sockets: bounds and ratios only, as the machine that runs the tests may be busy."""

import asyncio
import json

import pytest

from simulator.profile import Profile
from simulator.server import Simulator
from tests.simulator.raw import (
    RequestOf,
    anthropic_request,
    exchange,
    openai_request,
    request_bytes,
    responses_request,
    stream,
)

MS = 1_000_000
LONG = [{"role": "user", "content": "word " * 320}]


async def truth(sim: Simulator, model: str = "") -> tuple[int, dict[str, object]]:
    path = f"/sim/truth/{model}" if model else "/sim/truth"
    response = await exchange(sim, request_bytes(path, b"", {"connection": "close"}, method="GET"))
    return response.status, json.loads(response.body)


async def test_only_as_many_run_as_there_are_slots(sim: Simulator) -> None:
    """Six requests for two slots run two at a time, each from the moment at which a slot was free."""
    model = "sim-slots2-ttft20-gap5-n5"
    await asyncio.gather(*(stream(sim, openai_request(model)) for _ in range(6)))
    starts = sorted(record.started_ns for record in sim.requests if record.started_ns is not None)
    assert len(starts) == 6
    for before, after in zip(starts[:-2], starts[2:], strict=True):
        # 20 ms to the first token and four gaps of 5 ms: exactly, however late the loop was.
        assert after - before >= 40 * MS
    assert (await truth(sim, model))[1]["capacity_rps"] == pytest.approx(50)


async def test_an_answer_in_one_piece_takes_its_slot_for_as_long(sim: Simulator) -> None:
    """Without streaming, a request holds its slot until the last token would have come."""
    model = "sim-slots1-ttft10-gap10-n4"
    request = openai_request(model, {"connection": "close"}, stream=False)
    responses = await asyncio.gather(*(exchange(sim, request) for _ in range(2)))
    assert [response.status for response in responses] == [200, 200]
    first, second = sorted(record.started_ns or 0 for record in sim.requests)
    assert second - first == 40 * MS


async def test_a_client_that_leaves_the_queue_takes_no_slot(sim: Simulator) -> None:
    """The requests behind it move up, and a running one that is broken off frees its slot."""
    model = "sim-slots1-ttft1-gap1000-n100"
    running = asyncio.create_task(exchange(sim, openai_request(model), until=b"never"))
    await sim.wait_for(lambda sim: bool(sim.requests) and sim.requests[0].content_events == 1)
    leaving = asyncio.create_task(exchange(sim, openai_request(model), until=b"never"))
    await sim.wait_for(lambda sim: len(sim.requests) == 2)
    staying = asyncio.create_task(exchange(sim, openai_request(model), until=b"Measured"))
    await sim.wait_for(lambda sim: len(sim.requests) == 3)
    assert (await truth(sim, model))[1]["waiting"] == 2
    leaving.cancel()
    await sim.wait_for(lambda sim: sim.requests[1].closed_by_client)
    running.cancel()
    await staying
    assert [record.started_ns is not None for record in sim.requests] == [True, False, True]


@pytest.mark.parametrize("request_of", [anthropic_request, openai_request, responses_request])
async def test_usage_says_what_was_read_from_the_cache(sim: Simulator, request_of: RequestOf) -> None:
    """The second request with the same beginning reads it from the cache, and every protocol reports it."""
    field = "input" if request_of is responses_request else "messages"
    extra = {"stream_options": {"include_usage": True}} if request_of is openai_request else {}
    model = "sim-ttft1-prefill500-gap1-n2-cache10000"
    found = []
    for _ in range(2):
        response = await stream(sim, request_of(model, **{field: LONG}, **extra))
        usage = next(usage for event in reversed(response.events) if (usage := usage_of(event)))
        found.append(usage)
    records = list(sim.requests)
    assert [record.cached_tokens for record in records] == [0, 400 - 1]
    assert [usage["total"] for usage in found] == [400, 400]
    assert [usage["cached"] for usage in found] == [0, 399]
    times = [(record.first_content_ns or 0) - record.received_ns for record in records]
    assert times[0] >= (1 + 200) * MS > times[1]


def usage_of(event: dict[str, object]) -> dict[str, int] | None:
    """Total and cached input tokens of an event's usage, in any protocol."""
    response = event.get("response")
    usage = response.get("usage") if isinstance(response, dict) else event.get("usage")
    if not isinstance(usage, dict):
        return None
    if "cache_read_input_tokens" in usage:
        cached = usage["cache_read_input_tokens"]
        return {"total": usage["input_tokens"] + cached, "cached": cached}
    if "prompt_tokens" in usage:
        return {"total": usage["prompt_tokens"], "cached": usage["prompt_tokens_details"]["cached_tokens"]}
    return {"total": usage["input_tokens"], "cached": usage["input_tokens_details"]["cached_tokens"]}


async def test_the_server_stands_still(sim: Simulator) -> None:
    """A request that runs into a stall of 300 ms ends that much later, and one that comes during it waits."""
    model = "sim-ttft10-gap10-n6-stall300-stallat0.03"
    during = openai_request(model)
    running = asyncio.create_task(stream(sim, openai_request(model)))
    await sim.wait_for(lambda sim: bool(sim.requests) and sim.requests[0].content_events >= 2)
    await asyncio.sleep(0.03)
    await asyncio.gather(running, stream(sim, during))
    first, second = sim.requests
    assert (first.last_content_ns or 0) - first.received_ns >= 360 * MS
    assert (second.first_content_ns or 0) - first.received_ns >= 340 * MS


async def test_a_name_has_its_own_queue(sim: Simulator) -> None:
    """`pool` changes nothing but the name, so that two runs do not share a queue, a cache or the clock of stalls."""
    await asyncio.gather(*(stream(sim, openai_request(f"sim-slots1-ttft20-gap1-n2-pool{n}")) for n in (1, 2)))
    status, document = await truth(sim)
    pools = document["pools"]
    assert status == 200
    assert isinstance(pools, list)
    assert [pool["answers"] for pool in pools] == [1, 1]
    assert all(record.started_ns == record.received_ns for record in sim.requests)


async def test_truth_of_a_name_that_was_not_asked_yet(sim: Simulator) -> None:
    """The capacity can be known before the first request; a wrong name is a 404."""
    status, document = await truth(sim, "sim-slots4-ttft50-gap0-n1")
    assert (status, document["capacity_rps"], document["requests"]) == (200, 80, 0)
    assert (await truth(sim, "sim-bogus"))[0] == 404


async def test_defaults_can_queue() -> None:
    """Any model name queues if the simulator was started that way."""
    defaults = Profile(ttft_ms=10, gap_ms=1, tokens=2, slots=1)
    async with Simulator(defaults=defaults) as sim:
        await asyncio.gather(*(stream(sim, openai_request("gpt-4o-mini")) for _ in range(3)))
        starts = sorted(record.started_ns or 0 for record in sim.requests)
    assert starts[2] - starts[1] >= 11 * MS
    assert starts[1] - starts[0] >= 11 * MS
