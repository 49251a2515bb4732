"""Claims and their ends: one worker at a time, nothing lost, nothing changed after the end."""

import asyncio

import pytest
from sqlalchemy import delete, select

from shared.db.connection.database import Database
from shared.db.runs.lease import Lease
from shared.db.runs.segments import SegmentEnd
from shared.db.tables.benchmarks import Benchmark, Segment
from shared.errors import Conflict, LeaseLost, Unavailable
from tests.shared.db.rows import Tables, make_record, make_spec, recorded


async def everything(tables: Tables) -> list[dict[str, object]]:
    """All columns of all benchmarks."""
    async with tables.database.read() as session:
        rows = (await session.scalars(select(Benchmark).order_by(Benchmark.id.desc()))).all()
    return [{name: getattr(row, name) for name in row.__table__.columns.keys()} for row in rows]  # noqa: SIM118


async def test_a_claim_makes_a_pending_benchmark_running(tables: Tables) -> None:
    benchmark_id = await tables.add()
    claimed = await tables.leases.claim("one")
    assert claimed is not None
    lease, benchmark = claimed
    assert lease == Lease(benchmark_id, 1, "one")
    assert (benchmark.status, benchmark.lease_owner, benchmark.crashes) == ("running", "one", 0)
    assert benchmark.interrupted is False
    assert benchmark.started_at is not None
    assert benchmark.lease_expires_at is not None
    assert 29 < (benchmark.lease_expires_at - benchmark.started_at).total_seconds() < 31


@pytest.mark.parametrize("look_first", [True, False])
async def test_there_is_nothing_to_claim_in_an_empty_database(tables: Tables, look_first: bool) -> None:
    assert await tables.leases.claim("one", look_first=look_first) is None


async def test_the_oldest_benchmark_is_claimed_first(tables: Tables) -> None:
    ids = [await tables.add() for _ in range(3)]
    assert [(await tables.claimed()).benchmark_id for _ in ids] == ids


@pytest.mark.parametrize("look_first", [True, False])
async def test_of_workers_that_claim_at_once_exactly_one_wins(database_url: str, look_first: bool) -> None:
    """Each with connections of its own, as in processes of their own."""
    databases = [Database(database_url) for _ in range(4)]
    benchmark_id = await Tables(databases[0]).add()
    claims = await asyncio.gather(
        *(Tables(item).leases.claim(f"worker-{number}", look_first=look_first) for number, item in enumerate(databases))
    )
    won = [claim for claim in claims if claim is not None]
    assert [lease.benchmark_id for lease, _ in won] == [benchmark_id]
    assert (await Tables(databases[0]).benchmarks.get(benchmark_id)).fence == 1
    for item in databases:
        await item.close()


async def test_workers_that_claim_at_once_share_a_backlog(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(3)]
    ids = {await Tables(databases[0]).add() for _ in range(12)}

    async def claim_all(database: Database) -> list[int]:
        claimed = []
        while (claim := await Tables(database).leases.claim("w")) is not None:
            claimed.append(claim[0].benchmark_id)
        return claimed

    found = [item for claimed in await asyncio.gather(*map(claim_all, databases)) for item in claimed]
    assert len(found) == len(ids)
    assert set(found) == ids
    for item in databases:
        await item.close()


async def test_a_benchmark_under_a_lease_is_not_claimed_again(tables: Tables) -> None:
    await tables.add()
    await tables.claimed("one")
    assert await tables.leases.claim("two", look_first=False) is None


async def test_a_lapsed_lease_is_claimed_again_and_counts_as_a_crash(tables: Tables) -> None:
    await tables.add()
    first = await tables.lapsing.claim("one")
    second = await tables.leases.claim("two")
    assert first is not None
    assert second is not None
    assert second[0].fence == first[0].fence + 1
    benchmark = second[1]
    assert (benchmark.lease_owner, benchmark.crashes) == ("two", 1)
    assert benchmark.started_at == first[1].started_at


async def test_a_released_benchmark_is_claimed_again_and_no_crash(tables: Tables) -> None:
    await tables.add()
    await tables.leases.release(await tables.claimed("one"), SegmentEnd())
    claimed = await tables.leases.claim("two")
    assert claimed is not None
    assert (claimed[1].crashes, claimed[0].fence) == (0, 2)


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("crashed", [True, False])
async def test_only_who_had_begun_to_send_was_interrupted(tables: Tables, begun: bool, crashed: bool) -> None:
    await tables.add()
    first = await tables.lapsing.claim("one")
    assert first is not None
    if begun:
        await tables.leases.begin(first[0], dispatched=1, price=None)
    if not crashed:
        await tables.leases.release(first[0], SegmentEnd())
    claimed = await tables.leases.claim("two")
    assert claimed is not None
    assert claimed[1].interrupted is begun


async def test_a_begin_that_a_claim_cannot_see_yet_counts(tables: Tables, database: Database) -> None:
    """PostgreSQL reads the row at its newest, other tables as of when the statement began."""
    await tables.add()
    first = await tables.lapsing.claim("one")
    assert first is not None
    await tables.leases.begin(first[0], dispatched=1, price=None)
    async with database.write() as session:
        await session.execute(delete(Segment))
    claimed = await tables.leases.claim("two")
    assert claimed is not None
    assert claimed[1].interrupted is True


