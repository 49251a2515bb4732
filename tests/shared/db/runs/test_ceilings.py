"""Which benchmarks run beside each other on one endpoint: ceilings of streams, exclusive benchmarks, sharing ones."""

import asyncio

import pytest

from shared.db.connection.database import Database
from shared.db.runs.segments import SegmentEnd
from tests.shared.db.waiting_rows import Waiting


@pytest.fixture
def waiting(database: Database) -> Waiting:
    return Waiting(database)


async def test_all_streams_on_an_endpoint_stay_below_its_ceiling(waiting: Waiting) -> None:
    """Over all workers; another endpoint is not concerned."""
    first, second, third = [await waiting.add(streams=4) for _ in range(3)]
    elsewhere = await waiting.add(endpoint="b", streams=100)
    ceilings = {"a": 10}
    assert [await waiting.claim(name, ceilings=ceilings) for name in ("one", "two")] == [first, second]
    assert await waiting.claim("three", ceilings=ceilings) == elsewhere
    assert await waiting.claim("three", ceilings=ceilings) is None
    await waiting.end(first)
    assert await waiting.claim("three", ceilings=ceilings) == third


async def test_the_ceiling_is_that_of_the_worker_that_claims(waiting: Waiting) -> None:
    await waiting.add(streams=4)
    second = await waiting.add(streams=4)
    await waiting.claim()
    assert await waiting.claim(ceilings={"a": 7}) is None
    assert await waiting.claim(ceilings={"a": 8}) == second


async def test_a_large_benchmark_does_not_wait_for_ever(waiting: Waiting) -> None:
    """Small ones that come later do not overtake it."""
    ceilings = {"a": 10}
    running = await waiting.add(streams=2)
    assert await waiting.claim(ceilings=ceilings) == running
    large, small = await waiting.add(streams=10), await waiting.add(streams=1)
    assert await waiting.claim(ceilings=ceilings) is None
    await waiting.end(running)
    assert await waiting.claim(ceilings=ceilings) == large
    assert await waiting.claim(ceilings=ceilings) is None
    await waiting.end(large)
    assert await waiting.claim(ceilings=ceilings) == small


async def test_what_never_fits_holds_up_nobody(waiting: Waiting) -> None:
    """The ceiling was lowered after the submit."""
    await waiting.add(streams=11)
    small = await waiting.add(streams=1)
    assert await waiting.claim(ceilings={"a": 10}) == small


async def test_a_lapsed_lease_counts_until_it_is_claimed_again(waiting: Waiting) -> None:
    """Its worker may only have lost the database: then its requests are still in flight."""
    ceilings = {"a": 10}
    lapsed, other = await waiting.add("acme", streams=6), await waiting.add("beta", streams=6)
    assert await waiting.claim("dead", ceilings=ceilings) == lapsed
    await waiting.lapse(lapsed)
    # It is beta's turn, and beta has to wait all the same.
    assert await waiting.claim(ceilings=ceilings) == lapsed
    assert await waiting.claim(ceilings=ceilings) is None
    await waiting.end(lapsed)
    assert await waiting.claim(ceilings=ceilings) == other


async def test_a_lapsed_lease_is_taken_over_although_the_ceiling_was_lowered(waiting: Waiting) -> None:
    lapsed = await waiting.add(streams=6)
    assert await waiting.claim("dead", ceilings={"a": 6}) == lapsed
    await waiting.lapse(lapsed)
    assert await waiting.claim(ceilings={"a": 5}) == lapsed


async def test_a_benchmark_that_was_given_back_does_not_count(waiting: Waiting) -> None:
    ceilings = {"a": 10}
    released, other = await waiting.add("acme", streams=6), await waiting.add("beta", streams=6)
    assert await waiting.claim(ceilings=ceilings) == released
    await waiting.tables.leases.release(waiting.leases[released], SegmentEnd())
    assert await waiting.claim(ceilings=ceilings) == other


async def test_one_that_shares_its_endpoint_neither_counts_nor_waits(waiting: Waiting) -> None:
    ceilings = {"a": 10}
    full, waits = await waiting.add(streams=10), await waiting.add(streams=1)
    sharing = [await waiting.add(streams=None) for _ in range(2)]
    assert await waiting.claim(ceilings=ceilings) == full
    assert [await waiting.claim(ceilings=ceilings) for _ in sharing] == sharing
    await waiting.end(full)
    assert await waiting.claim(ceilings=ceilings) == waits


