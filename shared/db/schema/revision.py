"""Revisions of the schema, without Alembic and SQLAlchemy, which take 0.3 s to import."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import migrations

MIGRATIONS = Path(migrations.__file__).parent


@cache
def head() -> str:
    """The newest revision that this program knows: the file of a migration begins with its revision."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def of_sqlite(path: Path) -> str | None:
    """The revision of a SQLite file; None if it has none or cannot be read. Never creates the file."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])
