"""Datasets in the database: stored once, read in pages, loaded for runs, and kept while open benchmarks use them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, select, update

from shared.access.caller import LOCAL
from shared.benchmark.workload.dataset_spec import DatasetReference
from shared.db.connection.database import Database
from shared.db.datasets.repository import PAGE_BYTES, DatasetRepository, NewDataset, hold_dataset
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.datasets import DatasetBlock
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.workloads.row_blocks import Block, BlockWriter
from shared.workloads.rows import AnyRow, Row, TraceRow, Turn
from tests.shared.db.rows import Tables, make_spec

SHA = "a" * 64


def blocks_of(rows: Sequence[AnyRow]) -> list[Block]:
    writer = BlockWriter()
    made = [writer.add(row) for row in rows]
    return [block for block in (*made, writer.end()) if block is not None]


def new(rows: int, identity: str = "1" * 64, **changes: Any) -> NewDataset:
    values: dict[str, Any] = {
        "name": "chats",
        "format": "jsonl",
        "options": {},
        "sha256": SHA,
        "identity": identity,
        "size": 9,
        "rows": rows,
        "turns": rows,
        "facts": {"left_out": {}},
        **changes,
    }
    return NewDataset(**values)


def some_rows(count: int, size: int = 100) -> list[Row]:
    return [Row((Turn(f"{number} " + "x" * size),)) for number in range(count)]


@pytest.fixture
def datasets(database: Database) -> DatasetRepository:
    return DatasetRepository(LOCAL, database)


async def test_rows_come_back_in_pages_and_in_a_run(datasets: DatasetRepository) -> None:
    rows = some_rows(5_000)
    stored, created = await datasets.add(new(5_000), blocks_of(rows))
    assert (created, stored.rows, stored.name) == (True, 5_000, "chats")
    assert stored.created_at.tzinfo is not None
    loaded = await datasets.load(stored.id, Row)
    assert (len(loaded), loaded.turns) == (5_000, 5_000)
    assert [loaded.row(number) for number in (4_999, 0, 2_500)] == [rows[4_999], rows[0], rows[2_500]]
    read, after = [], -1
    while page := await datasets.rows(stored.id, after=after, limit=1_000):
        read += [row.number for row in page]
        after = page[-1].number
    assert read == list(range(5_000))
    (row,) = await datasets.rows(stored.id, after=4_321, limit=1)
    assert (row.number, b'"4322 x' in row.document) == (4_322, True)


async def test_rows_of_a_trace_are_loaded_as_such(datasets: DatasetRepository) -> None:
    rows = [TraceRow(number, 5, 6, (number,)) for number in range(3)]
    stored, _ = await datasets.add(new(3, format="mooncake"), blocks_of(rows))
    assert list(await datasets.load(stored.id, TraceRow)) == rows


async def test_a_page_of_long_rows_ends_early(datasets: DatasetRepository) -> None:
    size = PAGE_BYTES // 3
    stored, _ = await datasets.add(new(9), blocks_of(some_rows(9, size)))
    assert [row.number for row in await datasets.rows(stored.id, after=1, limit=9)] == [2, 3, 4]


async def test_the_same_upload_is_stored_once_even_at_the_same_time(
    datasets: DatasetRepository, database: Database
) -> None:
    blocks = blocks_of(some_rows(10))
    added = await asyncio.gather(*(datasets.add(new(10), blocks) for _ in range(4)))
    assert sorted(created for _, created in added) == [False, False, False, True]
    assert len({dataset.id for dataset, _ in added}) == 1
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(DatasetBlock)) == 1
    same = await datasets.by_identity("1" * 64)
    assert same is not None
    assert same.id == added[0][0].id
    assert await datasets.by_identity("2" * 64) is None


async def test_a_list_is_newest_first(datasets: DatasetRepository) -> None:
    ids = [(await datasets.add(new(1, str(number) * 64), blocks_of(some_rows(1))))[0].id for number in range(3)]
    assert [row.id for row in await datasets.page(before_id=None, limit=2)] == [ids[2], ids[1]]
    assert [row.id for row in await datasets.page(before_id=ids[1], limit=2)] == [ids[0]]


async def test_a_spec_names_a_dataset_by_id_or_hash(datasets: DatasetRepository) -> None:
    first, _ = await datasets.add(new(1), blocks_of(some_rows(1)))
    assert (await datasets.find(DatasetReference(id=first.id), "f")).id == first.id
    assert (await datasets.find(DatasetReference(sha256=SHA), "f")).id == first.id
    for wrong in (DatasetReference(id=first.id + 1), DatasetReference(id=first.id, sha256="b" * 64)):
        with pytest.raises(InvalidRequest, match="f: there is no such dataset"):
            await datasets.find(wrong, "f")
    second, _ = await datasets.add(new(1, "2" * 64), blocks_of(some_rows(1)))
    with pytest.raises(InvalidRequest, match=f"name one of the datasets {first.id}, {second.id} by its id"):
        await datasets.find(DatasetReference(sha256=SHA), "f")
    assert (await datasets.find(DatasetReference(id=second.id, sha256=SHA), "f")).id == second.id


async def test_a_deleted_dataset_takes_its_rows_along(datasets: DatasetRepository, database: Database) -> None:
    stored, _ = await datasets.add(new(10), blocks_of(some_rows(10)))
    await datasets.delete(stored.id)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(DatasetBlock)) == 0
    for call in (datasets.get(stored.id), datasets.load(stored.id, Row), datasets.delete(stored.id)):
        with pytest.raises(NotFound, match=f"there is no dataset {stored.id}"):
            await call
    assert await datasets.rows(stored.id, after=-1, limit=5) == []


@pytest.mark.parametrize("source", ["dataset", "trace"])
async def test_open_benchmarks_keep_their_dataset(datasets: DatasetRepository, database: Database, source: str) -> None:
    stored, _ = await datasets.add(new(1), blocks_of(some_rows(1)))
    tables = Tables(database)
    spec = make_spec()
    benchmarks = [await tables.add() for _ in range(3)]
    document = {**spec.model_dump(mode="json", exclude={"prompts"}), "workload": {source: {"id": stored.id}}}
    other = {**document, "workload": {source: {"id": stored.id + 1}}}
    async with database.write() as session:
        for number, changed in zip(benchmarks, (document, document, other), strict=True):
            await session.execute(
                update(Benchmark).where(Benchmark.id == number).values({Benchmark.spec_document: changed})
            )
    with pytest.raises(Conflict, match=f"used by open benchmarks: {benchmarks[0]}, {benchmarks[1]}$"):
        await datasets.delete(stored.id)
    for number in benchmarks[:2]:
        await tables.benchmarks.cancel(number)
    await datasets.delete(stored.id)


async def test_a_benchmark_that_is_being_stored_keeps_its_dataset(
    datasets: DatasetRepository, database: Database
) -> None:
    stored, _ = await datasets.add(new(1), blocks_of(some_rows(1)))
    async with database.write() as session:
        await hold_dataset(session, LOCAL, stored.id)
        deletion = asyncio.create_task(datasets.delete(stored.id))
        done, _ = await asyncio.wait([deletion], timeout=0.2)
        assert not done
        await hold_dataset(session, LOCAL, stored.id)
    await deletion
    async with database.write() as session:
        with pytest.raises(Conflict, match=f"dataset {stored.id} was deleted meanwhile"):
            await hold_dataset(session, LOCAL, stored.id)
