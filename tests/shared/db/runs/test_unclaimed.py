"""Which benchmarks a worker claims by the endpoints that it has, and what becomes of those that nobody can run."""

from typing import Any

import pytest
from sqlalchemy import select, update

from shared.db.connection.database import Database
from shared.db.runs.leases import LeaseRepository
from shared.db.runs.segments import SegmentEnd
from shared.db.runs.unclaimed import UnclaimedRepository
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.db.tables.webhooks import WebhookEvent
from shared.db.tables.workers import Worker
from shared.db.workers.repository import WorkerInfo, WorkerRepository
from shared.providers.endpoints import Endpoint
from shared.providers.identity import EndpointIdentity, HeldEndpoint, Holdings, Identities
from tests.shared.db.rows import Tables, make_spec

ALIVE_S = 30
# No time need pass: the clock of SQLite may say the same in two transactions.
AT_ONCE_S = -1


def identity(port: int = 9001, stack: str | None = None) -> EndpointIdentity:
    url = f"http://127.0.0.1:{port}/v1"
    return Identities(stack=stack).of(Endpoint.model_validate({"name": "mine", "protocol": "openai", "base_url": url}))


def without_key(of: EndpointIdentity) -> HeldEndpoint:
    return HeldEndpoint(of, "missing_key", ["K is not set, nor K_FILE"])


class Fleet:
    """Workers that report to one database and sweep it."""

    def __init__(self, database: Database) -> None:
        self.tables = Tables(database)
        self.unclaimed = UnclaimedRepository(database)
        self.workers = WorkerRepository(database)
        self.held: dict[str, list[HeldEndpoint]] = {}

    async def report(self, worker_id: str, *held: HeldEndpoint) -> None:
        self.held[worker_id] = list(held)
        info = WorkerInfo(worker_id, "host", 1, "1", held)
        await self.workers.heartbeat(info, 0)

    async def add(self, of: EndpointIdentity | None = None, **changes: Any) -> int:
        return (await self.tables.benchmarks.create(make_spec(**changes), "mine", endpoint=of)).id

    def holdings(self, worker_id: str) -> Holdings:
        return Holdings.of(self.held[worker_id])

    async def claim(self, worker_id: str) -> int | None:
        claimed = await self.tables.leases.claim(worker_id, holdings=self.holdings(worker_id))
        return None if claimed is None else claimed[0].benchmark_id

    async def sweep(self, worker_id: str) -> None:
        await self.unclaimed.mark(self.holdings(worker_id), alive_within_s=ALIVE_S)

    async def overdue(self, worker_id: str = "any", after_s: float = AT_ONCE_S) -> Benchmark | None:
        claimed = await self.tables.leases.claim_overdue(worker_id, after_s=after_s)
        return None if claimed is None else claimed[1]


@pytest.fixture
def fleet(database: Database) -> Fleet:
    return Fleet(database)


async def test_a_worker_claims_by_identity_and_not_by_name(fleet: Fleet) -> None:
    await fleet.report("here", HeldEndpoint(identity(9001)))
    await fleet.report("there", HeldEndpoint(identity(9002)))
    number = await fleet.add(identity(9002))
    assert await fleet.claim("here") is None
    assert await fleet.claim("there") == number


async def test_a_worker_without_the_key_claims_nothing(fleet: Fleet) -> None:
    await fleet.report("keyless", without_key(identity()))
    await fleet.report("empty")
    await fleet.add(identity())
    assert [await fleet.claim("keyless"), await fleet.claim("empty")] == [None, None]


async def test_what_it_cannot_run_does_not_keep_it_from_what_it_can(fleet: Fleet) -> None:
    await fleet.report("one", HeldEndpoint(identity(9001)))
    await fleet.add(identity(9002))
    number = await fleet.add(identity(9001))
    assert await fleet.claim("one") == number


async def test_a_benchmark_of_an_older_version_is_claimed_by_name(fleet: Fleet) -> None:
    await fleet.report("keyless", without_key(identity()))
    await fleet.report("one", HeldEndpoint(identity(9002)))
    number = await fleet.add(None)
    assert await fleet.claim("keyless") is None
    assert await fleet.claim("one") == number


