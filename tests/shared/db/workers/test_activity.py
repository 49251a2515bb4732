"""What workers do now, and how exactly they measured last."""

from typing import Any

import pytest
from sqlalchemy import update

from shared.access.caller import LOCAL
from shared.db.connection.database import Database
from shared.db.runs.segments import SegmentEnd
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import utc_now
from shared.db.workers.activity import WorkerActivity
from tests.shared.db.rows import Tables, make_record


@pytest.fixture
def activity(database: Database) -> WorkerActivity:
    return WorkerActivity(LOCAL, database)


async def ended(tables: Tables, worker_id: str, measurement: dict[str, Any] | None) -> int:
    """A benchmark that this worker has completed."""
    benchmark_id = await tables.add()
    lease = await tables.claimed(worker_id)
    await tables.leases.begin(lease, dispatched=2, price=None)
    await tables.results.record(lease, [make_record(0), make_record(1)])
    await tables.leases.finish(lease, "completed", summary={}, error=None, end=SegmentEnd(measurement=measurement))
    return benchmark_id


async def test_nothing_is_open(activity: WorkerActivity) -> None:
    assert await activity.open_benchmarks(limit=5) == ([], 0)
    assert await activity.last_measurements([]) == {}


async def test_open_benchmarks_say_who_has_them(tables: Tables, activity: WorkerActivity) -> None:
    ids = [await tables.add(name=f"test {number}") for number in range(3)]
    await tables.claimed("one")
    found, total = await activity.open_benchmarks(limit=2)
    assert (total, [item.id for item in found]) == (3, ids[:2])
    assert [(item.status, item.worker_id, item.has_lapsed) for item in found] == [
        ("running", "one", False),
        ("pending", None, False),
    ]
    assert [(item.name, item.planned, item.blocked) for item in found] == [("test 0", 2, None), ("test 1", 2, None)]


async def test_a_worker_that_lost_its_lease(tables: Tables, activity: WorkerActivity) -> None:
    await tables.add()
    assert await tables.lapsing.claim("gone") is not None
    ((item,), _) = await activity.open_benchmarks(limit=5)
    assert (item.worker_id, item.has_lapsed) == ("gone", True)


async def test_what_no_worker_can_run_says_why(tables: Tables, activity: WorkerActivity) -> None:
    await tables.add()
    why = {"kind": "missing_key", "message": "no worker has GROQ_API_KEY"}
    async with tables.database.write() as session:
        await session.execute(update(Benchmark).values(unclaimable=why, unclaimable_since=utc_now()))
    ((item,), _) = await activity.open_benchmarks(limit=5)
    assert item.blocked == "no worker has GROQ_API_KEY"
    assert item.blocked_since is not None


async def test_the_last_measurement_of_each_worker(tables: Tables, activity: WorkerActivity) -> None:
    await ended(tables, "one", {"grade": "A"})
    last = await ended(tables, "one", {"grade": "B"})
    await ended(tables, "one", None)
    await ended(tables, "two", {"grade": "C"})
    found = await activity.last_measurements(["one", "three"])
    assert found.keys() == {"one"}
    assert (found["one"].benchmark_id, found["one"].document) == (last, {"grade": "B"})
