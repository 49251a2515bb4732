"""API keys in the database: made, listed, revoked, found by their secret."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from shared.access.api_key import ApiKeyText, Hasher, make, parse
from shared.access.caller import LOCAL, Caller
from shared.clock import wall_now
from shared.db.access.key_lookup import KeyLookup
from shared.db.access.keys import KeyRepository, NewKey, bootstrap, shown_state
from shared.db.connection.database import Database
from shared.db.tables.access import ApiKey, AuditEntry, OwnerRow
from shared.errors import Conflict, NotFound

ADMIN = Caller("default", "admin", key_id="00000000")
HASHER = Hasher()


async def first_key(database: Database, hasher: Hasher = HASHER) -> ApiKeyText:
    _, text = await bootstrap(database, hasher, "first")
    return parse(text)


async def made(database: Database, owner: str = "default", hasher: Hasher = HASHER, **more: object) -> ApiKeyText:
    new = NewKey(owner, "a key", more.pop("scope", "run"), **more)  # type: ignore[arg-type]
    _, text = await KeyRepository(ADMIN, database, hasher).create(new)
    return parse(text)


async def test_a_key_is_found_by_its_secret_which_is_not_stored(database: Database) -> None:
    key = await first_key(database)
    found = await KeyLookup(database, HASHER).by_secret(key)
    assert found is not None
    assert (found.row.id, found.row.owner, found.row.scope, found.state) == (key.id, "default", "admin", "usable")
    assert key.secret not in str(vars(found.row))


async def test_a_wrong_id_and_a_wrong_secret_are_not_found(database: Database) -> None:
    key, lookup = await first_key(database), KeyLookup(database, HASHER)
    assert await lookup.by_secret(ApiKeyText(key.id, make().secret)) is None
    assert await lookup.by_secret(ApiKeyText(make().id, key.secret)) is None


class Counting(Hasher):
    """Counts what is hashed and compared."""

    def __init__(self) -> None:
        super().__init__(["p" * 32])
        self.compared: list[tuple[int, int, str]] = []

    def matches(self, secret: str, stored: str, hashed_with: str) -> bool:
        self.compared.append((len(secret), len(stored), hashed_with))
        return super().matches(secret, stored, hashed_with)


async def test_a_wrong_id_and_a_wrong_secret_take_the_same_steps(database: Database) -> None:
    hasher = Counting()
    key = await first_key(database, hasher)
    lookup = KeyLookup(database, hasher)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    steps = []
    for wrong in (ApiKeyText(make().id, key.secret), ApiKeyText(key.id, make().secret)):
        statements.clear()
        hasher.compared.clear()
        assert await lookup.by_secret(wrong) is None
        steps.append((list(statements), list(hasher.compared)))
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    assert steps[0] == steps[1]
    assert len([text for text in steps[0][0] if "api_keys" in text]) == 1
    assert steps[0][1] == [(32, 64, hasher.hashes_with)]


async def test_that_there_are_keys_is_seen_at_once_and_remembered(database: Database) -> None:
    lookup = KeyLookup(database, HASHER)
    assert not await lookup.are_keys()
    key = await first_key(database)
    await KeyRepository(ADMIN, database, HASHER).revoke(key.id)
    assert await lookup.are_keys()
    await database.close()
    assert await lookup.are_keys()


async def test_a_revoked_key_is_known_as_revoked_at_once(database: Database) -> None:
    key, lookup = await first_key(database), KeyLookup(database, HASHER)
    keys = KeyRepository(ADMIN, database, HASHER)
    await keys.revoke(key.id)
    found = await lookup.by_secret(key)
    assert found is not None
    assert (found.state, (await lookup.by_id(key.id)).state) == ("revoked", "revoked")  # type: ignore[union-attr]
    revoked_at = found.row.revoked_at
    await keys.revoke(key.id)
    again = await lookup.by_secret(key)
    assert again is not None
    assert again.row.revoked_at == revoked_at
    with pytest.raises(NotFound, match="there is no key 'nothing0'"):
        await keys.revoke("nothing0")


async def test_a_key_expires_by_the_clock_of_the_database(database: Database) -> None:
    lookup = KeyLookup(database, HASHER)
    past, future = (wall_now() + timedelta(seconds=seconds) for seconds in (-1, 3_600))
    for instant, state in ((past, "expired"), (future, "usable")):
        found = await lookup.by_secret(await made(database, expires_at=instant))
        assert found is not None
        assert found.state == state


async def test_the_last_use_is_written_at_most_once_a_minute(database: Database) -> None:
    key, lookup = await first_key(database), KeyLookup(database, HASHER)

    async def look() -> tuple[object, bool]:
        found = await lookup.by_secret(key)
        assert found is not None
        return found.row.last_used_at, found.use_is_due

    assert await look() == (None, True)
    await lookup.used(key.id)
    first = await look()
    assert (first[0] is not None, first[1]) == (True, False)
    await lookup.used(key.id)
    assert await look() == first
    long_ago = wall_now() - timedelta(seconds=61)
    async with database.write() as session:
        await session.execute(update(ApiKey).values(last_used_at=long_ago))
    assert (await look())[1]
    await lookup.used(key.id)
    used_at, is_due = await look()
    assert (used_at > long_ago, is_due) == (True, False)  # type: ignore[operator]


async def test_keys_of_before_the_pepper_stay_valid_and_a_foreign_pepper_finds_none(database: Database) -> None:
    old, new = await first_key(database), Hasher(["n" * 32])
    fresh = await made(database, hasher=new)
    lookup = KeyLookup(database, new)
    assert await lookup.by_secret(old) is not None
    assert await lookup.by_secret(fresh) is not None
    assert await KeyLookup(database, HASHER).by_secret(fresh) is None


async def test_a_key_of_a_missing_pepper_is_listed_as_unknown(database: Database) -> None:
    old, new = Hasher(["o" * 32]), Hasher(["n" * 32])
    await made(database, hasher=old)
    past = wall_now() - timedelta(seconds=1)
    await made(database, hasher=old, expires_at=past)
    states = {}
    for name, hasher in (("old", old), ("new", new), ("both", Hasher(["n" * 32, "o" * 32]))):
        rows = await KeyRepository(ADMIN, database, hasher).page(after=None, limit=10)
        states[name] = sorted(shown_state(row, hasher, wall_now()) for row in rows)
    assert states == {
        "old": ["expired", "usable"],
        "new": ["expired", "unknown"],
        "both": ["expired", "usable"],
    }


async def test_a_new_owner_begins_at_the_lowest_present_turn(database: Database) -> None:
    async with database.write() as session:
        await session.execute(update(OwnerRow).values(turn=7))
    await made(database, "acme")
    async with database.write() as session:
        await session.execute(update(OwnerRow).where(OwnerRow.name == "default").values(turn=9))
    await made(database, "acme")
    await made(database, "zeta")
    async with database.read() as session:
        rows = (await session.execute(select(OwnerRow.name, OwnerRow.turn).order_by(OwnerRow.name))).all()
    assert [tuple(row) for row in rows] == [("acme", 7), ("default", 9), ("zeta", 7)]


async def test_lists_have_pages_and_show_the_owner_that_was_asked_for(database: Database) -> None:
    for owner in ("zeta", "acme", "acme", "default"):
        await made(database, owner)
    everything = KeyRepository(Caller("default", "admin", sees_all=True), database, HASHER)
    found: list[tuple[str, str]] = []
    while page := await everything.page(after=found[-1] if found else None, limit=2):
        found += [(row.owner, row.id) for row in page]
    assert [owner for owner, _ in found] == ["acme", "acme", "default", "zeta"]
    assert found == sorted(found)
    of_acme = await KeyRepository(Caller("acme", "admin"), database, HASHER).page(after=None, limit=9)
    assert [row.owner for row in of_acme] == ["acme", "acme"]


async def test_bootstrap_makes_one_key_and_another_only_if_told(database: Database) -> None:
    key = await first_key(database)
    with pytest.raises(Conflict, match=f"there is a usable admin key already: {key.id}"):
        await first_key(database)
    await bootstrap(database, HASHER, "recovery", another=True)
    async with database.write() as session:
        await session.execute(update(ApiKey).values(expires_at=wall_now() - timedelta(seconds=1)))
    await first_key(database)


async def test_a_key_whose_pepper_is_gone_is_counted_and_is_no_usable_admin_key(database: Database) -> None:
    old, new = Hasher(["o" * 32]), Hasher(["n" * 32])
    key = await first_key(database, old)
    await made(database, hasher=old)
    await made(database, hasher=old, expires_at=wall_now() - timedelta(seconds=1))
    counts = [await KeyLookup(database, each).count_of_other_peppers() for each in (old, new, Hasher(), HASHER)]
    assert counts == [0, 2, 2, 2]
    assert await KeyLookup(database, Hasher(["n" * 32, "o" * 32])).count_of_other_peppers() == 0
    with pytest.raises(Conflict, match=f"there is an admin key, {key.id}, but the SECRET_KEY"):
        await first_key(database, new)
    usable, _ = await bootstrap(database, new, "recovery", another=True)
    with pytest.raises(Conflict, match=f"there is a usable admin key already: {usable.id}"):
        await first_key(database, new)


async def test_of_many_at_the_same_time_one_bootstraps(database: Database) -> None:
    tried = await asyncio.gather(*(bootstrap(database, HASHER, "first") for _ in range(4)), return_exceptions=True)
    assert sorted(isinstance(item, Conflict) for item in tried) == [False, True, True, True]


async def test_under_open_access_one_admin_key_is_made(database: Database) -> None:
    keys = KeyRepository(LOCAL, database, HASHER)
    with pytest.raises(Conflict, match="the first key needs the scope admin"):
        await keys.create(NewKey("default", "first", "run"))
    row, _ = await keys.create(NewKey("default", "first", "admin"))
    assert row.created_by is None
    with pytest.raises(Conflict, match="open access has ended"):
        await keys.create(NewKey("default", "second", "admin"))


async def test_what_is_done_with_keys_is_in_the_audit_log_without_their_secrets(database: Database) -> None:
    first = await first_key(database)
    other = await made(database, "acme")
    keys = KeyRepository(ADMIN, database, HASHER)
    await keys.revoke(other.id)
    await keys.revoke(other.id)
    async with database.read() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [(item.action, item.owner, item.target_id, item.via, item.key_id) for item in entries] == [
        ("key.created", "default", first.id, "cli", None),
        ("key.created", "acme", other.id, "key", ADMIN.key_id),
        ("key.revoked", "acme", other.id, "key", ADMIN.key_id),
    ]
    told = str([item.details for item in entries])
    assert "'scope': 'admin'" in told
    assert all(secret not in told for secret in (first.secret, other.secret))
