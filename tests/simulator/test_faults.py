"""Each fault, as the bytes on the wire and the end of the connection show it."""

import asyncio
import json
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from shared.clock import monotonic_ns, wall_now
from simulator.server import Simulator
from tests.simulator.raw import (
    FAST,
    RequestOf,
    anthropic_request,
    exchange,
    openai_request,
    request_bytes,
    responses_request,
    stream,
)
from tests.support.waiting import PATIENCE_S

CLOSE = {"connection": "close"}
EACH = pytest.mark.parametrize("request_of", [anthropic_request, openai_request, responses_request])


@EACH
async def test_fin_closes_in_mid_body(sim: Simulator, request_of: RequestOf) -> None:
    """`fin3` closes after three content events, with neither a terminal event nor a last chunk."""
    response = await exchange(sim, request_of(f"sim-{FAST}-fin3"))
    assert (response.status, len(response.contents), response.reset, response.complete) == (200, 3, False, False)
    assert (sim.requests[0].outcome, sim.requests[0].fault) == ("truncated", "fin3")
    assert not sim.requests[0].closed_by_client


@EACH
async def test_rst_resets_in_mid_body(sim: Simulator, request_of: RequestOf) -> None:
    """`rst3` resets the connection after three content events, which the client could read."""
    response = await exchange(sim, request_of(f"sim-{FAST}-gap20-rst3"))
    assert (len(response.contents), response.reset, response.complete) == (3, True, False)
    assert sim.requests[0].outcome == "truncated"


@EACH
async def test_end_completes_the_body_only(sim: Simulator, request_of: RequestOf) -> None:
    """`end3` ends the body properly after three content events, without a terminal event."""
    response = await stream(sim, request_of(f"sim-{FAST}-end3"))
    assert (len(response.contents), response.complete) == (3, True)
    assert b"[DONE]" not in response.body
    assert b"message_stop" not in response.body
    assert b"response.completed" not in response.body
    assert sim.requests[0].outcome == "truncated"


@EACH
async def test_fault_after_the_last_content(sim: Simulator, request_of: RequestOf) -> None:
    """A fault after all content events still takes the terminal event away; after more than all it never happens."""
    response = await exchange(sim, request_of(f"sim-{FAST}-n3-fin3"))
    assert (len(response.contents), response.complete) == (3, False)
    response = await stream(sim, request_of(f"sim-{FAST}-n3-fin4"))
    assert (len(response.contents), response.complete) == (3, True)
    assert [record.outcome for record in sim.requests] == ["truncated", "succeeded"]


@EACH
@pytest.mark.parametrize("fault", ["fin0", "rst0", "end0"])
async def test_fault_after_nothing(sim: Simulator, request_of: RequestOf, fault: str) -> None:
    """With a count of zero the client gets headers and no event."""
    response = await exchange(sim, request_of(f"sim-{FAST}-{fault}", CLOSE))
    assert (response.status, response.events) == (200, [])


@pytest.mark.parametrize(("fault", "until", "events"), [("hang0", b"\r\n\r\n", 0), ("hang2", b"numbers ", 2)])
async def test_hang_ends_when_the_client_goes(sim: Simulator, fault: str, until: bytes, events: int) -> None:
    """A hanging answer sends nothing more, and is recorded when its client closes."""
    response = await exchange(sim, openai_request(f"sim-{FAST}-{fault}"), until=until)
    assert len(response.contents) == events
    await sim.wait_for(lambda sim: sim.requests[0].outcome == "cancelled")
    record = sim.requests[0]
    assert (record.closed_by_client, record.content_events, record.fault) == (True, events, fault)
    assert sim.in_flight == 0


async def test_hang_before_headers(sim: Simulator) -> None:
    """`hanghead` sends not one byte."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    writer.write(openai_request("sim-hanghead"))
    await sim.wait_for(lambda sim: sim.in_flight == 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read(1)
    writer.close()
    await sim.wait_for(lambda sim: sim.in_flight == 0)
    assert (sim.requests[0].status, sim.requests[0].closed_by_client) == (None, True)


async def test_comments_are_no_events(sim: Simulator) -> None:
    """`comments` sends headers and then keep-alive comments only."""
    comment = b": keep-alive\n\n"
    response = await exchange(sim, openai_request(f"sim-{FAST}-comments"), until=(b"e\r\n" + comment + b"\r\n") * 3)
    assert set(response.chunks) == {comment}
    await sim.wait_for(lambda sim: sim.requests[0].closed_by_client)
    assert sim.requests[0].first_content_ns is None


async def test_endless_output_waits_for_its_reader(sim: Simulator) -> None:
    """`endless` ignores `max_tokens` and never stops, yet writes no more than a client that does not read can hold."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port, limit=1024)
    writer.write(openai_request("sim-ttft0-gap0-endless-chunk1000", max_tokens=5))
    seen = -1

    def stalled(sim: Simulator) -> bool:
        return bool(sim.requests) and sim.requests[0].content_events > 100

    await sim.wait_for(stalled)
    for _ in range(200):  # the socket's buffers are finite, so the count must stand still at last
        await asyncio.sleep(0.02)
        if sim.requests[0].content_events == seen:
            break
        seen = sim.requests[0].content_events
    assert sim.requests[0].content_events == seen
    async with asyncio.timeout(PATIENCE_S):  # and it goes on once the client reads
        while sim.requests[0].content_events <= seen + 100:
            assert await reader.read(1 << 20)
    writer.close()
    await sim.wait_for(lambda sim: sim.requests[0].closed_by_client)


