"""A key for a POST: how it is forgotten."""

from sqlalchemy import select, update

from shared.db.benchmarks.repository import KEEP_KEYS_S, Once
from shared.db.connection.database import Database
from shared.db.tables.benchmarks import IdempotencyKey
from shared.db.tables.types import utc_now
from tests.shared.db.rows import Tables, make_spec


async def test_a_post_forgets_no_old_key_but_its_own(database: Database, tables: Tables) -> None:
    """Deleting the others would lock rows that other POSTs need. Retention does it."""
    for key in ("mine", "another"):
        await tables.benchmarks.create_once(Once(key, "print"), make_spec(), "simulator")
    async with database.write() as session:
        await session.execute(update(IdempotencyKey).values(created_at=utc_now(-KEEP_KEYS_S - 1)))
    _, is_new = await tables.benchmarks.create_once(Once("mine", "another print"), make_spec(), "simulator")
    assert is_new
    async with database.read() as session:
        kept = select(IdempotencyKey.key, IdempotencyKey.fingerprint).order_by(IdempotencyKey.key)
        assert [tuple(row) for row in await session.execute(kept)] == [("another", "print"), ("mine", "another print")]
