"""HTTP itself: connections kept, requests bounded, and the endpoints beside the two protocols."""

import asyncio
import json

import pytest

from simulator.connections.request_reader import MAX_BODY_BYTES
from simulator.server import Simulator
from tests.simulator.raw import FAST, RawResponse, anthropic_request, exchange, openai_request, request_bytes

CLOSE = {"connection": "close"}


async def test_connection_is_kept(sim: Simulator) -> None:
    """Three answers, one of them an error, go over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    writer.write(openai_request(f"sim-{FAST}-n1"))
    await reader.readuntil(b"\r\n0\r\n\r\n")
    writer.write(openai_request("sim-err500"))
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(RawResponse([(0, head)]).headers["content-length"]))
    writer.write(anthropic_request(f"sim-{FAST}-n1"))
    await reader.readuntil(b"\r\n0\r\n\r\n")
    assert sim.open_connections == 1
    assert [record.status for record in sim.requests] == [200, 500, 200]
    writer.close()
    await writer.wait_closed()


async def test_pipelined_requests_are_answered_in_order(sim: Simulator) -> None:
    """A client that does not wait gets its answers one after the other."""
    requests = [openai_request(f"sim-{FAST}-n{count}") for count in (3, 1)]
    response = await exchange(sim, b"".join([*requests, openai_request("sim-err400", CLOSE)]))
    assert response.data.count(b"[DONE]") == 2
    assert response.data.index(b"chatcmpl-00000001") < response.data.index(b"chatcmpl-00000002")
    assert [record.in_flight for record in sim.requests] == [1, 1, 1]


async def test_request_may_come_byte_by_byte(sim: Simulator) -> None:
    """A request cut anywhere is the same request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    for byte in openai_request(f"sim-{FAST}-n1", CLOSE):
        writer.write(bytes([byte]))
        await asyncio.sleep(0)
    assert b"[DONE]" in await reader.read()
    writer.close()


async def test_old_http_has_no_chunks(sim: Simulator) -> None:
    """An HTTP/1.0 client gets the bare events, and the end of the connection as the end of the body."""
    response = await exchange(sim, openai_request(f"sim-{FAST}-n2").replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert "transfer-encoding" not in response.headers
    assert response.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("promised", [True, False])
async def test_huge_body_is_refused(sim: Simulator, promised: bool) -> None:
    """A body over 32 MB is a 413 in the protocol's shape, whether it was announced or came in chunks."""
    if promised:
        head = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: {MAX_BODY_BYTES + 1}\r\n\r\n"
        response = await exchange(sim, head.encode())
    else:
        head = "POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        size = MAX_BODY_BYTES + 1
        response = await exchange(sim, head.encode() + b"%x\r\n" % size + bytes(size))
    assert response.status == 413
    assert json.loads(response.body)["error"]["type"] == "request_too_large"


async def test_endless_head_is_refused(sim: Simulator) -> None:
    """A head over 64 kB is a 431."""
    response = await exchange(sim, b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000)
    assert response.status == 431


async def test_what_is_no_http_is_refused(sim: Simulator) -> None:
    """Bytes that are no HTTP get a 400 and a closed connection."""
    response = await exchange(sim, b"\x16\x03\x01 hello\r\n\r\n")
    assert (response.status, response.headers["connection"]) == (400, "close")


async def test_expect_continue_is_answered(sim: Simulator) -> None:
    """A client that asks first is told to go on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    head, _, body = openai_request(f"sim-{FAST}-n1", {"expect": "100-continue"}).partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
    writer.close()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "part"),
    [
        ("GET", "/health", {}, 200, b'{"status":"ok"}'),
        ("GET", "/v1/models", {}, 200, b'"object":"list"'),
        ("GET", "/v1/models?limit=1", {"anthropic-version": "2023-06-01"}, 200, b'"has_more":false'),
        ("POST", "/chat/completions", {}, 404, b"Invalid URL (POST /chat/completions)"),
        ("POST", "/v1/other", {"anthropic-version": "2023-06-01"}, 404, b'"not_found_error"'),
        ("GET", "/v1/messages", {}, 405, b'"type":"error"'),
        ("GET", "/v1/chat/completions", {}, 405, b"Not allowed to GET"),
    ],
)
async def test_other_paths(
    sim: Simulator, method: str, path: str, headers: dict[str, str], status: int, part: bytes
) -> None:
    """Every other path answers in the shape that its client expects, and is no request for an answer."""
    response = await exchange(sim, request_bytes(path, b"", {**headers, **CLOSE}, method))
    assert response.status == status
    assert part in response.body
    assert not sim.requests


async def test_query_is_no_part_of_the_path(sim: Simulator) -> None:
    """`/v1/messages?beta=true` is the Messages endpoint."""
    request = anthropic_request(f"sim-{FAST}-n1", CLOSE).replace(b"/v1/messages", b"/v1/messages?beta=true")
    assert (await exchange(sim, request)).status == 200