async def test_every_spares_the_others(sim: Simulator) -> None:
    """`every3` gives the fault to each third request of the model, and to no other."""
    model = f"sim-{FAST}-n1-err500-every3"
    statuses = [(await exchange(sim, openai_request(model, CLOSE))).status for _ in range(6)]
    assert statuses == [200, 200, 500, 200, 200, 500]
    assert [record.fault for record in sim.requests] == [None, None, "err500"] * 2
    assert (await exchange(sim, openai_request(f"{model}-chunk1", CLOSE))).status == 200


async def test_retry_after_forms(sim: Simulator) -> None:
    """A 429 says when to come back in seconds, as a date, in an hour, or not at all."""
    before = wall_now()
    found = {}
    for variant in ("", "date", "hour", "bare"):
        response = await exchange(sim, anthropic_request(f"sim-err429{variant}", CLOSE))
        assert response.status == 429
        found[variant] = response.headers.get("retry-after")
    assert (found[""], found["hour"], found["bare"]) == ("1", "3600", None)
    assert found["date"] is not None
    at = parsedate_to_datetime(found["date"])
    assert before < at <= wall_now() + timedelta(seconds=2)


async def test_proxy_error_is_html(sim: Simulator) -> None:
    """`errhtml502` is a proxy's page, which is no JSON and knows no request id."""
    response = await exchange(sim, openai_request("sim-errhtml502", CLOSE))
    assert (response.status, response.headers["content-type"]) == (502, "text/html")
    assert response.body.startswith(b"<html>")
    assert "x-request-id" not in response.headers


@EACH
async def test_error_inside_success(sim: Simulator, request_of: RequestOf) -> None:
    """`err200` is HTTP 200 with a JSON error object, even to a client that asked for a stream."""
    response = await exchange(sim, request_of("sim-err200", CLOSE))
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    assert "message" in json.loads(response.body)["error"]
    assert sim.requests[0].outcome == "errored"


@pytest.mark.parametrize(("fault", "reset"), [("fin1", False), ("rst1", True)])
async def test_whole_answers_break_off_too(sim: Simulator, fault: str, reset: bool) -> None:
    """Without streaming, a connection fault sends half of the body at most."""
    response = await exchange(sim, openai_request(f"sim-{FAST}-{fault}", stream=False))
    if not reset:
        assert 0 < len(response.body) < int(response.headers["content-length"])
    assert response.reset is reset


async def test_whole_answers_hang_too(sim: Simulator) -> None:
    """Without streaming, `hang0` sends headers that promise a body, and `endless` sends nothing."""
    response = await exchange(sim, openai_request(f"sim-{FAST}-hang0", stream=False), until=b"\r\n\r\n")
    assert int(response.headers["content-length"]) > 0
    assert response.body == b""
    response = await exchange(sim, openai_request(f"sim-{FAST}-miderr1", CLOSE, stream=False))
    assert response.status == 500


async def test_split_halves_each_event(sim: Simulator) -> None:
    """`split5` sends each event in two chunks 5 ms apart, which join to the same stream."""
    plain = await stream(sim, openai_request(f"sim-{FAST}-n3-utf8"))
    begin_ns = monotonic_ns()
    split = await stream(sim, openai_request(f"sim-{FAST}-n3-utf8-split5"))
    assert len(split.chunks) - 1 == 2 * (len(plain.chunks) - 1)
    assert split.contents == plain.contents
    # From the request on: a first chunk that is read late makes the time between the reads shorter.
    assert split.reads[-1][0] - begin_ns >= 5 * 5_000_000


@pytest.mark.parametrize("size", [1, 3, 7, 64])
async def test_cut_keeps_the_bytes(sim: Simulator, size: int) -> None:
    """`cutK` sends chunks of K bytes at most, which join to the same events."""
    response = await stream(sim, anthropic_request(f"sim-{FAST}-n3-utf8-cut{size}"))
    assert {len(chunk) for chunk in response.chunks} <= set(range(size + 1))
    assert response.contents == ["Größe ", "naïve ", "Привет "]
    assert response.events[-1] == {"type": "message_stop"}


async def test_burst_is_one_chunk(sim: Simulator) -> None:
    """`burst` sends all events in one write; the record still counts each content event."""
    response = await stream(sim, anthropic_request(f"sim-{FAST}-n5-burst"))
    assert [len(chunk) > 0 for chunk in response.chunks] == [True, False]
    assert len(response.contents) == sim.requests[0].content_events == 5
    assert sim.requests[0].first_content_ns == sim.requests[0].last_content_ns


async def test_unknown_header_is_refused(sim: Simulator) -> None:
    """A wrong `x-sim-` header is a 400 that names it."""
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    response = await exchange(sim, request_bytes("/v1/chat/completions", body, {"x-sim-ttft": "5", **CLOSE}))
    assert response.status == 400
    assert "x-sim-ttft" in json.loads(response.body)["error"]["message"]
