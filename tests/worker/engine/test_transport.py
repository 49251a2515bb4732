"""What every transport must do, over real sockets, for every protocol."""

import asyncio
import sys

import pytest

from shared.benchmark.timeouts import Timeouts
from shared.protocols.registry import PROTOCOLS
from simulator.server import Simulator
from tests.support.flags import flags_of_answer
from tests.support.programs.ports import free_port
from tests.support.servers.scripted import ScriptedServer, http
from tests.support.spoken import spoken
from tests.support.streams import openai_stream, openai_text, sse
from tests.worker.engine.running import KEY, Run, engine_at, load
from worker.engine.children import Children

every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)


@every_protocol
async def test_a_whole_answer_is_measured(run: Run, simulator: Simulator, protocol: str) -> None:
    # Gaps so long that a busy machine does not read the first event together with the last.
    (record,) = await run(simulator.base_url, protocol, "sim-ttft50-gap50-n8")
    assert (record.outcome, record.error) == ("succeeded", None)
    assert record.usage.output_tokens == 8
    assert record.ttft_ms is not None
    assert record.latency_ms is not None
    assert 50 <= record.ttft_ms < record.latency_ms
    assert record.latency_ms >= 50 + 7 * 50
    assert record.provider_request_id


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it")
@pytest.mark.parametrize("transport", ["auto"])
async def test_every_request_knows_the_round_trip_of_its_connection(run: Run, simulator: Simulator) -> None:
    """Also if the server has closed the connection by then, as it does after `fin`. The SDK's transport tells none."""
    records = await run(simulator.base_url, "openai", *["sim-n2"] * 3, "sim-ttft1-n2-fin1")
    for record in records:
        assert record.network_rtt_ms is not None
        assert 0 < record.network_rtt_ms < (record.latency_ms or 1_000)


@every_protocol
async def test_the_key_goes_to_the_server_and_nowhere_else(run: Run, protocol: str) -> None:
    answer = http(spoken(protocol).stream("Hi"), content_type=spoken(protocol).content_type)
    async with ScriptedServer([answer]).running() as server:
        (record,) = await run(server.url, protocol, "m")
    assert KEY.encode() in server.requests[0]
    assert KEY not in repr(record)


@every_protocol
async def test_no_compression_is_asked_for(run: Run, protocol: str) -> None:
    async with ScriptedServer([http(b"")]).running() as server:
        await run(server.url, protocol, "m")
    assert b"accept-encoding: identity" in server.requests[0].lower()


@every_protocol
async def test_an_echoed_key_is_scrubbed_from_the_error(run: Run, protocol: str) -> None:
    body = f'{{"error":{{"type":"authentication_error","message":"bad key {KEY}"}}}}'.encode()
    answer = http(body, "401 Unauthorized", "application/json", f"content-length: {len(body)}\r\n")
    async with ScriptedServer([answer]).running() as server:
        (record,) = await run(server.url, protocol, "m")
    assert record.error is not None
    assert (record.error.kind, record.error.http_status) == ("authentication", 401)
    assert KEY not in repr(record)


@every_protocol
@pytest.mark.parametrize(
    ("fault", "kind", "status", "retry_after"),
    [
        ("err400", "invalid_request", 400, None),
        ("err401", "authentication", 401, None),
        ("err404", "not_found", 404, None),
        ("err429hour", "rate_limited", 429, 3_600),
        ("err429bare", "rate_limited", 429, None),
        ("err500", "server_error", 500, None),
        ("err503", "server_error", 503, None),
        ("errhtml502", "server_error", 502, None),
    ],
)
async def test_an_error_answer_has_its_kind_status_and_wait(
    run: Run, simulator: Simulator, protocol: str, fault: str, kind: str, status: int, retry_after: float | None
) -> None:
    (record,) = await run(simulator.base_url, protocol, f"sim-ttft5-gap1-n4-{fault}")
    assert record.error is not None
    assert record.outcome == "errored"
    assert (record.error.kind, record.error.http_status) == (kind, status) or (
        # The Anthropic API calls a 503 overloaded.
        record.error.kind == "overloaded" and status == 503
    )
    assert record.error.phase == "before_first_token"
    if retry_after is not None:
        assert record.error.retry_after_s == retry_after
    assert len(simulator.requests) == 1, "the SDK must not retry by itself"


@every_protocol
async def test_a_retry_after_date_becomes_seconds(run: Run, simulator: Simulator, protocol: str) -> None:
    records = await run(simulator.base_url, protocol, *["sim-ttft5-gap1-n4-err429date"] * 5)
    waits_s = [record.error.retry_after_s for record in records if record.error is not None]
    # The date is a second or two ahead, of which a busy machine may need some to read it.
    assert 0 < max(wait_s for wait_s in waits_s if wait_s is not None) <= 2


@every_protocol
@pytest.mark.parametrize("fault", ["fin3", "rst3", "end3"])
async def test_a_connection_that_closes_after_three_deltas_is_truncated(
    run: Run, simulator: Simulator, protocol: str, fault: str
) -> None:
    (record,) = await run(simulator.base_url, protocol, f"sim-ttft5-gap5-n8-{fault}")
    assert record.outcome == "truncated"
    assert record.error is not None
    assert (record.error.kind, record.error.phase) == ("truncated", "mid_stream")
    assert record.response is not None
    assert len(record.response.split()) == 3


