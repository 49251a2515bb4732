"""Each operation changes the status as the table in `shared.benchmark.status` allows, and SQL refuses all else."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import update

from shared.benchmark.status import CANCEL, CLAIM, FINISH, KEEP, OPEN, STATUSES, TERMINAL, Change, Status
from shared.db.runs.lease import Lease
from shared.db.runs.segments import SegmentEnd
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.errors import Conflict, LeaseLost
from tests.shared.db.rows import Tables

LEASE_OF = {"fence": 1, "lease_owner": "one"}


async def benchmark_in(tables: Tables, status: Status) -> Lease:
    """A benchmark in this status and nothing else against any operation: who asks holds its lease, which has lapsed."""
    number = await tables.add()
    values: dict[str, Any] = {"status": status, **LEASE_OF, "lease_expires_at": utc_now(-1)}
    if status in TERMINAL:
        values["completed_at"] = utc_now()
    async with tables.database.write() as session:
        await session.execute(update(Benchmark).where(Benchmark.id == number).values(**values))
    return Lease(number, fence=1, worker_id="one")


async def columns(tables: Tables, number: int) -> dict[str, Any]:
    row = await tables.benchmarks.get(number)
    return {column.key: getattr(row, column.key) for column in Benchmark.__table__.columns}


async def claim(tables: Tables, lease: Lease) -> bool:
    return await tables.leases.claim("two", look_first=False) is not None


async def release(tables: Tables, lease: Lease) -> bool:
    try:
        await tables.leases.release(lease, SegmentEnd())
    except LeaseLost:
        return False
    return True


async def cancel(tables: Tables, lease: Lease) -> bool:
    """Asks for it; whether that ended the benchmark."""
    try:
        await tables.benchmarks.cancel(lease.benchmark_id)
    except Conflict:
        return False
    return await tables.benchmarks.status(lease.benchmark_id) == "cancelled"


@pytest.mark.parametrize(
    ("operation", "change"),
    [(claim, CLAIM), (release, KEEP), (cancel, CANCEL)],
    ids=["claim", "release", "cancel"],
)
async def test_an_operation_changes_only_the_statuses_of_its_change(
    tables: Tables, operation: Any, change: Change
) -> None:
    for before in STATUSES:
        lease = await benchmark_in(tables, before)
        row = await columns(tables, lease.benchmark_id)
        done = await operation(tables, lease)
        if before in change.before:
            assert done, before
            assert await tables.benchmarks.status(lease.benchmark_id) in change.after, before
        else:
            after = await columns(tables, lease.benchmark_id)
            if operation is cancel and before == "running":
                # Its worker is asked to end it.
                assert after.pop("cancel_requested_at") is not None
                assert row.pop("cancel_requested_at") is None
            assert after == row, before
            # Cancelling twice is no error, and changes nothing.
            assert done is (operation is cancel and before == "cancelled"), before
        await tables.benchmarks.delete(lease.benchmark_id)


async def test_a_run_ends_only_while_it_runs_and_only_as_terminal(tables: Tables) -> None:
    for before, wanted in product(STATUSES, STATUSES):
        lease = await benchmark_in(tables, before)
        row = await columns(tables, lease.benchmark_id)
        finish = tables.leases.finish(lease, wanted, summary={"a": 1}, error=None)  # type: ignore[arg-type]
        if before in FINISH.before and wanted in FINISH.after:
            assert await finish == wanted, before
        else:
            with pytest.raises(LeaseLost if wanted in FINISH.after else ValueError):
                await finish
            assert await columns(tables, lease.benchmark_id) == row, (before, wanted)


def test_nothing_leaves_a_terminal_status_and_everything_comes_to_one() -> None:
    legal = {
        (before, after)
        for change in (CLAIM, KEEP, FINISH, CANCEL)
        for before in change.before
        for after in change.after
    }
    assert {before for before, _ in legal} == set(OPEN)
    assert {after for _, after in legal} == {"running", *TERMINAL}
    assert ("pending", "completed") not in legal
