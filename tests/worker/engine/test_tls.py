"""Both transports over TLS, with certificates of a CA of the test's own."""

import asyncio
import functools
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import trustme

from shared.network.tls import TlsSession
from shared.protocols.registry import PROTOCOLS
from simulator.server import Simulator
from tests.support.flags import flags_of_answer
from tests.support.programs.children import PoliteChildren
from tests.support.servers.scripted import ScriptedServer, cut, http
from tests.support.streams import openai_stream
from tests.worker.engine.running import Run, Transport, engine_at, load, run_over
from worker.engine.children import Children

every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def server_context(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """A server that can prove to have these names."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture(scope="module")
async def trusting(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Children]:
    """Measuring processes that trust this CA, as an operator makes them: by `SSL_CERT_FILE`."""
    bundle: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(bundle)
    pool = PoliteChildren({**os.environ, "SSL_CERT_FILE": str(bundle)})
    yield pool
    await pool.close()


@pytest.fixture
def run(transport: Transport, trusting: Children) -> Run:
    return functools.partial(run_over, trusting, transport)


@pytest.fixture
async def tls_simulator(ca: trustme.CA) -> AsyncIterator[Simulator]:
    async with Simulator(tls=server_context(ca, "127.0.0.1")) as running:
        yield running


@every_protocol
async def test_answers_over_kept_connections(run: Run, tls_simulator: Simulator, protocol: str) -> None:
    records = await run(tls_simulator.base_url, protocol, *["sim-ttft50-gap50-n8"] * 6, concurrency=2)
    assert [(record.outcome, record.error, flags_of_answer(record)) for record in records] == [
        ("succeeded", None, [])
    ] * 6
    assert [record.usage.output_tokens for record in records] == [8] * 6
    ttft_ms = [record.ttft_ms for record in records if record.ttft_ms is not None]
    assert len(ttft_ms) == 6
    assert 50 <= min(ttft_ms) < 150
    # The server's session tickets come between requests; they must not cost a connection.
    assert sum(not record.connection_reused for record in records) == 2
    assert tls_simulator.open_connections <= 2


@every_protocol
async def test_the_handshake_is_timed_apart_from_connecting_and_from_the_answer(
    run: Run, tls_simulator: Simulator, protocol: str
) -> None:
    first, second = await run(tls_simulator.base_url, protocol, *["sim-ttft20-gap1-n2"] * 2)
    assert first.metrics["tls_ms"] is not None
    assert first.metrics["connect_ms"] is not None
    assert 0 < first.metrics["tls_ms"] <= first.metrics["connect_ms"]
    assert (second.metrics["tls_ms"], second.metrics["connect_ms"]) == (None, None)


@every_protocol
async def test_a_certificate_of_nobody_we_trust_is_a_tls_error(run: Run, protocol: str) -> None:
    async with Simulator(tls=server_context(trustme.CA(), "127.0.0.1")) as stranger:
        (record,) = await run(stranger.base_url, protocol, "m")
        assert not stranger.requests
    assert record.error is not None
    assert (record.outcome, record.error.kind, record.error.phase) == ("errored", "tls_error", "connect")
    assert "CERTIFICATE_VERIFY_FAILED" in record.error.message


@every_protocol
async def test_a_certificate_for_another_name_is_a_tls_error(run: Run, ca: trustme.CA, protocol: str) -> None:
    async with Simulator(tls=server_context(ca, "elsewhere.example")) as other:
        (record,) = await run(other.base_url, protocol, "m")
        assert not other.requests
    assert record.error is not None
    assert (record.error.kind, record.error.phase) == ("tls_error", "connect")


@every_protocol
async def test_a_server_without_tls_is_a_tls_error(run: Run, simulator: Simulator, protocol: str) -> None:
    (record,) = await run(simulator.base_url.replace("http:", "https:"), protocol, "m")
    assert record.error is not None
    assert (record.error.kind, record.error.phase) == ("tls_error", "connect")


@every_protocol
@pytest.mark.parametrize("fault", ["fin3", "rst3"])
async def test_a_connection_that_breaks_without_a_goodbye_is_truncated(
    run: Run, tls_simulator: Simulator, protocol: str, fault: str
) -> None:
    (record,) = await run(tls_simulator.base_url, protocol, f"sim-ttft5-gap5-n8-{fault}")
    assert record.outcome == "truncated"
    assert record.response is not None
    assert len(record.response.split()) == 3


@pytest.mark.parametrize("size", [1, 7, 1_000])
async def test_records_of_any_size(run: Run, ca: trustme.CA, size: int) -> None:
    answer = http(openai_stream("Hallo", " Welt"))
    async with ScriptedServer(cut(answer, size), tls=server_context(ca, "127.0.0.1")).running() as server:
        (record,) = await run(server.url, "openai", "m")
    assert (record.outcome, record.response) == ("succeeded", "Hallo Welt")


async def test_what_came_before_a_broken_record_counts(run: Run, ca: trustme.CA) -> None:
    """Both come in one read."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls, asked = TlsSession(server_context(ca, "127.0.0.1"), server_side=True), b""
        while not tls.shake_hands(await reader.read(65_536)):
            writer.write(tls.outgoing())
        writer.write(tls.outgoing())
        # The request may have come in the same read as the end of the handshake.
        asked += tls.decrypt(b"")[0]
        while b"\r\n\r\n{" not in asked:
            asked += tls.decrypt(await reader.read(65_536))[0]
        stream = openai_stream("Hi")
        chunked = http(b"%x\r\n%s" % (len(stream), stream), headers="transfer-encoding: chunked\r\n")
        writer.write(tls.encrypt(chunked) + b"\x17\x03\x03\x00\x20" + b"?" * 32)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        (record,) = await run(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", "openai", "m")
    assert (record.outcome, record.response) == ("succeeded", "Hi")


@every_protocol
async def test_a_prompt_larger_than_the_socket_takes_at_once(
    transport: Transport, trusting: Children, tls_simulator: Simulator, protocol: str
) -> None:
    plan = load("sim-ttft5-gap1-n2", text="x" * 8_000_000)
    async with engine_at(trusting, tls_simulator.base_url, protocol, transport=transport) as engine:
        (record,) = [record async for record in engine.run(plan)]
    assert record.outcome == "succeeded"
    assert "x" * 8_000_000 in orjson.dumps(tls_simulator.requests[0].body).decode()


@every_protocol
async def test_a_stream_in_flight_is_closed_upstream_by_a_cancel(
    transport: Transport, trusting: Children, tls_simulator: Simulator, protocol: str
) -> None:
    plan = load("sim-ttft5-gap50-n1000", concurrency=1)
    async with engine_at(trusting, tls_simulator.base_url, protocol, transport=transport) as engine:

        async def cancel() -> None:
            await tls_simulator.wait_for(lambda simulator: simulator.in_flight == 1)
            engine.cancel()

        task = asyncio.create_task(cancel())
        (record,) = [record async for record in engine.run(plan)]
        await task
        await tls_simulator.wait_for(lambda simulator: simulator.in_flight == 0)
    assert record.outcome == "cancelled"
