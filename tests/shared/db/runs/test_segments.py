"""Segments: who ran what, and which requests may have been sent without an answer being stored."""

import pytest

from shared.db.runs.segments import SegmentEnd
from shared.errors import LeaseLost
from tests.shared.db.rows import Tables, make_record


async def test_a_run_of_one_worker_has_one_segment(tables: Tables) -> None:
    benchmark_id = await tables.add()
    lease = await tables.claimed("one")
    await tables.leases.begin(lease, dispatched=2, price={"source": "x"})
    await tables.results.record(lease, [make_record(0), make_record(1)], dispatched=2)
    await tables.leases.finish(lease, "completed", summary=None, error=None, end=SegmentEnd(measurement={"grade": "A"}))
    (segment,) = await tables.segments.of(benchmark_id)
    assert (segment.worker_id, segment.ended_by, segment.results) == ("one", "completed", 2)
    assert (segment.unanswered, segment.measurement) == ([], {"grade": "A"})
    assert segment.ended_at is not None
    assert segment.started_at <= segment.ended_at
    assert (await tables.benchmarks.get(benchmark_id)).price == {"source": "x"}


async def test_a_segment_says_what_the_row_ended_as(tables: Tables) -> None:
    """A cancel that came before the end wins in SQL, and the segment says the same."""
    benchmark_id = await tables.add()
    lease = await tables.claimed()
    await tables.leases.begin(lease, dispatched=1, price=None)
    await tables.benchmarks.cancel(benchmark_id)
    assert await tables.leases.finish(lease, "completed", summary=None, error=None) == "cancelled"
    assert [segment.ended_by for segment in await tables.segments.of(benchmark_id)] == ["cancelled"]


async def test_results_and_marks_move_together_and_a_crash_leaves_them(tables: Tables) -> None:
    benchmark_id = await tables.add()
    claimed = await tables.lapsing.claim("dead")
    assert claimed is not None
    await tables.leases.begin(claimed[0], dispatched=1, price=None)
    await tables.results.record(claimed[0], [make_record(0)], dispatched=2)
    assert (await tables.benchmarks.get(benchmark_id)).dispatched == 2
    lease = await tables.claimed("next")
    await tables.leases.end_crashed(lease, [[1, 0]])
    await tables.leases.begin(lease, dispatched=2, price=None)
    await tables.results.record(lease, [make_record(1)], dispatched=2)
    await tables.leases.release(lease, SegmentEnd([[0, -1]]))
    first, second = await tables.segments.of(benchmark_id)
    assert (first.worker_id, first.ended_by, first.results, first.unanswered) == ("dead", "crashed", 1, [[1, 0]])
    assert (second.worker_id, second.ended_by, second.results, second.unanswered) == ("next", "released", 1, [[0, -1]])
    assert (await tables.benchmarks.get(benchmark_id)).dispatched == 0


async def test_a_begin_whose_commit_was_not_heard_of_may_be_done_again(tables: Tables) -> None:
    benchmark_id = await tables.add()
    lease = await tables.claimed()
    for _ in range(2):
        await tables.leases.begin(lease, dispatched=1, price=None)
    assert len(await tables.segments.of(benchmark_id)) == 1


async def test_segments_go_with_their_benchmark(tables: Tables) -> None:
    benchmark_id = await tables.add()
    await tables.leases.begin(await tables.claimed(), dispatched=1, price=None)
    await tables.benchmarks.delete(benchmark_id)
    assert await tables.segments.of(benchmark_id) == []


async def test_the_price_of_a_running_benchmark_can_grow_under_its_lease_alone(tables: Tables) -> None:
    benchmark_id = await tables.add()
    claimed = await tables.lapsing.claim("dead")
    assert claimed is not None
    await tables.leases.begin(claimed[0], dispatched=1, price={"source": "x"})
    await tables.leases.store_price(claimed[0], {"source": "x", "served": [{"model": "y"}]})
    assert (await tables.benchmarks.get(benchmark_id)).price == {"source": "x", "served": [{"model": "y"}]}
    await tables.claimed("next")
    with pytest.raises(LeaseLost):
        await tables.leases.store_price(claimed[0], {"source": "z"})
