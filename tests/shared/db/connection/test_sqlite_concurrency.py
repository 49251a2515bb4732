"""SQLite under load: many writers and readers, in several connections and processes, and nobody finds it locked."""

import asyncio
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from shared.db.connection.database import Database
from shared.db.runs.lease import Lease
from shared.db.tables.benchmarks import Benchmark
from tests.shared.db.rows import Tables, make_record, recorded
from tests.support.waiting import PATIENCE_S

RESULTS = 50

# Another process, with the plain driver and no patience at all: a reader never waits for a writer.
READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0)
polls = 0
while True:
    done, = connection.execute("SELECT done FROM benchmarks").fetchone()
    rows, = connection.execute("SELECT count(*) FROM results").fetchone()
    assert rows >= done
    polls += 1
    if polls == 1:
        print("ready", flush=True)
    if done == int(sys.argv[2]):
        break
print(polls)
"""


@pytest.fixture
def path(sqlite_template: Path, tmp_path: Path) -> Path:
    path = tmp_path / "busy.db"
    path.write_bytes(sqlite_template.read_bytes())
    return path


async def test_fifty_results_are_written_in_parallel_while_another_process_polls(path: Path) -> None:
    """Each result in a transaction of its own, by two databases that share no lock but the file's."""
    writers = [Tables(Database(f"sqlite:///{path}")) for _ in range(2)]
    benchmark_id = await writers[0].add(prompts=["x"] * RESULTS)
    lease = await writers[0].claimed()
    reader = await asyncio.create_subprocess_exec(
        sys.executable, "-c", READER, path, str(RESULTS), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert reader.stdout is not None
    assert await reader.stdout.readline() == b"ready\n"
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(write(writers[index % 2], lease, index) for index in range(RESULTS)))
        polls, errors = await reader.communicate()
    assert errors == b""
    assert int(polls) > 1
    benchmark = await writers[1].benchmarks.get(benchmark_id)
    assert benchmark.done == len(await recorded(writers[0].results, benchmark_id)) == RESULTS
    for writer in writers:
        await writer.database.close()


async def write(tables: Tables, lease: Lease, index: int) -> None:
    await tables.results.record(lease, [make_record(index)])


async def test_a_reader_neither_waits_for_an_open_transaction_nor_sees_it(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    tables = Tables(database)
    benchmark_id = await tables.add(name="before")
    async with database.write() as session:
        await session.execute(update(Benchmark).values(name="after"))
        # One that waited would wait until this block has ended.
        async with asyncio.timeout(PATIENCE_S):
            assert (await tables.benchmarks.get(benchmark_id)).name == "before"
    assert (await tables.benchmarks.get(benchmark_id)).name == "after"
    await database.close()


async def test_a_transaction_that_breaks_leaves_nothing_and_frees_the_lock(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    tables = Tables(database)
    benchmark_id = await tables.add(name="before")
    with pytest.raises(RuntimeError, match="broke"):
        await rename_and_break(database)
    assert (await tables.benchmarks.get(benchmark_id)).name == "before"
    async with asyncio.timeout(PATIENCE_S):
        await tables.add()
    await database.close()


async def rename_and_break(database: Database) -> None:
    async with database.write() as session:
        await session.execute(update(Benchmark).values(name="after"))
        raise RuntimeError("broke")
