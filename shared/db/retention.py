"""Deletes benchmarks and texts that are too old, in steps that hold no lock for long."""

from collections.abc import Sequence

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.benchmark.status import TERMINAL
from shared.db.again import tries_again
from shared.db.database import Database
from shared.db.tables import Benchmark, Prompt, Result
from shared.db.types import utc_now
from shared.db.webhook_endpoints import lock_endpoint

# Rows of one transaction.
STEP_ROWS = 1_000
# Benchmarks looked up at once.
PAGE = 100


@tries_again
class RetentionRepository:
    """Finds and deletes ended benchmarks by their age. Open ones are never touched."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ended_before(self, age_s: float, *, with_texts: bool = False) -> Sequence[int]:
        """A page of ids of benchmarks that ended more than `age_s` seconds ago, lowest first.

        `with_texts`: only of those that still have their prompts.
        """
        query = select(Benchmark.id).where(Benchmark.status.in_(TERMINAL), Benchmark.completed_at < utc_now(-age_s))
        if with_texts:
            query = query.where(exists().where(Prompt.benchmark_id == Benchmark.id))
        async with self._database.read() as session:
            return (await session.scalars(query.order_by(Benchmark.id).limit(PAGE))).all()

    async def delete_step(self, benchmark_id: int) -> bool:
        """Deletes some results of a benchmark, or the benchmark if it has none left. False: it is gone."""
        async with self._database.write() as session:
            if not await _alone(session, benchmark_id):
                return False
            some = select(Result.id).where(Result.benchmark_id == benchmark_id).limit(STEP_ROWS)
            deleted = await session.execute(delete(Result).where(Result.id.in_(some.scalar_subquery())))
            if deleted.rowcount:  # type: ignore[attr-defined]
                return True
            await lock_endpoint(session, benchmark_id)
            await session.execute(delete(Benchmark).where(Benchmark.id == benchmark_id))
        return False

    async def delete_texts_step(self, benchmark_id: int) -> bool:
        """Deletes the answers of some results, or the prompts if no answer is left. False: all texts are gone."""
        async with self._database.write() as session:
            if not await _alone(session, benchmark_id):
                return False
            some = (
                select(Result.id)
                .where(
                    Result.benchmark_id == benchmark_id,
                    or_(Result.response.is_not(None), Result.reasoning.is_not(None)),
                )
                .limit(STEP_ROWS)
            )
            emptied = await session.execute(
                update(Result).where(Result.id.in_(some.scalar_subquery())).values(response=None, reasoning=None)
            )
            if emptied.rowcount:  # type: ignore[attr-defined]
                return True
            await session.execute(delete(Prompt).where(Prompt.benchmark_id == benchmark_id))
        return False


async def _alone(session: AsyncSession, benchmark_id: int) -> bool:
    """Locks the benchmark; False if it is gone.

    Without the lock, a worker that waits for the rows of another one finds them deleted, takes the benchmark for empty
    and deletes all the rest at once.
    """
    locked = select(Benchmark.id).where(Benchmark.id == benchmark_id).with_for_update()
    return await session.scalar(locked) is not None
