"""A run keeps its lease while the database answers, and gives it up in time."""

import asyncio
from collections.abc import Iterator

import pytest

from shared.errors import LeaseLost, Unavailable
from tests.support.waiting import PATIENCE_S
from worker.run.heartbeat import Heartbeat

# A step: what the database does when it is asked.
SILENT, AWAY, LOST = "is silent", "is away", "says that the lease is lost"


class Lease:
    """A database that does these steps, one for each try, and then prolongs the lease. It counts the tries."""

    def __init__(self, *steps: str) -> None:
        self._steps: Iterator[str] = iter(steps)
        self.tries = 0
        self.prolonged = asyncio.Event()

    async def prolong(self) -> bool:
        self.tries += 1
        step = next(self._steps, None)
        if step == SILENT:
            await asyncio.Event().wait()
        if step == AWAY:
            raise Unavailable("the database does not answer")
        if step == LOST:
            raise LeaseLost("another worker has it")
        self.prolonged.set()
        return False


def heartbeat(lease: Lease, *, lease_s: float = 0.1) -> Heartbeat:
    return Heartbeat(lease.prolong, lambda: None, lease_s=lease_s)


async def comes(event: asyncio.Event, beating: asyncio.Task[None]) -> None:
    """Waits for the event while the heart beats."""
    coming = asyncio.create_task(event.wait())
    await asyncio.wait({coming, beating}, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    assert coming.done(), "the heart has stopped before that" if beating.done() else "it did not come in time"


async def test_a_try_that_the_process_slept_through_is_made_again() -> None:
    """To a stopped process, a try seems to last as long as it was stopped. Another worker has the benchmark now."""
    lease = Lease(SILENT, LOST)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(LeaseLost):
            await heartbeat(lease).beat()
    assert lease.tries == 2


async def test_a_process_that_slept_goes_on_if_nobody_has_taken_over() -> None:
    lease = Lease(SILENT)
    beating = asyncio.create_task(heartbeat(lease).beat())
    await comes(lease.prolonged, beating)
    assert not beating.done()
    beating.cancel()


@pytest.mark.parametrize("step", [SILENT, AWAY])
async def test_without_the_database_the_run_is_given_up_after_a_lease(step: str) -> None:
    lease = Lease(*[step] * 1_000)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(Unavailable, match="for a whole lease"):
            await heartbeat(lease).beat()
    assert loop.time() - begin >= 0.1
    assert lease.tries >= 2


async def test_an_outage_that_is_shorter_than_the_lease_changes_nothing() -> None:
    lease = Lease(AWAY, AWAY)
    beating = asyncio.create_task(heartbeat(lease, lease_s=PATIENCE_S / 40).beat())
    await comes(lease.prolonged, beating)
    assert lease.tries == 3
    beating.cancel()


async def test_a_cancel_that_somebody_asked_for_is_passed_on() -> None:
    cancelled = asyncio.Event()

    async def prolong() -> bool:
        return True

    beating = asyncio.create_task(Heartbeat(prolong, cancelled.set, lease_s=0.1).beat())
    await comes(cancelled, beating)
    beating.cancel()
