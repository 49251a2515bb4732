"""Benchmarks as the API needs them: create, read, cancel, delete. `pages` lists them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import Caller
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.status import CANCEL, FINISH, TERMINAL, Status
from shared.db.access.audit import record
from shared.db.access.missing import no_benchmark
from shared.db.access.owned import idempotency_key_of, of_owner, owned_by
from shared.db.benchmarks.new_benchmark import NewBenchmark, insert_benchmark
from shared.db.benchmarks.stored_spec import is_without_prompts, prompts_deleted, prompts_of, spec_of
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.money.reservations import close
from shared.db.money.spend import hold_account, holding
from shared.db.results.baselines import refuse_baseline
from shared.db.tables.benchmarks import Benchmark, IdempotencyKey
from shared.db.tables.types import as_constant, utc_now
from shared.db.webhooks.about_benchmarks import forget_name
from shared.db.webhooks.endpoints import lock_endpoint
from shared.db.webhooks.events import tell_of
from shared.errors import Conflict, KeyReused
from shared.money import usd_text
from shared.providers.identity import EndpointIdentity
from shared.webhooks.message import NewEndpoint

# How long an Idempotency-Key is remembered.
KEEP_KEYS_S = 24 * 3600


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
        capped: bool = False,
    ) -> Benchmark:
        """Stores a pending benchmark with its prompts and its webhook, all or nothing.

        Only workers that hold `endpoint` claim it. None: those that have an endpoint named `provider`.
        `capped`: a budget of its key or owner counts what it spends.
        """
        new = NewBenchmark(spec, provider, notices, endpoint, rerun_of, webhook, traceparent, capped)
        prompts = await new.prompt_set()
        async with self._database.write() as session:
            benchmark = await insert_benchmark(session, self._caller, new, prompts)
            await self._record_created(session, benchmark)
        return benchmark

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
        capped: bool = False,
    ) -> tuple[Benchmark, bool]:
        """Like `create`, once per key: (new benchmark, True), or (the one that this key created before, False).

        Raises KeyReused if the key belongs to another request, Conflict if its benchmark was deleted.
        """
        new = NewBenchmark(spec, provider, notices, endpoint, rerun_of, webhook, traceparent, capped)
        prompts = await new.prompt_set()
        key = idempotency_key_of(self._caller, once.key)
        async with self._database.write() as session:
            too_old = IdempotencyKey.created_at < as_constant(utc_now(-KEEP_KEYS_S))
            # Retention deletes other keys. Here they would only make this POST wait for others.
            await session.execute(delete(IdempotencyKey).where(IdempotencyKey.key == key, too_old))
            # If another transaction is storing the same POST, this waits for its end and then returns its benchmark.
            claimed = await session.execute(
                self._database.insert(IdempotencyKey)
                .values(key=key, fingerprint=once.fingerprint, benchmark_id=0, created_at=utc_now())
                .on_conflict_do_nothing(index_elements=["key"])
                .returning(IdempotencyKey.key)
            )
            if claimed.one_or_none() is None:
                return await self._replayed(session, once), False
            benchmark = await insert_benchmark(session, self._caller, new, prompts)
            await session.execute(
                update(IdempotencyKey).where(IdempotencyKey.key == key).values(benchmark_id=benchmark.id)
            )
            await self._record_created(session, benchmark)
        return benchmark, True

    async def replayed(self, once: Once) -> Benchmark | None:
        """The benchmark that this key created before, if any. Raises KeyReused and Conflict like `create_once`."""
        key = idempotency_key_of(self._caller, once.key)
        async with self._database.read() as session:
            known = await session.get(IdempotencyKey, key)
            # `create_once` decides about a key that is in use right now or is older than a day.
            fresh = select(IdempotencyKey.key).where(
                IdempotencyKey.key == key, IdempotencyKey.created_at >= utc_now(-KEEP_KEYS_S)
            )
            if known is None or await session.scalar(fresh) is None:
                return None
            return await self._replayed(session, once)

    async def spec(self, benchmark_id: int) -> tuple[BenchmarkSpec, Benchmark]:
        """The spec as it was submitted, prompts included. Raises NotFound, or Conflict if its texts were deleted."""
        async with self._database.read() as session:
            benchmark = await self._existing(session, benchmark_id)
            prompts = await prompts_of(session, benchmark_id)
        if is_without_prompts(benchmark, prompts):
            # A benchmark that is being deleted loses its prompts too.
            await self.status(benchmark_id)
            raise prompts_deleted(benchmark_id)
        return spec_of(benchmark, prompts), benchmark

    async def get(self, benchmark_id: int) -> Benchmark:
        """Raises NotFound."""
        async with self._database.read() as session:
            return await self._existing(session, benchmark_id)

    async def status(self, benchmark_id: int) -> Status:
        """Just the status, cheaply. Raises NotFound."""
        query = select(Benchmark.status).where(Benchmark.id == benchmark_id, of_owner(self._caller, Benchmark.owner))
        async with self._database.read() as session:
            status = await session.scalar(query)
        if status is None:
            raise no_benchmark(benchmark_id)
        return status

    async def cancel(self, benchmark_id: int) -> Benchmark:
        """Cancels a pending benchmark at once, and asks the worker of a running one to stop. A cancelled one stays so.

        Raises NotFound, and Conflict if it has completed or failed.
        """
        own = self._is_own(benchmark_id)
        async with self._database.write() as session:
            before = await _open_status(session, own)
            ended = await session.execute(
                update(Benchmark)
                .where(own, Benchmark.status.in_(CANCEL.before))
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
                    .where(own, Benchmark.status.in_(FINISH.before))
                    .values(cancel_requested_at=func.coalesce(Benchmark.cancel_requested_at, utc_now()))
                )
            benchmark = await _found(session, own, benchmark_id)
            if before is not None:
                details, owner = {"status": before}, benchmark.owner
                await record(
                    session, self._caller, "benchmark.cancelled", "benchmark", benchmark_id, details, owner=owner
                )
        if benchmark.status in TERMINAL and benchmark.status != "cancelled":
            raise Conflict(
                f"benchmark {benchmark_id} is already {benchmark.status}; only open benchmarks are cancelled"
            )
        return benchmark

    async def delete(self, benchmark_id: int) -> bool:
        """Deletes it with its results. True if it was running: its worker then loses the lease.

        Raises NotFound, and Conflict with the names of its baselines.
        """
        own = self._is_own(benchmark_id)
        async with self._database.write() as session:
            found = await hold_account(session, holding(own, utc_now()))
            benchmark = await _found(session, own, benchmark_id)
            await refuse_baseline(session, benchmark_id)
            await lock_endpoint(session, benchmark_id)
            await forget_name(session, benchmark_id)
            if found is not None:
                # What was marked may have been sent. Nothing is given back.
                await close(session, self._database, found[0], found[1].date())
            await session.execute(delete(Benchmark).where(own))
            details = {"model": benchmark.model, "provider": benchmark.provider, "status": benchmark.status}
            owner = benchmark.owner
            await record(session, self._caller, "benchmark.deleted", "benchmark", benchmark_id, details, owner=owner)
        return benchmark.status == "running"

    async def _record_created(self, session: AsyncSession, benchmark: Benchmark) -> None:
        names = {"model": "model", "provider": "provider", "planned_requests": "planned", "rerun_of": "rerun_of"}
        details = {name: getattr(benchmark, column) for name, column in names.items()}
        details["budget_usd"] = None if benchmark.budget is None else usd_text(benchmark.budget)
        await record(session, self._caller, "benchmark.created", "benchmark", benchmark.id, details)

    def _is_own(self, benchmark_id: int) -> ColumnElement[bool]:
        return and_(Benchmark.id == benchmark_id, owned_by(self._caller, Benchmark.owner))

    async def _existing(self, session: AsyncSession, benchmark_id: int) -> Benchmark:
        seen = and_(Benchmark.id == benchmark_id, of_owner(self._caller, Benchmark.owner))
        return await _found(session, seen, benchmark_id)

    async def _replayed(self, session: AsyncSession, once: Once) -> Benchmark:
        query = select(IdempotencyKey).where(IdempotencyKey.key == idempotency_key_of(self._caller, once.key))
        known = (await session.execute(query)).scalar_one()
        benchmark = await session.get(Benchmark, known.benchmark_id)
        same = known.fingerprint in (once.fingerprint, once.old_fingerprint)
        if not same and once.rerun_of is not None and benchmark is not None:
            same = benchmark.rerun_of == once.rerun_of
        if not same:
            raise KeyReused.of("Idempotency-Key", "was used for another request: use a new key for each")
        if benchmark is None:
            raise Conflict(f"benchmark {known.benchmark_id}, which this Idempotency-Key created, was deleted")
        return benchmark


async def _open_status(session: AsyncSession, own: ColumnElement[bool]) -> Status | None:
    """The status of an open benchmark that nobody has cancelled yet, locked until the transaction ends."""
    query = select(Benchmark.status).where(
        own, Benchmark.status.not_in(TERMINAL), Benchmark.cancel_requested_at.is_(None)
    )
    status: Status | None = await session.scalar(query.with_for_update())
    return status


async def _found(session: AsyncSession, where: ColumnElement[bool], benchmark_id: int) -> Benchmark:
    query = select(Benchmark).where(where).execution_options(populate_existing=True)
    benchmark = (await session.scalars(query)).one_or_none()
    if benchmark is None:
        raise no_benchmark(benchmark_id)
    return benchmark
