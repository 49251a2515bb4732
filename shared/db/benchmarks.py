"""Benchmarks as the API needs them: create, read, cancel, delete. `benchmark_pages` lists them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, inspect, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import Caller
from shared.benchmark.metadata import metadata_pairs
from shared.benchmark.prompt_set import prompt_set
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.status import CANCEL, FINISH, TERMINAL, Status
from shared.db.again import tries_again
from shared.db.baselines import refuse_baseline
from shared.db.database import Database
from shared.db.datasets import hold_dataset
from shared.db.endpoint_lanes import lane_columns
from shared.db.events import tell_of
from shared.db.missing import no_benchmark
from shared.db.stored_spec import is_without_prompts, prompts_deleted, prompts_of, spec_of
from shared.db.tables import Benchmark, BenchmarkMetadata, IdempotencyKey, Prompt
from shared.db.types import as_constant, utc_now
from shared.db.webhook_endpoints import insert_endpoint, lock_endpoint
from shared.errors import Conflict, KeyReused
from shared.providers.identity import EndpointIdentity
from shared.webhooks.message import NewEndpoint

# How long an Idempotency-Key is remembered.
KEEP_KEYS_S = 24 * 3600
# Prompts that one statement stores. Between two statements the event loop does other work.
PROMPTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Once:
    """A caller's key for a POST, and a fingerprint of the request.

    `old_fingerprint`: the one that older versions stored for the same request. `rerun_of`: the benchmark that a rerun
    repeats; a key that created a rerun of it belongs to the same request, whatever fingerprint was stored.
    """

    key: str
    fingerprint: str
    old_fingerprint: str | None = None
    rerun_of: int | None = None


@tries_again
class BenchmarkRepository:
    """Rows of `benchmarks` and their `prompts`."""

    def __init__(self, caller: Caller, database: Database, *, public_url: str | None = None) -> None:
        """`public_url`: the API's URL, for the links in events."""
        self._caller = caller
        self._database = database
        self._public_url = public_url

    async def create(
        self,
        spec: BenchmarkSpec,
        provider: str,
        notices: Sequence[str] = (),
        *,
        endpoint: EndpointIdentity | None = None,
        rerun_of: int | None = None,
        webhook: NewEndpoint | None = None,
        traceparent: str | None = None,
    ) -> Benchmark:
        """Stores a pending benchmark with its prompts and its webhook, all or nothing.

        Only workers that hold `endpoint` claim it. None: those that have an endpoint named `provider`.
        """
        prompts = await _prompt_set(spec)
        async with self._database.write() as session:
            return await _insert(session, spec, prompts, provider, notices, endpoint, rerun_of, webhook, traceparent)

    async def create_once(
        self,
        once: Once,
        spec: BenchmarkSpec,
        provider: str,
        notices: Sequence[str] = (),
        *,
        endpoint: EndpointIdentity | None = None,
        rerun_of: int | None = None,
        webhook: NewEndpoint | None = None,
        traceparent: str | None = None,
    ) -> tuple[Benchmark, bool]:
        """Like `create`, once per key: (new benchmark, True), or (the one that this key created before, False).

        Raises KeyReused if the key belongs to another request, Conflict if its benchmark was deleted.
        """
        prompts = await _prompt_set(spec)
        async with self._database.write() as session:
            too_old = IdempotencyKey.created_at < as_constant(utc_now(-KEEP_KEYS_S))
            # Retention deletes other keys. Here they would only make this POST wait for others.
            await session.execute(delete(IdempotencyKey).where(IdempotencyKey.key == once.key, too_old))
            # If another transaction is storing the same POST, this waits for its end and then returns its benchmark.
            claimed = await session.execute(
                self._database.insert(IdempotencyKey)
                .values(key=once.key, fingerprint=once.fingerprint, benchmark_id=0, created_at=utc_now())
                .on_conflict_do_nothing(index_elements=["key"])
                .returning(IdempotencyKey.key)
            )
            if claimed.one_or_none() is None:
                return await _replayed(session, once), False
            benchmark = await _insert(
                session, spec, prompts, provider, notices, endpoint, rerun_of, webhook, traceparent
            )
            await session.execute(
                update(IdempotencyKey).where(IdempotencyKey.key == once.key).values(benchmark_id=benchmark.id)
            )
        return benchmark, True

    async def replayed(self, once: Once) -> Benchmark | None:
        """The benchmark that this key created before, if any. Raises KeyReused and Conflict like `create_once`."""
        async with self._database.read() as session:
            known = await session.get(IdempotencyKey, once.key)
            # `create_once` decides about a key that is in use right now or is older than a day.
            fresh = select(IdempotencyKey.key).where(
                IdempotencyKey.key == once.key, IdempotencyKey.created_at >= utc_now(-KEEP_KEYS_S)
            )
            if known is None or await session.scalar(fresh) is None:
                return None
            return await _replayed(session, once)

    async def spec(self, benchmark_id: int) -> tuple[BenchmarkSpec, Benchmark]:
        """The spec as it was submitted, prompts included. Raises NotFound, or Conflict if its texts were deleted."""
        async with self._database.read() as session:
            benchmark = await _existing(session, benchmark_id)
            prompts = await prompts_of(session, benchmark_id)
        if is_without_prompts(benchmark, prompts):
            # A benchmark that is being deleted loses its prompts too.
            await self.status(benchmark_id)
            raise prompts_deleted(benchmark_id)
        return spec_of(benchmark, prompts), benchmark

    async def get(self, benchmark_id: int) -> Benchmark:
        """Raises NotFound."""
        async with self._database.read() as session:
            return await _existing(session, benchmark_id)

    async def status(self, benchmark_id: int) -> Status:
        """Just the status, cheaply. Raises NotFound."""
        async with self._database.read() as session:
            status = await session.scalar(select(Benchmark.status).where(Benchmark.id == benchmark_id))
        if status is None:
            raise no_benchmark(benchmark_id)
        return status

    async def cancel(self, benchmark_id: int) -> Benchmark:
        """Cancels a pending benchmark at once, and asks the worker of a running one to stop. A cancelled one stays so.

        Raises NotFound, and Conflict if it has completed or failed.
        """
        async with self._database.write() as session:
            ended = await session.execute(
                update(Benchmark)
                .where(Benchmark.id == benchmark_id, Benchmark.status.in_(CANCEL.before))
                .values(status="cancelled", cancel_requested_at=utc_now(), completed_at=utc_now())
                .returning(Benchmark),
                execution_options={"synchronize_session": False},
            )
            cancelled = ended.scalar_one_or_none()
            if cancelled is not None:
                await tell_of(session, cancelled, self._public_url)
            else:
                await session.execute(
                    update(Benchmark)
                    .where(Benchmark.id == benchmark_id, Benchmark.status.in_(FINISH.before))
                    .values(cancel_requested_at=func.coalesce(Benchmark.cancel_requested_at, utc_now()))
                )
            benchmark = await _existing(session, benchmark_id)
        if benchmark.status in TERMINAL and benchmark.status != "cancelled":
            raise Conflict(
                f"benchmark {benchmark_id} is already {benchmark.status}; only open benchmarks are cancelled"
            )
        return benchmark

    async def delete(self, benchmark_id: int) -> bool:
        """Deletes it with its results. True if it was running: its worker then loses the lease.

        Raises NotFound, and Conflict with the names of its baselines.
        """
        async with self._database.write() as session:
            await session.execute(select(Benchmark.id).where(Benchmark.id == benchmark_id).with_for_update())
            benchmark = await _existing(session, benchmark_id)
            await refuse_baseline(session, benchmark_id)
            await lock_endpoint(session, benchmark_id)
            await session.execute(delete(Benchmark).where(Benchmark.id == benchmark_id))
        return benchmark.status == "running"


