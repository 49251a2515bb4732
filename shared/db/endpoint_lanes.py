"""Lanes of endpoints: what runs against one endpoint, over all workers. Claims ask, and pages say what one waits for.

The lane of a benchmark is the fingerprint of its endpoint.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.tables import Benchmark
from shared.providers.identity import FINGERPRINT_CHARS


@dataclass(frozen=True, slots=True)
class EndpointLoad:
    """What runs on an endpoint: how many benchmarks, how many streams they may have, whether one is exclusive."""

    benchmarks: int
    streams: int
    is_quiet: bool

    def has_room(self, streams: int | None, ceiling: int | None) -> bool:
        """Whether a benchmark with so many streams fits. None: those of it do not count."""
        return streams is None or ceiling is None or self.streams + streams <= ceiling


def lane_of(benchmark: type[Benchmark]) -> ColumnElement[str]:
    """The lane of a row; '' if it has none."""
    # Older versions stored the key alone, which begins with the fingerprint.
    return func.coalesce(benchmark.endpoint_lane, func.substr(benchmark.endpoint_key, 1, FINGERPRINT_CHARS), "")


async def load_of_lane(session: AsyncSession, lane: str, *, but: int) -> EndpointLoad:
    """What runs there, without the benchmark `but`.

    A benchmark with a lapsed lease counts until somebody claims it: its worker may only have lost the database, and
    then its requests are still in flight. One that was given back has none.
    """
    query = select(func.count(), func.sum(Benchmark.streams), func.count(case((Benchmark.exclusive, 1)))).where(
        Benchmark.status == "running",
        Benchmark.lease_owner.is_not(None),
        Benchmark.id != but,
        lane_of(Benchmark) == lane,
    )
    benchmarks, streams, exclusive = (await session.execute(query)).one()
    return EndpointLoad(benchmarks, streams or 0, exclusive > 0)
