"""Writes that are cancelled at any await: no lock is held, nothing is claimed by nobody, nothing is lost.

`make chaos` tries every await; here it is every third.
"""

import asyncio

import pytest

from shared.db.connection.database import Database
from tests.support.databases.interrupted import CASES, Writer, assert_nothing_is_locked
from tests.support.steps import Steps

STRIDE = 3


@pytest.mark.heavy
@pytest.mark.parametrize("name", CASES)
async def test_cancelled(name: str, database_url: str, database: Database) -> None:
    interrupted = Writer(Database(database_url))
    other, at, cancelled = Writer(database), 1, 0
    while True:
        case = await CASES[name](interrupted, other)
        steps = Steps(at, Steps.cancel)
        result = None
        try:
            result = await steps.run(case.write())
        except asyncio.CancelledError:
            cancelled += 1
        await assert_nothing_is_locked(database)
        await case.check(result)
        if not steps.reached:
            break
        at += STRIDE
    assert cancelled * STRIDE + 1 == at
    await interrupted.database.close()
