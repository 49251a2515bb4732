"""Two benchmarks at once while clients poll: nothing waits for a lock, nothing breaks, nothing gets lost."""

import asyncio
from typing import Any

import httpx2

from tests.api.documents import submit
from tests.support.dates import instant
from tests.support.service import Service
from tests.support.waiting import PATIENCE_S

POLLERS = 2
PROMPTS = [f"prompt {number}" for number in range(50)]


class Poller:
    """Reads one benchmark in every way, every 100 ms, until it has ended."""

    def __init__(self, client: httpx2.AsyncClient, benchmark_id: int) -> None:
        self._client = client
        self._url = f"/benchmarks/{benchmark_id}"
        self.done: list[int] = []

    async def run(self) -> dict[str, Any]:
        while True:
            document = await self._get(self._url)
            self.done.append(document["progress"]["done"])
            # The row is read before its results, so that none of those that it counts is missing.
            assert len(document["results"]) >= self.done[-1]
            await self._get(f"{self._url}/results?sort=-ttft_ms&limit=20")
            await self._get("/benchmarks?limit=5")
            if document["status"] not in ("pending", "running"):
                return document
            await asyncio.sleep(0.1)

    async def _get(self, url: str) -> dict[str, Any]:
        response = await self._client.get(url)
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document


async def test_two_benchmarks_of_fifty_prompts_run_at_once_while_clients_poll(service: Service) -> None:
    # Long enough for several polls on a busy machine: five rounds of ten prompts, 0.6 s and more each.
    spec = {"model": "sim-ttft400-gap20-n11", "prompts": PROMPTS, "concurrency": 10}
    documents = await asyncio.gather(*(submit(service.client, name=name, **spec) for name in ("one", "two")))
    ids = {document["id"] for document in documents}
    pollers = [Poller(service.client, benchmark_id) for benchmark_id in ids for _ in range(POLLERS)]
    async with asyncio.timeout(PATIENCE_S):
        ended = await asyncio.gather(*(poller.run() for poller in pollers))
    assert {document["id"] for document in ended} == ids
    for document in ended:
        assert document["status"] == "completed"
        assert [result["prompt"] for result in document["results"]] == PROMPTS
        assert {result["outcome"] for result in document["results"]} == {"succeeded"}
        assert document["progress"]["done"] == document["summary"]["requests"]["succeeded"] == 50
        assert document["summary"]["concurrency"]["peak"] == 10
    for poller in pollers:
        assert poller.done == sorted(poller.done)
        assert len(poller.done) >= 3
    first, second = ended[0], ended[-1]
    assert instant(first["started_at"]) < instant(second["completed_at"])
    assert instant(second["started_at"]) < instant(first["completed_at"])
