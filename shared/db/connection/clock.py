"""The database's clock, read by a program. It decides on which day money is spent."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.tables.types import utc_now

# Tests give another one.
Now = Callable[[], ColumnElement[datetime]]


_NOW = utc_now()


def database_now() -> ColumnElement[datetime]:
    """The database's clock. Always the same object, so that a statement with it is made once."""
    return _NOW


async def read_now(session: AsyncSession, now: Now = database_now) -> datetime:
    """This instant, in UTC."""
    return (await session.execute(select(now()))).scalar_one()
