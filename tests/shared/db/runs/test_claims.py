"""Whose benchmark comes next: owners take turns, and each owner's benchmarks keep their order."""

import asyncio
from itertools import pairwise

import pytest
from sqlalchemy import select

from shared.db.connection.database import Database
from shared.db.runs.claims import Claimer, Claims
from shared.db.tables.benchmarks import Benchmark
from shared.errors import Unavailable
from tests.shared.db.waiting_rows import Waiting

BACKLOG = 10_000


@pytest.fixture
def waiting(database: Database) -> Waiting:
    return Waiting(database)


@pytest.mark.parametrize("look_first", [True, False])
async def test_owners_take_turns(waiting: Waiting, look_first: bool) -> None:
    for owner in ("acme", "acme", "acme", "beta", "beta", "core"):
        await waiting.add(owner)
    claimed = [await waiting.owner_of(await waiting.claim(look_first=look_first)) for _ in range(6)]
    assert claimed == ["acme", "beta", "core", "acme", "beta", "acme"]


async def test_a_backlog_of_one_owner_delays_another_by_one_benchmark_a_worker(waiting: Waiting) -> None:
    """Two workers are busy with the backlog when another owner submits: every second claim takes the other owner's."""
    await waiting.add_many(BACKLOG, "acme")
    before = [await waiting.claim(worker) for worker in ("one", "two")]
    late = await waiting.add("beta")
    first = await waiting.claim("one")
    assert first == late
    assert {await waiting.owner_of(number) for number in before} == {"acme"}
    assert await waiting.owner_of(await waiting.claim("two")) == "acme"
    # The other way round: the owner with the backlog is not held up either.
    assert await waiting.owner_of(await waiting.claim("one")) == "acme"


async def test_the_benchmarks_of_an_owner_keep_their_order(waiting: Waiting) -> None:
    numbers = [await waiting.add(owner) for owner in ("acme", "beta", "acme", "beta", "acme", "acme")]
    claimed = [await waiting.claim() for _ in numbers]
    assert sorted(filter(None, claimed)) == numbers
    for owner in ("acme", "beta"):
        own = [number for number in claimed if number is not None and await waiting.owner_of(number) == owner]
        assert all(one < other for one, other in pairwise(own))


async def test_an_owner_without_a_row_does_not_starve_and_gets_one(waiting: Waiting) -> None:
    for owner in ("acme", "acme", "acme", "beta"):
        await waiting.add(owner)
    await waiting.forget_owners()
    claimed = [await waiting.owner_of(await waiting.claim()) for _ in range(2)]
    assert claimed == ["acme", "beta"]
    turns = await waiting.turns()
    assert turns["acme"] < turns["beta"]


async def test_who_comes_back_after_a_long_time_gets_one_turn_and_no_more(waiting: Waiting) -> None:
    """The turns that it did not use are not owed to it."""
    await waiting.add("beta")
    await waiting.claim()
    for _ in range(6):
        await waiting.add("acme")
    for _ in range(3):
        await waiting.claim()
    for _ in range(3):
        await waiting.add("beta")
    claimed = [await waiting.owner_of(await waiting.claim()) for _ in range(4)]
    assert claimed == ["beta", "acme", "beta", "acme"]


async def test_one_owner_alone_moves_no_turn(waiting: Waiting) -> None:
    for _ in range(4):
        await waiting.add("acme")
    await waiting.claim()
    turns = await waiting.turns()
    await waiting.claim()
    assert await waiting.turns() == turns


async def test_what_a_worker_cannot_run_costs_its_owner_no_turn(waiting: Waiting) -> None:
    await waiting.add("acme", "x")
    number, later = await waiting.add("beta"), await waiting.add("beta")
    assert [await waiting.claim(), await waiting.claim(), await waiting.claim()] == [number, later, None]


async def test_a_cancelled_benchmark_costs_no_turn_and_needs_no_endpoint(waiting: Waiting) -> None:
    cancelled = await waiting.add("acme", "x")
    own, other = await waiting.add("acme"), await waiting.add("beta")
    assert await waiting.claim("dead", endpoints="x") == cancelled
    await waiting.cancel(cancelled)
    await waiting.lapse(cancelled)
    before = await waiting.turns()
    # Acme was served last, so it is beta's turn.
    claimed = [await waiting.claim() for _ in range(3)]
    assert claimed == [other, cancelled, own]
    assert (await waiting.turns())["acme"] > before["acme"]


async def test_a_lapsed_lease_is_claimed_in_the_turn_of_its_owner(waiting: Waiting) -> None:
    number = await waiting.add("acme")
    await waiting.add("acme")
    other = await waiting.add("beta")
    assert await waiting.claim("dead") == number
    await waiting.lapse(number)
    assert [await waiting.claim(), await waiting.claim()] == [other, number]


async def test_claims_at_once_take_turns_exactly(database_url: str) -> None:
    """Each worker has connections of its own, as in processes of their own. Nobody gets two turns in a row."""
    databases = [Database(database_url) for _ in range(3)]
    workers = [Waiting(item) for item in databases]
    for owner in ("acme", "beta", "core"):
        for _ in range(5):
            await workers[0].add(owner)
    claimed: list[int] = []

    async def claim(waiting: Waiting, worker_id: str) -> None:
        while (number := await waiting.claim(worker_id, look_first=False)) is not None:
            claimed.append(number)

    await asyncio.gather(*(claim(waiting, f"worker-{place}") for place, waiting in enumerate(workers)))
    assert len(claimed) == len(set(claimed)) == 15
    turns = await workers[0].turns()
    # Fifteen claims of three owners by turns: the last turns of the three are the last three numbers.
    served = sorted(turns[owner] for owner in ("acme", "beta", "core"))
    assert served == list(range(served[0], served[0] + 3))
    for item in databases:
        await item.close()


async def test_a_benchmark_that_is_being_deleted_holds_up_no_claim(
    waiting: Waiting, database: Database, database_url: str
) -> None:
    """On PostgreSQL its row is locked for as long as that takes. SQLite lets one transaction write at a time."""
    if database.is_sqlite:
        pytest.skip("SQLite has no locks of rows")
    locked, free = await waiting.add("acme"), await waiting.add("acme")
    other = Database(database_url)
    async with other.write() as session:
        await session.execute(select(Benchmark.id).where(Benchmark.id == locked).with_for_update())
        assert await waiting.claim() == free
        assert await waiting.claim() is None
    await other.close()
    assert await waiting.claim() == locked


async def test_a_worker_that_hangs_in_a_claim_does_not_hold_up_others_for_long(
    waiting: Waiting, database: Database, database_url: str
) -> None:
    """As one does that is stopped, or whose host has lost the network. PostgreSQL then ends its session."""
    if database.is_sqlite:
        pytest.skip("on SQLite all workers are on one host, and nothing ends a transaction of another process")
    first, hanging = await waiting.add("acme"), Database(database_url)

    async def hang() -> None:
        async with hanging.write() as session:
            taken = await Claims(hanging, lease_s=30, longest_idle_s=0.1).take(session, Claimer("hangs"))
            assert taken is not None
            assert taken.id == first
            assert await waiting.claim() == first

    with pytest.raises(Unavailable):
        await hang()
    await hanging.close()
