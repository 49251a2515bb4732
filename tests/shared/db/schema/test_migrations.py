"""The schema's way up and down, and that the code's tables are the migrated ones."""

import asyncio
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect, text

from shared.db.connection.database import Database
from shared.db.connection.engine import async_url
from shared.db.schema.check import check_schema
from shared.db.schema.migrate import alembic_config, downgrade, upgrade
from shared.db.schema.revision import MIGRATIONS, head, of_sqlite
from shared.db.tables.all_tables import METADATA
from shared.errors import Unavailable
from shared.settings import process_environment
from tests.shared.db.rows import Tables
from tests.support.programs.ports import free_port
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.own_database
# As in migrations/env.py, which cannot be imported outside of Alembic.
LOCK = 7_423_586_201


async def table_names(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda plain: inspect(plain).get_table_names()))


def test_the_migrated_schema_is_the_one_of_the_code(database_url: str) -> None:
    """`alembic check` finds nothing that a new migration would have to add."""
    command.check(alembic_config(database_url))


def test_the_newest_revision_by_file_names_is_the_one_of_alembic() -> None:
    assert head() == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def test_the_revision_of_a_file_is_read_without_creating_one(sqlite_template: Path, tmp_path: Path) -> None:
    assert of_sqlite(sqlite_template) == head()
    assert of_sqlite(tmp_path / "none.db") is None
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Sir or Madam, " * 100, encoding="utf-8")
    assert of_sqlite(letter) is None
    assert list(tmp_path.iterdir()) == [letter]


def test_a_migrated_file_writes_ahead(tmp_path: Path) -> None:
    """Else programs that start together would each try to change the file to that, and lock each other out."""
    path = tmp_path / "new.db"
    upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_every_table_of_the_code_is_there(database: Database) -> None:
    assert await table_names(database) == {*METADATA.tables, "alembic_version"}


async def test_a_downgrade_takes_every_table_away_and_an_upgrade_brings_it_back(
    database_url: str, database: Database
) -> None:
    """Alembic is blocking and runs a loop of its own, so it gets a thread."""
    await asyncio.to_thread(downgrade, database_url, "base")
    assert await table_names(database) == {"alembic_version"}
    with pytest.raises(Unavailable, match=f"at revision none, this version needs {head()}: run `llmbench migrate`"):
        await check_schema(database)
    await asyncio.to_thread(upgrade, database_url)
    await check_schema(database)
    assert await Tables(database).add() == 1


async def test_a_newer_schema_is_not_to_be_migrated(database_url: str, database: Database) -> None:
    async with database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="at revision 9999, which is newer than this version"):
        await check_schema(database)
    # It comes first in an upgrade, and in one back.
    with pytest.raises(Unavailable, match="at revision 9999, which is newer than this version"):
        await asyncio.to_thread(upgrade, database_url)


@pytest.mark.heavy
async def test_several_that_migrate_at_once_do_it_once(database_url: str, database: Database) -> None:
    """As pods of a deployment do that all run `llmbench migrate` first."""
    await asyncio.to_thread(downgrade, database_url, "base")
    environment = process_environment(DATABASE_URL=database_url)
    migrate = (sys.executable, "-m", "cli.main", "migrate")
    programs = [await asyncio.create_subprocess_exec(*migrate, env=environment) for _ in range(3)]
    assert [await program.wait() for program in programs] == [0, 0, 0]
    await check_schema(database)
    assert await Tables(database).add() == 1


@pytest.mark.heavy
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_migration_that_waits_keeps_no_transaction(database_url: str, database: Database) -> None:
    """CREATE INDEX CONCURRENTLY of the one that it waits for may wait for that transaction: nobody would go on."""
    others = text(
        "SELECT xact_start FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%advisory%'"
    )
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        environment = process_environment(DATABASE_URL=database_url)
        waiting = await asyncio.create_subprocess_exec(sys.executable, "-m", "cli.main", "migrate", env=environment)
        seen: set[Any] = set()
        async with asyncio.timeout(PATIENCE_S):
            # The statistics are read once in a transaction.
            while len(seen) < 2:
                await connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
                seen |= set(await connection.scalars(others)) - {None}
                await asyncio.sleep(0.01)
        await connection.rollback()
    assert await waiting.wait() == 0


