"""The live part of a benchmark's page, through a real server."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.api.documents import submit
from tests.api.event_stream import received
from tests.api.pages.html import Page, forbidden
from tests.shared.db.rows import Tables, make_record
from tests.support.programs.ports import free_port
from tests.support.servers.served import served_api
from tests.support.service import make_settings
from tests.support.waiting import PATIENCE_S

LIVE = "/ui/benchmarks/1/live"


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    settings = make_settings(database_url, f"redis://127.0.0.1:{free_port()}/0", "http://127.0.0.1:9")
    async with served_api(settings) as (client, _):
        yield client


async def test_parts_are_sent_as_the_run_goes_on_and_the_end_has_no_part(
    client: httpx2.AsyncClient, tables: Tables
) -> None:
    await submit(client, model="sim", provider="simulator", name="<img onerror=alert(1)>")
    async with client.stream("GET", LIVE) as response, asyncio.timeout(PATIENCE_S):
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = received(response)
        first = await anext(stream)
        assert first.event == ""
        assert "Waiting for a worker" in Page(first.text).text
        lease = await tables.claimed()
        await tables.leases.begin(lease, dispatched=2, price=None)
        live = {name: {"count": 1, "p50": 123.0, "p95": None} for name in ("ttft_ms", "latency_ms")}
        await tables.results.record(lease, [make_record()], live=live)
        part = Page("")
        async for item in stream:
            assert forbidden(item.text) == []
            part = Page(item.text)
            if "1 of 2" in part.text:
                break
        assert "123" in part.text
        (bar,) = part.all("progress")
        assert (bar["value"], bar["max"]) == ("1", "2")
        await tables.leases.finish(lease, "completed", summary=None, error=None)
        last = [item async for item in stream][-1]
        assert (last.event, last.text) == ("end", "")


async def test_a_benchmark_that_is_not_there_is_a_page_that_says_so(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/ui/benchmarks/9/live")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_the_page_of_an_open_benchmark_has_the_part_and_what_shows_the_end(client: httpx2.AsyncClient) -> None:
    await submit(client, model="sim", provider="simulator")
    page = Page((await client.get("/ui/benchmarks/1")).text)
    (part,) = page.all("section", id="live")
    assert (part["data-connect"], part["hx-sse:close"]) == (LIVE, "end")
    assert page.all("div", hx_get="/ui/benchmarks/1", hx_trigger="end from:#live", hx_select="#main")
    await client.post("/benchmarks/1/cancel")
    assert Page((await client.get("/ui/benchmarks/1")).text).all("section", id="live") == []
