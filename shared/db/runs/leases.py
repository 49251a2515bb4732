"""The life of a running benchmark: claim, heartbeat, release, finish. All use database time and a fence.

A worker runs only benchmarks that it claimed here, and each of its writes carries the fence of its claim. After another
worker has claimed the benchmark, such a write changes nothing and raises LeaseLost.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

from sqlalchemy import case, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.benchmark.status import FINISH, TerminalStatus
from shared.db.connection.again import tries_again
from shared.db.connection.clock import Now, database_now
from shared.db.connection.database import Database
from shared.db.money.caps import reach
from shared.db.money.reservations import Bill, Paid, close
from shared.db.money.spend import NOTHING, Account, Charge, spent_by
from shared.db.money.spending import spend
from shared.db.runs.claims import Claimer, Claims
from shared.db.runs.hand_over import HandOver
from shared.db.runs.lease import Lease, held, hold, hold_and_pay, lost
from shared.db.runs.segments import SegmentEnd, StoredId, end_crashed_segments, end_segment
from shared.db.tables.benchmarks import Benchmark, Segment
from shared.db.tables.types import utc_now
from shared.db.webhooks.events import tell_of, tell_of_budget, tell_of_start
from shared.providers.identity import Holdings

# For a benchmark that ended before anything was sent.
NOTHING_SENT = SegmentEnd()


@tries_again
class LeaseRepository:
    """Claims benchmarks, and ends, extends and guards the leases."""

    def __init__(
        self, database: Database, *, lease_s: float, public_url: str | None = None, now: Now = database_now
    ) -> None:
        """`public_url`: the API's URL, for the links in events. `now`: the database's clock, for days of money."""
        self._database = database
        self._now = now
        self._lease_s = lease_s
        self._public_url = public_url
        self._hand_over = HandOver(self._give_back)
        self._claims = Claims(database, lease_s)

    async def claim(
        self, worker_id: str, *, look_first: bool = True, holdings: Holdings | None = None, is_idle: bool = True
    ) -> tuple[Lease, Benchmark] | None:
        """Gives this worker a lease of the free benchmark whose turn it is; None if there is none.

        Free: pending, or running with a lapsed or missing lease. A lapsed lease counts as a crash of its worker, a
        released one does not. A benchmark that had begun to send is marked as interrupted.
        `look_first`: read first whether there is one. Most sweeps find none and then need not take SQLite's write
        lock. A worker that heard the bell skips this. `holdings` and `is_idle`: see `Claimer`.
        """
        claimer = Claimer(worker_id, holdings, is_idle)
        return await self._hand_over.of(lambda taken: self._claim(claimer, taken, look_first=look_first))

    async def claim_overdue(self, worker_id: str, *, after_s: float) -> tuple[Lease, Benchmark] | None:
        """Gives this worker a lease of a benchmark that nobody could run for so long, in order to fail it.

        Its `unclaimable` says why. The claim is no start: it has no event.
        """
        return await self._hand_over.of(lambda taken: self._claim_overdue(worker_id, after_s, taken))

    async def give_back_lost(self) -> None:
        """Gives back benchmarks that a cancelled or broken `claim` may have taken. Raises Unavailable."""
        await self._hand_over.give_back()

    async def _claim(self, claimer: Claimer, taken: list[Lease], *, look_first: bool) -> tuple[Lease, Benchmark] | None:
        """`taken` gets the lease before the commit."""
        if look_first:
            async with self._database.read() as session:
                if not await self._claims.is_there_one(session, claimer):
                    return None
        async with self._database.write() as session:
            benchmark = await self._claims.take(session, claimer)
            if benchmark is None:
                return None
            taken.append(Lease(benchmark.id, benchmark.fence, claimer.worker_id))
            await tell_of_start(session, benchmark, self._public_url)
        return taken[0], benchmark

    async def _claim_overdue(
        self, worker_id: str, after_s: float, taken: list[Lease]
    ) -> tuple[Lease, Benchmark] | None:
        async with self._database.read() as session:
            if not await self._claims.is_one_overdue(session, after_s):
                return None
        async with self._database.write() as session:
            benchmark = await self._claims.take_overdue(session, worker_id, after_s)
            if benchmark is None:
                return None
            taken.append(Lease(benchmark.id, benchmark.fence, worker_id))
        return taken[0], benchmark

    async def _give_back(self, lease: Lease) -> None:
        async with self._database.write() as session:
            # `dispatched` stays: it says what a worker before this one may have sent.
            await session.execute(update(Benchmark).where(held(lease)).values(lease_owner=None, lease_expires_at=None))

    async def heartbeat(self, lease: Lease) -> bool:
        """Extends the lease; True if a cancel was requested. Raises LeaseLost."""
        async with self._database.write() as session:
            rows = await session.execute(
                update(Benchmark)
                .where(held(lease))
                .values(lease_expires_at=utc_now(self._lease_s))
                .returning(Benchmark.cancel_requested_at)
            )
            row = rows.one_or_none()
        if row is None:
            raise lost(lease)
        return row[0] is not None

    async def begin(
        self,
        lease: Lease,
        *,
        dispatched: int,
        price: dict[str, Any] | None,
        target: dict[str, Any] | None = None,
        notices: Sequence[str] | None = None,
        bill: Bill | None = None,
    ) -> Paid | None:
        """Opens a segment: requests of places below `dispatched` may be sent from now on. Raises LeaseLost.

        `price`, `target` and `notices` are stored with the benchmark; None keeps what it has. `bill`: a cap counts, and
        only what it pays may be sent, which is returned.
        """
        changes = {"price": price, "target": target, "notices": None if notices is None else list(notices)}
        values: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
        async with self._database.write() as session:
            paid = None
            if bill is not None:
                paid = await hold_and_pay(session, self._database, lease, self._now, bill)
                dispatched = paid.mark or 0
            done = await self._update(session, lease, dispatched=dispatched, **values)
            # Inserted once, even if the answer to a commit was lost and this is the second try.
            await session.execute(
                self._database.insert(Segment)
                .values(
                    benchmark_id=lease.benchmark_id,
                    fence=lease.fence,
                    worker_id=lease.worker_id,
                    started_at=utc_now(),
                    done_before=done,
                )
                .on_conflict_do_nothing(index_elements=["benchmark_id", "fence"])
            )
        return paid

    async def store_price(self, lease: Lease, price: dict[str, Any] | None) -> None:
        """Replaces the stored price of a running benchmark. Raises LeaseLost."""
        async with self._database.write() as session:
            await self._update(session, lease, price=price)

    async def end_crashed(self, lease: Lease, unanswered: Sequence[StoredId], worst_case: Charge = NOTHING) -> None:
        """Closes the segments that dead workers left open. Raises LeaseLost.

        What they reserved is spent. `worst_case`: what may be spent if no cap counted, so that nothing was reserved.
        """
        async with self._database.write() as session:
            account, today = await self._hold(session, lease)
            await self._update(session, lease, dispatched=0)
            ended = await end_crashed_segments(session, lease.benchmark_id, unanswered)
            if not await close(session, self._database, account, today) and ended:
                await spend(session, self._database, account, today, {today: worst_case} if worst_case else {})

    async def release(self, lease: Lease, end: SegmentEnd) -> None:
        """Gives an unfinished benchmark back: any worker may continue it at once. Raises LeaseLost."""
        async with self._database.write() as session:
            account, today = await self._hold(session, lease)
            await close(session, self._database, account, today, fence=lease.fence, settled=end.charges)
            await self._update(session, lease, lease_owner=None, lease_expires_at=None, dispatched=0)
            await end_segment(session, lease.benchmark_id, lease.fence, "released", end)

    async def finish(
        self,
        lease: Lease,
        status: TerminalStatus,
        *,
        summary: dict[str, Any] | None,
        error: dict[str, Any] | None,
        whole: bool = False,
        end: SegmentEnd = NOTHING_SENT,
        notices: Sequence[str] | None = None,
        stopped_by: str | None = None,
    ) -> TerminalStatus:
        """Ends the run, writes its event, returns the terminal status. Raises LeaseLost.

        The first terminal status stays: the SQL has this condition. If a cancel was requested meanwhile, the status is
        `cancelled`, unless the run is `whole`, which means that every request already has its result.
        `notices`: all that it then has; None keeps them. `stopped_by`: key of the cap that could not pay for the rest.
        """
        if status not in FINISH.after:
            raise ValueError(f"a run does not end as {status}")
        final = status if whole else case((Benchmark.cancel_requested_at.is_not(None), "cancelled"), else_=status)
        async with self._database.write() as session:
            account, today = await self._hold(session, lease)
            await close(session, self._database, account, today, fence=lease.fence, settled=end.charges)
            if summary is not None and (spent := await spent_by(session, lease.benchmark_id)) is not None:
                summary = {**summary, "spend": spent.document()}
            rows = await session.execute(
                update(Benchmark)
                .where(held(lease, FINISH))
                .values(
                    status=final,
                    # A cancel that came first is what ended it.
                    stopped=None if stopped_by is None else case((Benchmark.cancel_requested_at.is_(None), "budget")),
                    notices=Benchmark.notices if notices is None else list(notices),
                    summary=summary,
                    error=error,
                    completed_at=utc_now(),
                    lease_owner=None,
                    lease_expires_at=None,
                )
                .returning(Benchmark),
                execution_options={"synchronize_session": False},
            )
            benchmark = rows.scalar_one_or_none()
            if benchmark is None:
                raise lost(lease)
            ended = cast(TerminalStatus, benchmark.status)
            await end_segment(session, lease.benchmark_id, lease.fence, ended, end)
            await tell_of(session, benchmark, self._public_url)
            if stopped_by is not None and benchmark.stopped is not None:
                cap = await reach(session, stopped_by)
                if cap is not None:
                    await tell_of_budget(session, cap, benchmark, self._public_url)
        return ended

    async def _hold(self, session: AsyncSession, lease: Lease) -> tuple[Account, date]:
        """See `hold`, with the day in place of the time."""
        account, now = await hold(session, lease, self._now)
        return account, now.date()

    async def _update(self, session: AsyncSession, lease: Lease, **values: Any) -> int:
        """Changes the benchmark's row under its fence; returns how many results it has."""
        rows = await session.execute(update(Benchmark).where(held(lease)).values(**values).returning(Benchmark.done))
        row = rows.one_or_none()
        if row is None:
            raise lost(lease)
        return row[0]
