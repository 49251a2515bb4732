"""Request bodies: bounded in time and in number, and their bytes are given back."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from api.http.body import BODIES_AT_ONCE, FREE_BYTES, BodyLimitMiddleware, BodyTooLarge, StreamedBody, parsed
from api.http.json_bounds import STEP_BYTES
from tests.api.documents import EXAMPLE, problem

LIMIT = 100_000
HEADERS = Headers({"content-type": "application/json"}).raw
JSON = {"type": "http", "method": "POST", "path": "/benchmarks", "headers": HEADERS}


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass


async def nothing(message: Message) -> None:
    raise AssertionError("nothing is sent")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        *((name, 422) for name in ("application/json", "application/JSON", "Application/Problem+Json; charset=utf-8")),
        # FastAPI does not parse these.
        *((name, 415) for name in ("text/plain", None)),
    ],
)
async def test_no_body_that_is_parsed_escapes_the_bounds(
    sqlite_api: httpx2.AsyncClient, content_type: str | None, status: int
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    document = problem(await sqlite_api.post("/benchmarks", content=b"[" * 500 + b"]" * 500, headers=headers), status)
    if status == 422:
        assert [error["code"] for error in document["errors"]] == ["too_complex"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("depth", [1, 100, 3_000])
async def test_a_body_of_another_encoding_is_no_json(sqlite_api: httpx2.AsyncClient, encoding: str, depth: int) -> None:
    """The bounds read the bytes as UTF-8: a quote in them may be half of another character."""
    text = json.dumps({**EXAMPLE, "name": "∀"}, ensure_ascii=False)
    deep = f'{text[:-1]}, "metadata": {{"a": {"[" * depth}{"]" * depth}}}}}'
    answer = await sqlite_api.post(
        "/benchmarks", content=deep.encode(encoding), headers={"content-type": "application/json"}
    )
    assert problem(answer, 400)["code"] == "invalid_json"


def test_utf_8_is_read_with_and_without_its_mark() -> None:
    assert parsed('{"a": "∀🦊"}'.encode()) == parsed('{"a": "∀🦊"}'.encode("utf-8-sig")) == {"a": "∀🦊"}
    assert parsed(rb'{"a": "\ud800"}') == {"a": "\ud800"}


async def test_other_requests_get_their_turn_while_a_large_piece_is_checked() -> None:
    turns, piece = 0, b'"a":1,' * (10 * STEP_BYTES // 6)

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def receive() -> Message:
        return {"type": "http.request", "body": piece, "more_body": False}

    others = asyncio.create_task(count_turns())
    await BodyLimitMiddleware(read_all, LIMIT * 10)(JSON, receive, nothing)
    others.cancel()
    assert turns >= len(piece) // STEP_BYTES


async def test_a_body_that_does_not_arrive_is_refused() -> None:
    middleware = BodyLimitMiddleware(read_all, LIMIT, arrival_s=0.05)

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(HTTPException) as caught:
        await middleware(JSON, never, nothing)
    assert caught.value.status_code == 408


async def test_only_so_many_large_bodies_are_held_at_once() -> None:
    middleware = BodyLimitMiddleware(read_all, LIMIT)
    release, waiting = asyncio.Event(), 0

    def body(size: int) -> Receive:
        sent = False

        async def receive() -> Message:
            nonlocal sent, waiting
            if sent:
                waiting += 1
                await release.wait()
                return {"type": "http.request", "body": b"", "more_body": False}
            sent = True
            return {"type": "http.request", "body": b" " * size, "more_body": True}

        return receive

    many = BODIES_AT_ONCE * LIMIT // (LIMIT - FREE_BYTES)
    held = [asyncio.create_task(middleware(JSON, body(LIMIT), nothing)) for _ in range(many)]
    while waiting < many:
        await asyncio.sleep(0)
    with pytest.raises(HTTPException) as caught:
        await middleware(JSON, body(LIMIT), nothing)
    assert (caught.value.status_code, dict(caught.value.headers or {})) == (503, {"Retry-After": "1"})
    small = asyncio.create_task(middleware(JSON, body(FREE_BYTES), nothing))
    release.set()
    await asyncio.gather(small, *held)
    # All of them have been given back.
    await middleware(JSON, body(LIMIT), nothing)
    assert middleware._held == 0


async def test_a_body_that_its_route_keeps_on_the_disk_has_bounds_of_its_own() -> None:
    streamed = {("POST", "/datasets"): StreamedBody(3 * LIMIT, arrival_s=60)}
    middleware = BodyLimitMiddleware(read_all, LIMIT, streamed=streamed)
    scope = {**JSON, "path": "/bench/datasets", "root_path": "/bench"}

    def body(size: int) -> Receive:
        left = size

        async def receive() -> Message:
            nonlocal left
            piece = b"[" * min(left, LIMIT // 2)
            left -= len(piece)
            return {"type": "http.request", "body": piece, "more_body": left > 0}

        return receive

    # So many brackets would be too complex for JSON, and so many bytes too many for other routes.
    await middleware(scope, body(3 * LIMIT), nothing)
    assert middleware._held == 0
    with pytest.raises(BodyTooLarge) as caught:
        await middleware(scope, body(3 * LIMIT + 1), nothing)
    assert (caught.value.status_code, caught.value.detail) == (413, "the body is larger than 300,000 bytes")
    for other in ({"path": "/datasets/1"}, {"method": "PUT", "path": "/datasets"}):
        with pytest.raises(HTTPException):
            await middleware({**JSON, **other}, body(LIMIT + 1), nothing)


async def test_a_large_body_is_a_request_like_any_other(sqlite_api: httpx2.AsyncClient) -> None:
    prompts = [f"prompt {number} " + "x" * 1_000 for number in range(2_000)]

    async def pieces() -> AsyncIterator[bytes]:
        raw = httpx2.Request("POST", "http://localhost", json={**EXAMPLE, "prompts": prompts}).content
        for begin in range(0, len(raw), 10_007):
            yield raw[begin : begin + 10_007]

    headers = {"content-type": "application/json"}
    answer = await sqlite_api.post("/benchmarks", content=pieces(), headers=headers)
    assert answer.status_code == 202
    assert answer.json()["progress"]["total"] == 2_000
    wrong = {**EXAMPLE, "prompts": [*prompts, {"messages": [{"role": "user", "content": 1}]}]}
    document = problem(await sqlite_api.post("/benchmarks", json=wrong), 422)
    assert [error["field"] for error in document["errors"]] == ["prompts[2000].messages[0].content"]


def test_what_json_loads_reads_is_read() -> None:
    assert parsed(b'{"a": [1, 1.5, "\\ud83d\\ude00", null, true]}') == {"a": [1, 1.5, "\U0001f600", None, True]}
    assert parsed(b"1" + b"0" * 30) == 10**30
    assert str(parsed(b"[NaN, Infinity]")) == "[nan, inf]"
    assert parsed(b'"\\ud800"') == "\ud800"
