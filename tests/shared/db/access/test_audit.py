"""The audit log is written in the transaction of the change and read by the owner, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from shared.access.caller import LOCAL, Caller
from shared.db.access.audit import AuditFilter, AuditRepository, record
from shared.db.connection.database import Database
from shared.db.tables.access import AuditEntry
from shared.db.tables.types import utc_now

ACME = Caller("acme", "admin", key_id="ab12cd34", request_id="req-1")


async def recorded(database: Database, caller: Caller, count: int = 1) -> None:
    async with database.write() as session:
        for number in range(count):
            await record(session, caller, "benchmark.created", "benchmark", number + 1, {"model": "sim"})


async def test_an_entry_says_who_did_what_to_which_thing(database: Database) -> None:
    await recorded(database, ACME)
    [entry] = await AuditRepository(ACME, database).page(AuditFilter(), before_id=None, limit=10)
    assert (entry.owner, entry.key_id, entry.via, entry.request_id) == ("acme", "ab12cd34", "key", "req-1")
    assert (entry.action, entry.target_kind, entry.target_id) == ("benchmark.created", "benchmark", "1")
    assert entry.details == {"model": "sim"}
    assert entry.at.tzinfo is not None


async def test_an_entry_goes_with_its_transaction(database: Database) -> None:
    async def stopped() -> None:
        async with database.write() as session:
            await record(session, LOCAL, "dataset.deleted", "dataset", 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await stopped()
    assert not await AuditRepository(LOCAL, database).page(AuditFilter(), before_id=None, limit=10)


async def test_an_owner_sees_its_entries_and_an_admin_those_of_all_on_request(database: Database) -> None:
    await recorded(database, ACME)
    await recorded(database, LOCAL)

    async def owners(caller: Caller) -> list[str]:
        page = await AuditRepository(caller, database).page(AuditFilter(), before_id=None, limit=10)
        return [entry.owner for entry in page]

    assert await owners(ACME) == ["acme"]
    assert await owners(LOCAL) == ["default"]
    assert await owners(replace(ACME, sees_all=True)) == ["default", "acme"]


async def test_a_change_of_another_owners_thing_is_in_that_owners_log(database: Database) -> None:
    async with database.write() as session:
        await record(session, LOCAL, "key.created", "key", "ef56gh78", {"scope": "run"}, owner="acme")
    [entry] = await AuditRepository(ACME, database).page(AuditFilter(), before_id=None, limit=10)
    assert (entry.owner, entry.key_id, entry.via) == ("acme", None, "local")


async def test_pages_go_on_below_an_id_newest_first(database: Database) -> None:
    await recorded(database, LOCAL, 5)
    log = AuditRepository(LOCAL, database)
    first = await log.page(AuditFilter(), before_id=None, limit=3)
    rest = await log.page(AuditFilter(), before_id=first[-1].id, limit=3)
    assert [entry.target_id for entry in (*first, *rest)] == ["5", "4", "3", "2", "1"]


async def test_filters(database: Database) -> None:
    await recorded(database, LOCAL)
    async with database.write() as session:
        await session.execute(update(AuditEntry).values(at=utc_now(-60)))
        await record(session, replace(LOCAL, key_id="ab12cd34"), "webhook.tested", "webhook", 7)
    log = AuditRepository(LOCAL, database)
    everything = await log.page(AuditFilter(), before_id=None, limit=10)
    assert len(everything) == 2
    newest = everything[0]
    for chosen in (
        AuditFilter(action="webhook.tested"),
        AuditFilter(kind="webhook"),
        AuditFilter(kind="webhook", target_id="7"),
        AuditFilter(key_id="ab12cd34"),
        AuditFilter(since=newest.at),
    ):
        assert [entry.id for entry in await log.page(chosen, before_id=None, limit=10)] == [newest.id]
    for empty in (
        AuditFilter(action="key.revoked"),
        AuditFilter(target_id="8"),
        AuditFilter(since=newest.at + timedelta(seconds=1)),
        AuditFilter(before=everything[1].at),
    ):
        assert not await log.page(empty, before_id=None, limit=10)
