"""Results: the first of a request counts, counters say what is stored, pages show each row once."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from shared.benchmark.results.record import RequestError, ResultRecord, Usage
from shared.db.connection.database import Database
from shared.db.results.pages import SORTABLE, ListedResult
from shared.db.runs.results import ROWS_A_STATEMENT
from shared.db.tables.benchmarks import Prompt
from shared.numbers.metrics import REPORTED
from tests.shared.db.rows import AT, Tables, make_record, recorded
from tests.support.guards import LoopWatch


async def test_a_result_is_read_back_as_it_was_recorded(tables: Tables) -> None:
    benchmark_id = await tables.add()
    record = make_record(
        1,
        usage=Usage(3, 550, 20, 7, 12_304),
        error=RequestError("rate_limited", "slow down", "before_first_token", 429, "rate_limit", 12.5),
        outcome="errored",
        flags=["buffered"],
        reasoning="Hm.",
        cost_usd=Decimal("0.012345678901"),
        tpot_ms=1 / 3,
    )
    await tables.results.record(await tables.claimed(), [record])
    (row,) = await tables.in_order(benchmark_id, with_timeline=True)
    for name in ("prompt_index", "sent_at", "flags", "reasoning", "cost_usd", "timeline", "response"):
        assert getattr(row, name) == getattr(record, name)
    for name, value in record.metrics.items():
        assert getattr(row, name) == value
    for name in REPORTED:
        assert getattr(row, name) == getattr(record.usage, name)
    assert row.error == record.error.document()  # type: ignore[union-attr]
    assert row.token_source == "usage"
    assert row.sent_at == AT


async def test_unknown_usage_is_null_and_has_no_source(tables: Tables) -> None:
    benchmark_id = await tables.add()
    await tables.results.record(await tables.claimed(), [make_record(usage=Usage())])
    (row,) = await tables.in_order(benchmark_id)
    assert (row.input_tokens, row.output_tokens, row.token_source, row.cost_usd) == (None, None, None, None)


async def test_the_first_result_of_a_request_wins_and_is_counted_once(tables: Tables) -> None:
    benchmark_id = await tables.add()
    lease = await tables.claimed()
    first = make_record(0, response="first", cost_usd=Decimal("0.1"))
    await tables.results.record(lease, [first])
    await tables.results.record(lease, [replace(first, response="second"), make_record(1, cost_usd=Decimal("0.2"))])
    rows = await tables.in_order(benchmark_id, with_warmup=True)
    assert [(row.prompt_index, row.response) for row in rows] == [(0, "first"), (1, "Hello")]
    benchmark = await tables.benchmarks.get(benchmark_id)
    assert (benchmark.done, benchmark.errors, benchmark.cost_usd) == (2, 0, Decimal("0.3"))
    assert await recorded(tables.results, benchmark_id) == {(0, 0), (1, 0)}


async def test_counters_follow_what_is_recorded(tables: Tables) -> None:
    benchmark_id = await tables.add()
    lease = await tables.claimed()
    assert (await tables.benchmarks.get(benchmark_id)).cost_usd is None
    await tables.results.record(lease, [make_record(0, 0, ttft_ms=None, outcome="errored")])
    benchmark = await tables.benchmarks.get(benchmark_id)
    assert (benchmark.done, benchmark.errors, benchmark.last_ttft_ms, benchmark.cost_usd) == (1, 1, None, None)
    await tables.results.record(
        lease,
        [
            make_record(0, 1, ttft_ms=120.0, cost_usd=Decimal("0.000000000001")),
            make_record(0, 2, ttft_ms=130.0, outcome="truncated"),
            make_record(0, 3, ttft_ms=None, outcome="timed_out"),
        ],
    )
    benchmark = await tables.benchmarks.get(benchmark_id)
    assert (benchmark.done, benchmark.errors, benchmark.last_ttft_ms) == (4, 3, 130.0)
    assert benchmark.cost_usd == Decimal("0.000000000001")
    # What the load cut off or dropped is done, and no error.
    by_the_load = [make_record(0, 4, outcome="incomplete"), make_record(0, 5, outcome="dropped")]
    await tables.results.record(lease, by_the_load)
    benchmark = await tables.benchmarks.get(benchmark_id)
    assert (benchmark.done, benchmark.errors) == (6, 3)


async def test_recording_nothing_changes_nothing(tables: Tables) -> None:
    benchmark_id = await tables.add()
    await tables.results.record(await tables.claimed(), [])
    assert (await tables.benchmarks.get(benchmark_id)).done == 0


async def test_results_stand_in_the_order_of_the_prompts(tables: Tables) -> None:
    """However they ended; round after round; warm-up first where it is wanted."""
    benchmark_id = await tables.add()
    slots = [(1, 1), (0, 0), (1, 0), (0, -1), (0, 1)]
    await tables.results.record(await tables.claimed(), [make_record(*slot, warmup=slot[1] < 0) for slot in slots])
    rows = await tables.in_order(benchmark_id, with_warmup=True)
    assert [(row.prompt_index, row.repetition) for row in rows] == [(0, -1), (0, 0), (1, 0), (0, 1), (1, 1)]
    rows = await tables.in_order(benchmark_id, limit=2)
    assert [(row.prompt_index, row.repetition) for row in rows] == [(0, 0), (1, 0)]


async def test_deleting_a_benchmark_takes_its_results_and_prompts_away(tables: Tables) -> None:
    kept, benchmark_id = await tables.add(), await tables.add()
    for lease in [await tables.claimed(), await tables.claimed()]:
        await tables.results.record(lease, [make_record()])
    assert await tables.benchmarks.delete(benchmark_id) is True
    assert await recorded(tables.results, benchmark_id) == set()
    assert await tables.prompt_count(benchmark_id) == 0
    assert await recorded(tables.results, kept) == {(0, 0)}
    assert await tables.prompt_count(kept) == 2


# Ties, nulls and neighbouring floats in every column.
VALUES = (5, None, 1, 5, 3, None, 1, 2**40, 0, 5, None)


async def page_through(tables: Tables, benchmark_id: int, sort: str, descending: bool, size: int) -> list[ListedResult]:
    rows: list[ListedResult] = []
    after: tuple[Any, int] | None = None
    while True:
        page = await tables.result_pages.page(
            benchmark_id,
            outcome=None,
            warmup=False,
            sort=sort,
            descending=descending,
            after=after,
            limit=size,
            with_timeline=False,
        )
        rows += page
        if len(page) < size:
            return rows
        after = (page[-1].value, page[-1].id)


def record_of(index: int) -> ResultRecord:
    """Every sortable column filled from VALUES, each shifted by its place, so that no two are sorted alike."""
    record = make_record(index)
    for place, name in enumerate(SORTABLE):
        value = VALUES[(index + place) % len(VALUES)]
        if name in ("cost_usd", "provider_cost_usd"):
            setattr(record, name, None if value is None else Decimal(value % 7) / Decimal(10**12))
        elif name == "total_input_tokens":
            continue  # it follows from the other counts
        elif name.endswith("_tokens"):
            record.usage = replace(record.usage, **{name: value})
        elif name == "queue_ms":
            record.metrics[name] = float(value or 0)
        elif name != "id":
            record.metrics[name] = None if value is None else 0.1 + value
    return record


@pytest.mark.heavy
async def test_pages_of_each_column_show_each_row_once_in_order_unknown_last(tables: Tables) -> None:
    benchmark_id = await tables.add(prompts=["x"] * len(VALUES))
    await tables.results.record(await tables.claimed(), [record_of(index) for index in range(len(VALUES))])
    for sort in SORTABLE:
        for descending in (False, True):
            everything = await page_through(tables, benchmark_id, sort, descending, 100)
            assert sorted(row.id for row in everything) == list(range(1, len(VALUES) + 1)), sort
            values = [row.value for row in everything]
            known = [value for value in values if value is not None]
            assert known == sorted(known, reverse=descending), sort
            assert values[len(known) :] == [None] * (len(values) - len(known)), sort
            for size in (1, 4):
                pages = await page_through(tables, benchmark_id, sort, descending, size)
                assert [row.id for row in pages] == [row.id for row in everything], (sort, size)


@pytest.mark.parametrize("rows", [0, 501])
async def test_the_summary_sees_each_result_once_with_its_timeline(tables: Tables, rows: int) -> None:
    """It reads 500 at a time."""
    benchmark_id = await tables.add(prompts=["x"] * 600)
    lease = await tables.claimed()
    for start in range(0, rows, 200):
        await tables.results.record(lease, [make_record(index) for index in range(start, min(start + 200, rows))])
    found = [row async for row in tables.results.all_for_summary(benchmark_id)]
    assert [row.prompt_index for row in found] == list(range(rows))
    assert {row.timeline for row in found} <= {b"\x01\x01\x01"}


async def test_a_result_is_found_by_how_many_were_stored_before_it(tables: Tables) -> None:
    """Those of other benchmarks do not count."""
    for number in await tables.add(), await tables.add():
        lease = await tables.claimed()
        assert lease.benchmark_id == number
        await tables.results.record(lease, [make_record(0), make_record(1)])
        rows = [row.id async for row in tables.results.all_for_summary(number)]
        assert [await tables.results.id_after(number, count) for count in range(3)] == [*rows, None]


async def test_errors_of_the_database_do_not_quote_what_was_to_be_stored(database: Database) -> None:
    with pytest.raises(IntegrityError) as refused:
        async with database.write() as session:
            await session.execute(insert(Prompt).values(benchmark_id=None, prompt_index=0, document={"a": "my prompt"}))
    assert "my prompt" not in str(refused.value)


async def test_the_database_refuses_an_outcome_that_nobody_knows(tables: Tables) -> None:
    """Migrations have changed the constraint since the table was made."""
    await tables.add()
    with pytest.raises(IntegrityError):
        await tables.results.record(await tables.claimed(), [make_record(outcome="vanished")])


async def test_many_results_take_no_longer_step_of_the_loop_than_some(tables: Tables) -> None:
    """Of the processor's time, the best of several: one statement for all would take four times as long."""
    await tables.add(repetitions=10_000)
    lease, numbers = await tables.claimed(), iter(range(10_000))
    longest: dict[int, list[float]] = {ROWS_A_STATEMENT: [], 4 * ROWS_A_STATEMENT: []}
    for _ in range(7):
        for count, steps_s in longest.items():
            records = [make_record(0, next(numbers)) for _ in range(count)]
            watch = LoopWatch()
            with watch.watching():
                await asyncio.create_task(tables.results.record(lease, records))
            steps_s.append(watch.busy_s)
    assert min(longest[4 * ROWS_A_STATEMENT]) < 2 * min(longest[ROWS_A_STATEMENT])


async def test_results_of_several_statements_are_stored_together_or_not_at_all(tables: Tables) -> None:
    benchmark_id = await tables.add(repetitions=1_000)
    lease = await tables.claimed()
    records = [make_record(0, number) for number in range(3 * ROWS_A_STATEMENT + 1)]
    # The last one cannot be stored.
    broken = [*records[:-1], replace(records[-1], outcome="unknown")]  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        await tables.results.record(lease, broken)
    assert (await tables.benchmarks.get(benchmark_id)).done == 0
    assert await recorded(tables.results, benchmark_id) == set()
    await tables.results.record(lease, records)
    assert (await tables.benchmarks.get(benchmark_id)).done == len(records)
    assert await recorded(tables.results, benchmark_id) == {(0, number) for number in range(len(records))}