class Broken(Exception):
    """Stands for the end of the program."""


@contextmanager
def broken_after(statements: int) -> Iterator[None]:
    """The program's database statements fail after so many that change something."""
    left = [statements]

    def count(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(("CREATE", "ALTER", "DROP", "INSERT", "UPDATE")):
            left[0] -= 1
            if left[0] < 0:
                raise Broken(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", count)


@pytest.mark.parametrize("statements", [0, 2, 7, 12])
def test_a_sqlite_migration_that_was_interrupted_runs_again(tmp_path: Path, statements: int) -> None:
    path = tmp_path / "half.db"
    url = f"sqlite:///{path}"
    upgrade(url, "0005")
    with closing(sqlite3.connect(path)) as connection:
        before = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    with broken_after(statements), pytest.raises(Broken):
        upgrade(url)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall() == before
    assert of_sqlite(path) == "0005"
    upgrade(url)
    assert of_sqlite(path) == head()


def test_what_an_earlier_version_left_half_done_is_completed(tmp_path: Path) -> None:
    path = tmp_path / "half.db"
    upgrade(f"sqlite:///{path}", "0005")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE webhook_endpoints (id INTEGER)")
        connection.execute("CREATE TABLE webhook_events (id INTEGER)")
    upgrade(f"sqlite:///{path}")
    assert of_sqlite(path) == head()
    command.check(alembic_config(f"sqlite:///{path}"))


async def test_an_upgrade_of_a_current_database_changes_nothing(database_url: str, tables: Tables) -> None:
    benchmark_id = await tables.add()
    await asyncio.to_thread(upgrade, database_url)
    assert (await tables.benchmarks.get(benchmark_id)).status == "pending"


async def test_indexes_are_built_again_after_an_interruption(database_url: str, database: Database) -> None:
    """The migration had added a column and one index, and was building another."""
    await asyncio.to_thread(downgrade, database_url, "0009")
    async with database.write() as session:
        await session.execute(text("ALTER TABLE webhook_deliveries ADD COLUMN lane VARCHAR(200)"))
        await session.execute(text("CREATE INDEX ix_benchmarks_status_id ON benchmarks (status, id)"))
        await session.execute(text("CREATE INDEX ix_benchmarks_provider_id ON benchmarks (provider, id)"))
        if not database.is_sqlite:
            # As an interrupted CREATE INDEX CONCURRENTLY leaves it.
            half = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_benchmarks_provider_id'::regclass"
            await session.execute(text(half))
    await asyncio.to_thread(upgrade, database_url)
    await check_schema(database)
    await asyncio.to_thread(command.check, alembic_config(database_url))
    if not database.is_sqlite:
        async with database.read() as session:
            invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
            assert await session.scalar(text(invalid)) == 0


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///x.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite"),
        ("postgres://u@h/d", "postgresql+asyncpg"),
        ("postgresql://u@h/d", "postgresql+asyncpg"),
        ("postgresql+asyncpg://u@h/d", "postgresql+asyncpg"),
    ],
)
def test_a_url_gets_the_driver_that_this_service_uses(url: str, driver: str) -> None:
    assert async_url(url).drivername == driver


async def test_a_server_that_is_not_there_is_unavailable_and_says_why() -> None:
    database = Database(f"postgresql://test@127.0.0.1:{free_port()}/x")
    with pytest.raises(Unavailable) as refused:
        await database.check()
    assert refused.value.message == "the database does not answer: ConnectionRefusedError: Connection refused"
    assert "127.0.0.1" in refused.value.reason, "for the log"
    await database.close()


async def test_a_file_that_is_no_database_is_unavailable_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100, encoding="utf-8")
    database = Database(f"sqlite:///{path}")
    with pytest.raises(Unavailable, match="the database does not answer: DatabaseError: file is not a database"):
        await database.check()
    await database.close()
