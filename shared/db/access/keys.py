"""API keys as admins see them: made, listed and revoked. `GET /keys`, its pages and `llmbench keys` use it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.access.api_key import Hasher, make
from shared.access.caller import Caller
from shared.access.owner import DEFAULT_OWNER
from shared.access.scopes import Scope
from shared.db.access.audit import record
from shared.db.access.key_lookup import state_of
from shared.db.access.owned import of_owner
from shared.db.access.valid_keys import is_valid_key
from shared.db.connection.again import tries_again
from shared.db.connection.database import Database
from shared.db.tables.access import ApiKey, OwnerRow
from shared.db.tables.types import utc_now
from shared.errors import Conflict, NotFound

# Of the name of a key.
MAX_NAME_CHARS = 100
# A key that would be usable is unknown if the SECRET_KEY that it was made with is not set here.
ShownState = Literal["usable", "unknown", "revoked", "expired"]
# Who makes a key on the command line, with the database at hand.
BY_COMMAND = Caller(DEFAULT_OWNER, "admin", via="cli")
# Tries to find a free id: there are 2.8 * 10^12.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class NewKey:
    """What an admin says about a key. The two limits are None where the settings decide."""

    owner: str
    name: str
    scope: Scope
    expires_at: datetime | None = None
    requests_per_minute: int | None = None
    concurrent_requests: int | None = None


@tries_again
class KeyRepository:
    """Rows of `api_keys`, for a caller who is an admin. A key is made for any owner, and any key can be revoked."""

    def __init__(self, caller: Caller, database: Database, hasher: Hasher) -> None:
        self._caller = caller
        self._database = database
        self._hasher = hasher

    async def create(self, new: NewKey) -> tuple[ApiKey, str]:
        """(row, the key itself, which is not stored). Raises Conflict if open access has just ended."""
        async with self._database.write() as session:
            if self._caller.via == "local":
                await _one_at_a_time(session)
                await _refuse_second_first_key(session, new)
            return await _insert(session, self._database, self._hasher, new, self._caller)

    async def page(self, *, after: tuple[str, str] | None, limit: int) -> Sequence[ApiKey]:
        """Keys of the caller's owner, or of all owners if it sees all, in the order of (owner, id)."""
        query = select(ApiKey).where(of_owner(self._caller, ApiKey.owner))
        if after is not None:
            query = query.where(tuple_(ApiKey.owner, ApiKey.id) > after)
        async with self._database.read() as session:
            return (await session.scalars(query.order_by(ApiKey.owner, ApiKey.id).limit(limit))).all()

    async def revoke(self, key_id: str) -> None:
        """The key is refused from now on. Revoking it again changes nothing. Raises NotFound."""
        async with self._database.write() as session:
            row = (await session.scalars(select(ApiKey).where(ApiKey.id == key_id).with_for_update())).one_or_none()
            if row is None:
                raise NotFound(f"there is no key {key_id!r}")
            if row.revoked_at is None:
                await session.execute(update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=utc_now()))
                details = {"key_name": row.name, "scope": row.scope}
                await record(session, self._caller, "key.revoked", "key", key_id, details, owner=row.owner)


def shown_state(row: ApiKey, hasher: Hasher, now: datetime) -> ShownState:
    """What becomes of a request with this key at this instant."""
    state = state_of(row, now)
    return "unknown" if state == "usable" and row.hashed_with not in hasher.knows else state


async def bootstrap(database: Database, hasher: Hasher, name: str, *, another: bool = False) -> tuple[ApiKey, str]:
    """A first key with the scope `admin`, made by whoever has the database. (row, the key itself).

    Raises Conflict if an admin key is usable, unless `another` is true.
    """
    async with database.write() as session:
        await _one_at_a_time(session)
        if not another:
            await _refuse_second_admin_key(session, hasher)
        return await _insert(session, database, hasher, NewKey(DEFAULT_OWNER, name, "admin"), BY_COMMAND)


async def _one_at_a_time(session: AsyncSession) -> None:
    """Until the transaction ends, no other one makes a first key. The row of `default` is always there."""
    await session.execute(select(OwnerRow.name).where(OwnerRow.name == DEFAULT_OWNER).with_for_update())


async def _refuse_second_admin_key(session: AsyncSession, hasher: Hasher) -> None:
    valid = select(ApiKey.id, ApiKey.hashed_with).where(is_valid_key(), ApiKey.scope == "admin").order_by(ApiKey.id)
    found = [(key_id, hashed_with in hasher.knows) for key_id, hashed_with in await session.execute(valid)]
    if usable := [key_id for key_id, is_known in found if is_known]:
        raise Conflict(f"there is a usable admin key already: {usable[0]}")
    if found:
        raise Conflict(
            f"there is an admin key, {found[0][0]}, but the SECRET_KEY that it was made with is not set here: set it "
            "again, here and for the API, and the key is valid"
        )


async def _refuse_second_first_key(session: AsyncSession, new: NewKey) -> None:
    if await session.scalar(select(ApiKey.id).limit(1)) is not None:
        raise Conflict("somebody made the first key a moment ago, so open access has ended: send a key")
    if new.scope != "admin":
        raise Conflict("the first key needs the scope admin: open access ends with it, and nobody could make another")


async def _insert(
    session: AsyncSession, database: Database, hasher: Hasher, new: NewKey, caller: Caller
) -> tuple[ApiKey, str]:
    await _add_owner(session, database, new.owner)
    for _ in range(_TRIES):
        key = make()
        row = database.insert(ApiKey).values(
            id=key.id,
            owner=new.owner,
            name=new.name,
            scope=new.scope,
            hash=hasher.hash(key.secret),
            hashed_with=hasher.hashes_with,
            requests_per_minute=new.requests_per_minute,
            concurrent_requests=new.concurrent_requests,
            created_by=caller.key_id,
            created_at=utc_now(),
            expires_at=new.expires_at,
        )
        made = await session.execute(row.on_conflict_do_nothing(index_elements=["id"]).returning(ApiKey.id))
        if made.one_or_none() is not None:
            stored = (await session.scalars(select(ApiKey).where(ApiKey.id == key.id))).one()
            await record(session, caller, "key.created", "key", key.id, _details(stored), owner=new.owner)
            return stored, key.text
    raise Conflict("no free id for the key: try again")


def _details(row: ApiKey) -> dict[str, Any]:
    return {
        "key_name": row.name,
        "scope": row.scope,
        "expires_at": None if row.expires_at is None else row.expires_at.isoformat(),
        "requests_per_minute": row.requests_per_minute,
        "concurrent_requests": row.concurrent_requests,
    }


async def _add_owner(session: AsyncSession, database: Database, name: str) -> None:
    """A new owner is served as soon as those who are there: it begins at the lowest present turn."""
    lowest = select(func.coalesce(func.min(OwnerRow.turn), 0)).scalar_subquery()
    row = database.insert(OwnerRow).values(name=name, turn=lowest, created_at=utc_now())
    await session.execute(row.on_conflict_do_nothing(index_elements=["name"]))
