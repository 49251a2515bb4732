"""What commands do with the database itself: its schema, its webhook secrets and its first key."""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cli.exits import CliError, ExitCode
from shared.scrubber import MASK, Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from shared.db.connection.database import Database
    from shared.db.tables.access import ApiKey
    from shared.db.webhooks.reseal import Resealed
    from shared.settings import Settings

T = TypeVar("T")


def migrate(url: str) -> None:
    """Brings the schema to the newest revision. Raises CliError for every error of the driver."""
    from shared.db.schema import revision

    file = _sqlite_file(url)
    if file is not None and revision.of_sqlite(file) == revision.head():
        return  # known without Alembic, which takes longer to import than everything else here
    from shared.db.schema.migrate import upgrade

    try:
        upgrade(url)
    except Exception as exc:
        raise _unusable(url, exc) from exc


def missing_migrations(url: str) -> str | None:
    """None if the schema is the newest, else a message about what is there instead. Raises CliError."""
    from shared.db.schema.check import check_schema
    from shared.errors import Unavailable

    file = _sqlite_file(url)
    if file is not None and not file.exists():
        # Opening a SQLite file would create it.
        return f"there is no database file {file}: run `llmbench migrate`"

    async def look(database: "Database") -> str | None:
        await database.check()
        try:
            await check_schema(database)
        except Unavailable as exc:
            return exc.message
        return None

    return _asked(url, look)


def reseal_secrets(settings: "Settings", *, change: bool) -> "Resealed":
    """Encrypts webhook secrets with the newest key, or only counts them. Raises CliError."""
    from shared.db.webhooks.reseal import reseal

    url = settings.database_url
    _require_newest_schema(url)
    return _asked(
        url,
        lambda database: reseal(database, settings.secret_box(), change=change),
        transaction_pooling=settings.transaction_pooling,
    )


def bootstrap_key(settings: "Settings", name: str, *, another: bool) -> "tuple[ApiKey, str]":
    """A first admin key. (row, the key itself). Makes a SQLite file that is not there, as `llmbench up` does.

    Raises CliError.
    """
    from shared.db.access.keys import bootstrap
    from shared.errors import Conflict

    url = settings.database_url
    file = _sqlite_file(url)
    if file is not None and not file.exists():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise _unusable(url, exc) from exc
        migrate(url)
    _require_newest_schema(url)

    async def work(database: "Database") -> "tuple[ApiKey, str]":
        try:
            return await bootstrap(database, settings.key_hasher(), name, another=another)
        except Conflict as exc:
            details = ("If it was lost, --another makes one more; revoke the lost one then.",)
            raise CliError(exc.message, ExitCode.FAILED, details) from exc

    return _asked(url, work, transaction_pooling=settings.transaction_pooling)


def has_keys(url: str) -> bool:
    """Whether the database has an API key. One that is not there yet, or not migrated, has none. Raises CliError."""
    from shared.db.access.key_lookup import has_any_key

    file = _sqlite_file(url)
    return (file is None or file.exists()) and _asked(url, has_any_key)


def _require_newest_schema(url: str) -> None:
    missing = missing_migrations(url)
    if missing is not None:
        raise CliError(missing, ExitCode.FAILED)


def _asked(url: str, ask: "Callable[[Database], Coroutine[Any, Any, T]]", *, transaction_pooling: bool = True) -> T:
    """What `ask` finds, over one connection. Raises CliError for every other error.

    `transaction_pooling`: as in a migration, True is right whether or not there is a pooler in transaction mode.
    """
    from shared.db.connection.database import Database

    async def work() -> T:
        database = Database(url, pool_size=1, transaction_pooling=transaction_pooling)
        try:
            return await ask(database)
        finally:
            await database.close()

    try:
        return asyncio.run(work())
    except CliError:
        raise
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
