"""Lanes of endpoints: what runs against one endpoint, over all workers. Claims ask, and pages say what one waits for.

The lane of a benchmark is the fingerprint of its endpoint.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.benchmark.load.streams import streams_of
from shared.benchmark.spec import BenchmarkSpec
from shared.db.tables.benchmarks import Benchmark
from shared.providers.identity import FINGERPRINT_CHARS, EndpointIdentity


@dataclass(frozen=True, slots=True)
class EndpointLoad:
    """What runs on an endpoint: how many benchmarks, how many streams they may have, whether one is exclusive."""

    benchmarks: int
    streams: int
    is_quiet: bool

    def has_room(self, streams: int | None, ceiling: int | None) -> bool:
        """Whether a benchmark with so many streams fits. None: those of it do not count."""
        return streams is None or ceiling is None or self.streams + streams <= ceiling


NOTHING = EndpointLoad(0, 0, is_quiet=False)


def lane_columns(spec: BenchmarkSpec, endpoint: EndpointIdentity | None) -> dict[str, Any]:
    """What is stored of a new benchmark."""
    return {
        "endpoint_lane": None if endpoint is None else endpoint.fingerprint,
        "streams": None if spec.share_endpoint else streams_of(spec),
        "exclusive": spec.exclusive,
    }


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
