"""The list of benchmarks as a page: rows, filters, sort, pages both ways, live rows, and hostile names."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import insert

from shared.db.benchmarks.pages import NAMES_A_PAGE
from shared.db.runs.lease import Lease
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from tests.api.documents import submit
from tests.api.http.test_proxy import PREFIX, TRUSTED, behind_proxy, submitted
from tests.api.pages.html import Page
from tests.api.pages.list_page import PART, following, ids, shown
from tests.shared.db.rows import Tables
from tests.worker.run.test_summary import Row, summary

HOSTILE = "<img src=x onerror=alert(1)>\"'&<hx-partial hx-target='#main'> {{ 7 * 7 }}"


async def end(tables: Tables, lease: Lease, *, stages: int = 25, **row: Any) -> None:
    """Ends a run of so many requests with these numbers."""
    rows = [Row(prompt_index=index, at_ms=100 * index, **row) for index in range(stages)]
    rows.append(Row(prompt_index=99, **{**row, "outcome": "errored", "ttft_ms": None}))
    document = summary(*rows)
    document["over_time"] = {"step_s": 1, "ttft_ms": [50.0, None, 60.0], "failed": [0, 1, 0]}
    await tables.leases.finish(lease, "completed", summary=document, error=None)


async def test_an_empty_list_teaches_the_first_command_and_offers_the_demo(sqlite_api: httpx2.AsyncClient) -> None:
    page = await shown(sqlite_api)
    assert "Nothing has run yet" in page.text
    assert "llmbench run --model sim-" in page.text
    assert "curl 'http://localhost/benchmarks'" in page.text
    assert page.all("form", method="post", action="/ui/demo")
    assert page.all("a", href="/ui/benchmarks/new")


async def test_a_filter_that_nothing_matches_says_so(sqlite_api: httpx2.AsyncClient) -> None:
    page = await shown(sqlite_api, model="nothing")
    assert "No benchmark matches." in page.text
    assert "Nothing has run yet" not in page.text
    (field,) = page.all("input", name="model")
    assert field["value"] == "nothing"


async def test_a_row_has_the_numbers_of_the_api(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api, name="Measured")
    await end(tables, await tables.claimed())
    (item,) = (await api.get("/benchmarks")).json()["items"]
    page = await shown(api)
    values = {data["value"] for data in page.all("data")}
    told = item["summary"]
    for number in (
        told["ttft_ms"]["p50"],
        told["ttft_ms"]["p95"],
        told["output_token_throughput"],
        told["cost"]["per_succeeded_usd"],
    ):
        assert format(number, ".15g") in {format(float(value), ".6g") for value in values} | values, number
    assert "$1.04" in page.text
    assert " 3.8 " in page.text
    assert "3.8 %" not in page.text
    assert page.all("data", title="1 of 26 requests failed")
    assert page.all("svg", role="img", aria_label="TTFT over the run: 50.0 ms to 60.0 ms, 1 failed")
    assert "● completed" in page.text


async def test_an_unknown_number_is_a_dash_with_the_reason(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api)
    await end(tables, await tables.claimed(), stages=3, cost_usd=None)
    page = await shown(api)
    reasons = {span["title"] for span in page.all("span", class_="unknown")}
    assert "P95 needs 20 values; there are 3" in reasons
    assert "the model has no known price, or the usage is unknown" in reasons


async def test_a_cost_says_how_many_requests_it_leaves_out(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api)
    document = summary(Row(), Row(prompt_index=1), Row(prompt_index=2, cost_usd=None))
    await tables.leases.finish(await tables.claimed(), "completed", summary=document, error=None)
    said = "1 of 3 requests has no known cost and is left out"
    page = await shown(api)
    assert page.all("data", title=f"0.001 USD a request; {said}")
    assert said in (await api.get("/ui/benchmarks/1")).text


async def test_a_failed_run_says_why_it_has_no_numbers(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api)
    error = {"kind": "all_requests_failed", "message": "none of 5 requests succeeded"}
    await tables.leases.finish(await tables.claimed(), "failed", summary=None, error=error)
    page = await shown(api)
    assert "✕ failed" in page.text
    assert {span["title"] for span in page.all("span", class_="unknown")} >= {"none of 5 requests succeeded"}


async def test_hostile_names_are_text(sqlite_api: httpx2.AsyncClient) -> None:
    await submit(sqlite_api, name=HOSTILE, model=HOSTILE[:60], provider="simulator")
    for name in ("a" * 200, "多语言延迟基准测试", "اختبار السرعة", "🚀🧪", "=HYPERLINK(1)"):
        await submit(sqlite_api, name=name)
    page = await shown(sqlite_api)
    assert len(ids(page)) == 6
    assert " ".join(HOSTILE.split()) in page.text
    assert page.all("img") == []
    assert page.all("hx-partial") == []
    live = await sqlite_api.get("/ui/benchmarks/live", params={"ids": 1})
    assert Page(live.text).all("img") == []
    assert live.text.count("<hx-partial") == 2


async def test_filters_of_the_url_narrow_the_list_and_stand_in_the_form(three: httpx2.AsyncClient) -> None:
    for query, expected in (
        ({}, [3, 2, 1]),
        ({"status": "running"}, [1]),
        ({"model": "gpt-4o-mini"}, [3, 2]),
        ({"provider": "simulator"}, [1]),
        ({"name": "HAIKU"}, [3, 1]),
        ({"metadata": "team:search"}, [1]),
        ({"created_from": "2020-01-01"}, [3, 2, 1]),
        ({"created_before": "2020-01-01"}, []),
        # A form sends its empty fields too.
        ({"name": "", "status": "", "model": "", "provider": "", "metadata": "", "created_from": ""}, [3, 2, 1]),
        ({"status": "cancelled", "name": "", "theme": "dark"}, [2]),
    ):
        page = await shown(three, **query)
        assert ids(page) == expected, query
        for name in ("name", "model", "provider", "metadata", "created_from"):
            (field,) = page.all("input", name=name)
            assert field["value"] == query.get(name, ""), query
        chosen = [option["value"] for option in page.all("option") if "selected" in option]
        assert chosen == ([query["status"]] if query.get("status") else [])


async def test_the_list_is_exported_with_its_filters(three: httpx2.AsyncClient) -> None:
    """Dates too: the API reads them as the page does."""
    page = await shown(three, model="gpt-4o-mini", created_from="2020-01-01", theme="dark", sort="ttft_p50_ms")
    (export,) = [item["href"] for item in page.all("a") if "/export" in item.get("href", "")]
    answer = await three.get(export)
    assert answer.status_code == 200, answer.text
    assert [line.partition(",")[0] for line in answer.text.splitlines()[1:]] == ["3", "2"]


async def test_a_wrong_filter_is_an_error_page_that_names_it(sqlite_api: httpx2.AsyncClient) -> None:
    page = await shown(sqlite_api, answers=422, metadata="no colon")
    assert "must be a key and its value, as key:value" in page.text
    assert (await sqlite_api.get("/ui/benchmarks?sort=cheapest")).status_code == 422
    assert (await sqlite_api.get("/ui/benchmarks?cursor=x")).status_code == 422


async def test_htmx_gets_the_list_alone(sqlite_api: httpx2.AsyncClient) -> None:
    await submit(sqlite_api)
    answer = await sqlite_api.get("/ui/benchmarks", headers=PART)
    assert answer.headers["vary"] == "HX-Request"
    assert "<html" not in answer.text
    assert ids(Page(answer.text)) == [1]


async def test_pages_lead_on_and_back_in_both_orders(api: httpx2.AsyncClient) -> None:
    for _ in range(5):
        await submit(api)
    for sort, expected in (("newest", [[5, 4], [3, 2], [1]]), ("oldest", [[1, 2], [3, 4], [5]])):
        page = await shown(api, sort=sort, limit=2)
        found, previous = [ids(page)], page.all("a", rel="prev")
        assert previous == []
        while page.all("a", rel="next"):
            page = await shown(api, following(page, "next"))
            found.append(ids(page))
        assert found == expected
        back = [ids(page)]
        while page.all("a", rel="prev"):
            page = await shown(api, following(page, "prev"))
            back.append(ids(page))
        # Going back shows the same pages, since all of them were whole but the last.
        assert back == list(reversed(expected))
        assert page.all("a", rel="next")


async def test_pages_keep_the_filters(api: httpx2.AsyncClient) -> None:
    for number in range(5):
        await submit(api, name="even" if number % 2 == 0 else "odd")
    page = await shown(api, name="even", limit=2, created_from="2020-01-01")
    assert ids(page) == [5, 3]
    page = await shown(api, following(page, "next"))
    assert ids(page) == [1]
    page = await shown(api, following(page, "prev"))
    assert ids(page) == [5, 3]
    assert parse_qs(urlsplit(following(page, "next")).query)["name"] == ["even"]


async def test_a_page_is_sorted_by_its_numbers_and_says_so(api: httpx2.AsyncClient, tables: Tables) -> None:
    for name, ttft in (("b", 20), ("a", 30), ("c", 10)):
        await submit(api, name=name)
        await end(tables, await tables.claimed(), ttft_ms=ttft)
    await submit(api, name="pending")
    for sort, expected in (
        ("ttft_p50_ms", [3, 1, 2, 4]),
        ("-ttft_p50_ms", [2, 1, 3, 4]),
        ("name", [2, 1, 3, 4]),
        ("-name", [4, 3, 1, 2]),
        ("newest", [4, 3, 2, 1]),
        ("oldest", [1, 2, 3, 4]),
    ):
        assert ids(await shown(api, sort=sort)) == expected, sort
    page = await shown(api, sort="-ttft_p50_ms")
    assert "These 4 sorted by TTFT P50" in page.text
    (head,) = page.all("th", aria_sort="descending")
    assert head


async def test_a_sort_by_a_number_keeps_the_page(api: httpx2.AsyncClient) -> None:
    for _ in range(3):
        await submit(api)
    second = await shown(api, following(await shown(api, limit=2), "next"))
    (name,) = [link["href"] for link in second.all("a") if "sort=name" in link.get("href", "")]
    assert ids(await shown(api, name)) == [1]


@pytest.mark.parametrize("dates", ["", "&created_from=2020-01-01"])
async def test_a_search_in_names_finds_all_in_both_orders(api: httpx2.AsyncClient, tables: Tables, dates: str) -> None:
    """One page looks at 20,000 benchmarks. Ids far apart stand for those between them."""
    row = {"model": "m", "provider": "p", "status": "cancelled", "notices": [], "planned": 1}
    wanted = [1, NAMES_A_PAGE, 3 * NAMES_A_PAGE]
    spec = {"name": "x", "model": "m"}
    async with tables.database.write() as session:
        for number in wanted:
            for benchmark_id, name in ((number, "the wanted one"), (number + 1, "another")):
                values = {"id": benchmark_id, "name": name, "created_at": utc_now(), "spec_document": spec, **row}
                await session.execute(insert(Benchmark).values(**values))
    for sort, expected in (("newest", wanted[::-1]), ("oldest", wanted)):
        path, found = f"/ui/benchmarks?name=wanted&sort={sort}{dates}", []
        while path:
            page = await shown(api, path)
            found += ids(page)
            path = next((link["href"] for link in page.all("a", class_="next")), "")
        assert found == expected, sort


async def test_checkboxes_lead_to_the_page_that_compares(sqlite_api: httpx2.AsyncClient) -> None:
    for _ in range(2):
        await submit(sqlite_api)
    page = await shown(sqlite_api)
    (form,) = page.all("form", id="compare")
    boxes = [box["value"] for box in page.all("input", form="compare", name="ids")]
    answer = await sqlite_api.get(form["action"], params={"ids": boxes})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/compare?ids=2,1")
    for wrong in ([], [1], [1, 1], list(range(1, 10))):
        refused = await sqlite_api.get(form["action"], params={"ids": wrong})
        assert refused.status_code == 422, wrong
        assert "select two to 8 benchmarks" in Page(refused.text).text


async def test_a_time_names_its_instant_in_utc(sqlite_api: httpx2.AsyncClient) -> None:
    created = datetime.fromisoformat((await submit(sqlite_api))["created_at"])
    (time,) = (await shown(sqlite_api)).all("time")
    assert time["title"] == created.strftime("%Y-%m-%d %H:%M:%S UTC")
    assert abs(datetime.fromisoformat(time["datetime"]) - created) < timedelta(seconds=1)


async def test_its_links_begin_with_the_prefix_of_the_proxy(sqlite_url: str) -> None:
    async with behind_proxy(sqlite_url, **TRUSTED) as client:
        for _ in range(3):
            await submitted(client)
        page = Page((await client.get("/ui/benchmarks?limit=2&name=p", headers=PREFIX)).text)
    names = ("href", "src", "action", "hx-get")
    local = [attributes[name] for _, attributes in page.elements for name in names if name in attributes]
    assert [url for url in local if not url.startswith(("/llmbench/", "#"))] == []


async def test_a_page_of_a_hundred_is_light(api: httpx2.AsyncClient, tables: Tables) -> None:
    for number in range(3):
        await submit(api, name=f"Nightly regression of the summariser, number {number}")
        await end(tables, await tables.claimed())
    answer = await api.get("/ui/benchmarks")
    one_more = (len(answer.content) - len((await api.get("/ui/benchmarks?limit=1")).content)) / 2
    assert len(answer.content) + 97 * one_more < 300_000
