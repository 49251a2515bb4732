"""`GET /benchmarks`: newest first, filtered, in pages that stay right while rows are added."""

from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.api.documents import pages, submit
from tests.shared.db.rows import Tables


async def ids(client: httpx2.AsyncClient, **query: Any) -> list[int]:
    return [item["id"] for item in await pages(client, "/benchmarks", **query)]


async def test_an_empty_list_has_no_next_page(api: httpx2.AsyncClient) -> None:
    assert (await api.get("/benchmarks")).json() == {"items": [], "next_cursor": None}


async def test_pages_show_each_benchmark_once_newest_first(api: httpx2.AsyncClient) -> None:
    for _ in range(7):
        await submit(api)
    for limit in (1, 3, 7, 200):
        assert await ids(api, limit=limit) == [7, 6, 5, 4, 3, 2, 1]


async def test_benchmarks_that_are_added_between_pages_shift_nothing(api: httpx2.AsyncClient) -> None:
    for _ in range(5):
        await submit(api)
    first = (await api.get("/benchmarks", params={"limit": 2})).json()
    await submit(api)
    await api.delete("/benchmarks/4")
    second = (await api.get("/benchmarks", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [5, 4, 3, 2]


async def test_an_item_is_the_benchmark_without_its_results(api: httpx2.AsyncClient) -> None:
    await submit(api)
    (item,) = (await api.get("/benchmarks")).json()["items"]
    whole = (await api.get("/benchmarks/1")).json()
    assert item.pop("cut") == []
    only_alone = {"estimate", "results", "results_truncated", "segments", "stages", "target", "waits_for", "webhook"}
    assert whole.keys() - item.keys() == only_alone
    assert item == {name: whole[name] for name in item}


@pytest.fixture
async def three(api: httpx2.AsyncClient, tables: Tables) -> httpx2.AsyncClient:
    """A running, a cancelled and a pending one, of different names, models and providers."""
    await submit(api, name="Haiku 100%", model="claude-3-haiku-20240307")
    await submit(api, name="ÄPFEL_und Birnen", model="gpt-4o-mini")
    await submit(api, name="haiku again", model="gpt-4o-mini", provider="simulator-openai")
    await tables.claimed()
    await api.post("/benchmarks/2/cancel")
    return api


async def test_filters_narrow_the_list(three: httpx2.AsyncClient) -> None:
    for query, expected in (
        ({"status": "running"}, [1]),
        ({"status": "cancelled"}, [2]),
        ({"status": "pending"}, [3]),
        ({"status": "failed"}, []),
        ({"model": "gpt-4o-mini"}, [3, 2]),
        ({"model": "gpt-4o"}, []),
        ({"provider": "simulator"}, [1]),
        ({"provider": "simulator-openai", "status": "cancelled"}, [2]),
        ({"name": "HAIKU"}, [3, 1]),
        ({"name": "Ä"}, [2]),
        ({"name": "ÄPFEL_U"}, [2]),
        ({"name": "%"}, [1]),
        ({"name": "_"}, [2]),
        ({"name": "\\"}, []),
        ({"name": ""}, [3, 2, 1]),
        ({"name": "' OR 1=1 --"}, []),
    ):
        assert await ids(three, limit=1, **query) == expected, query


async def test_the_metadata_filter_finds_a_key_with_its_value(api: httpx2.AsyncClient) -> None:
    await submit(api, metadata={"team": "search", "run": 7, "nightly": True, "commit": None, "tags": ["a"]})
    await submit(api, metadata={"team": "search", "run": 8, "url": "http://a/?b=c", "a:b": "c", "a": "b:c"})
    await submit(api, metadata={"team": "Search", "run": "7", "long": "x" * 600})
    await submit(api)
    for metadata, expected in (
        (["team:search"], [2, 1]),
        (["team:Search"], [3]),
        (["run:7"], [3, 1]),
        (["run:7", "team:search"], [1]),
        (["team:search", "team:search"], [2, 1]),
        (["team:search", "team:Search"], []),
        (["nightly:true"], [1]),
        (["commit:null"], [1]),
        (["url:http://a/?b=c"], [2]),
        (["a:b:c"], [2]),
        (["tags:a"], []),
        (["te_m:search"], []),
        (["team:"], []),
    ):
        assert await ids(api, limit=1, metadata=metadata) == expected, metadata
    assert await ids(api, metadata=["team:search"], name="haiku", status="pending") == [2, 1]
    assert await ids(api, limit=1, metadata=["team:search"], created_from="2020-01-01") == [2, 1]
    assert await ids(api, metadata=["team:search"], created_before="2020-01-01") == []


async def test_the_metadata_filter_forgets_a_deleted_benchmark_and_finds_a_rerun(api: httpx2.AsyncClient) -> None:
    await submit(api, metadata={"team": "search"})
    assert (await api.post("/benchmarks/1/rerun")).status_code == 202
    await api.delete("/benchmarks/1")
    assert await ids(api, metadata="team:search") == [2]


async def test_a_day_begins_at_midnight_in_utc(three: httpx2.AsyncClient) -> None:
    created = datetime.fromisoformat((await three.get("/benchmarks/1")).json()["created_at"])
    day, next_day = f"{created:%Y-%m-%d}", f"{created + timedelta(days=1):%Y-%m-%d}"
    assert 1 in await ids(three, created_from=day, created_before=next_day)
    assert 1 not in await ids(three, created_before=day)
    # An unescaped + is a space in a URL.
    assert (await three.get(f"/benchmarks?created_before={next_day}T02:00:00+02:00")).status_code == 200


async def test_the_date_filters_take_the_first_instant_and_leave_the_last_out(three: httpx2.AsyncClient) -> None:
    created = [(await three.get(f"/benchmarks/{number}")).json()["created_at"] for number in (1, 2, 3)]
    # The database's clock may give two the same instant.
    expected = [3 - index for index, at in enumerate(reversed(created)) if at >= created[1]]
    assert await ids(three, created_from=created[1]) == expected
    assert await ids(three, created_before=created[1]) == [number for number in (3, 2, 1) if number not in expected]
    moved = datetime.fromisoformat(created[1]) + timedelta(hours=2)
    elsewhere = moved.replace(tzinfo=None).isoformat() + "+02:00"
    assert await ids(three, created_from=elsewhere) == expected
    for year in ("0002", "0999"):
        assert await ids(three, created_from=f"{year}-01-01T00:00:00Z") == [3, 2, 1]
        assert await ids(three, created_before=f"{year}-01-01T00:00:00Z") == []
    assert await ids(three, created_before="9999-12-31T23:59:59.999999Z") == [3, 2, 1]
