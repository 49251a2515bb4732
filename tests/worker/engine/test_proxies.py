"""Requests to `https://` servers through a proxy: making the tunnel is connecting, and so is its failure."""

import asyncio
import base64
import functools
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from shared.benchmark.timeouts import Timeouts
from shared.protocols.registry import PROTOCOLS
from simulator.server import Simulator
from tests.worker.engine.running import Run, run_over
from worker.engine.children import Children

every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)


@dataclass
class TunnelProxy:
    """Answers CONNECT with `answer`, after `delay_s`. Then leads to the server, unless it is `stuck`, or closes.

    `endless` bytes come over and over again.
    """

    answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"
    delay_s: float = 0
    stuck: bool = False
    endless: bytes = b""
    asked: list[bytes] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["TunnelProxy"]:
        async with await asyncio.start_server(self._serve, "127.0.0.1") as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        await asyncio.sleep(self.delay_s)
        writer.write(self.answer)
        while self.endless and not writer.is_closing():
            writer.write(self.endless)
            await asyncio.sleep(0.02)
        if self.stuck:
            await reader.read(-1)
        elif b" 200 " in self.answer:
            host, port = head.split()[1].decode().split(":")
            upstream_reader, upstream_writer = await asyncio.open_connection(host, int(port))
            await asyncio.gather(_copy(reader, upstream_writer), _copy(upstream_reader, writer), return_exceptions=True)
        writer.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()
    sink.close()


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def server(ca: trustme.CA) -> AsyncIterator[Simulator]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    async with Simulator(tls=context) as running:
        yield running


@pytest.fixture
def run(children: Children, ca: trustme.CA, tmp_path: Path) -> Run:
    bundle = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(bundle)
    return functools.partial(run_over, children, "auto", options={"tls": {"ca_file": str(bundle)}})


@every_protocol
async def test_the_tunnel_and_its_handshake_are_outside_ttft(run: Run, server: Simulator, protocol: str) -> None:
    async with TunnelProxy(delay_s=0.8).running() as proxy:
        first, second = await run(server.base_url, protocol, *["sim-ttft5-gap1-n2"] * 2, proxy=proxy.url)
    assert [record.outcome for record in (first, second)] == ["succeeded"] * 2
    connect_ms, tls_ms = first.metrics["connect_ms"], first.metrics["tls_ms"]
    assert connect_ms is not None
    assert tls_ms is not None
    assert connect_ms >= 800
    assert 0 < tls_ms < connect_ms - 700, "without the proxy's delay"
    assert first.ttft_ms is not None
    assert first.ttft_ms < connect_ms
    assert (first.connection_reused, second.connection_reused) == (False, True)
    assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    ("proxy", "kind", "words"),
    [
        pytest.param(
            TunnelProxy(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"),
            "connect_error",
            "cannot connect: the proxy answered 407 Proxy Authentication Required",
            id="407",
        ),
        pytest.param(TunnelProxy(b""), "connect_error", "cannot connect: ", id="closes"),
        pytest.param(TunnelProxy(b"SSH-2.0\r\n\r\n"), "connect_error", "cannot connect: ", id="no HTTP"),
        pytest.param(TunnelProxy(b"", stuck=True), "connect_timeout", "no connection within connect_s", id="silent"),
        pytest.param(
            TunnelProxy(b"HTTP/1.1 200 OK\r\n", endless=b"x: y\r\n"),
            "connect_timeout",
            "no connection within connect_s",
            id="head without end",
        ),
        pytest.param(
            TunnelProxy(stuck=True), "connect_timeout", "no connection within connect_s", id="silent after CONNECT"
        ),
    ],
)
async def test_a_tunnel_that_fails_is_a_failure_to_connect(
    run: Run, server: Simulator, proxy: TunnelProxy, kind: str, words: str
) -> None:
    """The run goes on: a tunnel that was not made takes no place in the pool."""
    async with proxy.running():
        timeouts = Timeouts(connect_s=1 if kind == "connect_timeout" else 60)
        records = await run(server.base_url, "openai", "m", "m", proxy=proxy.url, timeouts=timeouts)
    for record in records:
        assert record.error is not None
        assert (record.error.kind, record.error.phase) == (kind, "connect")
        assert words in record.error.message
    assert len(proxy.asked) == 2
    assert not server.requests


async def test_name_and_password_of_the_url_go_to_the_proxy(run: Run, server: Simulator) -> None:
    async with TunnelProxy().running() as proxy:
        url = proxy.url.replace("//", "//me:se%40cret@")
        (record,) = await run(server.base_url, "openai", "sim-ttft1-gap1-n2", proxy=url)
    assert record.outcome == "succeeded"
    assert b"\r\nProxy-Authorization: Basic " + base64.b64encode(b"me:se@cret") + b"\r\n" in proxy.asked[0]


async def test_a_proxy_that_no_library_speaks_to_ends_the_request_and_not_the_process(
    run: Run, server: Simulator
) -> None:
    records = await run(server.base_url, "openai", "m", "m", proxy="socks5://127.0.0.1:9")
    assert len(records) == 2
    for record in records:
        assert record.error is not None
        assert (record.error.kind, record.error.phase) == ("client_error", "connect")
        assert "socks" in record.error.message.lower()
