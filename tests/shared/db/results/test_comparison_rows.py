"""The columns of a run for comparisons, on both databases."""

from decimal import Decimal

import numpy as np
import pytest

from shared.access.caller import LOCAL
from shared.db.connection.database import Database
from shared.db.results.comparison_rows import ComparisonRows
from tests.shared.db.rows import Tables, make_record
from tests.support.guards import calmest


@pytest.fixture
def tables(database: Database) -> Tables:
    return Tables(database)


async def test_measured_requests_that_ended_by_themselves_are_read_in_order(tables: Tables) -> None:
    """Without warm-up, and without those that a cancel or the load ended. Unknown is NaN."""
    number = await tables.add()
    other = await tables.add()
    lease = await tables.claimed()
    records = [
        make_record(0, -1, warmup=True, ttft_ms=1.0),
        make_record(0, 0, ttft_ms=90.0, cost_usd=Decimal("0.0021")),
        make_record(1, 0, outcome="errored", ttft_ms=None, latency_ms=None),
        make_record(2, 0, outcome="cancelled"),
        make_record(3, 0, outcome="dropped"),
        make_record(1, 1, ttft_ms=120.5, tpot_ms=None, tokens_per_second=None),
    ]
    for record in records:
        await tables.results.record(lease, [record])
    await tables.results.record(await tables.claimed(), [make_record(5, 0)])
    rows = await ComparisonRows(LOCAL, tables.database).of(number, 6)
    assert rows.prompts.tolist() == [0, 1, 1]
    assert rows.succeeded.tolist() == [True, False, True]
    assert (rows.count, rows.failures, rows.share) == (3, 1, 1.0)
    np.testing.assert_array_equal(rows.metrics["ttft_ms"], [90.0, np.nan, 120.5])
    np.testing.assert_array_equal(rows.metrics["tpot_ms"], [25.0, 25.0, np.nan])
    np.testing.assert_array_equal(rows.cost_usd, [0.0021, np.nan, np.nan])
    assert rows.known("tpot_ms").tolist() == [0]
    assert (await ComparisonRows(LOCAL, tables.database).of(other, 1)).prompts.tolist() == [5]
    assert (await ComparisonRows(LOCAL, tables.database).of(404, 0)).count == 0


async def test_a_very_long_run_is_read_in_part_and_evenly(tables: Tables) -> None:
    """Each prompt of a list that is sent in turn has its share."""
    number = await tables.add()
    records = [make_record(place % 5, place // 5) for place in range(5_000)]
    await tables.results.record(await tables.claimed(), records)
    rows = await ComparisonRows(LOCAL, tables.database, most_results=1_000).of(number, 5_000)
    assert rows.share == 0.2
    assert rows.count == pytest.approx(1_000, rel=0.02)
    assert np.bincount(rows.prompts) == pytest.approx([200] * 5, rel=0.05)
    whole = await ComparisonRows(LOCAL, tables.database, most_results=5_000).of(number, 5_000)
    assert (whole.count, whole.share) == (5_000, 1.0)


@pytest.mark.heavy
async def test_the_event_loop_stays_free(tables: Tables) -> None:
    """A page of rows at a time."""
    number = await tables.add()
    lease = await tables.claimed()
    for start in range(0, 30_000, 5_000):
        await tables.results.record(lease, [make_record(place, 0) for place in range(start, start + 5_000)])
    rows = ComparisonRows(LOCAL, tables.database)
    await rows.of(number, 30_000)

    async def read() -> None:
        assert (await rows.of(number, 30_000)).count == 30_000

    watch = await calmest(read)
    assert watch.busy_s < 0.05, watch.callback
