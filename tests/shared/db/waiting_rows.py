"""Benchmarks of several owners that wait for several endpoints, and workers that claim them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update

from shared.db.connection.database import Database
from shared.db.runs.lease import Lease
from shared.db.tables.access import OwnerRow
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.providers.identity import FINGERPRINT_CHARS, Holdings
from tests.shared.db.rows import Tables, make_spec


def lane(name: str) -> str:
    """The fingerprint of the endpoint of this name."""
    return (name * FINGERPRINT_CHARS)[:FINGERPRINT_CHARS]


class Waiting:
    """Adds rows as submits leave them, and claims as workers do. Claims return the id, or None."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tables = Tables(database)
        self.leases: dict[int, Lease] = {}

    async def add(
        self, owner: str = "default", endpoint: str = "a", streams: int | None = 1, *, exclusive: bool = False
    ) -> int:
        number = await self.tables.add()
        values: dict[str, Any] = {
            "owner": owner,
            "endpoint_lane": lane(endpoint),
            "endpoint_key": lane(endpoint),
            "streams": streams,
            "exclusive": exclusive,
        }
        async with self.database.write() as session:
            await session.execute(update(Benchmark).where(Benchmark.id == number).values(**values))
        return number

    async def add_many(self, count: int, owner: str, endpoint: str = "a") -> None:
        """So many pending ones at once."""
        spec = make_spec().model_dump(mode="json", exclude={"prompts"}, exclude_none=True)
        row = {
            "name": "backlog",
            "model": "sim",
            "provider": "simulator",
            "status": "pending",
            "notices": [],
            "planned": 1,
            "owner": owner,
            "endpoint_lane": lane(endpoint),
            "endpoint_key": lane(endpoint),
            "streams": 1,
            "spec_document": spec,
        }
        async with self.database.write() as session:
            for _ in range(0, count, 1_000):
                await session.execute(insert(Benchmark).values(created_at=utc_now()), [row] * min(count, 1_000))

    async def claim(
        self,
        worker_id: str = "one",
        *,
        endpoints: str = "abc",
        ceilings: Mapping[str, int] | None = None,
        is_idle: bool = True,
        look_first: bool = True,
    ) -> int | None:
        holdings = Holdings(
            [lane(name) for name in endpoints], (), {lane(name): most for name, most in (ceilings or {}).items()}
        )
        claimed = await self.tables.leases.claim(worker_id, holdings=holdings, is_idle=is_idle, look_first=look_first)
        if claimed is None:
            return None
        self.leases[claimed[0].benchmark_id] = claimed[0]
        return claimed[0].benchmark_id

    async def end(self, number: int) -> None:
        await self.tables.leases.finish(self.leases.pop(number), "completed", summary=None, error=None)

    async def lapse(self, number: int) -> None:
        """As if its worker had died long ago."""
        async with self.database.write() as session:
            lapsed = update(Benchmark).where(Benchmark.id == number).values(lease_expires_at=utc_now(-1))
            await session.execute(lapsed)

    async def cancel(self, number: int) -> None:
        """As the API does it for a running one."""
        async with self.database.write() as session:
            asked = update(Benchmark).where(Benchmark.id == number).values(cancel_requested_at=utc_now())
            await session.execute(asked)

    async def owner_of(self, number: int | None) -> str | None:
        async with self.database.read() as session:
            owner: str | None = await session.scalar(select(Benchmark.owner).where(Benchmark.id == number))
        return owner

    async def turns(self) -> dict[str, int]:
        async with self.database.read() as session:
            return {row.name: row.turn for row in await session.execute(select(OwnerRow.name, OwnerRow.turn))}

    async def forget_owners(self) -> None:
        async with self.database.write() as session:
            await session.execute(delete(OwnerRow))
