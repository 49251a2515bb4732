"""`prompt_set` of a benchmark: shown everywhere, the same for reruns, and kept when retention deletes the texts."""

import httpx2

from shared.benchmark.prompt_set import prompt_set
from shared.db.benchmarks.retention import RetentionRepository
from tests.api.documents import EXAMPLE, submit
from tests.shared.db.rows import Tables, make_spec


async def test_it_is_shown_and_reruns_have_the_same(api: httpx2.AsyncClient) -> None:
    first = await submit(api)
    again = (await api.post("/benchmarks/1/rerun")).json()
    other = await submit(api, prompts=["something else"])
    expected = prompt_set(make_spec(prompts=EXAMPLE["prompts"]))
    assert [item["prompt_set"] for item in (first, again)] == [expected] * 2
    assert other["prompt_set"] not in (None, expected)
    listed = (await api.get("/benchmarks")).json()["items"]
    assert [item["prompt_set"] for item in listed] == [other["prompt_set"], expected, expected]
    assert (await api.get("/benchmarks/1?include=none")).json()["prompt_set"] == expected


async def test_a_post_with_a_key_has_one_too(api: httpx2.AsyncClient) -> None:
    plain = await submit(api)
    answer = await api.post("/benchmarks", json={**EXAMPLE, "concurrency": 2}, headers={"Idempotency-Key": "one"})
    assert answer.json()["prompt_set"] == plain["prompt_set"]


async def test_it_survives_the_texts(api: httpx2.AsyncClient, tables: Tables) -> None:
    before = (await submit(api))["prompt_set"]
    await tables.leases.finish(await tables.claimed(), "completed", summary=None, error=None)
    assert await RetentionRepository(tables.database).delete_texts_step(1, 0) is None
    document = (await api.get("/benchmarks/1?include=none")).json()
    assert (document["name"], document["prompt_set"]) == ("benchmark 1", before)
