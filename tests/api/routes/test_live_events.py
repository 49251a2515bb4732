"""`GET /benchmarks/{id}/events`, through a real server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from api.live.feeds import Feeds
from tests.api.documents import problem, submit
from tests.api.event_stream import Received, all_received, received
from tests.shared.db.rows import Tables, make_record
from tests.support.programs.ports import free_port
from tests.support.servers.served import served_api
from tests.support.service import make_settings
from tests.support.waiting import PATIENCE_S, until

EVENTS = "/benchmarks/1/events"
SIMULATOR = "http://127.0.0.1:9"


@pytest.fixture
async def served(database_url: str) -> AsyncIterator[tuple[httpx2.AsyncClient, FastAPI]]:
    """On each database. Redis is away: the database holds the truth."""
    async with served_api(make_settings(database_url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR)) as served:
        yield served


@pytest.fixture
def client(served: tuple[httpx2.AsyncClient, FastAPI]) -> httpx2.AsyncClient:
    return served[0]


@pytest.fixture
def feeds(served: tuple[httpx2.AsyncClient, FastAPI]) -> Feeds:
    found: Feeds = served[1].state.process.feeds
    return found


async def submitted(client: httpx2.AsyncClient, **changes: Any) -> None:
    await submit(client, model="sim", provider="simulator", **changes)


async def follow(stream: AsyncIterator[Received], kind: str, **fields: Any) -> Received:
    """The next event of this kind with these fields in its data."""
    async with asyncio.timeout(PATIENCE_S):
        async for item in stream:
            if item.event == kind and fields.items() <= item.data.items():
                return item
    raise AssertionError(f"the stream ended without {kind} {fields}")


async def finish(tables: Tables) -> None:
    """The benchmark runs, and ends with two results."""
    lease = await tables.claimed()
    await tables.leases.begin(lease, dispatched=2, price=None)
    await tables.results.record(lease, [make_record(), make_record(1)])
    await tables.leases.finish(lease, "completed", summary=None, error=None)


async def test_a_run_is_told_from_its_wait_to_its_end(client: httpx2.AsyncClient, tables: Tables) -> None:
    await submitted(client)
    async with client.stream("GET", EVENTS) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        stream = received(response)
        first = await follow(stream, "status")
        assert (first.data["status"], first.data["started_at"]) == ("pending", None)
        assert (await follow(stream, "progress")).data["done"] == 0
        lease = await tables.claimed()
        await follow(stream, "status", status="running")
        await tables.leases.begin(lease, dispatched=2, price=None)
        live = {name: {"count": 1, "p50": 100.0, "p95": None} for name in ("ttft_ms", "latency_ms")}
        await tables.results.record(lease, [make_record()], live=live)
        told = await follow(stream, "progress", done=1, total=2, errors=0)
        assert told.data["metrics"]["ttft_ms"]["p50"] == 100
        assert told.data == (await client.get("/benchmarks/1?include=none")).json()["progress"]
        await tables.results.record(lease, [make_record(1)])
        await tables.leases.finish(lease, "completed", summary=None, error=None)
        told = await follow(stream, "status", status="completed")
        assert told.data["completed_at"] is not None
        assert (await follow(stream, "progress", done=2)).data["metrics"] is None
        assert (await follow(stream, "end")).data == {"status": "completed"}
        assert [item async for item in stream] == []


async def test_an_ended_benchmark_is_told_at_once(client: httpx2.AsyncClient, tables: Tables) -> None:
    await submitted(client)
    await finish(tables)
    events = await all_received(client, EVENTS)
    assert [item.event for item in events] == ["status", "progress", "end"]


async def test_a_client_goes_on_after_the_event_that_it_had_last(client: httpx2.AsyncClient, tables: Tables) -> None:
    """At any API process: ids are made from what is stored. After the end there is nothing more: a 204."""
    await submitted(client)
    await finish(tables)
    events = await all_received(client, EVENTS)
    for place, last in enumerate(events[:-1]):
        assert await all_received(client, EVENTS, last.id) == events[place + 1 :]
    assert await all_received(client, EVENTS, "1-1-00000000") == events
    assert await all_received(client, EVENTS, "nonsense ~") == events
    nothing = await client.get(EVENTS, headers={"Last-Event-ID": events[-1].id})
    assert (nothing.status_code, nothing.content) == (204, b"")


async def test_two_processes_give_the_same_ids(client: httpx2.AsyncClient, tables: Tables, database_url: str) -> None:
    await submitted(client)
    await finish(tables)
    async with served_api(make_settings(database_url, f"redis://127.0.0.1:{free_port()}/0", SIMULATOR)) as (other, _):
        assert await all_received(other, EVENTS) == await all_received(client, EVENTS)


async def test_a_cancel_and_a_delete_end_it(client: httpx2.AsyncClient) -> None:
    await submitted(client)
    async with client.stream("GET", EVENTS) as response:
        stream = received(response)
        await follow(stream, "progress")
        await client.post("/benchmarks/1/cancel")
        assert (await follow(stream, "end")).data == {"status": "cancelled"}
    await submitted(client)
    async with client.stream("GET", "/benchmarks/2/events") as response:
        stream = received(response)
        await follow(stream, "progress")
        await client.delete("/benchmarks/2")
        assert (await follow(stream, "end")).data == {"status": None}
        assert [item async for item in stream] == []


async def test_many_clients_share_one_watcher_and_leave_nothing_behind(
    client: httpx2.AsyncClient, feeds: Feeds
) -> None:
    await submitted(client)
    before = asyncio.all_tasks()
    async with client.stream("GET", EVENTS) as one, client.stream("GET", EVENTS) as two:
        await follow(received(one), "progress")
        await follow(received(two), "progress")
        assert feeds.listeners == 2

    async def is_clean() -> bool:
        # A new connection has a task at times; a leaked one stays.
        return feeds.listeners == 0 and not (asyncio.all_tasks() - before - {asyncio.current_task()})

    await until(is_clean)


async def test_what_is_not_there_is_a_problem_before_the_stream_begins(client: httpx2.AsyncClient) -> None:
    assert problem(await client.get("/benchmarks/9/events"), 404)["code"] == "not_found"
    assert problem(await client.get("/benchmarks/x/events"), 422)["code"] == "invalid_request"


async def test_head_ends_with_the_head(client: httpx2.AsyncClient, feeds: Feeds) -> None:
    await submitted(client)
    answer = await client.head(EVENTS)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")

    async def has_left() -> bool:
        return feeds.listeners == 0

    await until(has_left)


async def test_a_stream_in_which_nothing_happens_is_kept_open(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FastAPI's own comments, more often than every 15 s."""
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.05)
    await submitted(client)
    async with client.stream("GET", EVENTS) as response, asyncio.timeout(PATIENCE_S):
        pings = 0
        async for line in response.aiter_lines():
            pings += line == ": ping"
            if pings == 2:
                break
