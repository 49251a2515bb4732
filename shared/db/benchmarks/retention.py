"""Deletes benchmarks and texts that are too old, in steps that hold no lock for long."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from shared.benchmark.status import TERMINAL
from shared.benchmark.without_texts import (
    error_without_text,
    name_without_text,
    spec_without_texts,
    stage_without_name,
    target_without_texts,
)
from shared.db.access.valid_keys import is_valid_key
from shared.db.benchmarks.repository import KEEP_KEYS_S
from shared.db.benchmarks.retention_log import RetentionLog
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.results.baselines import is_baseline
from shared.db.tables.access import ApiKey, Session
from shared.db.tables.benchmarks import Benchmark, BenchmarkMetadata, IdempotencyKey, Prompt, Result, StageRow
from shared.db.tables.types import as_constant, utc_now
from shared.db.tables.webhooks import WebhookDelivery, WebhookEndpoint, WebhookEvent, is_pending
from shared.db.webhooks.about_benchmarks import delete_orphans, forget_name
from shared.db.webhooks.endpoints import lock_endpoint

# Rows of one transaction.
STEP_ROWS = 1_000
# Benchmarks looked up at once.
PAGE = 100

_RESULTS = Result.metadata.tables[Result.__tablename__]


@tries_again
class RetentionRepository:
    """Finds and deletes ended benchmarks by their age. Open ones are never touched."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = RetentionLog()

    def begin_sweep(self) -> None:
        """What is deleted from now on is one entry of the audit log for each owner."""
        self._log.begin()

    async def ended_before(self, age_s: float, *, with_texts: bool = False) -> Sequence[int]:
        """A page of ids of benchmarks that ended more than `age_s` seconds ago, the oldest end first.

        Baselines stay: without `with_texts` they are left out.

        `with_texts`: only of those that still have their texts and of which no event waits for an enabled endpoint.
        Such an event would be lost with the texts in it; its delivery succeeds or fails within days.
        """
        long_ago = Benchmark.completed_at < as_constant(utc_now(-age_s))
        query = select(Benchmark.id).where(long_ago, Benchmark.status.in_(TERMINAL))
        if with_texts:
            query = query.where(Benchmark.texts_deleted_at.is_(None), ~_is_being_told_of())
        else:
            query = query.where(~is_baseline())
        async with self._database.read() as session:
            return (await session.scalars(query.order_by(Benchmark.completed_at, Benchmark.id).limit(PAGE))).all()

    async def delete_step(self, benchmark_id: int) -> bool:
        """Deletes some results of a benchmark, or the benchmark if it has none left.

        False: it is gone, or has become a baseline.
        """
        async with self._database.write() as session:
            owner = await _alone(session, benchmark_id)
            if owner is None:
                return False
            query = select(Benchmark.id).where(Benchmark.id == benchmark_id, is_baseline())
            if await session.scalar(query) is not None:
                return False
            some = select(Result.id).where(Result.benchmark_id == benchmark_id).limit(STEP_ROWS)
            deleted = await session.execute(delete(Result).where(Result.id.in_(some.scalar_subquery())))
            if deleted.rowcount:  # type: ignore[attr-defined]
                return True
            await lock_endpoint(session, benchmark_id)
            await forget_name(session, benchmark_id)
            await session.execute(delete(Benchmark).where(Benchmark.id == benchmark_id))
            await self._log.count(session, owner, "benchmarks_deleted")
        return False

    async def delete_texts_step(self, benchmark_id: int, after: int) -> int | None:
        """Deletes the texts of some results with ids above `after`, or those of the benchmark if there are none.

        Returns the `after` of the next step; None if all texts are gone.
        """
        some = select(Result.id, Result.error).where(Result.benchmark_id == benchmark_id, Result.id > after)
        async with self._database.write() as session:
            owner = await _alone(session, benchmark_id)
            if owner is None:
                return None
            rows = (await session.execute(some.order_by(Result.id).limit(STEP_ROWS))).all()
            if not rows:
                await _delete_own_texts(session, benchmark_id)
                await self._log.count(session, owner, "texts_deleted_of")
                return None
            has_text = or_(Result.response.is_not(None), Result.reasoning.is_not(None))
            await session.execute(
                update(Result)
                .where(Result.id.in_([row.id for row in rows]), has_text)
                .values(response=None, reasoning=None),
                execution_options={"synchronize_session": False},
            )
            errors = [{"of": row.id, "without": error_without_text(row.error)} for row in rows if row.error is not None]
            if errors:
                await session.execute(
                    update(_RESULTS).where(_RESULTS.c.id == bindparam("of")).values(error=bindparam("without")), errors
                )
            last: int = rows[-1].id
        return last

    async def delete_keys_step(self) -> bool:
        """Deletes some Idempotency-Keys that are no longer remembered. False: there are none."""
        old = select(IdempotencyKey.key).where(IdempotencyKey.created_at < as_constant(utc_now(-KEEP_KEYS_S)))
        async with self._database.write() as session:
            deleted = await session.execute(
                delete(IdempotencyKey).where(IdempotencyKey.key.in_(old.limit(STEP_ROWS).scalar_subquery())),
                execution_options={"synchronize_session": False},
            )
        return bool(deleted.rowcount)  # type: ignore[attr-defined]

    async def delete_events_step(self) -> bool:
        """Deletes some events about benchmarks that are gone. False: there are none."""
        async with self._database.write() as session:
            return bool(await delete_orphans(session, STEP_ROWS))

    async def delete_sessions_step(self) -> bool:
        """Deletes some sessions of browsers that have ended, by time or with their key. False: there are none."""
        key = exists().where(ApiKey.id == Session.key_id, is_valid_key()).correlate(Session)
        ended = select(Session.hash).where(or_(Session.expires_at <= as_constant(utc_now()), ~key)).limit(STEP_ROWS)
        async with self._database.write() as session:
            deleted = await session.execute(
                delete(Session).where(Session.hash.in_(ended.scalar_subquery())),
                execution_options={"synchronize_session": False},
            )
        return bool(deleted.rowcount)  # type: ignore[attr-defined]


