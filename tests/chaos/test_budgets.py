"""A budget under faults: never more is sent than it pays for, and the ledger adds up with the simulator's own bill."""

import asyncio
import random
import signal
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest

from shared.benchmark.worst_case import AROUND_A_MESSAGE, AROUND_A_REQUEST
from tests.chaos.conftest import Scenario
from tests.chaos.history import Account
from tests.chaos.random_worker import SEED
from tests.chaos.stack import Chaos, Json
from tests.support.databases.ledger import Ledger
from tests.support.waiting import PATIENCE_S

BUDGET = "owner:default:month"
REQUESTS, CONCURRENCY, SUBMITTED, WORKERS = 6, 2, 64, 4
# Names of models that no other test sends, so that the bill has a line of their own.
MODEL = "sim-ttft120-gap2-n101"
TOKENS = 101
# Of one request, in micro-dollars: the prompt is one byte, and so is a token of it; a token written costs ten.
COST = 1 + 10 * TOKENS
WORST = 1 + AROUND_A_REQUEST + 2 * AROUND_A_MESSAGE + 10 * TOKENS
# What five benchmarks cost.
CAP = 5 * REQUESTS * COST


@dataclass
class Billed:
    """What the simulator counted of the model, and its price."""

    requests: int
    answered: int
    micros: int

    def __sub__(self, before: "Billed") -> "Billed":
        return Billed(self.requests - before.requests, self.answered - before.answered, self.micros - before.micros)


async def bill_of(chaos: Chaos) -> Billed:
    async with httpx2.AsyncClient() as client:
        models = (await client.get(f"{chaos.simulator.url}/bill")).json()["models"]
    for item in models:
        if item["model"] == MODEL:
            micros = item["input_tokens"] + 10 * item["output_tokens"]
            return Billed(item["requests"], item["answered"], micros)
    return Billed(0, 0, 0)


@pytest.fixture
async def ledger(scenario: Scenario) -> AsyncIterator[Ledger]:
    """With a budget that pays for five benchmarks, as long as the test runs."""
    opened = Ledger(scenario.chaos.direct_url)
    await opened.forget_budgets()
    await opened.set_budget(BUDGET, CAP)
    yield opened
    await opened.forget_budgets()
    await opened.close()


async def submit(chaos: Chaos) -> None:
    """Once. A busy API may ask to come again, though it has stored the benchmark."""
    body = {
        "name": "chaos", "provider": "priced", "model": MODEL, "prompts": ["x"] * REQUESTS, "concurrency": CONCURRENCY,
        "parameters": {"max_tokens": TOKENS},
    }  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        while (answer := await chaos.client.post("/benchmarks", json=body, headers=headers)).status_code == 503:
            await asyncio.sleep(0.2)
    if answer.status_code == 202:
        chaos.accepted.append(answer.json()["id"])
    else:
        assert (answer.status_code, answer.json()["code"]) == (409, "budget_exhausted"), answer.text


async def submit_all(chaos: Chaos) -> list[int]:
    """64 at once. Those that come when the money is gone or reserved are refused."""
    before = len(chaos.accepted)
    await asyncio.gather(*(submit(chaos) for _ in range(SUBMITTED)))
    return chaos.accepted[before:]


async def kill_some(chaos: Chaos, moments: random.Random) -> None:
    """Three times, one worker or another dies, and another one comes."""
    for _ in range(3):
        await asyncio.sleep(moments.uniform(0.3, 1.2))
        victim = moments.choice(chaos.workers)
        chaos.workers.remove(victim)
        victim.signal(signal.SIGKILL)
        chaos.start_worker()


async def all_ended(chaos: Chaos, numbers: list[int]) -> list[Json]:
    return [await chaos.ended(number) for number in numbers]


async def check_money(scenario: Scenario, ledger: Ledger, ended: list[Json], before: Billed) -> None:
    """Holds caps, ledger, results and the simulator's bill against each other, to the micro-dollar."""
    bill = (await bill_of(scenario.chaos)) - before
    numbers = {document["id"] for document in ended}
    rows = [row for row in await ledger.spend() if row.benchmark_id in numbers]
    [cap] = [cap for cap in await ledger.caps() if cap.key.startswith(BUDGET)]
    results = sum(document["progress"]["done"] for document in ended)
    spent, worst = sum(row.amount for row in rows), sum(row.worst_case for row in rows)
    # Nothing stays reserved, and the cap has what the ledger has.
    assert [(row.benchmark_id, row.fence, row.amount) for row in await ledger.reservations()] == []
    assert (cap.reserved, cap.spent) == (0, spent)
    # Each stored result costs what the simulator counted for it. All else is a number of whole worst cases.
    lost, rest = divmod(worst, WORST)
    assert rest == 0
    assert spent - worst == results * COST
    # What it saw beyond the results is in those worst cases: sent, and lost with a worker.
    assert 0 <= bill.requests - results <= lost
    assert results * COST <= bill.micros <= spent <= CAP
    assert bill.answered <= 5 * REQUESTS
    assert results > 0, "it pays for some"
    stopped = sum(document["stopped"] == "budget" for document in ended)
    note = f"{stopped} of {len(ended)} runs stopped, {lost} worst cases, {spent} of {CAP} micro-dollars spent"
    scenario.write(Account(results, bill.requests, lost), note)


async def many_at_once(
    scenario: Scenario, ledger: Ledger, moments: random.Random, *, with_redis: bool = True
) -> list[Json]:
    """Submits, lets four workers run and some of them die, and checks the money. The benchmarks as they ended."""
    chaos = scenario.chaos
    while len(chaos.workers) < WORKERS:
        chaos.start_worker()
    if not with_redis:
        await chaos.redis_proxy.cut()
    before = await bill_of(chaos)
    numbers = await submit_all(chaos)
    await kill_some(chaos, moments)
    ended = await all_ended(chaos, numbers)
    await check_money(scenario, ledger, ended, before)
    return ended


async def test_many_at_once_against_a_budget_for_five(scenario: Scenario, ledger: Ledger) -> None:
    """64 submissions at once, four workers, kill -9 in between, against a budget for five"""
    ended = await many_at_once(scenario, ledger, random.Random(SEED))
    assert any(document["stopped"] == "budget" for document in ended)


async def test_many_at_once_without_redis(scenario: Scenario, ledger: Ledger) -> None:
    """64 submissions at once, four workers, kill -9 in between, Redis away, against a budget for five"""
    await many_at_once(scenario, ledger, random.Random(SEED + 1), with_redis=False)
