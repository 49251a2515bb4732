"""`GET /history/sets`, `/history` and `/leaderboard`, on each database."""

from typing import Any

import httpx2
import pytest

from shared.db.benchmarks.retention import RetentionRepository
from tests.api.documents import problem, submit
from tests.api.history_rows import completed
from tests.shared.db.rows import Tables


async def read(client: httpx2.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


async def series(client: httpx2.AsyncClient) -> dict[str, Any]:
    """The query of the newest series."""
    newest = (await read(client, "/history/sets"))["items"][0]
    return {name: newest[name] for name in ("model", "provider", "prompt_set")}


async def test_series_are_listed_with_their_completed_runs(api: httpx2.AsyncClient, tables: Tables) -> None:
    for value in (100, 101):
        await completed(tables, value, name="first")
    await completed(tables, 100, model="other", name="second")
    await submit(api)
    items = (await read(api, "/history/sets"))["items"]
    assert [(item["model"], item["name"], item["runs"], item["newest_id"]) for item in items] == [
        ("other", "second", 1, 3),
        ("sim", "first", 2, 2),
    ]
    assert items[0]["prompt_set"] == items[1]["prompt_set"]
    assert items[1]["first_started_at"] <= items[1]["newest_started_at"]
    chosen = await read(api, "/history/sets", model="sim", provider="simulator", prompt_set=items[0]["prompt_set"])
    assert [item["model"] for item in chosen["items"]] == ["sim"]
    assert (await read(api, "/history/sets", provider="nobody"))["items"] == []


async def test_a_history_has_a_point_a_run_with_what_changed(api: httpx2.AsyncClient, tables: Tables) -> None:
    for value, spec in ((100, {}), (104, {}), (180, {}), (182, {"concurrency": 8})):
        await completed(tables, value, **spec)
    document = await read(api, "/history", **await series(api))
    points = document["points"]
    assert [point["id"] for point in points] == [1, 2, 3, 4]
    assert points[2]["metrics"]["ttft_p50_ms"] == {
        "value": 180,
        "interval": [175, 185],
        "count": 100,
        "left_out": "",
    }
    assert points[2]["grade"] == "A"
    change = points[2]["changes"]["ttft_p50_ms"]
    assert (change["verdict"], change["reference"], change["difference"], change["against"]) == (
        "changed",
        102,
        78,
        [2, 1],
    )
    assert points[1]["changes"]["ttft_p50_ms"]["verdict"] == "unchanged"
    assert points[3]["changes"]["ttft_p50_ms"]["reason"] == "no earlier run with the same settings has an interval"
    assert points[0]["differs"] == [{"field": "load.concurrency", "value": 1, "other": 8}]
    assert points[3]["differs"] == []
    assert "not a fair experiment" in document["note"]
    assert {item["name"] for item in document["metrics"]} == points[0]["metrics"].keys()


async def test_older_runs_come_in_further_pages_that_judge_alike(api: httpx2.AsyncClient, tables: Tables) -> None:
    for value in (100, 104, 180, 181, 182):
        await completed(tables, value)
    query = await series(api)
    whole = (await read(api, "/history", **query))["points"]
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await read(api, "/history", **query, **cursor, limit=2)
        found = page["points"] + found
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == whole


async def test_a_history_survives_the_texts(api: httpx2.AsyncClient, tables: Tables) -> None:
    """What was deleted with them is not taken for another setting."""
    spec = {"workload": {"output_tokens": 5}, "extra_body": {"a": 1}}
    await completed(tables, 100, **spec)
    await RetentionRepository(tables.database).delete_texts_step(1, 0)
    await completed(tables, 180, **spec)
    points = (await read(api, "/history", **await series(api)))["points"]
    assert [point["name"] for point in points] == ["benchmark 1", "test"]
    assert points[0]["differs"] == []
    assert points[1]["changes"]["ttft_p50_ms"]["verdict"] == "changed"


async def test_a_leaderboard_ranks_the_latest_runs_and_sets_others_apart(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    await completed(tables, 300, model="slow")
    await completed(tables, 90, model="slow")
    await completed(tables, 80, model="quick")
    await completed(tables, 10, model="busy", concurrency=8)
    prompt_set = (await series(api))["prompt_set"]
    document = await read(api, "/leaderboard", prompt_set=prompt_set)
    assert [(row["rank"], row["model"], row["id"]) for row in document["rows"]] == [(1, "quick", 3), (2, "slow", 2)]
    assert document["rows"][0]["metrics"]["ttft_p50_ms"]["interval"] == [75, 85]
    assert document["like"] == 3
    assert [(row["id"], row["differs"]) for row in document["apart"]] == [
        (4, [{"field": "load.concurrency", "value": 8, "other": 1}])
    ]
    chosen = await read(api, "/leaderboard", prompt_set=prompt_set, like=4, metric="cost_per_request_usd")
    assert [row["id"] for row in chosen["rows"]] == [4]
    assert chosen["metric"]["name"] == "cost_per_request_usd"
    problem(await api.get("/leaderboard", params={"prompt_set": prompt_set, "like": 99}), 422)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/history", {}),
        ("/history", {"model": "m", "provider": "p", "prompt_set": "x"}),
        ("/history", {"model": "m", "provider": "p", "prompt_set": "0" * 64, "cursor": "x"}),
        ("/leaderboard", {"prompt_set": "0" * 64, "metric": "beauty"}),
        ("/history/sets", {"limit": 0}),
    ],
)
async def test_wrong_questions_are_refused(empty_api: httpx2.AsyncClient, path: str, query: dict[str, Any]) -> None:
    problem(await empty_api.get(path, params=query), 422)


async def test_what_nobody_ran_is_empty(empty_api: httpx2.AsyncClient) -> None:
    nothing = {"prompt_set": "0" * 64}
    assert (await read(empty_api, "/history", model="m", provider="p", **nothing))["points"] == []
    board = await read(empty_api, "/leaderboard", **nothing)
    assert (board["rows"], board["apart"], board["like"]) == ([], [], None)
