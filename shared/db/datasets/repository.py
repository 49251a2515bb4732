"""Stored datasets: added whole, listed, read by pages of rows, and deleted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import Caller
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.dataset_spec import DatasetReference
from shared.db.access.audit import record
from shared.db.access.missing import no_dataset
from shared.db.access.owned import key_of, of_owner, owned_by
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.datasets.rows import BLOCKS_AT_ONCE, SentRows, load_rows, rows_of
from shared.db.tables.benchmarks import Benchmark, is_open
from shared.db.tables.datasets import Dataset, DatasetBlock
from shared.db.tables.types import utc_now
from shared.errors import Conflict, InvalidRequest
from shared.workloads.row_blocks import Block, BlockRows, block_lines
from shared.workloads.rows import R

# A page of rows ends with the block that fills it up to this.
PAGE_BYTES = 4_000_000
# Ids that an error lists.
_IDS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class NewDataset:
    """A file that was read without errors. Names and units are those of the table `datasets`."""

    name: str
    format: str
    options: dict[str, Any]
    sha256: str
    identity: str
    size: int
    rows: int
    turns: int
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as JSON, with its number from 0."""

    number: int
    document: bytes


@tries_again
class DatasetRepository:
    """Rows of `datasets` and `dataset_blocks`."""

    def __init__(self, caller: Caller, database: Database) -> None:
        self._caller = caller
        self._database = database

    async def add(self, new: NewDataset, blocks: Iterable[Block]) -> tuple[Dataset, bool]:
        """(dataset, whether it is new). `blocks` can be gone through more than once."""
        values = {name: getattr(new, name) for name in NewDataset.__dataclass_fields__}
        values |= {"owner": self._caller.owner, "identity": key_of(self._caller, new.identity)}
        table = Dataset.__table__
        async with self._database.write() as session:
            added = self._database.insert(Dataset).values(**values, created_at=utc_now())
            added_id = await session.scalar(
                added.on_conflict_do_nothing(index_elements=[table.c.identity]).returning(table.c.id)
            )
            if added_id is not None:
                for group in _groups(blocks):
                    rows = [
                        {"dataset_id": added_id, "first": block.first, "rows": block.rows, "data": block.data}
                        for block in group
                    ]
                    await session.execute(insert(DatasetBlock), rows)
                details = {"format": new.format, "rows": new.rows, "sha256": new.sha256}
                await record(session, self._caller, "dataset.added", "dataset", added_id, details)
            # Of the same content, or with the same identity from another upload at the same time.
            stored = await session.scalars(select(Dataset).where(Dataset.identity == values["identity"]))
            return stored.one(), added_id is not None

    async def by_identity(self, identity: str) -> Dataset | None:
        """The dataset of an equal upload, if there is one."""
        own = owned_by(self._caller, Dataset.owner)
        query = select(Dataset).where(Dataset.identity == key_of(self._caller, identity), own)
        async with self._database.read() as session:
            return (await session.scalars(query)).one_or_none()

    async def page(self, *, before_id: int | None, limit: int) -> Sequence[Dataset]:
        """Datasets, newest first, with ids below `before_id`."""
        query = select(Dataset).where(of_owner(self._caller, Dataset.owner))
        if before_id is not None:
            query = query.where(Dataset.id < before_id)
        async with self._database.read() as session:
            return (await session.scalars(query.order_by(Dataset.id.desc()).limit(limit))).all()

    async def get(self, dataset_id: int) -> Dataset:
        """Raises NotFound."""
        async with self._database.read() as session:
            query = select(Dataset).where(Dataset.id == dataset_id, of_owner(self._caller, Dataset.owner))
            dataset = (await session.scalars(query)).one_or_none()
        if dataset is None:
            raise no_dataset(dataset_id)
        return dataset

    async def find(self, reference: DatasetReference, field: str) -> Dataset:
        """The dataset that a spec names, among those of the caller's owner.

        Raises InvalidRequest that names `field` if there is none, or several.
        """
        query = select(Dataset).where(owned_by(self._caller, Dataset.owner)).order_by(Dataset.id)
        if reference.id is not None:
            query = query.where(Dataset.id == reference.id)
        if reference.sha256 is not None:
            query = query.where(Dataset.sha256 == reference.sha256)
        async with self._database.read() as session:
            found = (await session.scalars(query.limit(_IDS_SHOWN))).all()
        if not found:
            raise InvalidRequest.of(field, "there is no such dataset: `GET /datasets` lists them", "unknown_dataset")
        if len(found) > 1:
            ids = ", ".join(str(dataset.id) for dataset in found)
            message = f"the file was read in several ways: name one of the datasets {ids} by its id"
            raise InvalidRequest.of(field, message, "ambiguous_dataset")
        return found[0]

    async def rows(self, dataset_id: int, *, after: int, limit: int) -> list[StoredRow]:
        """Rows with numbers above `after`, in sequence: at most `limit`, and fewer once they have PAGE_BYTES."""
        found: list[StoredRow] = []
        begin, size = after + 1, 0
        async with self._database.read() as session:
            first = await session.scalar(
                select(DatasetBlock.first)
                .join(Dataset, Dataset.id == DatasetBlock.dataset_id)
                .where(DatasetBlock.dataset_id == dataset_id, DatasetBlock.first <= begin)
                .where(of_owner(self._caller, Dataset.owner))
                .order_by(DatasetBlock.first.desc())
                .limit(1)
            )
            while first is not None and len(found) < limit and size < PAGE_BYTES:
                block = await session.get(DatasetBlock, (dataset_id, first))
                if block is None:
                    break
                lines = enumerate(block_lines(block.data), block.first)
                found += [StoredRow(number, line) for number, line in lines if number >= begin]
                size = sum(len(row.document) for row in found)
                first = block.first + block.rows
                session.expunge(block)
        return found[:limit]

    async def load(self, dataset_id: int, kind: type[R]) -> BlockRows[R]:
        """All rows, still compressed. Raises NotFound."""
        return await load_rows(self._database, dataset_id, kind, of_owner(self._caller, Dataset.owner))

    async def rows_of(self, spec: BenchmarkSpec) -> SentRows | None:
        """The rows that a benchmark sends; None if it sends no dataset. Raises NotFound."""
        return await rows_of(self._database, spec, of_owner(self._caller, Dataset.owner))

    async def delete(self, dataset_id: int) -> None:
        """Raises NotFound, and Conflict with their ids while open benchmarks use the dataset."""
        async with self._database.write() as session:
            own = and_(Dataset.id == dataset_id, owned_by(self._caller, Dataset.owner))
            query = select(Dataset.id).where(own).with_for_update()
            if await session.scalar(query) is None:
                raise no_dataset(dataset_id)
            workload = Benchmark.spec_document["workload"]
            uses = or_(*(workload[source]["id"].as_integer() == dataset_id for source in ("dataset", "trace")))
            users = select(Benchmark.id).where(is_open(), uses).order_by(Benchmark.id)
            ids = (await session.scalars(users.limit(_IDS_SHOWN + 1))).all()
            if ids:
                shown = ", ".join(map(str, ids[:_IDS_SHOWN])) + (" and more" if len(ids) > _IDS_SHOWN else "")
                raise Conflict(f"dataset {dataset_id} is used by open benchmarks: {shown}")
            await session.execute(delete(Dataset).where(own))
            await record(session, self._caller, "dataset.deleted", "dataset", dataset_id)


async def hold_dataset(session: AsyncSession, caller: Caller, dataset_id: int) -> None:
    """For the transaction that stores a benchmark: its dataset is not deleted before that ends.

    Raises Conflict if it was deleted since it was looked up.
    """
    own = and_(Dataset.id == dataset_id, owned_by(caller, Dataset.owner))
    if await session.scalar(select(Dataset.id).where(own).with_for_update(read=True, key_share=True)) is None:
        raise Conflict(f"dataset {dataset_id} was deleted meanwhile")


def _groups(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    iterator = iter(blocks)
    while group := list(islice(iterator, BLOCKS_AT_ONCE)):
        yield group
