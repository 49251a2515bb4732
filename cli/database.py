"""The database's schema: for `migrate` and the embedded stack."""

import asyncio

from cli.exits import CliError, ExitCode
from shared.secrets import Scrubber


def migrate(url: str) -> None:
    """Brings it to the newest revision. Raises CliError, whatever the driver raises."""
    from shared.db.migrate import upgrade

    try:
        upgrade(url)
    except Exception as exc:
        raise _unusable(url, exc) from exc


def missing_migrations(url: str) -> str | None:
    """None where the schema is the newest, else what is there instead. Raises CliError."""
    from shared.db.database import Database
    from shared.db.migrate import check_schema
    from shared.errors import Unavailable

    async def look() -> str | None:
        database = Database(url, pool_size=1)
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


def shown(url: str) -> str:
    """The URL without its password."""
    return Scrubber().scrub(url)


def _unusable(url: str, exc: Exception) -> CliError:
    cause = getattr(exc, "orig", None) or exc
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return CliError(f"cannot use the database {shown(url)}", ExitCode.UNREACHABLE, [Scrubber().scrub(lines[0])])
