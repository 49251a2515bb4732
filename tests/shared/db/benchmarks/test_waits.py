"""What a waiting benchmark waits for, in words, without a word about other owners."""

import pytest

from shared.db.benchmarks.waits import WaitRepository
from shared.db.connection.database import Database
from shared.db.runs.segments import SegmentEnd
from shared.db.tables.benchmarks import Benchmark
from tests.shared.db.waiting_rows import Waiting


class Asking(Waiting):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._waits = WaitRepository(database)

    async def why(self, number: int, ceiling: int | None = None) -> tuple[str, str] | None:
        async with self.database.read() as session:
            benchmark = await session.get_one(Benchmark, number)
        wait = await self._waits.of(benchmark, ceiling=ceiling)
        return None if wait is None else (wait.kind, wait.message)


@pytest.fixture
def waiting(database: Database) -> Asking:
    return Asking(database)


async def test_it_says_how_many_of_its_owner_come_first(waiting: Asking) -> None:
    first, second, third = await waiting.add("acme"), await waiting.add("acme"), await waiting.add("acme")
    await waiting.add("beta")
    assert await waiting.why(first) == (
        "turn",
        "It is the next of its owner: a worker takes it when one has room and its turn has come.",
    )
    assert await waiting.why(second) == (
        "turn",
        "1 older benchmark of its owner comes first. Owners take turns.",
    )
    assert await waiting.why(third) == ("turn", "2 older benchmarks of its owner come first. Owners take turns.")


async def test_it_says_how_full_its_endpoint_is(waiting: Asking) -> None:
    running, number = await waiting.add("acme", streams=8), await waiting.add("beta", streams=5)
    await waiting.add("acme", "b", streams=100)
    assert await waiting.claim() == running
    assert await waiting.why(number, ceiling=10) == (
        "ceiling",
        "It has up to 5 requests in flight; 8 of the 10 that its endpoint allows are taken.",
    )
    assert (await waiting.why(number, ceiling=13) or ("",))[0] == "turn"


async def test_it_says_that_an_exclusive_one_runs_or_comes_first(waiting: Asking) -> None:
    alone, other = await waiting.add("acme", exclusive=True), await waiting.add("beta")
    elsewhere = await waiting.add("beta", "b")
    assert await waiting.why(other) == (
        "exclusive",
        "An older exclusive benchmark waits for its endpoint and comes first.",
    )
    assert await waiting.claim() == alone
    assert await waiting.why(other) == (
        "exclusive",
        "An exclusive benchmark runs on its endpoint; nothing else may run there meanwhile.",
    )
    assert (await waiting.why(elsewhere) or ("",))[0] == "turn"


async def test_an_exclusive_one_says_what_it_waits_for(waiting: Asking) -> None:
    running, alone = await waiting.add("acme"), await waiting.add("beta", exclusive=True)
    assert await waiting.claim() == running
    assert await waiting.why(alone) == ("exclusive", "It is exclusive, and 1 other benchmark runs on its endpoint.")
    await waiting.end(running)
    assert await waiting.why(alone) == (
        "exclusive",
        "It is exclusive, so it waits for a worker that runs nothing else.",
    )


async def test_what_runs_and_what_has_ended_waits_for_nothing(waiting: Asking) -> None:
    number = await waiting.add()
    await waiting.claim()
    assert await waiting.why(number) is None
    await waiting.tables.leases.release(waiting.leases[number], SegmentEnd())
    assert (await waiting.why(number) or ("",))[0] == "turn"
    await waiting.claim()
    await waiting.end(number)
    assert await waiting.why(number) is None