async def test_the_benchmarks_of_a_stack_are_its_own(fleet: Fleet) -> None:
    await fleet.report("shared", HeldEndpoint(identity()))
    await fleet.report("own", HeldEndpoint(identity(stack="s1")))
    of_stack, of_all = await fleet.add(identity(stack="s1")), await fleet.add(identity())
    assert await fleet.claim("shared") == of_all
    assert await fleet.claim("shared") is None
    assert await fleet.claim("own") == of_stack


async def test_an_abandoned_run_goes_on_only_where_its_endpoint_is(fleet: Fleet) -> None:
    await fleet.report("one", HeldEndpoint(identity()))
    await fleet.report("other", HeldEndpoint(identity(9002)))
    number = await fleet.add(identity())
    assert await fleet.tables.lapsing.claim("one") is not None
    assert await fleet.claim("other") is None
    assert await fleet.claim("one") == number


async def test_anybody_ends_a_cancelled_one(fleet: Fleet) -> None:
    await fleet.report("empty")
    number = await fleet.add(identity())
    assert await fleet.tables.lapsing.claim("gone") is not None
    await fleet.tables.benchmarks.cancel(number)
    await fleet.sweep("empty")
    assert (await fleet.tables.benchmarks.get(number)).unclaimable is None
    assert await fleet.claim("empty") == number


async def test_nobody_can_is_marked_once_and_forgotten_when_somebody_comes(fleet: Fleet) -> None:
    await fleet.report("keyless", without_key(identity()))
    number = await fleet.add(identity())
    await fleet.sweep("keyless")
    marked = await fleet.tables.benchmarks.get(number)
    assert marked.unclaimable is not None
    assert marked.unclaimable["kind"] == "missing_key"
    assert "K is not set" in marked.unclaimable["message"]
    await fleet.sweep("keyless")
    assert (await fleet.tables.benchmarks.get(number)).unclaimable_since == marked.unclaimable_since
    await fleet.report("with-key", HeldEndpoint(identity()))
    await fleet.sweep("keyless")
    free = await fleet.tables.benchmarks.get(number)
    assert (free.unclaimable, free.unclaimable_since) == (None, None)
    assert await fleet.overdue() is None


async def test_who_joins_the_marked_ones_later_waits_for_its_own_time(fleet: Fleet) -> None:
    await fleet.report("empty")
    first = await fleet.add(identity())
    await fleet.sweep("empty")
    second = await fleet.add(identity())
    await fleet.sweep("empty")
    one, two = [await fleet.tables.benchmarks.get(number) for number in (first, second)]
    assert one.unclaimable == two.unclaimable
    assert one.unclaimable_since is not None
    assert two.unclaimable_since is not None
    assert one.unclaimable_since < two.unclaimable_since


async def test_the_reason_follows_the_workers(fleet: Fleet) -> None:
    await fleet.report("keyless", without_key(identity()))
    number = await fleet.add(identity())
    await fleet.sweep("keyless")
    since = (await fleet.tables.benchmarks.get(number)).unclaimable_since
    await fleet.workers.leave("keyless")
    await fleet.report("other", HeldEndpoint(identity(9002)))
    await fleet.sweep("other")
    marked = await fleet.tables.benchmarks.get(number)
    assert marked.unclaimable is not None
    assert marked.unclaimable["kind"] == "no_worker"
    assert marked.unclaimable_since == since


async def test_a_worker_that_is_busy_or_silent_for_a_moment_still_counts(fleet: Fleet) -> None:
    """Only workers that did not report for a whole lease are gone."""
    await fleet.report("with-key", HeldEndpoint(identity()))
    await fleet.report("empty")
    number = await fleet.add(identity())
    await fleet.sweep("empty")
    assert (await fleet.tables.benchmarks.get(number)).unclaimable is None


async def test_a_holder_that_is_gone_does_not_count(fleet: Fleet, database: Database) -> None:
    await fleet.report("with-key", HeldEndpoint(identity()))
    await fleet.report("empty")
    number = await fleet.add(identity())
    async with database.write() as session:
        gone = update(Worker).where(Worker.id == "with-key").values(heartbeat_at=utc_now(-2 * ALIVE_S))
        await session.execute(gone)
    await fleet.sweep("empty")
    assert (await fleet.tables.benchmarks.get(number)).unclaimable is not None


