"""Prompts that come from a workload: made again for results and for the list of prompts, and never after retention."""

import json
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from api.present.made_prompts import KeptWorkloads, MadePrompts, texts_of
from api.present.results import PROMPT_SHOWN
from shared.access.caller import LOCAL
from shared.benchmark.load.places import place_at
from shared.benchmark.workload.workload import WorkItem
from shared.db.benchmarks.pages import BenchmarkPages
from shared.db.benchmarks.retention import RetentionRepository
from shared.db.datasets.repository import DatasetRepository
from shared.db.tables.benchmarks import Benchmark
from shared.workloads.loads import load_of
from tests.api.documents import EXAMPLE, pages
from tests.api.routes.test_datasets import add
from tests.shared.db.rows import Tables, make_record
from tests.support.waiting import until

TRACE = b"".join(
    json.dumps({"timestamp": 0, "input_length": 60, "output_length": 5, "hash_ids": [number]}).encode() + b"\n"
    for number in range(4)
)
# More characters than a result shows.
LONG = {"source": "generated", "input_tokens": 3_000, "seed": 5}


async def sent(api: httpx2.AsyncClient, tables: Tables, workload: dict[str, Any], turns: int = 1) -> list[WorkItem]:
    """A benchmark that has ended, with the results of three measured requests and one of warm-up. What they said."""
    body = {**EXAMPLE, "workload": workload, "repetitions": 3, "warmup": 1}
    del body["prompts"]
    response = await api.post("/benchmarks", json=body)
    assert response.status_code == 202, response.text
    number = response.json()["id"]
    spec, _ = await tables.benchmarks.spec(number)
    made = load_of(spec, rows=await DatasetRepository(LOCAL, tables.database).rows_of(spec)).workload
    places = [place_at(0, 0, warmup=True), *(place_at(0, ordinal) for ordinal in range(3))]
    items = [made.item(place, turn, ["answer"] * turn) for place in places for turn in range(turns)]
    found = [item for item in items if item is not None]
    assert len(found) > len(places) - 1
    lease = await tables.claimed()
    await tables.results.record(lease, [make_record(item.prompt_index, item.repetition) for item in found])
    await tables.leases.finish(lease, "completed", summary=None, error=None)
    return found


def shown(results: list[dict[str, Any]]) -> dict[tuple[int, int], tuple[str, bool]]:
    return {(each["prompt_index"], each["repetition"]): (each["prompt"], each["prompt_cut"]) for each in results}


@pytest.mark.parametrize(
    "workload",
    [
        {**LONG, "cache": "bust"},
        {"source": "generated", "input_tokens": 40, "cache": {"shared_prefix": {"tokens": 50, "prefixes": 2}}},
        {"source": "builtin", "order": "shuffled", "seed": 3},
        {"source": "trace", "trace": {"id": 1}},
        {"source": "dataset", "dataset": {"id": 2}},
    ],
)
async def test_results_and_prompts_have_the_texts_that_were_sent(
    api: httpx2.AsyncClient, tables: Tables, workload: dict[str, Any]
) -> None:
    await add(api, TRACE, name="trace", format="mooncake")
    await add(api)
    items = await sent(api, tables, workload, turns=2)
    expected = {}
    for item in items:
        text = item.messages[-1]["content"]
        expected[item.prompt_index, item.repetition] = (text[:PROMPT_SHOWN], len(text) > PROMPT_SHOWN)
    assert shown(await pages(api, "/benchmarks/1/results")) == expected
    embedded = (await api.get("/benchmarks/1?include=warmup")).json()["results"]
    assert shown(embedded) == expected
    listed = await pages(api, "/benchmarks/1/prompts", limit=2)
    # Of each prompt, what its last request said.
    last = {item.prompt_index: item for item in sorted(items, key=lambda item: item.repetition)}
    assert [each["prompt_index"] for each in listed] == sorted(last)
    for each in listed:
        item = last[each["prompt_index"]]
        assert each["messages"] == list(item.messages[-1:])
        assert each["parameters"]["max_tokens"] == item.parameters.max_tokens


async def test_after_retention_no_text_is_made_again(api: httpx2.AsyncClient, tables: Tables) -> None:
    await sent(api, tables, LONG)
    assert len(await pages(api, "/benchmarks/1/prompts")) == 4
    repository = RetentionRepository(tables.database)
    after: int | None = 0
    while after is not None:
        after = await repository.delete_texts_step(1, after)
    assert await pages(api, "/benchmarks/1/prompts") == []
    assert set(shown(await pages(api, "/benchmarks/1/results")).values()) == {("", False)}
    # Not even if the workload were still in the spec.
    async with tables.database.write() as session:
        document = {**(await tables.benchmarks.get(1)).spec_document, "workload": LONG}
        await session.execute(update(Benchmark).where(Benchmark.id == 1).values(spec_document=document))
    assert await pages(api, "/benchmarks/1/prompts") == []


async def test_without_its_dataset_there_are_no_texts_and_the_numbers_stay(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    await add(api)
    items = await sent(api, tables, {"source": "dataset", "dataset": {"id": 1}})
    assert (await api.delete("/datasets/1")).status_code == 204
    results = await pages(api, "/benchmarks/1/results")
    assert len(results) == len(items)
    assert {each["prompt"] for each in results} == {""}
    assert await pages(api, "/benchmarks/1/prompts") == []


def maker(tables: Tables, kept: KeptWorkloads) -> MadePrompts:
    datasets = DatasetRepository(LOCAL, tables.database)
    return MadePrompts(BenchmarkPages(LOCAL, tables.database), tables.benchmarks, datasets, kept)


async def test_the_last_few_workloads_are_kept_for_their_next_page(api: httpx2.AsyncClient, tables: Tables) -> None:
    for _ in range(5):
        await sent(api, tables, {"source": "builtin"})
    made = maker(tables, KeptWorkloads())
    first = await made.workload(1)
    assert first is not None
    assert await made.workload(1) is first
    for number in range(2, 6):
        await made.workload(number)
    # Only the last few are kept.
    assert await made.workload(1) is not first


async def test_a_workload_is_made_again_after_a_while(api: httpx2.AsyncClient, tables: Tables) -> None:
    """Retention may have deleted its texts since."""
    await sent(api, tables, LONG)
    made = maker(tables, KeptWorkloads(0.01))
    first = await made.workload(1)
    assert first is not None

    async def made_again() -> bool:
        return await made.workload(1) is not first

    assert await until(made_again)


class _Clock:
    """Each reading is a second later."""

    def __init__(self) -> None:
        self._now_s = 0

    def monotonic_ns(self) -> int:
        self._now_s += 1
        return self._now_s * 10**9

    def wall_now(self) -> Any:
        raise AssertionError("a date is not asked for here")


async def test_making_ends_when_its_time_is_over(api: httpx2.AsyncClient, tables: Tables) -> None:
    items = await sent(api, tables, LONG)
    spec, _ = await tables.benchmarks.spec(1)
    keys = [(item.prompt_index, item.repetition) for item in items]
    texts, spent_s = texts_of(load_of(spec).workload, keys, _Clock(), 2.0)
    assert (list(texts), spent_s) == (keys[:2], 2.0)
    assert texts_of(load_of(spec).workload, keys, _Clock(), 0)[0] == {}


async def test_the_prompts_of_a_benchmark_that_has_sent_nothing_are_not_made(api: httpx2.AsyncClient) -> None:
    body = {**EXAMPLE, "workload": {"source": "builtin"}}
    del body["prompts"]
    assert (await api.post("/benchmarks", json=body)).status_code == 202
    assert await pages(api, "/benchmarks/1/prompts") == []
