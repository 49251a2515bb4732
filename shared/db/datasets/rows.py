"""Loads the rows of datasets that benchmarks send. For the repositories of the API and of the worker."""

from sqlalchemy import ColumnElement, select

from shared.benchmark.spec import BenchmarkSpec
from shared.db.access.missing import no_dataset
from shared.db.connection.database import Database
from shared.db.tables.datasets import Dataset, DatasetBlock
from shared.errors import NotFound
from shared.workloads.row_blocks import Block, BlockRows
from shared.workloads.rows import R, Row, TraceRow

# Blocks of one INSERT or SELECT: about a megabyte.
BLOCKS_AT_ONCE = 32

SentRows = BlockRows[Row] | BlockRows[TraceRow]


async def load_rows(database: Database, dataset_id: int, kind: type[R], owned: ColumnElement[bool]) -> BlockRows[R]:
    """All rows of a dataset, still compressed. `owned`: the condition of its owner. Raises NotFound."""
    blocks: list[Block] = []
    after = -1
    async with database.read() as session:
        turns = await session.scalar(select(Dataset.turns).where(Dataset.id == dataset_id, owned))
        if turns is None:
            raise no_dataset(dataset_id)
        while True:
            query = (
                select(DatasetBlock.first, DatasetBlock.rows, DatasetBlock.data)
                .where(DatasetBlock.dataset_id == dataset_id, DatasetBlock.first > after)
                .order_by(DatasetBlock.first)
                .limit(BLOCKS_AT_ONCE)
            )
            part = [Block(*row) for row in await session.execute(query)]
            if not part:
                break
            blocks += part
            after = part[-1].first
    return BlockRows(blocks, kind, turns)


async def rows_of(database: Database, spec: BenchmarkSpec, owned: ColumnElement[bool]) -> SentRows | None:
    """The rows that a benchmark sends; None if it sends no dataset. Raises NotFound."""
    workload = spec.workload
    if workload is None or workload.stored is None:
        return None
    if workload.stored.id is None:
        raise NotFound("the dataset of this imported benchmark is not on this server")
    if workload.trace is not None:
        return await load_rows(database, workload.stored.id, TraceRow, owned)
    return await load_rows(database, workload.stored.id, Row, owned)
