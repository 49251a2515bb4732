"""Benchmarks as the worker that runs one needs them. It is bound to no caller: a worker runs those of all owners."""

import asyncio

from sqlalchemy import select

from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.status import Status
from shared.db.access.missing import no_benchmark
from shared.db.benchmarks.stored_spec import is_without_prompts, prompts_deleted, prompts_of, spec_of
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now


@tries_again
class RunBenchmarks:
    """Reads rows of `benchmarks` and their `prompts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, benchmark_id: int) -> Benchmark:
        """Raises NotFound."""
        async with self._database.read() as session:
            benchmark = await session.get(Benchmark, benchmark_id)
        if benchmark is None:
            raise no_benchmark(benchmark_id)
        return benchmark

    async def spec(self, benchmark_id: int) -> tuple[BenchmarkSpec, Benchmark]:
        """The spec as it was submitted, prompts included. Raises NotFound, or Conflict if its texts were deleted."""
        async with self._database.read() as session:
            benchmark = await session.get(Benchmark, benchmark_id)
            prompts = await prompts_of(session, benchmark_id)
        if benchmark is None:
            raise no_benchmark(benchmark_id)
        if is_without_prompts(benchmark, prompts):
            # A benchmark that is being deleted loses its prompts too.
            await self.status(benchmark_id)
            raise prompts_deleted(benchmark_id)
        # In a thread: 10,000 prompts take 50 ms.
        return await asyncio.to_thread(spec_of, benchmark, prompts), benchmark

    async def status(self, benchmark_id: int) -> Status:
        """Just the status, cheaply. Raises NotFound."""
        async with self._database.read() as session:
            status = await session.scalar(select(Benchmark.status).where(Benchmark.id == benchmark_id))
        if status is None:
            raise no_benchmark(benchmark_id)
        return status

    async def running_s(self, benchmark_id: int) -> float:
        """Seconds since its first claim, by the database's clock; 0 before that. Raises NotFound."""
        query = select(utc_now(), Benchmark.started_at).where(Benchmark.id == benchmark_id)
        async with self._database.read() as session:
            row = (await session.execute(query)).one_or_none()
        if row is None:
            raise no_benchmark(benchmark_id)
        now, started_at = row
        return 0.0 if started_at is None else float((now - started_at).total_seconds())
