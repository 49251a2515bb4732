"""HTTP as servers really speak it, over both transports: odd heads and bodies end one request at most."""

import asyncio
import itertools

import pytest

from tests.support.servers.scripted import ScriptedServer, http
from tests.support.streams import openai_stream
from tests.worker.engine.running import Run
from worker.engine.child.http_response import MAX_BYTES_BESIDE, HttpResponse, NotHttp

STREAM = openai_stream("Hi", usage={"prompt_tokens": 1, "completion_tokens": 1})
LENGTH = b"content-length: %d\r\n" % len(STREAM)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(STREAM), STREAM)
OK, SSE = b"HTTP/1.1 200 OK\r\n", b"content-type: text/event-stream\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(OK + SSE + LENGTH + b"\r\n" + STREAM, id="plain"),
        pytest.param((OK + SSE + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + STREAM, id="line ends without CR"),
        pytest.param(b"HTTP/1.1 200\r\n" + SSE + LENGTH + b"\r\n" + STREAM, id="no reason phrase"),
        pytest.param(b"HTTP/1.0 200 OK\r\n" + SSE + b"\r\n" + STREAM, id="http 1.0"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + SSE + LENGTH + b"\r\n" + STREAM, id="100 before"),
        pytest.param(
            b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\ncontent-type: application/json\r\n\r\n"
            + OK + SSE + LENGTH + b"\r\n" + STREAM,
            id="102 and 103 before",
        ),
        pytest.param(OK + SSE + LENGTH + b"x-name: \xff\xfe\xc3\xa4\r\n\r\n" + STREAM, id="header not in latin-1"),
        pytest.param(OK + SSE + LENGTH + b"x-name: a\r\n\tb\r\n\r\n" + STREAM, id="folded header"),
        pytest.param(OK + SSE + LENGTH + b"x-name: a\x01b\r\n\r\n" + STREAM, id="control character in a header"),
        pytest.param(OK + b"content-type: text/plain\r\n" + SSE + LENGTH + b"\r\n" + STREAM, id="repeated header"),
        pytest.param(OK + SSE + LENGTH + b"x: y\r\n" * 1_500 + b"\r\n" + STREAM, id="1,500 headers"),
        pytest.param(OK + SSE + LENGTH + b"connection: close\r\n\r\n" + STREAM + b"and more", id="too long"),
        pytest.param(OK + SSE + b"transfer-encoding: chunked\r\n\r\n" + CHUNKED, id="chunked"),
        pytest.param(OK + SSE + b"transfer-encoding: chunked\r\n" + LENGTH + b"\r\n" + CHUNKED, id="chunks and length"),
        pytest.param(
            OK + SSE + b"transfer-encoding: chunked\r\n\r\n%x  \r\n" % len(STREAM) + CHUNKED.partition(b"\r\n")[2],
            id="spaces after a size",
        ),
        pytest.param(
            OK + SSE + b"transfer-encoding: chunked\r\n\r\n" + CHUNKED[:-2] + b"x-trailer: 1\r\n\r\n", id="trailers"
        ),
    ],
)  # fmt: skip
async def test_an_answer_is_read_however_its_head_looks(run: Run, answer: bytes) -> None:
    async with ScriptedServer([answer]).running() as server:
        (record,) = await run(server.url, "openai", "m")
    assert record.error is None
    assert (record.outcome, record.response) == ("succeeded", "Hi")


