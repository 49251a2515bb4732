"""A run sends only what its caps pay for, stops when they cannot pay, and says what it has spent."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from shared.benchmark.worst_case import AROUND_A_MESSAGE, AROUND_A_REQUEST
from shared.money import micro_usd
from simulator.server import Simulator
from tests.support.ledger import Ledger, priced
from tests.support.service import Service, running_service
from worker.engine.children import Children

# Four tokens are written, and four at most.
FOUR = {"model": "sim-ttft5-gap1-n4", "parameters": {"max_tokens": 4}, "provider": "priced"}
# A request with a prompt of one byte: its worst case, and what it does cost.
WORST = 1 + AROUND_A_REQUEST + 2 * AROUND_A_MESSAGE + 4 * 10
COST = 1 + 4 * 10


@pytest.fixture
async def service(
    database_url: str, redis_url: str, simulator: Simulator, children: Children
) -> AsyncIterator[Service]:
    providers = [priced(simulator.base_url)]
    async with running_service(database_url, redis_url, None, children=children, providers=providers) as running:
        yield running


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[Ledger]:
    opened = Ledger(database_url)
    yield opened
    await opened.close()


def costs(done: dict[str, Any]) -> int:
    return sum(micro_usd(Decimal(str(item["cost_usd"]))) for item in done["results"] if item["cost_usd"] is not None)


async def test_without_a_budget_the_ledger_says_what_was_spent(service: Service, ledger: Ledger) -> None:
    done = await service.run(**FOUR, prompts=["x"] * 5)
    assert (done["status"], done["stopped"]) == ("completed", None)
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
    assert costs(done) == state.spent
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
    [notice] = done["notices"]
    assert "fewer requests at a time" in notice


async def test_what_cannot_be_paid_at_all_is_not_sent(service: Service, ledger: Ledger, simulator: Simulator) -> None:
    await ledger.set_budget("owner:default:day", WORST - 1)
    done = await service.run(**FOUR, prompts=["x"] * 3)
    assert (done["status"], done["stopped"], done["results"]) == ("completed", "budget", [])
    assert simulator.requests == []
    assert (await ledger.caps())[0].spent == 0
