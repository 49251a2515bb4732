"""Webhook secrets are encrypted again after ENCRYPTION_KEY has changed."""

import asyncio

import pytest

from shared.access.caller import LOCAL
from shared.db.connection.database import Database
from shared.db.webhooks.endpoints import WebhookRepository
from shared.db.webhooks.reseal import reseal
from shared.webhooks.message import NewEndpoint
from shared.webhooks.secret_box import SecretBox, new_key
from tests.shared.db.connection.conflicting import ConflictingDatabase
from tests.shared.db.rows import Tables, make_spec

OLD, NEW = new_key(), new_key()
BEFORE, BOTH, AFTER = SecretBox([OLD]), SecretBox([NEW, OLD]), SecretBox([NEW])


def endpoint(secret: str, box: SecretBox = BEFORE) -> NewEndpoint:
    return NewEndpoint("https://hooks.example/", None, [box.seal(secret)])


@pytest.fixture
def webhooks(database: Database) -> WebhookRepository:
    return WebhookRepository(LOCAL, database)


async def opened(webhooks: WebhookRepository, box: SecretBox = AFTER) -> list[list[str]]:
    """The secrets of every registered endpoint, oldest first."""
    rows = await webhooks.page(before_id=None, limit=100)
    return [[box.open(secret["sealed"]) for secret in row.secrets] for row in reversed(rows)]


async def test_afterwards_the_new_key_alone_opens_every_secret(
    database: Database, webhooks: WebhookRepository, tables: Tables
) -> None:
    for number in range(5):
        added = await webhooks.add(endpoint(f"whsec_{number}"))
    until = await webhooks.rotate(added.id, BEFORE.seal("whsec_rotated"))
    benchmark = await tables.benchmarks.create(make_spec(), "simulator", webhook=endpoint("whsec_own"))

    done = await reseal(database, BOTH, batch=2)
    assert (done.changed, done.current, done.unreadable) == (7, 0, [])
    assert await opened(webhooks) == [["whsec_0"], ["whsec_1"], ["whsec_2"], ["whsec_3"], ["whsec_rotated", "whsec_4"]]
    # The old secret of a rotation ends when it was to end.
    newest = (await webhooks.get(added.id)).secrets
    assert [item["expires_at"] for item in newest] == [None, until.isoformat()]
    own = await webhooks.of_benchmark(benchmark.id)
    assert own is not None
    assert AFTER.open(own.secrets[0]["sealed"]) == "whsec_own"


async def test_a_batch_that_meets_another_transaction_is_tried_again_and_counted_once(
    database_url: str, webhooks: WebhookRepository
) -> None:
    for number in range(3):
        await webhooks.add(endpoint(f"whsec_{number}"))
    conflicting = ConflictingDatabase(database_url)
    done = await reseal(conflicting, BOTH, batch=2)
    assert (done.changed, done.current, done.unreadable) == (3, 0, [])
    assert await opened(webhooks) == [["whsec_0"], ["whsec_1"], ["whsec_2"]]
    await conflicting.close()


async def test_a_second_time_changes_nothing(database: Database, webhooks: WebhookRepository) -> None:
    for number in range(3):
        await webhooks.add(endpoint(f"whsec_{number}"))
    await reseal(database, BOTH, batch=2)
    before = [row.secrets for row in await webhooks.page(before_id=None, limit=10)]
    done = await reseal(database, BOTH, batch=2)
    assert (done.changed, done.current) == (0, 3)
    assert [row.secrets for row in await webhooks.page(before_id=None, limit=10)] == before


async def test_a_check_counts_and_changes_nothing(database: Database, webhooks: WebhookRepository) -> None:
    await webhooks.add(endpoint("whsec_old"))
    await webhooks.add(endpoint("whsec_new", AFTER))
    done = await reseal(database, BOTH, change=False, batch=1)
    assert (done.changed, done.current) == (1, 1)
    assert await opened(webhooks, BOTH) == [["whsec_old"], ["whsec_new"]]
    assert (await reseal(database, BOTH, change=False)).changed == 1


async def test_a_secret_that_no_key_opens_stays_and_is_named(database: Database, webhooks: WebhookRepository) -> None:
    lost = await webhooks.add(endpoint("whsec_lost", SecretBox([new_key()])))
    await webhooks.add(endpoint("whsec_1"))
    done = await reseal(database, BOTH, batch=1)
    assert (done.changed, done.unreadable) == (1, [lost.id])
    assert (await webhooks.get(lost.id)).secrets == lost.secrets


async def test_secrets_that_rotate_meanwhile_are_not_lost(database: Database, webhooks: WebhookRepository) -> None:
    ids = [(await webhooks.add(endpoint(f"whsec_{number}"))).id for number in range(20)]
    rotations = [webhooks.rotate(number, BOTH.seal(f"whsec_new_{number}")) for number in ids]
    await asyncio.gather(reseal(database, BOTH, batch=1), *rotations)
    assert [secrets[0] for secrets in await opened(webhooks)] == [f"whsec_new_{number}" for number in ids]
