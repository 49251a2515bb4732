"""The life of a running benchmark: claim, heartbeat, release, finish. All use database time and a fence.

A worker runs only benchmarks that it claimed here, and each of its writes carries the fence of its claim. After another
worker has claimed the benchmark, such a write changes nothing and raises LeaseLost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import ColumnElement, Float, and_, bindparam, case, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from shared.benchmark.status import FINISH, KEEP, Change, TerminalStatus
from shared.db.again import tries_again
from shared.db.caps import Now, reach
from shared.db.database import Database
from shared.db.events import tell_of, tell_of_budget
from shared.db.hand_over import HandOver
from shared.db.reservations import Bill, Paid, close, hold_and_pay
from shared.db.segments import SegmentEnd, StoredId, end_crashed_segments, end_segment
from shared.db.spend import NOTHING, Account, Charge, add_spend, hold_account, spent_by
from shared.db.tables import Benchmark, Segment, is_open
from shared.db.types import utc_now
from shared.errors import LeaseLost
from shared.providers.identity import Holdings

# For a benchmark that ended before anything was sent.
NOTHING_SENT = SegmentEnd()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one benchmark."""

    benchmark_id: int
    fence: int
    worker_id: str


def held(lease: Lease, change: Change = KEEP) -> ColumnElement[bool]:
    """The condition of every write under a lease. It no longer holds once the worker has given the benchmark back."""
    return and_(
        Benchmark.id == lease.benchmark_id,
        Benchmark.fence == lease.fence,
        Benchmark.lease_owner == lease.worker_id,
        Benchmark.status.in_(change.before),
    )


@tries_again
class LeaseRepository:
    """Claims benchmarks, and ends, extends and guards the leases."""

    def __init__(
        self, database: Database, *, lease_s: float, public_url: str | None = None, now: Now = utc_now
    ) -> None:
        """`public_url`: the API's URL, for the links in events. `now`: the database's clock, for days of money."""
        self._database = database
        self._now = now
        self._lease_s = lease_s
        self._public_url = public_url
        self._hand_over = HandOver(self._give_back)
        # Built once: building them takes a fifth of the time of a claim.
        self._any = _Claim(free(), lease_s)
        self._held = _Claim(and_(free(), _of_a_held_endpoint()), lease_s)
        self._overdue = _Claim(and_(free(), _is_overdue()), lease_s, to_run=False)

    async def claim(
        self, worker_id: str, *, look_first: bool = True, holdings: Holdings | None = None
    ) -> tuple[Lease, Benchmark] | None:
        """Gives this worker a lease of the oldest free benchmark; None if there is none.

        Free: pending, or running with a lapsed or missing lease. A lapsed lease counts as a crash of its worker, a
        released one does not. A benchmark that had begun to send is marked as interrupted.
        `look_first`: read first whether there is one. Most sweeps find none and then need not take SQLite's write
        lock. A worker that heard the bell skips this.
        `holdings`: only benchmarks of these endpoints, and cancelled ones, of which nothing is sent. None: any.
        """
        claim = self._any if holdings is None else self._held
        values = {} if holdings is None else held_values(holdings)
        return await self._hand_over.of(
            lambda taken: self._claim(claim, worker_id, values, taken, look_first=look_first)
        )

    async def claim_overdue(self, worker_id: str, *, after_s: float) -> tuple[Lease, Benchmark] | None:
        """Gives this worker a lease of a benchmark that nobody could run for so long, in order to fail it.

        Its `unclaimable` says why. The claim is no start: it has no event.
        """
        values = {"after_s": -after_s}
        return await self._hand_over.of(
            lambda taken: self._claim(self._overdue, worker_id, values, taken, look_first=True)
        )

    async def give_back_lost(self) -> None:
        """Gives back benchmarks that a cancelled or broken `claim` may have taken. Raises Unavailable."""
        await self._hand_over.give_back()

    async def _claim(
        self, claim: "_Claim", worker_id: str, values: dict[str, Any], taken: list[Lease], *, look_first: bool
    ) -> tuple[Lease, Benchmark] | None:
        """`taken` gets the lease before the commit."""
        if look_first:
            async with self._database.read() as session:
                if await session.scalar(claim.look, values) is None:
                    return None
        async with self._database.write() as session:
            claimed = await session.execute(
                claim.take, {"claimer": worker_id, **values}, execution_options={"synchronize_session": False}
            )
            benchmark = claimed.scalar_one_or_none()
            if benchmark is None:
                return None
            taken.append(Lease(benchmark.id, benchmark.fence, worker_id))
            if benchmark.fence == 1 and claim.to_run:
                await tell_of(session, benchmark, self._public_url)
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
            raise _lost(lease)
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
                paid = await hold_and_pay(session, self._database, held(lease), lease.fence, self._now, bill)
                dispatched = 0 if paid is None or paid.mark is None else paid.mark
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
            if not await close(session, self._database, account, today) and ended and worst_case:
                await add_spend(session, self._database, account, {today: worst_case})

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
                raise _lost(lease)
            ended = cast(TerminalStatus, benchmark.status)
            await end_segment(session, lease.benchmark_id, lease.fence, ended, end)
            await tell_of(session, benchmark, self._public_url)
            if stopped_by is not None and benchmark.stopped is not None:
                cap = await reach(session, stopped_by)
                if cap is not None:
                    await tell_of_budget(session, cap, benchmark, self._public_url)
        return ended

    async def _hold(self, session: AsyncSession, lease: Lease) -> tuple[Account, date]:
        """Locks the benchmark's row. Its account, and today by the database's clock."""
        found = await hold_account(session, held(lease), self._now)
        if found is None:
            raise _lost(lease)
        return found[0], found[1].date()

    async def _update(self, session: AsyncSession, lease: Lease, **values: Any) -> int:
        """Changes the benchmark's row under its fence; returns how many results it has."""
        rows = await session.execute(update(Benchmark).where(held(lease)).values(**values).returning(Benchmark.done))
        row = rows.one_or_none()
        if row is None:
            raise _lost(lease)
        return row[0]


