"""Brings the database's schema and secrets up to date, for `migrate`, `webhooks reseal` and the embedded stack."""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exits import CliError, ExitCode
from shared.scrubber import MASK, Scrubber

if TYPE_CHECKING:
    from shared.db.access_tables import ApiKey
    from shared.db.reseal import Resealed
    from shared.settings import Settings


def migrate(url: str) -> None:
    """Brings the schema to the newest revision. Raises CliError for every error of the driver."""
    from shared.db import revision

    file = _sqlite_file(url)
    if file is not None and revision.of_sqlite(file) == revision.head():
        return  # known without Alembic, which takes longer to import than everything else here
    from shared.db.migrate import upgrade

    try:
        upgrade(url)
    except Exception as exc:
        raise _unusable(url, exc) from exc


def missing_migrations(url: str) -> str | None:
    """None if the schema is the newest, else a message about what is there instead. Raises CliError."""
    from shared.db.database import Database
    from shared.db.schema import check_schema
    from shared.errors import Unavailable

    file = _sqlite_file(url)
    if file is not None and not file.exists():
        # Opening a SQLite file would create it.
        return f"there is no database file {file}: run `llmbench migrate`"

    async def look() -> str | None:
        # As in a migration: it is right whether or not there is a pooler in transaction mode.
        database = Database(url, pool_size=1, transaction_pooling=True)
        try:
            await database.check()
            try:
                await check_schema(database)
            except Unavailable as exc:
                return exc.message
        finally:
            await database.close()
        return None

    try:
        return asyncio.run(look())
    except Exception as exc:
        raise _unusable(url, exc) from exc


def reseal_secrets(settings: "Settings", *, change: bool) -> "Resealed":
    """Encrypts webhook secrets with the newest key, or only counts them. Raises CliError."""
    from shared.db.database import Database
    from shared.db.reseal import reseal

    url = settings.database_url
    missing = missing_migrations(url)
    if missing is not None:
        raise CliError(missing, ExitCode.FAILED)

    async def work() -> "Resealed":
        database = Database(url, pool_size=1, transaction_pooling=settings.transaction_pooling)
        try:
            return await reseal(database, settings.secret_box(), change=change)
        finally:
            await database.close()

    try:
        return asyncio.run(work())
    except Exception as exc:
        raise _unusable(url, exc) from exc


def bootstrap_key(settings: "Settings", name: str, *, another: bool) -> "tuple[ApiKey, str]":
    """A first admin key. (row, the key itself). Makes a SQLite file that is not there. Raises CliError."""
    from shared.db.database import Database
    from shared.db.keys import bootstrap
    from shared.errors import Conflict

    url = settings.database_url
    file = _sqlite_file(url)
    if file is not None and not file.exists():
        migrate(url)
    missing = missing_migrations(url)
    if missing is not None:
        raise CliError(missing, ExitCode.FAILED)

    async def work() -> "tuple[ApiKey, str]":
        database = Database(url, pool_size=1, transaction_pooling=settings.transaction_pooling)
        try:
            return await bootstrap(database, settings.key_hasher(), name, another=another)
        finally:
            await database.close()

    try:
        return asyncio.run(work())
    except Conflict as exc:
        details = ("If it was lost, --another makes one more; revoke the lost one then.",)
        raise CliError(exc.message, ExitCode.FAILED, details) from exc
    except Exception as exc:
        raise _unusable(url, exc) from exc


def has_keys(url: str) -> bool:
    """Whether the database has an API key. One that is not there yet, or not migrated, has none. Raises CliError."""
    from shared.db.database import Database
    from shared.db.key_lookup import has_any_key

    file = _sqlite_file(url)
    if file is not None and not file.exists():
        return False

    async def look() -> bool:
        database = Database(url, pool_size=1, transaction_pooling=True)
        try:
            return await has_any_key(database)
        finally:
            await database.close()

    try:
        return asyncio.run(look())
    except Exception as exc:
        raise _unusable(url, exc) from exc


def _sqlite_file(url: str) -> Path | None:
    scheme, _, path = url.partition(":///")
    return Path(path) if scheme.startswith("sqlite") and path not in ("", ":memory:") else None


def shown(url: str) -> str:
    """The URL without its password, also if that is not percent-encoded."""
    # Parameters first, because a password there may contain an @. Not cut: the last @ must still be there.
    url = Scrubber().scrub(url, limit=10 * len(url) + 100)
    return url if url.startswith("sqlite") else re.sub(r"(?s)(?<=://).*(?=@)", MASK, url)


def _unusable(url: str, exc: Exception) -> CliError:
    cause = getattr(exc, "orig", None) or exc.__cause__ or exc
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return CliError(f"cannot use the database {shown(url)}", ExitCode.UNREACHABLE, [Scrubber().scrub(lines[0])])
