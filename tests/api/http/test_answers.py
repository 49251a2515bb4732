"""Answers whose contents are huge: bounded in bytes, in pieces, and in lists without long texts."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

import httpx2
import pytest
from sqlalchemy import insert

from api.http.answers import MAX_LIST_BYTES
from api.present.results import PROMPT_SHOWN
from shared.db.benchmarks.pages import NAMES_A_PAGE, SYSTEM_SHOWN
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.numbers.timeline import EventKind, TimelineEvent, encode
from tests.api.documents import pages, submit
from tests.shared.db.rows import Tables, make_record

# More than a list shows.
LONG = "long text " * 40_000
# 1,024 events, as of a long answer.
TIMELINE = encode([TimelineEvent(number * 1_000, EventKind.CONTENT, 6) for number in range(1_024)])
# The loop must be free again within this.
HELD_S = 0.25


async def longest_hold(work: Awaitable[Any]) -> float:
    """The longest processor time in s that one turn of the event loop took while this ran."""
    longest, task = 0.0, asyncio.ensure_future(work)
    while not task.done():
        begin_s = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - begin_s)
    await task
    return longest


async def record(tables: Tables, count: int, **changes: Any) -> None:
    lease = await tables.claimed()
    for start in range(0, count, 200):
        numbers = range(start, min(start + 200, count))
        await tables.results.record(lease, [make_record(0, number, **changes) for number in numbers])


async def test_a_long_prompt_is_cut_in_each_result_and_whole_in_the_list_of_prompts(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    await submit(api, prompts=[LONG, {"system": "Be brief.", "messages": [{"role": "user", "content": "short"}]}])
    lease = await tables.claimed()
    await tables.results.record(lease, [make_record(0), make_record(1)])
    for path, name in (("/benchmarks/1", "results"), ("/benchmarks/1/results", "items")):
        first, second = (await api.get(path)).json()[name]
        assert (first["prompt"], first["prompt_cut"]) == (LONG[:PROMPT_SHOWN], True)
        assert (second["prompt"], second["prompt_cut"]) == ("short", False)
    for limit in (1, 100):
        whole, other = await pages(api, "/benchmarks/1/prompts", limit=limit)
        assert (whole["prompt_index"], whole["messages"][0]["content"]) == (0, LONG)
        assert (other["prompt_index"], other["system"]) == (1, "Be brief.")
    assert (await api.get("/benchmarks/2/prompts")).status_code == 404


@pytest.mark.heavy
async def test_results_end_before_the_list_is_too_long_and_pages_go_on(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api, prompts=["x"], repetitions=50)
    await record(tables, 50, response=LONG)
    whole = await api.get("/benchmarks/1")
    assert len(whole.content) < MAX_LIST_BYTES + 10_000
    document = whole.json()
    assert document["results_truncated"] is True
    assert 1 < len(document["results"]) < 50
    for sort in ("id", "-ttft_ms"):
        page = (await api.get("/benchmarks/1/results", params={"sort": sort, "limit": 50})).json()
        assert len(page["items"]) == len(document["results"])
        items = await pages(api, "/benchmarks/1/results", sort=sort, limit=50)
        assert sorted(item["repetition"] for item in items) == list(range(50))


async def test_an_item_that_is_larger_than_a_list_is_shown_alone(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api, prompts=["x"], repetitions=2)
    await record(tables, 2, response="é" * 1_000_000, reasoning="\x01" * 1_000_000)
    document = (await api.get("/benchmarks/1")).json()
    assert (len(document["results"]), document["results_truncated"]) == (1, True)
    assert len(await pages(api, "/benchmarks/1/results")) == 2


@pytest.mark.heavy
@pytest.mark.parametrize(
    "path", ["/benchmarks/1?include=timeline", "/benchmarks/1/results?include=timeline&limit=1000"]
)
async def test_a_thousand_timelines_do_not_hold_the_loop(api: httpx2.AsyncClient, tables: Tables, path: str) -> None:
    await submit(api, prompts=["x"], repetitions=1_000)
    await record(tables, 1_000, timeline=TIMELINE)
    answers: list[httpx2.Response] = []

    async def get() -> None:
        answers.append(await api.get(path))

    assert await longest_hold(get()) < HELD_S
    document = answers[0].json()
    results = document.get("results") or document["items"]
    assert len(answers[0].content) < MAX_LIST_BYTES + 10_000
    assert [len(result["timeline"]) for result in results] == [1_024] * len(results)
    assert document.get("results_truncated") or document["next_cursor"]


async def test_a_list_leaves_long_texts_out_and_says_which(api: httpx2.AsyncClient) -> None:
    metadata = {"b": 1, "a": "ü"}
    await submit(api, system=LONG, parameters={"stop": [LONG[:20_000]], "max_tokens": 5}, metadata=metadata)
    await submit(api, system=LONG)
    await submit(api, system="short", parameters={"stop": "END"})
    short, long, both = (await api.get("/benchmarks")).json()["items"]
    assert (both["system"], both["cut"]) == (LONG[:SYSTEM_SHOWN], ["system", "parameters.stop"])
    assert (both["parameters"]["stop"], both["parameters"]["max_tokens"], both["metadata"]) == (None, 5, metadata)
    assert (long["system"], long["cut"]) == (LONG[:SYSTEM_SHOWN], ["system"])
    assert (short["system"], short["cut"], short["parameters"]["stop"]) == ("short", [], "END")
    assert (await api.get("/benchmarks/1")).json()["system"] == LONG


@pytest.mark.parametrize("dates", ["", "&created_from=2020-01-01"])
async def test_a_search_in_names_looks_at_some_benchmarks_a_page_and_finds_all(
    api: httpx2.AsyncClient, tables: Tables, dates: str
) -> None:
    """Ids far apart stand for the benchmarks between them."""
    spec = {"name": "x", "model": "m"}
    row = {"model": "m", "provider": "p", "status": "pending", "spec_document": spec, "notices": [], "planned": 1}
    wanted = [1, NAMES_A_PAGE, 3 * NAMES_A_PAGE]
    async with tables.database.write() as session:
        for number in wanted:
            for benchmark_id, name in ((number, "the wanted one"), (number + 1, "another")):
                await session.execute(insert(Benchmark).values(id=benchmark_id, name=name, created_at=utc_now(), **row))
    ids, cursor = [], ""
    for _ in range(10):
        page = (await api.get(f"/benchmarks?name=wanted&limit=2{dates}{cursor}")).json()
        ids += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert ids == wanted[::-1]
