"""A run sends only what its caps pay for, stops when they cannot pay, and says what it has spent."""

from typing import Any

import pytest

from shared.access.caller import LOCAL
from shared.benchmark.spec import BenchmarkSpec
from shared.db.benchmarks.repository import BenchmarkRepository
from shared.db.connection.database import Database
from simulator.server import Simulator
from tests.support.databases.ledger import Ledger
from tests.support.service import Service, running_service
from tests.support.waiting import until
from tests.worker.run.budgets.requests import COST, FOUR, WORST, spent_of
from worker.engine.children import Children


async def ended(service: Service, number: int) -> dict[str, Any]:
    """The benchmark, once it has ended."""

    async def look() -> dict[str, Any] | None:
        document: dict[str, Any] = (await service.client.get(f"/benchmarks/{number}")).json()
        return document if document["completed_at"] else None

    return await until(look) or {}


async def test_without_a_budget_the_ledger_says_what_was_spent(service: Service, ledger: Ledger) -> None:
    done = await service.run(**FOUR, prompts=["x"] * 5)
    assert (done["status"], done["stopped"]) == ("completed", None)
    assert done["summary"]["spend"] == {
        "spent_usd": pytest.approx(5 * COST / 1e6),
        "worst_case_usd": 0,
        "requests": 5,
        "unpriced_requests": 0,
    }
    [row] = await ledger.spend()
    assert (row.owner, row.key_id, row.model, row.provider) == ("default", None, FOUR["model"], "priced")
    assert (row.amount, row.worst_case, row.requests, row.unpriced) == (5 * COST, 0, 5, 0)
    assert await ledger.caps() == []
    assert await ledger.reservations() == []


async def test_a_run_stops_when_its_cap_cannot_pay_for_another_request(
    service: Service, ledger: Ledger, simulator: Simulator
) -> None:
    cap = 3 * WORST + 10 * COST
    await ledger.set_budget("owner:default:month", cap)
    done = await service.run(**FOUR, prompts=["x"] * 60, concurrency=2)
    assert (done["status"], done["stopped"], done["error"]) == ("completed", "budget", None)
    [state] = await ledger.caps()
    sent = len(simulator.requests)
    assert len(done["results"]) == sent == (cap - WORST) // COST + 1
    assert (state.spent, state.reserved, state.cap) == (sent * COST, 0, cap)
    assert state.reached_at is not None
    assert state.spent + WORST > cap
    [row] = await ledger.spend()
    assert (row.amount, row.worst_case, row.requests) == (state.spent, 0, sent)
    assert spent_of(done) == state.spent
    assert await ledger.reservations() == []
    stop = next(notice for notice in done["notices"] if notice.startswith("Sending stopped"))
    assert state.key in stop
    assert f"{cap / 1e6:f}".rstrip("0") in stop


async def test_a_budget_that_pays_for_all_stops_nothing(service: Service, ledger: Ledger) -> None:
    await ledger.set_budget("owner:default:day", 100 * WORST)
    done = await service.run(**FOUR, prompts=["x"] * 30, concurrency=4)
    assert (done["status"], done["stopped"], len(done["results"])) == ("completed", None, 30)
    assert done["notices"] == []
    [state] = await ledger.caps()
    assert (state.spent, state.reserved, state.reached_at) == (30 * COST, 0, None)


async def test_a_budget_that_pays_for_one_at_a_time_sends_one_at_a_time_and_says_so(
    service: Service, ledger: Ledger, simulator: Simulator
) -> None:
    await ledger.set_budget("owner:default:day", WORST + 12 * COST)
    done = await service.run(**FOUR, prompts=["x"] * 12, concurrency=8)
    assert (done["status"], done["stopped"], len(done["results"])) == ("completed", None, 12)
    assert max(request.in_flight for request in simulator.requests) <= 3
    assert any("fewer requests at a time" in notice for notice in done["notices"])


async def test_what_cannot_be_paid_at_all_is_not_sent(
    service: Service, ledger: Ledger, simulator: Simulator, database: Database
) -> None:
    """The money was there at submit and is gone by now."""
    await ledger.set_budget("owner:default:day", WORST - 1)
    spec = BenchmarkSpec.model_validate({"name": "test", "prompts": ["x"] * 3, **FOUR}).with_defaults()
    number = (await BenchmarkRepository(LOCAL, database).create(spec, "priced")).id
    done = await ended(service, number)
    assert (done["status"], done["stopped"], done["results"]) == ("completed", "budget", [])
    assert not simulator.requests
    [state] = await ledger.caps()
    assert (state.spent, state.reserved) == (0, 0)


async def test_the_budget_of_a_benchmark_and_those_of_its_owner_count_together(
    service: Service, ledger: Ledger, simulator: Simulator
) -> None:
    await ledger.set_budget("owner:default:day", 10**9)
    await ledger.set_budget("owner:default:month", 10**9)
    cap = 2 * WORST + 5 * COST
    done = await service.run(**FOUR, prompts=["x"] * 40, concurrency=2, budget_usd=cap / 1e6)
    assert (done["status"], done["stopped"]) == ("completed", "budget")
    own, day, month = await ledger.caps()
    assert (own.key, own.cap) == (f"benchmark:{done['id']}", cap)
    assert own.spent == day.spent == month.spent == len(simulator.requests) * COST <= cap
    assert (own.reserved, day.reserved, month.reserved) == (0, 0, 0)
    assert (own.reached_at is None, day.reached_at, month.reached_at) == (False, None, None)


