"""A change and its entry in the audit log are stored together or not at all, on both databases."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.caller import LOCAL
from shared.db.benchmarks.repository import BenchmarkRepository, Once
from shared.db.connection.database import Database
from shared.db.datasets.repository import DatasetRepository, NewDataset
from shared.db.results.baselines import BaselineRepository
from shared.db.tables.access import AuditEntry
from shared.db.tables.base import Base
from shared.db.webhooks.delivery_history import DeliveryHistory
from shared.db.webhooks.endpoints import WebhookRepository
from shared.webhooks.message import NewEndpoint
from tests.shared.db.connection.conflicting import ConflictingDatabase
from tests.shared.db.rows import Tables, make_spec

Rows = dict[str, list[str]]
ENDPOINT = NewEndpoint("http://127.0.0.1:9/", None, ("sealed",))
DATASET = NewDataset("x", "jsonl", {}, "a" * 64, "b" * 64, 10, 0, 0, {})


class NeverCommits(Database):
    """Every transaction that writes fails at its end, as one does whose connection is lost before the commit."""

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        async with super().write() as session:
            yield session
            raise ConnectionError


@pytest.fixture
async def tables(database: Database) -> Tables:
    """Benchmark 1 is completed and has a baseline, 2 is open; there are a dataset, a webhook and a delivery."""
    tables = Tables(database)
    await WebhookRepository(LOCAL, database).add(ENDPOINT)
    await tables.add()
    await tables.leases.finish(await tables.claimed(), "completed", summary={}, error=None)
    await tables.add()
    await BaselineRepository(LOCAL, database).put("main", 1)
    await DatasetRepository(LOCAL, database).add(DATASET, [])
    return tables


async def rows(database: Database) -> Rows:
    """Every row of every table."""
    async with database.read() as session:
        return {
            name: sorted(map(str, await session.execute(select(table)))) for name, table in Base.metadata.tables.items()
        }


def benchmarks(database: Database) -> BenchmarkRepository:
    return BenchmarkRepository(LOCAL, database)


CHANGES: dict[str, Callable[[Database], Awaitable[object]]] = {
    "create": lambda database: benchmarks(database).create(make_spec(), "simulator"),
    "create_once": lambda database: benchmarks(database).create_once(Once("k", "f"), make_spec(), "simulator"),
    "cancel": lambda database: benchmarks(database).cancel(2),
    "delete": lambda database: benchmarks(database).delete(2),
    "add_dataset": lambda database: DatasetRepository(LOCAL, database).add(
        NewDataset("y", "jsonl", {}, "c" * 64, "d" * 64, 10, 0, 0, {}), []
    ),
    "delete_dataset": lambda database: DatasetRepository(LOCAL, database).delete(1),
    "set_baseline": lambda database: BaselineRepository(LOCAL, database).put("other", 1),
    "delete_baseline": lambda database: BaselineRepository(LOCAL, database).delete("main"),
    "add_webhook": lambda database: WebhookRepository(LOCAL, database).add(ENDPOINT),
    "change_webhook": lambda database: WebhookRepository(LOCAL, database).change(1, {"enabled": False}),
    "rotate_secret": lambda database: WebhookRepository(LOCAL, database).rotate(1, "another"),
    "test_webhook": lambda database: WebhookRepository(LOCAL, database).test(1),
    "redeliver": lambda database: DeliveryHistory(LOCAL, database).redeliver(1, endpoint_id=1),
    "delete_webhook": lambda database: WebhookRepository(LOCAL, database).delete(1),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_without_the_commit_neither_is_there(
    tables: Tables, database: Database, database_url: str, name: str
) -> None:
    before = await rows(database)
    broken = NeverCommits(database_url)
    with pytest.raises(ConnectionError):
        await CHANGES[name](broken)
    await broken.close()
    assert await rows(database) == before


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_that_was_tried_twice_has_one_entry(
    tables: Tables, database: Database, database_url: str, name: str
) -> None:
    count = select(func.count()).select_from(AuditEntry)
    async with database.read() as session:
        before = await session.scalar(count) or 0
    conflicting = ConflictingDatabase(database_url)
    await CHANGES[name](conflicting)
    await conflicting.close()
    async with database.read() as session:
        assert await session.scalar(count) == before + 1
