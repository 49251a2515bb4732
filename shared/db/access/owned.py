"""The conditions that bind a statement to the rows of one owner."""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from shared.access.caller import Caller
from shared.access.owner import DEFAULT_OWNER
from shared.db.tables.benchmarks import Benchmark
from shared.db.tables.types import unindexed

# Fewer benchmarks of an owner than this are few: a database looks at each of them within some ms.
FEW = 1_000
# A statement may read `benchmarks` for something else too. Made once: it takes ten times as long as the rest.
_OTHER = Benchmark.metadata.tables[Benchmark.__tablename__].alias()


def of_owner(caller: Caller, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The rows that this caller may see. `column`: the one that names the owner of a row."""
    return true() if caller.sees_all else owned_by(caller, column)


def owned_by(caller: Caller, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The rows that this caller may change: only its owner's, whatever it may see."""
    return column == caller.owner


def sees(caller: Caller, benchmark_id: int) -> ColumnElement[bool]:
    """Whether the caller may see a benchmark. For statements about its parts; they ask this once, not for each row."""
    return true() if caller.sees_all else owns(caller, benchmark_id)


def owns(caller: Caller, benchmark_id: int) -> ColumnElement[bool]:
    """Whether a benchmark belongs to the caller's owner. For statements that change its parts."""
    return select(_OTHER.c.id).where(_OTHER.c.id == benchmark_id, _OTHER.c.owner == caller.owner).exists()


def of_seen(caller: Caller, benchmark_id: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Rows of benchmarks that the caller may see. `benchmark_id`: the column that names the benchmark of a row."""
    if caller.sees_all:
        return true()
    return select(_OTHER.c.id).where(_OTHER.c.id == benchmark_id, unindexed(_OTHER.c.owner) == caller.owner).exists()


async def few_ids(session: AsyncSession, caller: Caller) -> Sequence[int] | None:
    """The ids of the benchmarks that the caller may see; None if they are many, or those of all owners.

    Each of a few is read quicker than an index of another filter, in which they may be rare. No database sees that by
    itself: SQLite knows no statistics of values, and PostgreSQL none of two columns together.
    """
    if caller.sees_all:
        return None
    ids = (await session.scalars(select(Benchmark.id).where(Benchmark.owner == caller.owner).limit(FEW))).all()
    return ids if len(ids) < FEW else None


def idempotency_key_of(caller: Caller, key: str) -> str:
    """As `key_of`, for a key that callers choose: no header holds a space, so nobody can send another owner's."""
    return key if caller.owner == DEFAULT_OWNER else f"{caller.owner} {hashlib.sha256(key.encode()).hexdigest()}"


def key_of(caller: Caller, key: str) -> str:
    """A hash that is unique within an owner, as it is stored in a column that is unique among all owners.

    Versions before owners stored the keys as they were: those of `default` stay so.
    """
    if caller.owner == DEFAULT_OWNER:
        return key
    return hashlib.sha256(f"{caller.owner}\n{key}".encode()).hexdigest()