async def test_what_broke_off_costs_its_worst_case_and_what_was_refused_nothing(
    service: Service, ledger: Ledger
) -> None:
    await ledger.set_budget("owner:default:day", 10**9)
    # The second of each two is broken off in the middle of its answer; then refused.
    cut = await service.run(**{**FOUR, "model": "sim-ttft5-gap1-n4-fin2-every2"}, prompts=["x"] * 4, concurrency=1)
    assert cut["summary"]["requests"]["truncated"] == 2
    refused = await service.run(
        **{**FOUR, "model": "sim-ttft5-gap1-n4-err500-every2"}, prompts=["x"] * 4, concurrency=1
    )
    assert refused["summary"]["requests"]["errored"] == 2
    first, second = await ledger.spend()
    assert (first.amount, first.worst_case, first.requests) == (2 * COST + 2 * WORST, 2 * WORST, 4)
    assert (second.amount, second.worst_case, second.requests) == (2 * COST, 0, 4)
    assert cut["summary"]["spend"]["worst_case_usd"] == pytest.approx(2 * WORST / 1e6)
    [state] = await ledger.caps()
    assert (state.spent, state.reserved) == (first.amount + second.amount, 0)


async def test_a_cancel_settles_what_was_in_flight_at_its_worst_case(service: Service, ledger: Ledger) -> None:
    await ledger.set_budget("owner:default:day", 10**9)
    slow = {**FOUR, "model": "sim-ttft5-gap1-n4-endless", "prompts": ["x"] * 9, "concurrency": 3}
    created = (await service.client.post("/benchmarks", json={"name": "slow", **slow})).json()

    async def three_are_in_flight() -> bool:
        return sum(run.in_flight for run, _ in service.dispatcher._runs.values()) == 3

    await until(three_are_in_flight)
    await service.client.post(f"/benchmarks/{created['id']}/cancel")
    await ended(service, created["id"])
    [row], [state] = await ledger.spend(), await ledger.caps()
    assert (row.amount, row.worst_case, row.requests) == (3 * WORST, 3 * WORST, 3)
    assert (state.spent, state.reserved) == (3 * WORST, 0)


async def test_a_delete_in_the_middle_gives_nothing_back(service: Service, ledger: Ledger) -> None:
    await ledger.set_budget("owner:default:day", 10**9)
    slow = {**FOUR, "model": "sim-ttft5-gap1-n4-endless", "prompts": ["x"] * 9, "concurrency": 3}
    created = (await service.client.post("/benchmarks", json={"name": "slow", **slow})).json()

    async def is_reserved() -> bool:
        return bool(await ledger.reservations())

    await until(is_reserved)
    assert (await service.client.delete(f"/benchmarks/{created['id']}")).status_code == 204
    [row], [state] = await ledger.spend(), await ledger.caps()
    # Three in flight, and three that were marked ahead of need.
    assert (row.amount, row.worst_case) == (6 * WORST, 6 * WORST)
    assert (state.spent, state.reserved) == (6 * WORST, 0)
    assert await ledger.reservations() == []


async def test_a_model_without_a_price_runs_under_a_cap_only_if_it_is_allowed(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, ledger: Ledger
) -> None:
    async with running_service(database_url, redis_url, simulator.base_url, children=children) as service:
        run = {"model": "sim-ttft5-gap1-n4", "prompts": ["x"] * 3}
        done = await service.run(**run, budget_usd=1, allow_unpriced=True)
    assert (done["status"], done["stopped"]) == ("completed", None)
    [row] = await ledger.spend()
    assert (row.amount, row.requests, row.unpriced) == (0, 3, 3)
    assert done["summary"]["spend"]["unpriced_requests"] == 3


async def test_a_cap_that_came_after_the_submit_counts_no_model_without_a_price(
    database_url: str, redis_url: str, simulator: Simulator, children: Children, ledger: Ledger, database: Database
) -> None:
    await ledger.set_budget("owner:default:day", 10**9)
    spec = BenchmarkSpec.model_validate(
        {"name": "test", "prompts": ["x"], "model": "sim-ttft5-gap1-n4"}
    ).with_defaults()
    async with running_service(database_url, redis_url, simulator.base_url, children=children) as service:
        number = (await BenchmarkRepository(LOCAL, database).create(spec, "simulator")).id
        error = (await ended(service, number))["error"]
    assert (error["kind"], "allow_unpriced" in error["message"]) == ("unpriced_model", True)
    assert not simulator.requests


async def test_a_reached_budget_is_told_once(service: Service, ledger: Ledger) -> None:
    await ledger.set_budget("owner:default:day", 2 * WORST)
    done = await service.run(**FOUR, prompts=["x"] * 20, concurrency=1)
    assert done["stopped"] == "budget"
    [event] = [item for item in await ledger.events() if item.type == "budget.reached"]
    assert event.benchmark_id is None
    [state] = await ledger.caps()
    assert event.data["budget"] == state.key
    assert (event.data["benchmark"]["id"], event.data["spent_usd"] <= event.data["cap_usd"]) == (done["id"], True)