def _is_being_told_of() -> ColumnElement[bool]:
    """An event of the benchmark, or about it, is on its way to an enabled endpoint."""
    return or_(_is_on_its_way(WebhookEvent.benchmark_id), _is_on_its_way(WebhookEvent.about_benchmark_id))


def _is_on_its_way(of: InstrumentedAttribute[int | None]) -> ColumnElement[bool]:
    """An event whose column `of` names the benchmark is on its way to an enabled endpoint."""
    delivery = (
        select(WebhookDelivery.id)
        .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(of == Benchmark.id, is_pending(), WebhookEndpoint.enabled)
        .correlate(Benchmark)
        .limit(1)
    )
    # Not EXISTS: for that, PostgreSQL would read all pending deliveries.
    return delivery.scalar_subquery().is_not(None)


async def _delete_own_texts(session: AsyncSession, benchmark_id: int) -> None:
    """Deletes the texts in the benchmark's row, its prompts, names of stages, and its webhook with all attempts."""
    # The endpoint first, then its deliveries: that is the order of every transaction.
    await lock_endpoint(session, benchmark_id)
    await session.execute(delete(WebhookEndpoint).where(WebhookEndpoint.benchmark_id == benchmark_id))
    await session.execute(delete(WebhookEvent).where(WebhookEvent.benchmark_id == benchmark_id))
    await forget_name(session, benchmark_id)
    await session.execute(delete(Prompt).where(Prompt.benchmark_id == benchmark_id))
    await session.execute(delete(BenchmarkMetadata).where(BenchmarkMetadata.benchmark_id == benchmark_id))
    stages = select(StageRow.number, StageRow.label).where(StageRow.benchmark_id == benchmark_id)
    for number, label in (await session.execute(stages)).all():
        await session.execute(
            update(StageRow)
            .where(StageRow.benchmark_id == benchmark_id, StageRow.number == number)
            .values(label=stage_without_name(label)),
            execution_options={"synchronize_session": False},
        )
    benchmark = await session.get(Benchmark, benchmark_id)
    if benchmark is None:
        return
    name = name_without_text(benchmark_id)
    await session.execute(
        update(Benchmark)
        .where(Benchmark.id == benchmark_id)
        .values(
            name=name,
            spec_document=spec_without_texts(benchmark.spec_document, name),
            target=target_without_texts(benchmark.target),
            # It names a stage, and nobody reads it any more.
            live=None,
            texts_deleted_at=utc_now(),
        ),
        execution_options={"synchronize_session": False},
    )


async def _alone(session: AsyncSession, benchmark_id: int) -> str | None:
    """Locks the benchmark and returns its owner; None if it is gone.

    Without the lock, a worker that waits for the rows of another one finds them deleted, takes the benchmark for empty
    and deletes all the rest at once.
    """
    locked = select(Benchmark.owner).where(Benchmark.id == benchmark_id).with_for_update()
    owner: str | None = await session.scalar(locked)
    return owner
