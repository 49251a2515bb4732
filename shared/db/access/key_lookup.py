"""Finds the key that a request was sent with. `api.access` asks it for every request; nothing is kept but its last use.

Every look-up reads the database, so a revocation counts at once in all processes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Select, func, inspect, literal, or_, select, update

from shared.access.api_key import ApiKeyText, Hasher
from shared.db.access.valid_keys import is_valid_key
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.access import ApiKey
from shared.db.tables.types import utc_now

# A key's last use is written at most so often.
LAST_USE_S = 60

State = Literal["usable", "revoked", "expired"]


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key whose holder has its secret. Only a usable one may do anything.

    `use_is_due`: its last use was written long enough ago to be written again.
    """

    row: ApiKey
    state: State
    use_is_due: bool


@tries_again
class KeyLookup:
    """The keys as authentication sees them. Each process has one."""

    def __init__(self, database: Database, hasher: Hasher) -> None:
        self._database = database
        self._hasher = hasher
        self._are_keys = False

    async def are_keys(self) -> bool:
        """Whether there is a key at all, revoked or not. Keys are never deleted, so a yes is remembered."""
        if not self._are_keys:
            async with self._database.read() as session:
                self._are_keys = await session.scalar(select(ApiKey.id).limit(1)) is not None
        return self._are_keys

    async def count_of_other_peppers(self) -> int:
        """How many keys would be valid if the SECRET_KEY that they were made with were set here."""
        query = select(func.count()).where(is_valid_key(), ApiKey.hashed_with.not_in(self._hasher.knows))
        async with self._database.read() as session:
            return await session.scalar(query) or 0

    async def by_secret(self, key: ApiKeyText) -> KnownKey | None:
        """The key with this id and this secret. None if one of the two is wrong.

        A wrong id and a wrong secret take the same steps: the first statement answers with one row in any case, and the
        hash in it is compared. The second statement is for those who know the secret.
        """
        hashed = select(ApiKey.hash).where(ApiKey.id == key.id).scalar_subquery()
        hashed_with = select(ApiKey.hashed_with).where(ApiKey.id == key.id).scalar_subquery()
        query = select(
            func.coalesce(hashed, literal(self._hasher.dummy)),
            func.coalesce(hashed_with, literal(self._hasher.hashes_with)),
        )
        async with self._database.read() as session:
            stored, made_with = (await session.execute(query)).one()
            if not self._hasher.matches(key.secret, stored, made_with):
                return None
            found = (await session.execute(_known(key.id))).one_or_none()
        return None if found is None else _judged(*found)

    async def by_id(self, key_id: str) -> KnownKey | None:
        """The key of a session, whose browser has shown its secret before."""
        async with self._database.read() as session:
            found = (await session.execute(_known(key_id))).one_or_none()
        return None if found is None else _judged(*found)

    async def used(self, key_id: str) -> None:
        """Writes that the key is used now, unless that was written less than a minute ago."""
        is_due = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < utc_now(-LAST_USE_S))
        async with self._database.write() as session:
            await session.execute(update(ApiKey).where(ApiKey.id == key_id, is_due).values(last_used_at=utc_now()))


async def has_any_key(database: Database) -> bool:
    """Whether there is a key at all, in a database that may be of an older version."""
    async with database.read() as session:
        is_there = await session.run_sync(lambda sync: inspect(sync.connection()).has_table(ApiKey.__tablename__))
        return is_there and await session.scalar(select(ApiKey.id).limit(1)) is not None


def _known(key_id: str) -> Select[ApiKey, datetime]:
    return select(ApiKey, utc_now()).where(ApiKey.id == key_id)


def state_of(row: ApiKey, now: datetime) -> State:
    """Whether the key is accepted at this instant."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "usable"


def _judged(row: ApiKey, now: datetime) -> KnownKey:
    use_is_due = row.last_used_at is None or row.last_used_at < now - timedelta(seconds=LAST_USE_S)
    return KnownKey(row, state_of(row, now), use_is_due)
