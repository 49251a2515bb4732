"""Brings a database to the newest schema, and says whether it is there. Used by the CLI, the tests and `alembic`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection

import migrations
from shared.db.database import Database
from shared.errors import Unavailable

MIGRATIONS = Path(migrations.__file__).parent


def alembic_config(url: str) -> Config:
    """Alembic's configuration without a file, so that it works from an installed wheel."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database_url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Blocking; opens its own connection. Raises Unavailable where the schema is newer than this program."""
    try:
        command.upgrade(alembic_config(url), revision)
    except CommandError as exc:
        if isinstance(exc.__cause__, ResolutionError):
            raise _newer(exc.__cause__.argument) from None
        raise


def downgrade(url: str, revision: str) -> None:
    """Blocking; opens its own connection."""
    command.downgrade(alembic_config(url), revision)


def head() -> str | None:
    """The newest revision that this program knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


async def check_schema(database: Database) -> None:
    """Raises Unavailable where the schema is not the one that this program needs."""

    def current(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with database.read() as session:
        found = await (await session.connection()).run_sync(current)
    needed = head() or ""
    if found is not None and found > needed:
        raise _newer(found)
    if found != needed:
        raise Unavailable(
            f"the database schema is at revision {found or 'none'}, this version needs {needed}: run `llmbench migrate`"
        )


def _newer(found: str) -> Unavailable:
    return Unavailable(
        f"the database schema is at revision {found}, which is newer than this version, for {head()}: "
        "run the version that migrated it"
    )