@pytest.mark.parametrize("headers", [b"upgrade: websocket\r\nconnection: upgrade\r\n", b""], ids=["upgrade", "bare"])
async def test_a_switch_of_protocols_is_an_error_answer_and_the_run_goes_on(run: Run, headers: bytes) -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\n" + headers + b"\r\n\x81\x05hello"
    async with ScriptedServer([switch]).running() as server:
        records = await run(server.url, "openai", "m", "m", "m")
    assert len(server.requests) == 3
    for record in records:
        assert record.outcome == "errored"
        assert record.error is not None
        assert (record.error.http_status, record.error.kind) == (101, "provider_error")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n\r\n", "the answer is not HTTP/1.1", id="another protocol"),
        pytest.param(OK + SSE + LENGTH + b"\r\n" + STREAM[:9], "the connection inside the answer", id="too short"),
        pytest.param(OK + b"content-length: 1" + b"0" * 40 + b"\r\n\r\n", "answer is not HTTP/1.1", id="huge length"),
        pytest.param(OK + b"x: a\x00b\r\n\r\n", "the answer is not HTTP/1.1", id="NUL in a header"),
        pytest.param(b"HTTP/1.1 99999 OK\r\n\r\n", "the answer is not HTTP/1.1", id="status of five digits"),
        pytest.param(OK + b"x: y", "the connection inside the head of the answer", id="half a head"),
        pytest.param(b"", "closed the connection without an answer", id="nothing"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_none_ends_that_request_and_says_why(run: Run, answer: bytes, words: str) -> None:
    async with ScriptedServer([answer]).running() as server:
        records = await run(server.url, "openai", "m", "m")
    assert len(server.requests) == 2
    for record in records:
        assert record.outcome != "succeeded"
        assert record.error is not None
        assert words in record.error.message


CHUNKS = SSE + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s" % (len(STREAM), STREAM)


@pytest.mark.parametrize("fault", [b"\r\nzz\r\n", b"0\r\n\r\n"], ids=["no size", "no line end"])
@pytest.mark.parametrize("gap_s", [0, 0.05], ids=["one read", "two reads"])
async def test_what_came_before_a_fault_of_the_framing_counts(run: Run, fault: bytes, gap_s: float) -> None:
    pieces = [OK + CHUNKS, fault] if gap_s else [OK + CHUNKS + fault]
    async with ScriptedServer(pieces, gap_s=gap_s).running() as server:
        (record,) = await run(server.url, "openai", "m")
    assert (record.outcome, record.error, record.response) == ("succeeded", None, "Hi")
    assert record.usage.output_tokens == 1


async def test_an_error_answer_with_a_fault_of_the_framing_keeps_its_status(run: Run) -> None:
    refusal = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\n" + CHUNKS + b"zz\r\n"
    async with ScriptedServer([refusal]).running() as server:
        (record,) = await run(server.url, "openai", "m")
    assert record.error is not None
    assert (record.error.kind, record.error.http_status, record.error.retry_after_s) == ("rate_limited", 429, 7)


async def test_a_reset_says_so(run: Run) -> None:
    async with ScriptedServer([], reset=True).running() as server:
        (record,) = await run(server.url, "openai", "m")
    assert record.error is not None
    assert "the server reset the connection (reset by peer) without an answer" in record.error.message


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_an_answer_that_can_have_no_body_has_none(run: Run, status: str) -> None:
    async with ScriptedServer([http(STREAM, status)]).running() as server:
        (record,) = await run(server.url, "openai", "m")
    assert record.outcome != "succeeded"
    assert record.response is None


async def test_a_head_that_never_ends_is_cut(run: Run) -> None:
    endless = itertools.chain([OK], itertools.repeat(b"x-more: and more\r\n" * 1_000))

    async def running() -> None:
        async with ScriptedServer(endless).running() as server:
            (record,) = await run(server.url, "openai", "m")
        assert record.outcome != "succeeded"
        assert record.error is not None
        assert "the answer is not HTTP/1.1" in record.error.message

    await asyncio.wait_for(running(), 60)


def feed_all(response: HttpResponse, reads: list[bytes]) -> None:
    for data in reads:
        response.feed(data)


@pytest.mark.parametrize(
    "endless",
    [
        b"x-more: and more\r\n",
        b"x",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
    ],
)
def test_no_response_grows_without_a_body(endless: bytes) -> None:
    response = HttpResponse()
    if endless != b"HTTP/1.1 103 Early Hints\r\n\r\n":
        response.feed(OK + b"a: ")
    with pytest.raises(NotHttp, match="bytes of headers before its body"):
        feed_all(response, [endless] * (2 * MAX_BYTES_BESIDE // len(endless)))


def test_trailers_that_never_end_are_cut_and_a_long_body_is_not() -> None:
    response = HttpResponse()
    response.feed(OK + b"transfer-encoding: chunked\r\n\r\n")
    feed_all(response, [b"1\r\nx\r\n"] * MAX_BYTES_BESIDE)
    response.feed(b"0\r\n")
    with pytest.raises(NotHttp, match="bytes of headers after its body"):
        feed_all(response, [b"x: y\r\n"] * MAX_BYTES_BESIDE)
    assert b"".join(response.parts) == b"x" * MAX_BYTES_BESIDE


@pytest.mark.parametrize("more", [b"\x00", b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb", b"HTTP/1."])
def test_a_connection_that_says_more_than_was_asked_is_not_kept(more: bytes) -> None:
    response = HttpResponse()
    response.feed(OK + b"content-length: 1\r\n\r\na" + more)
    assert (response.complete, response.keeps_alive, response.parts) == (True, False, [b"a"])
