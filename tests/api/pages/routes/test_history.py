"""`/ui/history` and `/ui/leaderboard`: choosers, charts, tables, CSV, and hostile names as text."""

import csv
import io
from typing import Any
from urllib.parse import urlencode

import httpx2

from shared.db.connection.database import Database
from tests.api.history_rows import completed
from tests.api.pages.html import Page, forbidden
from tests.shared.db.rows import Tables

HOSTILE = "<img src=x onerror=alert(1)> =HYPERLINK() مرحبا"


async def read(client: httpx2.AsyncClient, path: str, **query: str) -> tuple[str, Page]:
    response = await client.get(path, params=query)
    assert response.status_code == 200, response.text
    assert forbidden(response.text) == []
    return response.text, Page(response.text)


async def series(client: httpx2.AsyncClient) -> dict[str, Any]:
    newest = (await client.get("/history/sets")).json()["items"][0]
    return {name: newest[name] for name in ("model", "provider", "prompt_set")}


async def test_empty_pages_teach_the_first_command(sqlite_api: httpx2.AsyncClient) -> None:
    for path in ("/ui/history", "/ui/leaderboard"):
        _, page = await read(sqlite_api, path)
        assert "llmbench run" in page.text


async def test_a_cost_says_how_many_requests_it_leaves_out(sqlite_api: httpx2.AsyncClient, sqlite_url: str) -> None:
    tables = Tables(Database(sqlite_url))
    cost = {"per_succeeded_usd": "0.001", "priced_succeeded": 60, "unpriced_requests": 40}
    await completed(tables, 100, cost=cost)
    await tables.database.close()
    chosen, metric = await series(sqlite_api), {"metric": "cost_per_request_usd"}
    for path, query in (("/ui/history", chosen), ("/ui/leaderboard", {"prompt_set": chosen["prompt_set"]})):
        _, page = await read(sqlite_api, path, **query, **metric)
        assert "40 of 100 requests have no known cost and are left out" in page.text
    point = (await sqlite_api.get("/history", params=chosen)).json()["points"][0]
    assert point["metrics"]["cost_per_request_usd"]["count"] == 60


async def test_a_series_is_chosen_and_drawn_with_links_to_its_runs(
    sqlite_api: httpx2.AsyncClient, sqlite_url: str
) -> None:
    tables = Tables(Database(sqlite_url))
    for value, spec in ((100, {}), (104, {}), (180, {"name": HOSTILE}), (182, {"concurrency": 8})):
        await completed(tables, value, **spec)
    await tables.database.close()
    chosen = await series(sqlite_api)
    _, page = await read(sqlite_api, "/ui/history")
    assert page.all("a", href="/ui/history?" + urlencode(chosen))
    markup, page = await read(sqlite_api, "/ui/history", **chosen)
    assert [item["href"] for item in page.all("a") if "point" in item.get("class", "")] == [
        f"/ui/benchmarks/{number}" for number in (1, 2, 3, 4)
    ]
    # The first three were run under another load than the newest, and the third has changed.
    assert ["marked" in item["class"] for item in page.all("a") if "point" in item.get("class", "")] == [
        *(False, False, True, False)
    ]
    assert markup.count('class="whisker') == 4
    assert "between 100 ms and 182 ms; 1 run is marked as changed." in page.text
    assert "78.0 ms more than before (102 ms)" in page.text
    assert "load.concurrency is 1 instead of 8" in page.text
    assert "not a fair experiment" in page.text
    assert HOSTILE in page.text
    assert page.all("img") == []
    # The other metrics keep the series.
    assert page.all("a", href="/ui/history?" + urlencode({**chosen, "metric": "error_share"}))
    _, page = await read(sqlite_api, "/ui/history", **chosen, metric="cost_per_request_usd")
    assert "$1.00" in page.text
    assert "cannot be told from the stored intervals" in page.text


async def test_the_chart_has_a_csv(sqlite_api: httpx2.AsyncClient, sqlite_url: str) -> None:
    tables = Tables(Database(sqlite_url))
    await completed(tables, 100, name=HOSTILE)
    await tables.database.close()
    chosen = await series(sqlite_api)
    _, page = await read(sqlite_api, "/ui/history", **chosen)
    (link,) = [item["href"] for item in page.all("a") if "runs.csv" in item.get("href", "")]
    answer = await sqlite_api.get(link)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    head, row = csv.reader(io.StringIO(answer.text))
    found = dict(zip(head, row, strict=True))
    assert (found["benchmark_id"], found["ttft_p50_ms"], found["ci95_low"], found["change"]) == (
        *("1", "100.0", "95.0"),
        "unknown",
    )


async def test_a_leaderboard_ranks_and_says_why_others_stand_apart(
    sqlite_api: httpx2.AsyncClient, sqlite_url: str
) -> None:
    tables = Tables(Database(sqlite_url))
    await completed(tables, 200, model="slow")
    await completed(tables, 100, model="quick", name=HOSTILE)
    await completed(tables, 50, model="busy", concurrency=8)
    await tables.database.close()
    prompt_set = (await series(sqlite_api))["prompt_set"]
    _, page = await read(sqlite_api, "/ui/leaderboard")
    assert page.all("a", href=f"/ui/leaderboard?prompt_set={prompt_set}")
    _, page = await read(sqlite_api, "/ui/leaderboard", prompt_set=prompt_set)
    assert [box["value"] for box in page.all("input", name="ids")] == ["2", "1"]
    assert "load.concurrency is 8 instead of 1" in page.text
    assert "95.0 to 105" in page.text
    assert page.all("img") == []
    _, page = await read(sqlite_api, "/ui/leaderboard", prompt_set=prompt_set, like="3")
    assert [box["value"] for box in page.all("input", name="ids")] == ["3"]


async def test_wrong_queries_are_pages_that_say_so(sqlite_api: httpx2.AsyncClient) -> None:
    for path in (
        "/ui/history?prompt_set=x&model=m&provider=p",
        "/ui/history?prompt_set=" + "0" * 64,
        "/ui/leaderboard?prompt_set=x",
    ):
        answer = await sqlite_api.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8"), path


async def test_a_series_without_runs_says_so(sqlite_api: httpx2.AsyncClient) -> None:
    _, page = await read(sqlite_api, "/ui/history", model="m", provider="p", prompt_set="0" * 64)
    assert "No run of this series has completed" in page.text
    _, page = await read(sqlite_api, "/ui/leaderboard", prompt_set="0" * 64)
    assert "No run of these prompts has completed" in page.text