async def test_claims_at_once_never_exceed_a_ceiling(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(3)]
    workers = [Waiting(item) for item in databases]
    for _ in range(9):
        await workers[0].add(streams=3)
    claimed = await asyncio.gather(
        *(waiting.claim(f"w{place}", ceilings={"a": 10}, look_first=False) for place, waiting in enumerate(workers * 2))
    )
    assert len([number for number in claimed if number is not None]) == 3
    for item in databases:
        await item.close()


async def test_an_exclusive_benchmark_runs_alone_on_its_endpoint(waiting: Waiting) -> None:
    running, alone, after = await waiting.add(), await waiting.add(exclusive=True), await waiting.add()
    sharing, elsewhere = await waiting.add(streams=None), await waiting.add(endpoint="b")
    assert await waiting.claim() == running
    # Neither before it, although it is younger, nor beside it: not even one that shares.
    assert await waiting.claim("two") == elsewhere
    assert await waiting.claim("two") is None
    await waiting.end(running)
    assert await waiting.claim("two") == alone
    assert await waiting.claim() is None
    await waiting.end(alone)
    assert [await waiting.claim(), await waiting.claim()] == [after, sharing]


async def test_an_exclusive_benchmark_waits_for_a_worker_that_is_idle(waiting: Waiting) -> None:
    """A busy one takes nothing else meanwhile, or it would never be idle. What was cancelled it ends all the same."""
    alone, other = await waiting.add(exclusive=True), await waiting.add(endpoint="b")
    cancelled = await waiting.add(endpoint="c")
    assert await waiting.claim("busy", is_idle=False) is None
    assert await waiting.claim("busy", is_idle=False, endpoints="b") == other
    assert await waiting.claim("dead", endpoints="c") == cancelled
    await waiting.cancel(cancelled)
    await waiting.lapse(cancelled)
    assert await waiting.claim("busy", is_idle=False) == cancelled
    assert await waiting.claim("idle") == alone


async def test_a_busy_worker_goes_on_while_the_endpoint_of_an_exclusive_one_is_taken(waiting: Waiting) -> None:
    running = await waiting.add()
    await waiting.add(exclusive=True)
    other = await waiting.add(endpoint="b")
    assert await waiting.claim("one") == running
    assert await waiting.claim("two", is_idle=False) == other


async def test_an_exclusive_benchmark_of_another_owner_is_not_starved(waiting: Waiting) -> None:
    """A backlog on its endpoint that is older than it: its owner's turn comes, and the endpoint is left to it."""
    backlog = [await waiting.add("acme") for _ in range(6)]
    alone = await waiting.add("beta", exclusive=True)
    assert await waiting.claim("one") == backlog[0]
    assert await waiting.claim("two") is None
    await waiting.end(backlog[0])
    assert await waiting.claim("two") == alone
    assert await waiting.claim("one") is None
    await waiting.end(alone)
    assert await waiting.claim("one") == backlog[1]


async def test_two_exclusive_benchmarks_run_one_after_the_other(waiting: Waiting) -> None:
    first, second = await waiting.add("acme", exclusive=True), await waiting.add("beta", exclusive=True)
    assert await waiting.claim("one") == first
    assert await waiting.claim("two") is None
    await waiting.end(first)
    assert await waiting.claim("two") == second


async def test_an_exclusive_benchmark_of_a_dead_worker_is_claimed_again(waiting: Waiting) -> None:
    alone, other = await waiting.add(exclusive=True), await waiting.add()
    assert await waiting.claim("dead") == alone
    await waiting.lapse(alone)
    assert await waiting.claim("one") == alone
    assert await waiting.claim("two") is None
    await waiting.end(alone)
    assert await waiting.claim("two") == other


async def test_an_exclusive_benchmark_that_no_worker_can_run_closes_no_endpoint(waiting: Waiting) -> None:
    await waiting.add(endpoint="x", exclusive=True)
    number = await waiting.add()
    assert await waiting.claim() == number
