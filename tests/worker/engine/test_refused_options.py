"""A server that refuses `stream_options`, in the words of other servers: each model is asked once and then mended."""

import asyncio
import gzip
import zlib
from collections import Counter
from collections.abc import Callable

import orjson
import pytest

from shared.benchmark.load.pace import ConstantRate
from tests.support.streams import openai_stream
from tests.worker.engine.running import Run, engine_at, load
from worker.engine.children import Children

PYDANTIC = (
    b'{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}'
)


class RefusingServer:
    """Refuses `stream_options` for every model but `new`."""

    def __init__(self, status: str, refusal: bytes, encoding: str = "identity") -> None:
        self._status = status
        self._encoding = encoding
        self._refusal = refusal
        self.refused: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        request = orjson.loads(await reader.readexactly(int(lengths[0])))
        status, kind, body, encoding = "200 OK", "text/event-stream", openai_stream("Hi"), "identity"
        if "stream_options" in request and request["model"] != "new":
            self.refused[request["model"]] += 1
            status, kind, body, encoding = self._status, "application/json", self._refusal, self._encoding
        headers = f"content-type: {kind}\r\ncontent-encoding: {encoding}\r\nconnection: close"
        writer.write(f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


async def test_a_schedule_learns_from_the_first_refusal(children: Children) -> None:
    """What waits in the process comes back and is mended before it is sent."""
    refusing = RefusingServer("422 Unprocessable Entity", PYDANTIC)
    async with await asyncio.start_server(refusing.serve, "127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with engine_at(children, url, "openai") as engine:
            work = load(*["old"] * 40, pace=ConstantRate(20, 2))
            records = [record async for record in engine.run(work)]
    assert [record.outcome for record in records] == ["succeeded"] * 40
    assert refusing.refused["old"] < 20, "a process has the requests of a second"


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("422 Unprocessable Entity", PYDANTIC),
        (
            "400 Bad Request",
            b'[{"error":{"code":400,"message":"Unknown name \\"stream_options\\": Cannot find field."}}]',
        ),
        ("500 Internal Server Error", b"create() got an unexpected keyword argument 'stream_options'"),
        ("400 Bad Request", b'{"message":"Additional properties are not allowed"}'),
    ],
    ids=["pydantic", "google", "text", "schema"],
)
async def test_a_refusal_is_mended_for_that_model_alone(run: Run, status: str, refusal: bytes) -> None:
    refusing = RefusingServer(status, refusal)
    async with await asyncio.start_server(refusing.serve, "127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        records = await run(url, "openai", "old", "new", "older", "new", "old", "older")
    assert [record.outcome for record in records] == ["succeeded"] * 6
    assert refusing.refused == {"old": 1, "older": 1}


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_compressed_refusal_is_read(run: Run, encoding: str, compress: Callable[[bytes], bytes]) -> None:
    refusing = RefusingServer("400 Bad Request", compress(b'{"error":"stream_options: unknown field"}'), encoding)
    async with await asyncio.start_server(refusing.serve, "127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        records = await run(url, "openai", "old", "old")
    assert [record.outcome for record in records] == ["succeeded"] * 2
    assert refusing.refused == {"old": 1}