async def _prompt_set(spec: BenchmarkSpec) -> str:
    # In a thread and before the transaction: thousands of long prompts take a while.
    return await asyncio.to_thread(prompt_set, spec)


async def _insert(
    session: AsyncSession,
    spec: BenchmarkSpec,
    prompts: str,
    provider: str,
    notices: Sequence[str],
    endpoint: EndpointIdentity | None,
    rerun_of: int | None,
    webhook: NewEndpoint | None,
    traceparent: str | None,
) -> Benchmark:
    source = None if spec.workload is None else spec.workload.stored
    if source is not None and source.id is not None:
        await hold_dataset(session, source.id)
    # Added as an object: a RETURNING of the whole row would bring back all its texts.
    benchmark = Benchmark(
        name=spec.name,
        model=spec.model,
        provider=provider,
        endpoint=None if endpoint is None else endpoint.document(),
        endpoint_key=None if endpoint is None else endpoint.key_for(loads=spec.needs_loads),
        **lane_columns(spec, endpoint),
        status="pending",
        spec_document=spec.model_dump(mode="json", exclude={"prompts"}, exclude_none=True),
        notices=list(notices),
        rerun_of=rerun_of,
        prompt_set=prompts,
        traceparent=traceparent,
        planned=spec.planned_requests or 0,
        created_at=utc_now(),
    )
    session.add(benchmark)
    await session.flush()
    # What the database decided: the time, and defaults.
    await session.refresh(benchmark, inspect(benchmark).unloaded)
    for begin in range(0, len(spec.prompts), PROMPTS_AT_ONCE):
        await session.execute(
            insert(Prompt),
            [
                {
                    "benchmark_id": benchmark.id,
                    "prompt_index": begin + offset,
                    "document": prompt.model_dump(mode="json", exclude_none=True),
                }
                for offset, prompt in enumerate(spec.prompts[begin : begin + PROMPTS_AT_ONCE])
            ],
        )
    pairs = [{"pair": pair, "benchmark_id": benchmark.id} for pair in metadata_pairs(spec.metadata)]
    if pairs:
        await session.execute(insert(BenchmarkMetadata), pairs)
    if webhook is not None:
        await insert_endpoint(session, webhook, benchmark.id)
    return benchmark


async def _replayed(session: AsyncSession, once: Once) -> Benchmark:
    known = (await session.execute(select(IdempotencyKey).where(IdempotencyKey.key == once.key))).scalar_one()
    benchmark = await session.get(Benchmark, known.benchmark_id)
    same = known.fingerprint in (once.fingerprint, once.old_fingerprint)
    if not same and once.rerun_of is not None and benchmark is not None:
        same = benchmark.rerun_of == once.rerun_of
    if not same:
        raise KeyReused.of("Idempotency-Key", "was used for another request: use a new key for each")
    if benchmark is None:
        raise Conflict(f"benchmark {known.benchmark_id}, which this Idempotency-Key created, was deleted")
    return benchmark


async def _existing(session: AsyncSession, benchmark_id: int) -> Benchmark:
    benchmark = await session.get(Benchmark, benchmark_id, populate_existing=True)
    if benchmark is None:
        raise no_benchmark(benchmark_id)
    return benchmark
