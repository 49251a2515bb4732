"""Claim, heartbeat, lapse, results, cancel, release, finish and delete in any order: what always holds.

A model of one benchmark and its would-be workers is compared with the database after every step.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import update

from shared.benchmark.status import TERMINAL
from shared.db.connection.database import Database
from shared.db.runs.lease import Lease
from shared.db.runs.segments import SegmentEnd
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.errors import Conflict, LeaseLost
from tests.shared.db.rows import Tables, make_record, recorded

PROMPTS = 3
WORKERS = st.sampled_from(["one", "two", "three"])
SLOTS = st.lists(st.integers(0, PROMPTS - 1), min_size=1, max_size=PROMPTS, unique=True)


def machine_on(database: Database, do: Callable[[Awaitable[Any]], Any]) -> type[RuleBasedStateMachine]:
    """The machine on this database; each example begins with a benchmark of its own. `do` awaits."""

    class LeaseMachine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.tables = Tables(database, lease_s=3600)
            self.id = do(self.tables.add(prompts=["x"] * PROMPTS))
            self.status = "pending"
            self.owner: str | None = None
            self.lapsed = False
            self.fence = 0
            self.crashes = 0
            self.results: set[int] = set()
            # A worker has begun to send.
            self.begun = False
            self.cancel_requested = False
            self.ended: dict[str, Any] | None = None
            # Every lease that was ever given out, the lost ones too.
            self.leases: list[Lease] = []

        def teardown(self) -> None:
            do(self.tables.benchmarks.delete(self.id))

        def holds(self, lease: Lease) -> bool:
            return self.status == "running" and lease.fence == self.fence and self.owner is not None

        @property
        def free(self) -> bool:
            return self.status == "pending" or (self.status == "running" and (self.lapsed or self.owner is None))

        @rule(worker=WORKERS, look_first=st.booleans())
        def claim(self, worker: str, look_first: bool) -> None:
            claimed = do(self.tables.leases.claim(worker, look_first=look_first))
            assert (claimed is not None) == self.free
            if claimed is None:
                return
            lease, benchmark = claimed
            if self.status == "running" and self.owner is not None:
                self.crashes += 1
            assert benchmark.interrupted == (self.begun or bool(self.results))
            self.status, self.owner, self.lapsed, self.fence = "running", worker, False, self.fence + 1
            assert lease == Lease(self.id, self.fence, worker)
            self.leases.append(lease)

        @precondition(lambda self: self.status == "running" and self.owner is not None)
        @rule()
        def lapse(self) -> None:
            async def expire() -> None:
                async with database.write() as session:
                    lapsed = update(Benchmark).where(Benchmark.id == self.id).values(lease_expires_at=utc_now(-1))
                    await session.execute(lapsed)

            do(expire())
            self.lapsed = True

        @precondition(lambda self: self.leases)
        @rule(data=st.data())
        def heartbeat(self, data: st.DataObject) -> None:
            lease = data.draw(st.sampled_from(self.leases))
            try:
                cancel = do(self.tables.leases.heartbeat(lease))
            except LeaseLost:
                assert not self.holds(lease)
                return
            assert self.holds(lease)
            assert cancel == self.cancel_requested
            # A lease that lapsed and that nobody took is prolonged.
            self.lapsed = False

        @precondition(lambda self: self.leases)
        @rule(data=st.data())
        def begin(self, data: st.DataObject) -> None:
            lease = data.draw(st.sampled_from(self.leases))
            try:
                do(self.tables.leases.begin(lease, dispatched=PROMPTS, price=None))
            except LeaseLost:
                assert not self.holds(lease)
                return
            assert self.holds(lease)
            self.begun = True

        @precondition(lambda self: self.leases)
        @rule(data=st.data(), slots=SLOTS)
        def record(self, data: st.DataObject, slots: list[int]) -> None:
            lease = data.draw(st.sampled_from(self.leases))
            records = [make_record(slot) for slot in slots]
            try:
                do(self.tables.results.record(lease, records, dispatched=PROMPTS))
            except LeaseLost:
                assert not self.holds(lease)
                return
            assert self.holds(lease)
            self.results |= set(slots)

        @rule()
        def cancel(self) -> None:
            try:
                do(self.tables.benchmarks.cancel(self.id))
            except Conflict:
                assert self.status in ("completed", "failed")
                return
            self.cancel_requested = True
            if self.status == "pending":
                self.status = "cancelled"

        @precondition(lambda self: self.leases)
        @rule(data=st.data())
        def release(self, data: st.DataObject) -> None:
            lease = data.draw(st.sampled_from(self.leases))
            try:
                do(self.tables.leases.release(lease, SegmentEnd()))
            except LeaseLost:
                assert not self.holds(lease)
                return
            assert self.holds(lease)
            self.owner, self.lapsed = None, False

        @precondition(lambda self: self.leases)
        @rule(data=st.data(), wanted=st.sampled_from(TERMINAL))
        def finish(self, data: st.DataObject, wanted: str) -> None:
            lease = data.draw(st.sampled_from(self.leases))
            try:
                status = do(
                    self.tables.leases.finish(
                        lease, wanted, summary={"by": lease.fence}, error=None, whole=len(self.results) == PROMPTS
                    )
                )
            except LeaseLost:
                assert not self.holds(lease)
                return
            assert self.holds(lease)
            cancelled = self.cancel_requested and len(self.results) < PROMPTS
            assert status == ("cancelled" if cancelled else wanted)
            self.status, self.owner = status, None

        @invariant()
        def the_row_is_what_the_model_says(self) -> None:
            row = do(self.tables.benchmarks.get(self.id))
            assert (row.status, row.fence, row.crashes) == (self.status, self.fence, self.crashes)
            assert row.lease_owner == self.owner
            assert row.done == len(self.results) <= row.planned
            stored = do(recorded(self.tables.results, self.id))
            assert stored == {(slot, 0) for slot in self.results}
            assert (row.completed_at is not None) == (row.status in TERMINAL)
            if row.status in TERMINAL:
                whole = {column.key: getattr(row, column.key) for column in Benchmark.__table__.columns}
                # A terminal row never changes, but for the note that somebody asked for a cancel before.
                assert self.ended is None or whole == self.ended
                self.ended = whole

    return LeaseMachine


def test_any_order_of_steps(database_url: str) -> None:
    # A loop of its own: the machine's steps are no coroutines.
    with asyncio.Runner() as runner:

        async def do(work: Awaitable[Any]) -> Any:
            return await work

        database = Database(database_url)
        try:
            run_state_machine_as_test(
                machine_on(database, lambda work: runner.run(do(work))),
                settings=settings(
                    max_examples=40,
                    stateful_step_count=25,
                    deadline=None,
                    derandomize=True,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
                ),
            )
        finally:
            runner.run(database.close())
