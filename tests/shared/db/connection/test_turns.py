"""Processes that write to one SQLite file let each other in. Two `Turns` are as two processes: each has locks."""

import asyncio
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.db.connection.turns import Turns
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

# Another process that has the turn until it is killed.
HOLDER = """
import asyncio, sys
from shared.db.connection.turns import Turns

async def main():
    async with Turns(sys.argv[1]):
        print("has it", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = tmp_path / "some.db"
    path.touch(0o640)
    return str(path)


@pytest.fixture
def ours(path: str) -> Iterator[Turns]:
    turns = Turns(path, patience_s=PATIENCE_S)
    yield turns
    turns.close()


@pytest.fixture
def theirs(path: str) -> Iterator[Turns]:
    turns = Turns(path, patience_s=PATIENCE_S)
    yield turns
    turns.close()


async def once(turns: Turns, name: str, order: list[str]) -> None:
    async with turns:
        order.append(name)


def is_locked(file: str) -> bool:
    with open(file, "rb") as other:
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def files_beside(path: str) -> list[str]:
    return sorted(os.listdir(os.path.dirname(path)))


async def at_the_head(path: str) -> None:
    """Returns when somebody waits for the turn at the head of the queue."""

    async def taken() -> bool:
        return is_locked(f"{path}-queue")

    await until(taken)


async def cancelled_at_the_head(turns: Turns, path: str) -> None:
    """A caller that is cancelled while it waits for the turn, which another one has."""
    waiting = asyncio.create_task(once(turns, "cancelled", []))
    await at_the_head(path)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()


async def test_who_has_written_lets_the_other_in_first(path: str, ours: Turns, theirs: Turns) -> None:
    order: list[str] = []
    for _ in range(20):
        async with ours:
            waiting = asyncio.create_task(once(theirs, "theirs", order))
            await at_the_head(path)
        # At once, without a pause in which the other could have looked.
        await once(ours, "ours", order)
        await waiting
    assert order == ["theirs", "ours"] * 20


async def test_callers_in_a_process_keep_their_order(ours: Turns, theirs: Turns) -> None:
    order: list[str] = []
    async with theirs:
        waiting = [asyncio.create_task(once(ours, str(number), order)) for number in range(5)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == ["0", "1", "2", "3", "4"]


async def test_a_cancelled_wait_serves_the_next_caller(path: str, ours: Turns, theirs: Turns) -> None:
    order: list[str] = []
    async with theirs:
        await cancelled_at_the_head(ours, path)
        following = asyncio.create_task(once(ours, "ours", order))
        await asyncio.sleep(0)
    await following
    assert order == ["ours"]
    assert not is_locked(f"{path}-turn")


async def test_a_turn_that_nobody_wants_any_more_is_given_back(path: str, ours: Turns, theirs: Turns) -> None:
    async with theirs:
        await cancelled_at_the_head(ours, path)

    async def is_free() -> bool:
        return not is_locked(f"{path}-turn") and not is_locked(f"{path}-queue")

    await until(is_free)
    await once(theirs, "theirs", [])


async def test_a_caller_without_patience_goes_on_and_later_ones_have_turns_again(path: str, theirs: Turns) -> None:
    hasty = Turns(path, patience_s=0.01)
    order: list[str] = []
    async with theirs:
        async with hasty:
            assert is_locked(f"{path}-queue"), "its wait goes on"
        # No further caller waits at all.
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(once(hasty, "hasty", order) for _ in range(1_000)))
    assert order == ["hasty"] * 1_000

    async def has_turns_again() -> bool:
        async with hasty:
            has_turn = is_locked(f"{path}-turn")
        return has_turn and not is_locked(f"{path}-turn")

    await until(has_turns_again)
    hasty.close()


async def test_a_turn_that_comes_too_late_ends_with_the_write_that_did_without(path: str, theirs: Turns) -> None:
    hasty = Turns(path, patience_s=0.01)
    async with theirs:
        await hasty.__aenter__()

    async def has_come() -> bool:
        return is_locked(f"{path}-turn") and not is_locked(f"{path}-queue")

    await until(has_come)
    await hasty.__aexit__(None, None, None)

    async def is_free() -> bool:
        return not is_locked(f"{path}-turn")

    await until(is_free)
    hasty.close()


async def test_the_turn_of_a_killed_process_is_free(path: str, ours: Turns) -> None:
    command = [sys.executable, "-c", HOLDER, path]
    holder = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"has it\n"
    order: list[str] = []
    waiting = asyncio.create_task(once(ours, "ours", order))
    await at_the_head(path)
    assert order == []
    holder.kill()
    await waiting
    assert order == ["ours"]
    await holder.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the files of a process")
async def test_files_are_closed_and_opened_again(path: str, ours: Turns, theirs: Turns) -> None:
    def opened() -> int:
        return sum(
            os.path.realpath(f"/proc/self/fd/{number}").startswith(path) for number in os.listdir("/proc/self/fd")
        )

    await once(ours, "ours", [])
    assert opened() == 2
    ours.close()
    assert opened() == 0
    # Also if a thread still waits in them.
    async with theirs:
        await cancelled_at_the_head(ours, path)
        ours.close()
        assert opened() == 4

    async def only_theirs() -> bool:
        return opened() == 2

    await until(only_theirs)
    await once(ours, "ours", [])
    assert opened() == 4


async def test_the_last_process_removes_the_files(path: str, ours: Turns, theirs: Turns) -> None:
    all_three = ["some.db", "some.db-queue", "some.db-turn"]
    await once(ours, "ours", [])
    async with theirs:
        ours.close()
        assert files_beside(path) == all_three, "they are in use"
    theirs.close()
    assert files_beside(path) == ["some.db"]


async def test_a_wait_that_ends_after_the_close_leaves_no_files(path: str, ours: Turns, theirs: Turns) -> None:
    async with theirs:
        await cancelled_at_the_head(ours, path)
        ours.close()

    async def has_none() -> bool:
        return files_beside(path) == ["some.db"]

    await until(has_none)


async def test_who_finds_the_files_removed_makes_them_again(path: str, ours: Turns, theirs: Turns) -> None:
    """A process that does not write just now does not keep another from taking itself for the last one."""
    await once(ours, "ours", [])
    await once(theirs, "theirs", [])
    theirs.close()
    assert files_beside(path) == ["some.db"]
    order: list[str] = []
    async with ours:
        assert is_locked(f"{path}-turn")
        waiting = asyncio.create_task(once(theirs, "theirs", order))
        await at_the_head(path)
        assert order == []
    await waiting
    assert order == ["theirs"]


async def test_links_to_one_file_have_one_row(path: str, tmp_path: Path, ours: Turns) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "folder/link.db"
    link.symlink_to(path)
    by_link = Turns(str(link))
    async with by_link:
        assert is_locked(f"{path}-turn")
    by_link.close()
    assert [file.name for file in link.parent.iterdir()] == ["link.db"]


@pytest.mark.parametrize("database", [None, "/proc/self/status", "/nowhere/some.db", ":memory:"])
async def test_without_files_only_one_process_has_an_order(database: str | None) -> None:
    order: list[str] = []
    turns = Turns(database)
    async with turns:
        waiting = [asyncio.create_task(once(turns, name, order)) for name in "ab"]
        await asyncio.sleep(0)
        assert order == []
    await asyncio.gather(*waiting)
    assert order == ["a", "b"]
    turns.close()


async def test_other_users_have_the_rights_that_they_have_on_the_database(path: str, ours: Turns) -> None:
    await once(ours, "ours", [])
    for suffix in ("-queue", "-turn"):
        assert os.stat(f"{path}{suffix}").st_mode & 0o777 == 0o640
