"""Sessions of browsers that logged in with a key. Only `api.access` uses them, before it knows who the caller is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from shared.access.caller import Caller
from shared.access.scopes import Scope
from shared.db.access.audit import record
from shared.db.access.valid_keys import is_valid_key
from shared.db.connection.again import tries_again
from shared.db.connection.clock import read_now
from shared.db.connection.database import Database
from shared.db.tables.access import ApiKey, OwnerRow, Session
from shared.db.tables.types import utc_now

# `seen_at`, and `last_used_at` of the key, are written at most this often.
SEEN_EVERY = timedelta(minutes=1)
# Beyond so many sessions of one key, those that were not used for longest end. Many people may share a key.
MOST_OF_A_KEY = 1_000
# Characters of the hash that name a session in the audit log.
ID_CHARS = 12


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has not ended, with its key as it is now.

    `looks_at`: the owner whose rows an admin looks at, `*` for all. `seen_long_ago`: `touch` is due.
    """

    hash: str
    key_id: str
    key_name: str
    owner: str
    scope: Scope
    requests_per_minute: int | None
    concurrent_requests: int | None
    looks_at: str | None
    created_at: datetime
    expires_at: datetime
    key_expires_at: datetime | None
    seen_long_ago: bool


@tries_again
class SessionRepository:
    """Rows of `sessions`. A session ends at `expires_at`, which moves on while it is used, or with its key."""

    def __init__(
        self, database: Database, *, idle: timedelta, absolute: timedelta, most_of_a_key: int = MOST_OF_A_KEY
    ) -> None:
        """`idle`: how long an unused session lives; `absolute`: how long any does."""
        self._database = database
        self._most_of_a_key = most_of_a_key
        self._idle = idle
        self._absolute = absolute

    async def open(self, hashed: str, caller: Caller, *, key_name: str, user: str | None = None) -> None:
        """A new session of the caller's key. `user`: whom a trusted proxy named."""
        async with self._database.write() as session:
            now = await read_now(session)
            session.add(
                Session(
                    hash=hashed,
                    key_id=caller.key_id,
                    created_at=now,
                    seen_at=now,
                    expires_at=now + min(self._idle, self._absolute),
                )
            )
            of_key = select(Session.hash).where(Session.key_id == caller.key_id)
            surplus = of_key.order_by(Session.seen_at.desc(), Session.hash).offset(self._most_of_a_key)
            await session.execute(
                delete(Session).where(Session.hash.in_(surplus.limit(self._most_of_a_key).scalar_subquery())),
                execution_options={"synchronize_session": False},
            )
            details = {"key_name": key_name, "user": user}
            await record(session, caller, "session.opened", "session", hashed[:ID_CHARS], details)

    async def get(self, hashed: str) -> OpenSession | None:
        """None if there is no such session, if it has ended, or if its key was revoked or has expired."""
        query = (
            select(Session, ApiKey, (Session.seen_at < utc_now(-SEEN_EVERY.total_seconds())).label("seen_long_ago"))
            .join(ApiKey, ApiKey.id == Session.key_id)
            .where(Session.hash == hashed, Session.expires_at > utc_now(), is_valid_key())
        )
        async with self._database.read() as session:
            row = (await session.execute(query)).one_or_none()
        if row is None:
            return None
        opened, key, seen_long_ago = row
        return OpenSession(
            hash=opened.hash,
            key_id=key.id,
            key_name=key.name,
            owner=key.owner,
            scope=key.scope,
            requests_per_minute=key.requests_per_minute,
            concurrent_requests=key.concurrent_requests,
            looks_at=opened.looks_at,
            created_at=opened.created_at,
            expires_at=opened.expires_at,
            key_expires_at=key.expires_at,
            seen_long_ago=bool(seen_long_ago),
        )

    async def touch(self, found: OpenSession) -> None:
        """The session and its key were used. Does nothing if another request said so within the minute."""
        async with self._database.write() as session:
            now = await read_now(session)
            changed = await session.execute(
                update(Session)
                .where(Session.hash == found.hash, Session.seen_at < now - SEEN_EVERY, Session.expires_at > now)
                .values(seen_at=now, expires_at=min(found.created_at + self._absolute, now + self._idle)),
                execution_options={"synchronize_session": False},
            )
            if changed.rowcount:  # type: ignore[attr-defined]
                unused = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - SEEN_EVERY)
                await session.execute(
                    update(ApiKey).where(ApiKey.id == found.key_id, unused).values(last_used_at=now),
                    execution_options={"synchronize_session": False},
                )

    async def look_at(self, hashed: str, owner: str | None) -> None:
        """Chooses the owner whose rows the session's pages show; None: the key's own."""
        async with self._database.write() as session:
            await session.execute(update(Session).where(Session.hash == hashed).values(looks_at=owner))

    async def owners(self) -> list[str]:
        """All owners by name, for an admin's choice."""
        async with self._database.read() as session:
            return list(await session.scalars(select(OwnerRow.name).order_by(OwnerRow.name)))

    async def close(self, hashed: str, caller: Caller) -> None:
        """Logs out. Does nothing if the session is gone."""
        async with self._database.write() as session:
            gone = await session.execute(delete(Session).where(Session.hash == hashed))
            if gone.rowcount:  # type: ignore[attr-defined]
                await record(session, caller, "session.closed", "session", hashed[:ID_CHARS], {"reason": "logout"})

    async def close_all(self, caller: Caller) -> int:
        """Logs out everywhere: ends all sessions of the caller's key. Returns their number."""
        async with self._database.write() as session:
            gone = await session.execute(delete(Session).where(Session.key_id == caller.key_id))
            count: int = gone.rowcount  # type: ignore[attr-defined]
            if count:
                details = {"reason": "logout everywhere", "sessions": count}
                await record(session, caller, "session.closed", "key", str(caller.key_id), details)
        return count

    async def refuse(self, caller: Caller, reason: str) -> None:
        """Writes into the audit log that a login with a key that exists was refused."""
        async with self._database.write() as session:
            await record(session, caller, "login.refused", "key", str(caller.key_id), {"reason": reason})
