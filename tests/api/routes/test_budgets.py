"""`/budgets`: set, read, changed and deleted."""

from typing import Any

import httpx2
import pytest

from tests.api.access.keys import KeyMaker, bearer
from tests.api.documents import EXAMPLE
from tests.shared.db.money.spending import spent, today
from tests.shared.db.rows import Tables

OWNER = "/budgets/owners/default/month"


async def test_a_budget_is_set_read_changed_and_deleted(api: httpx2.AsyncClient, tables: Tables) -> None:
    now = await today(tables.database)
    await spent(tables.database, now, 12_250_001)
    made = await api.put(OWNER, json={"cap_usd": 50})
    assert made.status_code == 201
    budget = made.json()
    assert {name: budget[name] for name in ("holder", "id", "period", "owner")} == {
        "holder": "owner",
        "id": "default",
        "period": "month",
        "owner": "default",
    }
    assert (budget["cap_usd"], budget["spent_usd"], budget["reserved_usd"]) == (50.0, 12.250001, 0.0)
    assert budget["left_usd"] == 37.749999
    assert budget["resets_at"].endswith("-01T00:00:00Z")
    assert (await api.get(OWNER)).json() == budget
    changed = await api.put(OWNER, json={"cap_usd": 0.29})
    assert (changed.status_code, changed.json()["cap_usd"], changed.json()["left_usd"]) == (200, 0.29, 0.0)
    assert [item["cap_usd"] for item in (await api.get("/budgets")).json()["items"]] == [0.29]
    assert (await api.delete(OWNER)).status_code == 204
    assert (await api.get(OWNER)).status_code == 404
    assert (await api.delete(OWNER)).status_code == 404


async def test_budgets_of_keys_belong_to_the_owner_of_the_key(api: httpx2.AsyncClient, tables: Tables) -> None:
    missing = await api.put("/budgets/keys/ab12cd34/day", json={"cap_usd": 1})
    assert (missing.status_code, missing.json()["detail"]) == (404, "there is no key 'ab12cd34'")
    keys = KeyMaker(tables.database)
    admin, other = await keys.make("admin"), await keys.make("run", "acme")
    path = f"/budgets/keys/{other.id}/day"
    made = (await api.put(path, json={"cap_usd": 1}, headers=bearer(admin))).json()
    assert (made["holder"], made["id"], made["owner"], made["period"]) == ("key", other.id, "acme", "day")
    # Of other owners only by asking; and only for admins.
    listed = [
        (await api.get("/budgets", params=params, headers=bearer(admin))).json()["items"]
        for params in ({}, {"owner": "acme"}, {"owner": "*"})
    ]
    assert [[item["id"] for item in items] for items in listed] == [[], [other.id], [other.id]]
    refused = [await api.get("/budgets", headers=bearer(other)), await api.delete(path, headers=bearer(other))]
    assert [answer.status_code for answer in refused] == [403, 403]


async def test_a_key_is_held_by_its_own_budget_and_not_by_that_of_another(
    api: httpx2.AsyncClient, tables: Tables
) -> None:
    keys = KeyMaker(tables.database)
    admin, poor, rich = await keys.make("admin"), await keys.make("run", "acme"), await keys.make("run", "acme")
    await api.put(f"/budgets/keys/{poor.id}/day", json={"cap_usd": 0.000001}, headers=bearer(admin))
    refused = await api.post("/benchmarks", json=EXAMPLE, headers=bearer(poor))
    assert (refused.status_code, refused.json()["code"]) == (409, "budget_exhausted")
    assert (await api.post("/benchmarks", json=EXAMPLE, headers=bearer(rich))).status_code == 202


async def test_budgets_come_in_pages(api: httpx2.AsyncClient) -> None:
    for period in ("day", "month"):
        await api.put(f"/budgets/owners/default/{period}", json={"cap_usd": 1})
    first = (await api.get("/budgets", params={"limit": 1})).json()
    second = (await api.get("/budgets", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [item["period"] for item in first["items"] + second["items"]] == ["day", "month"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (OWNER, {"cap_usd": 0}, "cap_usd"),
        (OWNER, {"cap_usd": "5"}, "cap_usd"),
        (OWNER, {"cap_usd": 1_000_001}, "cap_usd"),
        (OWNER, {}, "cap_usd"),
        (OWNER, {"cap_usd": 1, "owner": "x"}, "owner"),
        ("/budgets/owners/default/week", {"cap_usd": 1}, "period"),
        ("/budgets/owners/*/day", {"cap_usd": 1}, "owner"),
        ("/budgets/owners/a:b/day", {"cap_usd": 1}, "owner"),
        ("/budgets/keys/short/day", {"cap_usd": 1}, "key_id"),
    ],
)
async def test_what_is_no_budget_is_refused(
    empty_api: httpx2.AsyncClient, path: str, body: dict[str, Any], field: str
) -> None:
    refused = await empty_api.put(path, json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