async def test_a_heartbeat_keeps_a_lease(tables: Tables) -> None:
    """It would have lapsed; the heartbeat of a worker with a longer one prolongs it."""
    await tables.add()
    claimed = await tables.lapsing.claim("one")
    assert claimed is not None
    assert await tables.leases.heartbeat(claimed[0]) is False
    assert await tables.leases.claim("two") is None


async def test_a_heartbeat_tells_of_a_cancel(tables: Tables) -> None:
    benchmark_id = await tables.add()
    lease = await tables.claimed()
    await tables.benchmarks.cancel(benchmark_id)
    assert await tables.leases.heartbeat(lease) is True


@pytest.mark.parametrize("way", ["taken over", "deleted", "released", "finished"])
async def test_who_lost_the_lease_is_told_so_and_writes_nothing(tables: Tables, way: str) -> None:
    benchmark_id = await tables.add()
    claimed = await tables.lapsing.claim("one")
    assert claimed is not None
    lost = claimed[0]
    if way == "taken over":
        await tables.claimed("two")
    elif way == "deleted":
        await tables.benchmarks.delete(benchmark_id)
    elif way == "released":
        await tables.leases.release(lost, SegmentEnd())
    else:
        await tables.leases.finish(lost, "failed", summary=None, error={"kind": "x", "message": "y"})
    before = await everything(tables)
    for write in (
        tables.leases.heartbeat(lost),
        tables.results.record(lost, [make_record()]),
        tables.leases.finish(lost, "completed", summary={"a": 1}, error=None),
        tables.leases.begin(lost, dispatched=1, price={"source": "x"}),
        tables.leases.end_crashed(lost, [(0, 0)]),
        tables.leases.release(lost, SegmentEnd()),
    ):
        with pytest.raises(LeaseLost, match=f"benchmark {benchmark_id} is no longer this worker's"):
            await write
        assert await everything(tables) == before
    assert await recorded(tables.results, benchmark_id) == set()
    assert await tables.segments.of(benchmark_id) == []


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
async def test_a_finish_is_the_end_once(tables: Tables, status: str) -> None:
    benchmark_id = await tables.add()
    lease = await tables.claimed()
    summary, error = {"requests": {}}, {"kind": "x", "message": "y"}
    assert await tables.leases.finish(lease, status, summary=summary, error=error) == status
    benchmark = await tables.benchmarks.get(benchmark_id)
    assert (benchmark.status, benchmark.summary, benchmark.error) == (status, summary, error)
    assert (benchmark.lease_owner, benchmark.lease_expires_at) == (None, None)
    assert benchmark.completed_at is not None
    with pytest.raises(LeaseLost):
        await tables.leases.finish(lease, "completed", summary=None, error=None)
    assert await tables.leases.claim("two", look_first=False) is None


async def test_a_cancel_counts_unless_every_request_was_done(tables: Tables) -> None:
    """The worker that saw no cancel says `completed`; the row decides."""
    for done, expected in ((0, "cancelled"), (1, "cancelled"), (2, "completed")):
        benchmark_id = await tables.add()
        lease = await tables.claimed()
        await tables.results.record(lease, [make_record(index) for index in range(done)])
        await tables.benchmarks.cancel(benchmark_id)
        finished = await tables.leases.finish(lease, "completed", summary=None, error=None, whole=done == 2)
        assert finished == expected


async def test_of_a_cancel_and_an_end_at_once_one_wins_and_stays(tables: Tables) -> None:
    """Whichever was first; and who was second is told so."""
    for _ in range(10):
        benchmark_id = await tables.add(prompts=["one"])
        lease = await tables.claimed()
        cancelled, status = await asyncio.gather(
            tables.benchmarks.cancel(benchmark_id),
            tables.leases.finish(lease, "completed", summary=None, error=None),
            return_exceptions=True,
        )
        assert status == ("completed" if isinstance(cancelled, Conflict) else "cancelled")
        assert (await tables.benchmarks.get(benchmark_id)).status == status


async def test_every_claim_has_the_trace_of_the_submission(tables: Tables) -> None:
    """That of who takes over too."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await tables.benchmarks.create(make_spec(), "simulator", traceparent=trace)
    for worker_id in ("one", "two"):
        claimed = await tables.leases.claim(worker_id)
        assert claimed is not None
        lease, benchmark = claimed
        assert benchmark.traceparent == trace
        await tables.leases.release(lease, SegmentEnd())


async def test_the_lock_of_a_worker_that_hangs_in_a_transaction_is_freed(tables: Tables, database_url: str) -> None:
    """As of one that is stopped. Claims pass over a benchmark whose row is locked."""
    if tables.database.is_sqlite:
        pytest.skip("on SQLite all workers are on one host, and nothing ends a transaction of another process")
    benchmark_id, hanging = await tables.add(), Database(database_url, longest_idle_s=0.1)

    async def hang() -> None:
        async with hanging.write() as session:
            held = select(Benchmark.id).where(Benchmark.id == benchmark_id).with_for_update()
            assert await session.scalar(held) == benchmark_id
            async with tables.database.write() as other:
                # It waits until the server has ended the other session.
                assert await other.scalar(held) == benchmark_id

    with pytest.raises(Unavailable):
        await hang()
    assert (await tables.claimed()).benchmark_id == benchmark_id
    await hanging.close()