class _Claim:
    """The statements of one kind of claim: `look` finds out whether there is something to take, `take` takes it."""

    def __init__(self, condition: ColumnElement[bool], lease_s: float, *, to_run: bool = True) -> None:
        """`to_run`: the benchmark is to run, so a worker can run it, and it starts now."""
        self.to_run = to_run
        self.look = select(Benchmark.id).where(condition).limit(1)
        self.take = _take(condition, lease_s, to_run)


def of_holdings() -> ColumnElement[bool]:
    """The condition that its endpoint is among those of `held_values`."""
    known = Benchmark.endpoint_key.in_(bindparam("keys", expanding=True))
    # Older versions submitted it: only the name of its endpoint is known.
    named = and_(Benchmark.endpoint_key.is_(None), Benchmark.provider.in_(bindparam("names", expanding=True)))
    return or_(known, named)


def held_values(holdings: Holdings) -> dict[str, Any]:
    """The parameters of `of_holdings`."""
    return {"keys": list(holdings.keys), "names": list(holdings.names)}


def _of_a_held_endpoint() -> ColumnElement[bool]:
    return or_(of_holdings(), Benchmark.cancel_requested_at.is_not(None))


def _is_overdue() -> ColumnElement[bool]:
    return Benchmark.unclaimable_since < utc_now(bindparam("after_s", type_=Float(53)))


def free() -> ColumnElement[bool]:
    """It has not ended, and no worker holds a valid lease of it. A pending one has no lease."""
    unleased = or_(Benchmark.lease_expires_at.is_(None), Benchmark.lease_expires_at < utc_now())
    return and_(is_open(), unleased)


def _take(condition: ColumnElement[bool], lease_s: float, to_run: bool) -> ReturningUpdate[Benchmark]:
    """Gives the oldest benchmark that meets the condition to the worker that the parameter `claimer` names."""
    begun = exists().where(Segment.benchmark_id == Benchmark.id)
    oldest = select(Benchmark.id).where(condition).order_by(Benchmark.id).limit(1).with_for_update(skip_locked=True)
    started_at = case((Benchmark.started_at.is_(None), utc_now()), else_=Benchmark.started_at)
    starts = {"started_at": started_at, "unclaimable_since": None, "unclaimable": None}
    return (
        update(Benchmark)
        .where(Benchmark.id == oldest.scalar_subquery(), condition)
        .values(
            status="running",
            lease_owner=bindparam("claimer"),
            lease_expires_at=utc_now(lease_s),
            fence=Benchmark.fence + 1,
            # A worker that left before it sent anything interrupted nothing. The row shows a late `begin` that
            # committed while this statement waited for it; a segment shows a run whose release has reset the row.
            interrupted=or_(Benchmark.interrupted, Benchmark.done > 0, Benchmark.dispatched > 0, begun),
            crashes=Benchmark.crashes
            + case((and_(Benchmark.status == "running", Benchmark.lease_owner.is_not(None)), 1), else_=0),
            **(starts if to_run else {}),
        )
        .returning(Benchmark)
    )


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"benchmark {lease.benchmark_id} is no longer this worker's (fence {lease.fence})")
