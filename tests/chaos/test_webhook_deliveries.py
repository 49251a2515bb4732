"""Deliveries while workers are killed and receivers fail."""

import asyncio
import signal
from typing import Any

from tests.chaos.conftest import Scenario
from tests.support.servers.receiver import hang, in_turn, receiver, status
from tests.support.waiting import PATIENCE_S


async def test_killed_between_attempts(scenario: Scenario) -> None:
    """a receiver that answers 500 three times, all workers killed between its attempts"""
    chaos = scenario.chaos
    async with receiver(in_turn(status(500), status(500), status(500), status(204))) as hooks:
        number = await scenario.submit(prompts=2, webhook_url=hooks.url, webhook_events=["benchmark.completed"])
        for attempt in range(2, 5):
            await _delivery(scenario, number, hooks.url, attempts=attempt - 1)
            await chaos.end_workers()
            chaos.start_worker()
            await chaos.make_deliveries_due()
            await hooks.has(attempt)
        delivery = await _delivery(scenario, number, hooks.url, status="delivered")
    assert len({request.headers["webhook-id"] for request in hooks.received}) == 1
    assert [item["status_code"] for item in delivery["attempts"]] == [500, 500, 500, 204]
    await scenario.survived("one id in four attempts")


async def test_killed_in_an_attempt(scenario: Scenario) -> None:
    """kill -9 the worker in the middle of an attempt"""
    chaos = scenario.chaos
    await chaos.end_workers()
    worker = chaos.start_worker()
    async with receiver(hang) as hooks:
        number = await scenario.submit(prompts=2, webhook_url=hooks.url, webhook_events=["benchmark.completed"])
        await hooks.has(1)
        worker.signal(signal.SIGKILL)
        await worker.ended()
        hooks.answer = status(204)
        chaos.start_worker()
        # The attempt's lease must lapse first; nobody waits for that here.
        await chaos.make_deliveries_due()
        await hooks.has(2)
        delivery = await _delivery(scenario, number, hooks.url, status="delivered")
    assert len({request.headers["webhook-id"] for request in hooks.received}) == 1
    first, second = delivery["attempts"]
    assert (first["status_code"], first["duration_ms"], second["status_code"]) == (None, None, 204)
    await scenario.survived("one id, the attempt cut off is shown")


async def _delivery(
    scenario: Scenario, number: int, url: str, *, attempts: int = 0, status: str | None = None
) -> dict[str, Any]:
    """Once so many of its attempts are stored, or it has that status."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            page = await scenario.chaos.client.get(f"/benchmarks/{number}/webhook-deliveries")
            for item in page.json()["items"]:
                ended = sum(attempt["duration_ms"] is not None for attempt in item["attempts"])
                if item["url"] == url and ended >= attempts and status in (None, item["status"]):
                    return dict(item)
            await asyncio.sleep(0.1)
