"""Sessions live while they are used and their key is valid, on both databases. Only a hash of the cookie is stored."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from shared.access.session import hash_of, new_secret
from shared.db.access.sessions import ID_CHARS, SEEN_EVERY, SessionRepository
from shared.db.benchmarks.retention import RetentionRepository
from shared.db.connection.database import Database
from shared.db.tables.access import ApiKey, AuditEntry, Session
from shared.db.tables.types import utc_now
from tests.shared.db.access_rows import KEY_ID, add_key, age_session, change_key

IDLE, ABSOLUTE = timedelta(hours=12), timedelta(days=7)


@pytest.fixture
def sessions(database: Database) -> SessionRepository:
    return SessionRepository(database, idle=IDLE, absolute=ABSOLUTE)


async def opened(database: Database, sessions: SessionRepository, key_id: str = KEY_ID, owner: str = "acme") -> str:
    caller = await add_key(database, key_id, owner)
    hashed = hash_of(new_secret())
    await sessions.open(hashed, caller, key_name="CI")
    return hashed


async def stored(database: Database, hashed: str) -> Session:
    async with database.read() as session:
        return await session.get_one(Session, hashed)


async def test_a_session_is_found_with_its_key_as_it_is_now(database: Database, sessions: SessionRepository) -> None:
    hashed = await opened(database, sessions)
    await change_key(database, scope="read", name="Renamed")
    found = await sessions.get(hashed)
    assert found is not None
    assert (found.key_id, found.key_name, found.owner, found.scope) == (KEY_ID, "Renamed", "acme", "read")
    assert found.expires_at - found.created_at == IDLE
    assert (found.looks_at, found.seen_long_ago) == (None, False)
    assert await sessions.get(hash_of(new_secret())) is None


@pytest.mark.parametrize("ended", [{"revoked_at": utc_now()}, {"expires_at": utc_now(-1)}], ids=["revoked", "expired"])
async def test_a_session_ends_with_its_key_at_once(
    database: Database, sessions: SessionRepository, ended: dict[str, utc_now]
) -> None:
    hashed = await opened(database, sessions)
    await change_key(database, **ended)
    assert await sessions.get(hashed) is None


async def test_an_unused_session_ends_and_a_used_one_goes_on(database: Database, sessions: SessionRepository) -> None:
    hashed = await opened(database, sessions)
    await age_session(database, hashed, IDLE - timedelta(minutes=5))
    found = await sessions.get(hashed)
    assert found is not None
    assert found.seen_long_ago
    await sessions.touch(found)
    prolonged = await sessions.get(hashed)
    assert prolonged is not None
    assert not prolonged.seen_long_ago
    assert timedelta() <= prolonged.expires_at - (await stored(database, hashed)).seen_at - IDLE < timedelta(seconds=1)
    await age_session(database, hashed, IDLE)
    assert await sessions.get(hashed) is None


async def test_no_session_lives_longer_than_the_absolute_limit(database: Database, sessions: SessionRepository) -> None:
    hashed = await opened(database, sessions)
    for _ in range(14):
        await age_session(database, hashed, IDLE - timedelta(minutes=5))
        found = await sessions.get(hashed)
        assert found is not None
        await sessions.touch(found)
    found = await sessions.get(hashed)
    assert found is not None
    assert found.expires_at == found.created_at + ABSOLUTE
    await age_session(database, hashed, IDLE - timedelta(minutes=5))
    assert await sessions.get(hashed) is None


async def test_use_is_written_at_most_once_a_minute(database: Database, sessions: SessionRepository) -> None:
    hashed = await opened(database, sessions)
    await age_session(database, hashed, SEEN_EVERY + timedelta(seconds=1))
    found = await sessions.get(hashed)
    assert found is not None
    await sessions.touch(found)
    first = await stored(database, hashed)
    # Another request that was under way at the same time.
    await sessions.touch(found)
    second = await stored(database, hashed)
    assert (first.seen_at, first.expires_at) == (second.seen_at, second.expires_at)
    async with database.read() as session:
        assert (await session.get_one(ApiKey, KEY_ID)).last_used_at == first.seen_at


async def test_logout_ends_one_session_and_logout_everywhere_those_of_the_key(
    database: Database, sessions: SessionRepository
) -> None:
    first = await opened(database, sessions)
    other = await opened(database, sessions, "zz99zz99", "beta")
    caller = await add_key(database, "cc33cc33")
    mine = [hash_of(new_secret()) for _ in range(3)]
    for hashed in mine:
        await sessions.open(hashed, caller, key_name="CI")
    await sessions.close(mine[0], caller)
    await sessions.close(mine[0], caller)
    assert [await sessions.get(hashed) is None for hashed in mine] == [True, False, False]
    assert await sessions.close_all(caller) == 2
    assert [await sessions.get(hashed) for hashed in mine] == [None] * 3
    assert None not in [await sessions.get(first), await sessions.get(other)]
    async with database.read() as session:
        query = select(AuditEntry).where(AuditEntry.key_id == "cc33cc33").order_by(AuditEntry.id)
        entries = (await session.scalars(query)).all()
    assert [(item.action, item.target_id) for item in entries] == [
        *(("session.opened", hashed[:ID_CHARS]) for hashed in mine),
        ("session.closed", mine[0][:ID_CHARS]),
        ("session.closed", "cc33cc33"),
    ]
    assert entries[-1].details == {"reason": "logout everywhere", "sessions": 2}


async def test_of_too_many_sessions_of_a_key_those_unused_for_longest_end(database: Database) -> None:
    sessions = SessionRepository(database, idle=IDLE, absolute=ABSOLUTE, most_of_a_key=2)
    other = await opened(database, sessions, "zz99zz99", "beta")
    caller = await add_key(database)
    made = [hash_of(new_secret()) for _ in range(4)]
    for number, hashed in enumerate(made):
        await sessions.open(hashed, caller, key_name="CI")
        # The first one is in use.
        await age_session(database, hashed, timedelta(minutes=0 if number == 0 else 10 - number))
    await sessions.open(new := hash_of(new_secret()), caller, key_name="CI")
    assert [await sessions.get(hashed) is not None for hashed in (*made, new, other)] == [
        *(True, False, False, False),
        *(True, True),
    ]


async def test_the_owner_that_is_looked_at_stays_with_the_session(
    database: Database, sessions: SessionRepository
) -> None:
    hashed = await opened(database, sessions)
    await opened(database, sessions, "zz99zz99", "beta")
    await sessions.look_at(hashed, "*")
    found = await sessions.get(hashed)
    assert found is not None
    assert found.looks_at == "*"
    assert [name for name in await sessions.owners() if name != "default"] == ["acme", "beta"]


async def test_ended_sessions_are_deleted_and_others_stay(database: Database, sessions: SessionRepository) -> None:
    alive = await opened(database, sessions)
    idle = await opened(database, sessions, "bb22bb22")
    await age_session(database, idle, IDLE)
    await opened(database, sessions, "cc33cc33")
    await change_key(database, "cc33cc33", revoked_at=utc_now())
    repository = RetentionRepository(database)
    assert await repository.delete_sessions_step()
    assert not await repository.delete_sessions_step()
    assert await sessions.get(alive) is not None
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Session)) == 1
