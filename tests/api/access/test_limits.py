"""What callers see of the limits of their keys: headers, 429, and places that broken connections free."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.api.access.keys import KeyMaker, bearer
from tests.api.conftest import KEYS, SIMULATOR
from tests.api.documents import problem
from tests.support.servers.served import served_api
from tests.support.service import make_settings, running_api
from tests.support.waiting import until

BODY = {"name": "waits", "model": "sim", "prompts": ["x"]}


@pytest.fixture
async def limited(sqlite_url: str, redis_url: str, maker: KeyMaker) -> AsyncIterator[httpx2.AsyncClient]:
    """Its settings allow three requests a minute and two at the same time."""
    await maker.make("admin")
    settings = make_settings(
        sqlite_url, redis_url, SIMULATOR, rate_limit_per_minute=3, concurrent_requests=2, max_wait_s=30
    )
    async with running_api(settings, KEYS) as client:
        yield client


async def test_successful_answers_say_what_is_left(limited: httpx2.AsyncClient, maker: KeyMaker) -> None:
    answer = await limited.get("/benchmarks", headers=bearer(await maker.make("read")))
    assert answer.status_code == 200
    assert answer.headers["ratelimit-policy"] == '"minute";q=3;w=60, "concurrent";q=2;qu="concurrent-requests"'
    minute, concurrent = answer.headers["ratelimit"].split(", ")
    assert minute.startswith('"minute";r=2;t=')
    assert 1 <= int(minute.rpartition("=")[2]) <= 60
    assert concurrent == '"concurrent";r=1'


async def test_too_many_requests_in_a_minute_are_a_429(limited: httpx2.AsyncClient, maker: KeyMaker) -> None:
    headers = bearer(await maker.make("read"))
    answers = [await limited.get("/benchmarks", headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    told = problem(refused, 429)
    assert told["code"] == "too_many_requests"
    assert "3 requests a minute" in told["detail"]
    assert 1 <= int(refused.headers["retry-after"]) <= 120
    assert f'"minute";r=0;t={refused.headers["retry-after"]}, ' in refused.headers["ratelimit"]
    # Another key is not concerned, nor is what needs no key.
    assert (await limited.get("/benchmarks", headers=bearer(await maker.make("read")))).status_code == 200
    assert (await limited.get("/health")).status_code == 200


async def test_a_refusal_comes_before_the_body_is_read(limited: httpx2.AsyncClient, maker: KeyMaker) -> None:
    key = await maker.make("run", requests_per_minute=1, concurrent_requests=0)
    assert (await limited.get("/benchmarks", headers=bearer(key))).status_code == 200
    app: Any = limited._transport.app  # type: ignore[attr-defined]
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/benchmarks",
        "raw_path": b"/benchmarks",
        "query_string": b"",
        "root_path": "",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")]
        + [(name.encode(), value.encode()) for name, value in bearer(key).items()],
    }

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    async with asyncio.timeout(10):
        await app(scope, never, send)
    assert sent[0]["status"] == 429


async def test_a_key_has_limits_of_its_own_and_zero_is_none(limited: httpx2.AsyncClient, maker: KeyMaker) -> None:
    own = await maker.make("read", requests_per_minute=5, concurrent_requests=7)
    answer = await limited.get("/benchmarks", headers=bearer(own))
    assert answer.headers["ratelimit-policy"] == '"minute";q=5;w=60, "concurrent";q=7;qu="concurrent-requests"'
    free = await maker.make("read", requests_per_minute=0, concurrent_requests=0)
    answers = [await limited.get("/benchmarks", headers=bearer(free)) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


async def test_open_access_has_no_limits(sqlite_url: str, redis_url: str) -> None:
    settings = make_settings(sqlite_url, redis_url, SIMULATOR, rate_limit_per_minute=1, concurrent_requests=1)
    async with running_api(settings, KEYS) as client:
        answers = [await client.get("/benchmarks") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "ratelimit" not in answers[0].headers


async def test_two_processes_share_the_limits(sqlite_url: str, redis_url: str, maker: KeyMaker) -> None:
    headers = bearer(await maker.make("read", requests_per_minute=4))
    settings = make_settings(sqlite_url, redis_url, SIMULATOR)
    async with running_api(settings, KEYS) as one, running_api(settings, KEYS) as two:
        answers = [await client.get("/benchmarks", headers=headers) for client in (one, two) * 3]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]


@pytest.mark.parametrize("way", ["a live stream", "an answer that waits"])
async def test_a_long_answer_has_a_place_until_it_ends_or_its_connection_breaks(
    sqlite_url: str, redis_url: str, maker: KeyMaker, way: str
) -> None:
    headers = bearer(await maker.make("run", concurrent_requests=1, requests_per_minute=0))
    settings = make_settings(sqlite_url, redis_url, SIMULATOR, max_wait_s=600)
    async with served_api(settings) as (client, _):
        created = await client.post("/benchmarks", json=BODY, headers=headers)
        assert created.status_code == 202, created.text
        events = f"{created.headers['location']}/events"

        async def status() -> int:
            return (await client.get("/benchmarks?limit=1", headers=headers)).status_code

        async def is_refused() -> bool:
            return await status() == 429

        async def is_free() -> bool:
            return await status() == 200

        async def hold() -> bool:
            """False if one of the requests that look had the place."""
            if way == "a live stream":
                async with client.stream("GET", events, headers=headers) as answer:
                    async for _ in answer.aiter_raw():
                        pass
            else:
                answer = await client.post("/benchmarks", json=BODY, headers={**headers, "Prefer": "wait=600"})
            return answer.status_code != 429

        holding = asyncio.create_task(until(hold))
        await until(is_refused)
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        await until(is_free)