async def test_a_claim_takes_the_mark_away(fleet: Fleet) -> None:
    await fleet.report("empty")
    number = await fleet.add(identity())
    await fleet.sweep("empty")
    await fleet.report("with-key", HeldEndpoint(identity()))
    assert await fleet.claim("with-key") == number
    running = await fleet.tables.benchmarks.get(number)
    assert (running.unclaimable, running.unclaimable_since) == (None, None)
    assert await fleet.overdue() is None


async def test_the_holder_that_runs_as_many_as_it_may_unmarks_its_own(fleet: Fleet) -> None:
    """It cannot claim it now, and nobody else sweeps."""
    await fleet.report("empty")
    number = await fleet.add(identity())
    await fleet.sweep("empty")
    await fleet.workers.leave("empty")
    await fleet.report("full", HeldEndpoint(identity()))
    await fleet.sweep("full")
    assert (await fleet.tables.benchmarks.get(number)).unclaimable is None


async def test_an_overdue_one_is_claimed_once_by_anybody_and_is_no_start(fleet: Fleet, database: Database) -> None:
    await fleet.report("empty")
    number = await fleet.add(identity())
    await fleet.sweep("empty")
    assert await fleet.overdue(after_s=60) is None
    benchmark = await fleet.overdue("empty")
    assert benchmark is not None
    assert (benchmark.id, benchmark.fence, benchmark.started_at) == (number, 1, None)
    assert benchmark.unclaimable is not None
    assert await fleet.overdue("another") is None
    async with database.read() as session:
        assert (await session.scalars(select(WebhookEvent.type))).all() == []


async def test_who_was_to_fail_it_and_died_is_followed_by_another(fleet: Fleet, database: Database) -> None:
    await fleet.report("empty")
    await fleet.add(identity())
    await fleet.sweep("empty")
    dying = LeaseRepository(database, lease_s=-1)
    assert await dying.claim_overdue("dying", after_s=AT_ONCE_S) is not None
    again = await fleet.overdue("empty")
    assert again is not None
    assert again.unclaimable is not None


async def test_who_runs_it_after_all_starts_it(fleet: Fleet, database: Database) -> None:
    """Who was to fail it has died, and has run nothing. A later claim is no start."""
    await fleet.report("empty")
    number = await fleet.add(identity())
    await fleet.sweep("empty")
    dying, lapsing = LeaseRepository(database, lease_s=-1), fleet.tables.lapsing
    assert await dying.claim_overdue("dying", after_s=AT_ONCE_S) is not None
    await fleet.report("late", HeldEndpoint(identity()))
    assert await lapsing.claim("late", holdings=fleet.holdings("late")) is not None
    assert (await fleet.tables.benchmarks.get(number)).crashes == 0
    claimed = await fleet.tables.leases.claim("late", holdings=fleet.holdings("late"))
    assert claimed is not None
    assert (claimed[0].fence, claimed[1].crashes) == (3, 1)
    await fleet.tables.leases.finish(claimed[0], "completed", summary={}, error=None)
    async with database.read() as session:
        events = await session.execute(select(WebhookEvent.type, WebhookEvent.sequence).order_by(WebhookEvent.sequence))
    assert [tuple(event) for event in events] == [("benchmark.started", 1), ("benchmark.completed", 2)]


async def test_a_released_run_keeps_its_start(fleet: Fleet) -> None:
    await fleet.report("one", HeldEndpoint(identity()))
    number = await fleet.add(identity())
    claimed = await fleet.tables.leases.claim("one", holdings=fleet.holdings("one"))
    assert claimed is not None
    await fleet.tables.leases.release(claimed[0], SegmentEnd())
    await fleet.workers.leave("one")
    await fleet.report("empty")
    await fleet.sweep("empty")
    overdue = await fleet.overdue()
    assert overdue is not None
    assert (overdue.id, overdue.started_at) == (number, claimed[1].started_at)
