"""Every await of every important write: cancelled there, cancelled with all its tasks, or without its sessions.

Needs no deployment: the writes run here, each as often as it has awaits, with connections that exist and with new ones.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event

from shared.db.connection.database import Database
from shared.db.connection.engine import make_engine
from shared.errors import Unavailable
from tests.support.databases.interrupted import CASES, Writer, assert_nothing_is_locked
from tests.support.steps import Steps

# If even the tasks that close a connection are cancelled, the driver's thread closes it a moment later. If a connection
# is cut off, the server rolls back when it notices.
LATER_S = 10.0

KILL = (
    "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name = 'victim'"
)


@pytest.fixture
def other(database: Database) -> Writer:
    """Looks after each interruption."""
    return Writer(database)


@pytest.mark.parametrize("warm", [True, False], ids=["pooled", "new"])
@pytest.mark.parametrize("cancel", [Steps.cancel, Steps.cancel_all], ids=["caller", "everything"])
@pytest.mark.parametrize("name", CASES)
async def test_cancelled(
    name: str, cancel: Callable[[Steps], None], warm: bool, database_url: str, other: Writer
) -> None:
    at, reached = 1, True
    database = Database(database_url)
    while reached:
        if not warm:
            await database.close()
            database = Database(database_url)
        interrupted = Writer(database)
        case = await CASES[name](interrupted, other)
        steps = Steps(at, cancel)
        result = None
        try:
            result = await steps.run(case.write())
        except (asyncio.CancelledError, Unavailable):
            assert steps.reached
        await assert_nothing_is_locked(other.database, 0 if cancel is Steps.cancel else LATER_S)
        await case.check(result)
        at, reached = at + 1, steps.reached
    await database.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("warm", [True, False], ids=["pooled", "new"])
@pytest.mark.parametrize("way", ["ended by the server", "cut off"])
@pytest.mark.parametrize("name", CASES)
async def test_sessions_lost(name: str, way: str, warm: bool, database_url: str, other: Writer) -> None:
    """Whatever the driver makes of it, the write says that the database is away, and works when it is repeated."""
    at, reached = 1, True
    with ThreadPoolExecutor(1) as elsewhere:
        victim = Victim(database_url)

        def lose(_: Steps) -> None:
            if way == "cut off":
                victim.cut()
            else:
                # Blocks this loop until the sessions have ended: so they end at exactly this await.
                elsewhere.submit(asyncio.run, _end_sessions(database_url)).result()

        while reached:
            if not warm:
                await victim.database.close()
                victim = Victim(database_url)
            case = await CASES[name](Writer(victim.database), other)
            steps = Steps(at, lose)
            result = None
            try:
                result = await steps.run(case.write())
            except Unavailable:
                assert steps.reached
            await assert_nothing_is_locked(other.database, LATER_S if way == "cut off" else 0)
            await case.check(result)
            at, reached = at + 1, steps.reached
        await victim.database.close()


class Victim:
    """A database whose sessions can be told from others, and whose sockets can be closed."""

    def __init__(self, url: str) -> None:
        self.database = Database(url + "?application_name=victim")
        self._sockets: list[asyncio.Transport] = []
        event.listen(self.database.engine.sync_engine, "connect", self._connected)

    def cut(self) -> None:
        for socket in self._sockets:
            socket.abort()
        self._sockets = []

    def _connected(self, connection: Any, _: Any) -> None:
        self._sockets.append(connection.driver_connection._transport)


async def _end_sessions(url: str) -> None:
    engine = make_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.exec_driver_sql(KILL)
    await engine.dispose()