@every_protocol
async def test_an_error_in_mid_stream_keeps_the_partial_text(run: Run, simulator: Simulator, protocol: str) -> None:
    (record,) = await run(simulator.base_url, protocol, "sim-ttft5-gap5-n8-miderr3")
    assert record.outcome == "errored"
    assert record.error is not None
    assert record.error.phase == "mid_stream"
    assert record.response is not None
    assert len(record.response.split()) == 3


async def test_a_missing_done_after_the_finish_reason_is_a_success(run: Run, simulator: Simulator) -> None:
    (record,) = await run(simulator.base_url, "openai", "sim-ttft5-gap200-n4-nodone")
    assert (record.outcome, flags_of_answer(record)) == ("succeeded", ["no_terminal_event"])


async def test_a_server_without_stream_options_is_asked_again_without(run: Run, simulator: Simulator) -> None:
    records = await run(simulator.base_url, "openai", *["sim-ttft600-gap200-n4-nostreamoptions"] * 3)
    assert [record.outcome for record in records] == ["succeeded"] * 3
    assert [record.usage.output_tokens for record in records] == [None] * 3
    assert [flags_of_answer(record) for record in records] == [["usage_missing"]] * 3
    # Once for the endpoint, not once for each request; and the refused attempt is not in the time.
    assert len(simulator.requests) == 4
    assert all(record.ttft_ms is not None and record.ttft_ms < 2 * 600 for record in records)


@every_protocol
async def test_an_address_of_ipv6(run: Run, protocol: str) -> None:
    async with Simulator("::1") as server:
        (record,) = await run(server.base_url, protocol, "sim-ttft5-gap1-n2")
    assert (record.outcome, record.error) == ("succeeded", None)


@every_protocol
async def test_nobody_listening_is_a_connect_error(run: Run, protocol: str) -> None:
    (record,) = await run(f"http://127.0.0.1:{free_port()}", protocol, "m")
    assert record.error is not None
    assert (record.outcome, record.error.kind, record.error.phase) == ("errored", "connect_error", "connect")
    assert record.connection_reused is False


@every_protocol
@pytest.mark.parametrize(
    ("fault", "timeouts", "kind", "phase"),
    [
        ("hanghead", Timeouts(ttft_s=0.2), "ttft_timeout", "before_first_token"),
        ("hang0", Timeouts(ttft_s=0.2), "ttft_timeout", "before_first_token"),
        ("comments", Timeouts(ttft_s=0.4), "ttft_timeout", "before_first_token"),
        ("hang3", Timeouts(idle_s=0.2), "idle_timeout", "mid_stream"),
        ("endless", Timeouts(total_s=1.5), "total_timeout", "mid_stream"),
    ],
)
async def test_each_deadline_has_its_own_kind(
    run: Run, simulator: Simulator, protocol: str, fault: str, timeouts: Timeouts, kind: str, phase: str
) -> None:
    (record,) = await run(simulator.base_url, protocol, f"sim-ttft5-gap1-n8-{fault}", timeouts=timeouts)
    assert record.outcome == "timed_out"
    assert record.error is not None
    assert (record.error.kind, record.error.phase) == (kind, phase)
    await simulator.wait_for(lambda server: bool(server.requests) and server.requests[0].closed_by_client)


@every_protocol
async def test_a_connection_is_used_again_and_connecting_is_outside_ttft(
    run: Run, simulator: Simulator, protocol: str
) -> None:
    first, second = await run(simulator.base_url, protocol, *["sim-ttft5-gap1-n4"] * 2)
    assert (first.connection_reused, second.connection_reused) == (False, True)
    assert first.metrics["connect_ms"] is not None
    assert second.metrics["connect_ms"] is None


async def test_events_of_one_read_share_its_stamp(run: Run) -> None:
    body = http(sse(*openai_text("a", "b", "c")) + openai_stream("d", usage={"completion_tokens": 4}))
    async with ScriptedServer([body]).running() as server:
        (record,) = await run(server.url, "openai", "m")
    assert record.ttft_ms == record.latency_ms
    assert "buffered" in record.flags


@every_protocol
async def test_a_proxy_is_used_through_the_sdk_and_the_run_is_graded_for_it(
    children: Children, simulator: Simulator, protocol: str
) -> None:
    """A forwarding proxy on this machine: what reaches it names the whole URL."""
    asked: list[bytes] = []

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n", 1)[0])
        host, port = simulator.base_url.removeprefix("http://").split(":")
        upstream_reader, upstream_writer = await asyncio.open_connection(host, int(port))
        upstream_writer.write(head.replace(simulator.base_url.encode(), b"", 1))

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
            sink.close()

        await asyncio.gather(copy(reader, upstream_writer), copy(upstream_reader, writer), return_exceptions=True)

    async with await asyncio.start_server(forward, "127.0.0.1") as server:
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with engine_at(children, simulator.base_url, protocol, proxy=proxy) as engine:
            plan = load("sim-ttft20-gap1-n4", concurrency=1)
            (record,) = [record async for record in engine.run(plan)]
    assert record.outcome == "succeeded"
    assert asked
    assert asked[0].startswith(b"POST " + simulator.base_url.encode())
    measured = engine.disturbance.document()
    assert (measured["transport"], measured["stamps"]) == ("sdk", "selector")
    assert measured["grade"] in ("C", "D")
