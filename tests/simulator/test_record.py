"""What is remembered of a request, in memory and in the log."""

import asyncio
import json
from pathlib import Path

import pytest

from simulator.profile import Profile
from simulator.record import Records
from simulator.server import Simulator
from tests.simulator.raw import FAST, anthropic_request, exchange, openai_request, stream

KEY = "sk-very-secret-key"
CLOSE = {"connection": "close"}
LOG_FIELDS = {
    "number", "protocol", "model", "received_ns", "first_content_ns", "last_content_ns", "ended_ns", "content_events",
    "output_tokens", "outcome", "closed_by_client", "fault", "status", "started_ns", "input_tokens", "cached_tokens",
}  # fmt: skip


async def test_log_has_a_line_per_request_and_no_key(tmp_path: Path) -> None:
    """Each ended request is one JSON line at once, and neither log nor memory holds a key."""
    log = tmp_path / "requests.jsonl"
    async with Simulator(request_log=log) as sim:
        await stream(sim, openai_request(f"sim-{FAST}-n2", {"Authorization": f"Bearer {KEY}"}))
        await sim.wait_for(lambda sim: sim.in_flight == 0)
        first = json.loads(log.read_text())  # while the simulator still runs
        await exchange(sim, anthropic_request("sim-err429", {"X-Api-Key": KEY, **CLOSE}))
        assert KEY not in repr(sim.requests)
        assert sim.requests[0].headers["authorization"] == "REDACTED"
        assert sim.requests[0].body["messages"] == [{"role": "user", "content": "hello"}]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert KEY not in log.read_text()
    assert lines[0] == first
    assert [set(line) for line in lines] == [LOG_FIELDS, LOG_FIELDS]
    assert [(line["number"], line["protocol"], line["status"], line["outcome"], line["fault"]) for line in lines] == [
        (1, "openai", 200, "succeeded", None),
        (2, "anthropic", 429, "errored", "err429"),
    ]
    assert (first["content_events"], first["output_tokens"]) == (2, 2)
    assert first["received_ns"] < first["first_content_ns"] < first["last_content_ns"] <= first["ended_ns"]


async def test_log_is_appended_to(tmp_path: Path) -> None:
    """A second simulator keeps what the first one wrote."""
    log = tmp_path / "requests.jsonl"
    for _ in range(2):
        async with Simulator(request_log=log) as sim:
            await exchange(sim, openai_request("sim-err500", CLOSE))
    assert len(log.read_text().splitlines()) == 2


async def test_client_that_leaves_is_seen(sim: Simulator) -> None:
    """A client that closes in mid-stream is recorded as such, with the tokens it was sent."""
    await exchange(sim, openai_request("sim-ttft1-gap5-n1000"), until=b"numbers ")
    await sim.wait_for(lambda sim: sim.requests[0].closed_by_client)
    record = sim.requests[0]
    assert record.outcome == "cancelled"
    assert 2 <= record.output_tokens < 1000
    assert record.closed_ns is not None
    assert sim.in_flight == 0


async def test_shutdown_ends_what_is_in_flight() -> None:
    """Leaving the block closes every stream and says why it ended."""
    async with Simulator() as sim:
        _, writer = await asyncio.open_connection("127.0.0.1", sim.port)
        writer.write(openai_request("sim-hang1"))
        await sim.wait_for(lambda sim: sim.in_flight == 1)
    assert (sim.requests[0].outcome, sim.requests[0].closed_by_client) == ("shutdown", False)
    assert sim.open_connections == 0
    writer.close()


async def test_wait_for_times_out(sim: Simulator) -> None:
    """What never comes raises TimeoutError, and a predicate's own error reaches its author."""
    with pytest.raises(TimeoutError):
        await sim.wait_for(lambda sim: len(sim.requests) == 1, timeout=0.01)

    def broken(sim: Simulator) -> bool:
        return bool(sim.requests) and sim.requests[99].closed_by_client

    waiting = asyncio.ensure_future(sim.wait_for(broken))
    await exchange(sim, openai_request(f"sim-{FAST}-n1", CLOSE))
    with pytest.raises(IndexError):
        await waiting


@pytest.mark.parametrize(("key", "status"), [(KEY, 200), ("other", 401), (None, 401)])
async def test_required_key(key: str | None, status: int) -> None:
    """With a required key, another key or none is a 401 that does not repeat it."""
    async with Simulator(require_key=KEY, defaults=Profile(ttft_ms=0, gap_ms=0)) as sim:
        bearer = {"authorization": f"Bearer {key}"} if key else {}
        plain = {"x-api-key": key} if key else {}
        for request in (openai_request("m", {**bearer, **CLOSE}), anthropic_request("m", {**plain, **CLOSE})):
            response = await exchange(sim, request)
            assert response.status == status
            assert b"other" not in response.body


async def test_same_seed_same_answer() -> None:
    """Two simulators with one seed send the same events in the same order for the same requests."""
    bodies = []
    for _ in range(2):
        async with Simulator(seed=7) as sim:
            responses = [await stream(sim, anthropic_request(f"sim-{FAST}-jit2-n5")) for _ in range(2)]
            bodies.append([response.body for response in responses])
    assert bodies[0] == bodies[1]


def test_memory_of_bodies_is_bounded() -> None:
    """Old bodies are let go once all kept ones are larger than 64 MB; their records stay."""
    records = Records(None, lambda: None)
    for _ in range(3):
        records.begin("openai", 1, {}, {"model": "m"}, 30_000_000)
    assert [record.body for record in records.latest] == [{}, {"model": "m"}, {"model": "m"}]
    assert records.latest[0].model == "m"
