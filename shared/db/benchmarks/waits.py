"""Why a benchmark that nobody runs yet waits, in words. `GET /benchmarks/{id}` and its page show it.

It is found out when it is read, from the few rows that run and from those that wait before it. It names nothing of
other owners but numbers.
"""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.runs.claim_statements import free
from shared.db.runs.endpoint_lanes import lane_of, load_of_lane
from shared.db.tables.benchmarks import Benchmark

# `turn`: a worker takes it when its turn has come. `ceiling`: its endpoint has no room for its streams. `exclusive`:
# it is to run alone, or another one does.
WaitKind = Literal["turn", "ceiling", "exclusive"]


@dataclass(frozen=True, slots=True)
class Wait:
    """What a benchmark waits for."""

    kind: WaitKind
    message: str


@tries_again
class WaitRepository:
    """For benchmarks that the caller was allowed to read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, benchmark: Benchmark, *, ceiling: int | None) -> Wait | None:
        """None if it does not wait, or if no worker could run it, which its `unclaimable` says.

        `ceiling`: the `max_streams` of its endpoint.
        """
        if benchmark.status not in ("pending", "running") or benchmark.unclaimable is not None:
            return None
        if benchmark.status == "running" and benchmark.lease_owner is not None:
            return None
        async with self._database.read() as session:
            return await _room(session, benchmark, ceiling) or await _turn(session, benchmark)


async def _room(session: AsyncSession, benchmark: Benchmark, ceiling: int | None) -> Wait | None:
    """What keeps it from running on its endpoint."""
    lane = benchmark.endpoint_lane
    if lane is None:
        return None
    load = await load_of_lane(session, lane, but=benchmark.id)
    if load.is_quiet:
        return Wait("exclusive", "An exclusive benchmark runs on its endpoint; nothing else may run there meanwhile.")
    if benchmark.exclusive and load.benchmarks:
        runs = "1 other benchmark runs" if load.benchmarks == 1 else f"{load.benchmarks:,} other benchmarks run"
        return Wait("exclusive", f"It is exclusive, and {runs} on its endpoint.")
    if not load.has_room(benchmark.streams, ceiling):
        return Wait(
            "ceiling",
            f"It has up to {benchmark.streams:,} requests in flight; {load.streams:,} of the {ceiling:,} that its "
            "endpoint allows are taken.",
        )
    before = select(Benchmark.id).where(
        free(), Benchmark.id < benchmark.id, Benchmark.exclusive, lane_of(Benchmark) == lane
    )
    if await session.scalar(before.limit(1)) is not None:
        return Wait("exclusive", "An older exclusive benchmark waits for its endpoint and comes first.")
    return None


async def _turn(session: AsyncSession, benchmark: Benchmark) -> Wait:
    older = (
        select(func.count())
        .select_from(Benchmark)
        .where(free(), Benchmark.owner == benchmark.owner, Benchmark.id < benchmark.id)
    )
    count = await session.scalar(older) or 0
    if count:
        comes = (
            "1 older benchmark of its owner comes" if count == 1 else f"{count:,} older benchmarks of its owner come"
        )
        return Wait("turn", f"{comes} first. Owners take turns.")
    if benchmark.exclusive:
        return Wait("exclusive", "It is exclusive, so it waits for a worker that runs nothing else.")
    return Wait("turn", "It is the next of its owner: a worker takes it when one has room and its turn has come.")
