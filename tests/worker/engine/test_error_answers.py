"""Error answers that do not end: their status counts, and no more of them is read than is of use."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import repeat

import pytest

from shared.benchmark.results.record import ResultRecord
from shared.benchmark.timeouts import Timeouts
from shared.protocols.refusal_limits import MAX_REFUSAL_BYTES, REFUSAL_NS
from shared.protocols.registry import PROTOCOLS
from tests.support.waiting import PATIENCE_S
from tests.worker.engine.measuring import BEGAN, measurement, part
from tests.worker.engine.running import Run, run_over
from worker.engine.children import Children
from worker.engine.messages import Head

HEAD = b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 7\r\n\r\n"
BODY = b'{"error":{"type":"rate_limit_error","message":"slow down"}}'


class LeftOpen:
    """A server that answers with these bytes and then waits until the client goes. `written`: how many it has sent."""

    def __init__(self, *pieces: bytes, more: Iterable[bytes] = ()) -> None:
        self._pieces, self._more = pieces, more
        self.written = 0
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["LeftOpen"]:
        async with await asyncio.start_server(self._answer, "127.0.0.1") as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        gone = asyncio.create_task(reader.read(-1))
        writer.write(b"".join(self._pieces))
        try:
            for piece in self._more:
                writer.write(piece)
                await writer.drain()
                self.written += len(piece)
        except ConnectionError:
            pass
        await asyncio.wait([gone])
        writer.close()


def refused(record: ResultRecord) -> tuple[str, str, int | None, float | None]:
    assert record.error is not None
    return record.outcome, record.error.kind, record.error.http_status, record.error.retry_after_s


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("pieces", [(HEAD, BODY), (HEAD, BODY[:9]), (HEAD,)], ids=["whole", "half", "no body"])
async def test_an_error_answer_that_never_ends_has_its_status(run: Run, protocol: str, pieces: tuple[bytes]) -> None:
    async with LeftOpen(*pieces).running() as server:
        (record,) = await run(server.url, protocol, "m", timeouts=Timeouts(ttft_s=1))
    assert refused(record) == ("errored", "rate_limited", 429, 7)


def test_the_body_of_an_error_answer_has_five_seconds_whatever_comes_meanwhile() -> None:
    measured = measurement("openai", Timeouts(ttft_s=120))
    measured.take(part((100, BODY), (3_000, b" "), began=BEGAN, head=Head(429, {"retry-after": "7"})))
    measured.expire(100_000_000 + REFUSAL_NS)
    assert measured.outcome is None
    measured.expire(100_000_001 + REFUSAL_NS)
    record = measured.record()
    assert refused(record) == ("errored", "rate_limited", 429, 7)
    assert record.error is not None
    assert "slow down" in record.error.message
    assert measured.refused


async def test_the_sdk_is_given_an_error_answer_that_never_ends(children: Children) -> None:
    timeouts = Timeouts(ttft_s=PATIENCE_S)
    async with LeftOpen(HEAD, BODY).running() as server:
        (record,) = await run_over(children, "sdk", server.url, "openai", "m", timeouts=timeouts)
    assert refused(record) == ("errored", "rate_limited", 429, 7)
    assert record.error is not None
    assert "slow down" in record.error.message
    assert (record.ended_at - record.sent_at).total_seconds() < PATIENCE_S


async def test_an_error_answer_that_is_not_as_compressed_as_it_says_has_its_status(run: Run) -> None:
    body = b'{"error":{"message":"slow down"}}'
    head = HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body))
    async with LeftOpen(head, body).running() as server:
        (record,) = await run(server.url, "openai", "m")
    assert refused(record) == ("errored", "rate_limited", 429, 7)


async def test_an_error_answer_without_end_is_closed_upstream(run: Run) -> None:
    flood = repeat(b"x" * 65_536, 4_000)
    async with LeftOpen(HEAD, more=flood).running() as server:
        (record,) = await run(server.url, "openai", "m", timeouts=Timeouts(ttft_s=PATIENCE_S))
    assert refused(record) == ("errored", "rate_limited", 429, 7)
    # Sockets hold some megabytes.
    assert MAX_REFUSAL_BYTES < server.written < 100_000_000
