"""`GET /spend`: sums of the ledger."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from shared.access.api_key import ApiKeyText
from tests.api.access.keys import KeyMaker, bearer
from tests.shared.db.money.spending import spent, today
from tests.shared.db.rows import Tables


async def read(api: httpx2.AsyncClient, **params: Any) -> dict[str, Any]:
    response = await api.get("/spend", params=params)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


async def test_by_default_this_month_by_model(api: httpx2.AsyncClient, tables: Tables) -> None:
    now = await today(tables.database)
    await spent(tables.database, now, 2_500_000, worst_case=500_000, requests=40)
    await spent(tables.database, now, 7_000_001, 2, model="other", requests=3)
    await spent(tables.database, now, 0, 3, model="free", unpriced=9, requests=9)
    await spent(tables.database, now.replace(day=1) - timedelta(days=1), 1_000_000, 4)
    await spent(tables.database, now, 1_000_000, 5, owner="acme")
    found = await read(api)
    assert (found["by"], found["from"], found["to"]) == ("model", f"{now.replace(day=1)}", f"{now}")
    assert found["total"] == {
        "spent_usd": 9.500001,
        "worst_case_usd": 0.5,
        "requests": 52,
        "unpriced_requests": 9,
        "benchmarks": 3,
    }
    assert [(item["model"], item["spent_usd"]) for item in found["items"]] == [
        ("other", 7.000001),
        ("m", 2.5),
        ("free", 0.0),
    ]
    assert (found["has_more"], found["next_cursor"]) == (False, None)


async def test_days_that_are_asked_for(api: httpx2.AsyncClient, tables: Tables) -> None:
    now = await today(tables.database)
    before = now.replace(day=1) - timedelta(days=1)
    await spent(tables.database, before, 1_000_000)
    await spent(tables.database, now, 2_000_000)
    found = await read(api, by="day", **{"from": f"{before}", "to": f"{now}"})
    assert [(item["day"], item["spent_usd"]) for item in found["items"]] == [(f"{now}", 2.0), (f"{before}", 1.0)]
    # What a day to the end is given without a beginning: its month.
    assert (await read(api, to=f"{before}"))["from"] == f"{before.replace(day=1)}"


async def test_benchmarks_come_in_pages(api: httpx2.AsyncClient, tables: Tables) -> None:
    now = await today(tables.database)
    for number in (1, 2, 3):
        await spent(tables.database, now, number, number)
    first = await read(api, by="benchmark", limit=2)
    second = await read(api, by="benchmark", limit=2, cursor=first["next_cursor"])
    assert [item["benchmark_id"] for item in first["items"] + second["items"]] == [3, 2, 1]
    assert (second["next_cursor"], second["total"]) == (None, first["total"])


async def test_a_key_sees_what_its_owner_spent_and_an_admin_others_by_asking(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    keys, now = KeyMaker(tables.database), await today(tables.database)
    admin, reader = await keys.make("admin"), await keys.make("read", "acme")
    await spent(tables.database, now, 1_000_000)
    await spent(tables.database, now, 2_000_000, 2, owner="acme", key_id=reader.id)

    async def total(key: ApiKeyText, **params: str) -> float:
        answer = await api.get("/spend", params=params, headers=bearer(key))
        return float(answer.json()["total"]["spent_usd"])

    assert [await total(reader), await total(admin), await total(admin, owner="*")] == [2.0, 1.0, 3.0]
    assert (await api.get("/spend", params={"owner": "*"}, headers=bearer(reader))).status_code == 403
    answer = await api.get("/spend", params={"by": "key"}, headers=bearer(reader))
    assert [(item["key_id"], item["name"]) for item in answer.json()["items"]] == [(reader.id, "read of acme")]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"by": "week"}, "by"),
        ({"from": "yesterday"}, "from"),
        ({"from": "1764230400"}, "from"),
        ({"to": "2026-06-31"}, "to"),
        ({"from": "2026-11-27", "to": "2026-11-26"}, "query"),
        ({"cursor": "WzFd"}, "cursor"),
        ({"cursor": "x", "by": "benchmark"}, "cursor"),
        ({"limit": "0"}, "limit"),
        ({"first": "2026-11-27"}, "first"),
    ],
)
async def test_a_wrong_question_is_refused(empty_api: httpx2.AsyncClient, params: dict[str, str], field: str) -> None:
    refused = await empty_api.get("/spend", params=params)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
