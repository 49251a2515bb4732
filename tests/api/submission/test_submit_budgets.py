"""Submits that budgets count: refused, told and shown before anything is sent."""

import httpx2
import pytest
from sqlalchemy import update

from shared.db.tables.benchmarks import Benchmark
from tests.api.documents import EXAMPLE, submit
from tests.shared.db.rows import Tables

BUDGET = "/budgets/owners/default/month"
UNPRICED = {**EXAMPLE, "model": "nobody-knows-it", "provider": "simulator"}


async def test_the_answer_has_the_worst_case_and_the_budgets_that_count(api: httpx2.AsyncClient) -> None:
    assert (await submit(api))["estimate"]["budgets"] == []
    await api.put(BUDGET, json={"cap_usd": 50})
    document = await submit(api, budget_usd=0.5)
    assert (document["budget_usd"], document["allow_unpriced"], document["stopped"]) == (0.5, False, None)
    estimate = document["estimate"]
    assert estimate["worst_case_usd"] > estimate["cost_usd"]["high"] > 0
    own, month = estimate["budgets"]
    assert own == {"budget": "benchmark", "cap_usd": 0.5, "left_usd": 0.5, "resets_at": None}
    assert (month["cap_usd"], month["left_usd"]) == (50.0, 50.0)
    assert month["budget"].startswith("owner:default:month:20")
    assert estimate["notes"] == []
    dry = (await api.post("/benchmarks/estimate", json={**EXAMPLE, "budget_usd": 0.5})).json()["estimate"]
    assert (dry["worst_case_usd"], dry["budgets"]) == (estimate["worst_case_usd"], estimate["budgets"])


async def test_a_worst_case_above_the_budget_is_accepted_and_told(api: httpx2.AsyncClient) -> None:
    document = await submit(api, budget_usd=0.01, repetitions=10_000)
    (told,) = document["estimate"]["notes"]
    assert told.startswith("It may stop at its own budget, which has $0.01 left, after about ")
    assert " of 20,000 requests" in told


async def test_a_budget_without_money_for_one_request_is_a_conflict(api: httpx2.AsyncClient) -> None:
    await api.put(BUDGET, json={"cap_usd": 0.000001})
    for path in ("/benchmarks", "/benchmarks/estimate"):
        refused = await api.post(path, json=EXAMPLE)
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (409, "budget_exhausted")
        assert problem["budget"].pop("budget").startswith("owner:default:month:")
        assert problem["budget"].pop("resets_at").endswith("-01T00:00:00Z")
        assert problem["budget"] == {"cap_usd": 0.000001, "spent_usd": 0.0, "reserved_usd": 0.0}
    assert (await api.get("/benchmarks")).json()["items"] == []
    own = await api.post("/benchmarks", json={**EXAMPLE, "budget_usd": 0.000001})
    assert (own.status_code, own.json()["budget"]["budget"]) == (409, "benchmark")
    assert "resets_at" not in own.json()["budget"]


async def test_a_model_without_a_price_needs_to_be_allowed_under_a_budget(api: httpx2.AsyncClient) -> None:
    assert (await api.post("/benchmarks", json=UNPRICED)).status_code == 202
    refused = await api.post("/benchmarks", json={**UNPRICED, "budget_usd": 1})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "allow_unpriced")
    allowed = await api.post("/benchmarks", json={**UNPRICED, "budget_usd": 1, "allow_unpriced": True})
    assert allowed.status_code == 202
    assert "count nothing against budgets" in " ".join(allowed.json()["notices"])


async def test_a_rerun_keeps_the_budget(api: httpx2.AsyncClient) -> None:
    first = await submit(api, budget_usd=0.5)
    again = (await api.post(f"/benchmarks/{first['id']}/rerun")).json()
    assert again["budget_usd"] == 0.5
    assert [cap["budget"] for cap in again["estimate"]["budgets"]] == ["benchmark"]
    await api.put(BUDGET, json={"cap_usd": 0.000001})
    assert (await api.post(f"/benchmarks/{first['id']}/rerun")).json()["code"] == "budget_exhausted"


@pytest.mark.parametrize("value", [0, -1, "2", 1_000_001, None])
async def test_only_an_amount_is_a_budget(empty_api: httpx2.AsyncClient, value: object) -> None:
    refused = await empty_api.post("/benchmarks/estimate", json={**EXAMPLE, "budget_usd": value})
    expected = (200, None) if value is None else (422, "budget_usd")
    errors = refused.json().get("errors") or [{"field": None}]
    assert (refused.status_code, errors[0]["field"]) == expected


async def test_an_export_says_that_a_budget_stopped_it(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api, budget_usd=0.5)
    lease = await tables.claimed()
    await tables.leases.finish(lease, "completed", summary=None, error=None)
    await stop(tables)
    document = (await api.get("/benchmarks/1/export", params={"format": "json"})).json()
    assert (document["benchmark"]["stopped"], document["benchmark"]["spec"]["budget_usd"]) == ("budget", 0.5)
    taken = await api.post("/import", json=document)
    assert (taken.status_code, taken.json()["stopped"], taken.json()["budget_usd"]) == (201, "budget", 0.5)
    assert [item["stopped"] for item in (await api.get("/benchmarks")).json()["items"]] == ["budget", "budget"]


async def stop(tables: Tables) -> None:
    """As a worker leaves it."""
    async with tables.database.write() as session:
        await session.execute(update(Benchmark).values(stopped="budget"))


async def test_old_workers_do_not_run_what_a_budget_counts(api: httpx2.AsyncClient, tables: Tables) -> None:
    await submit(api)
    await submit(api, budget_usd=0.5)
    await api.put("/budgets/owners/default/day", json={"cap_usd": 50})
    await submit(api)
    rows = [await tables.benchmarks.get(number) for number in (1, 2, 3)]
    assert [row.budget for row in rows] == [None, 500_000, None]
    assert ["+owned" in (row.endpoint_key or "") for row in rows] == [False, True, True]
