"""Full garbage collections are made when nobody waits, or when memory asks for one."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from shared.program.heap import GROWN_IF_BUSY, LONGEST_S, YOUNGER_IF_IDLE, FullCollections


class Process:
    """A clock and a memory that the test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.peak_bytes = 200_000_000
        self.collections = FullCollections(lambda: int(self.now_s * 1e9), lambda: self.peak_bytes)

    def collects(self, *, busy: bool) -> bool:
        before = full_collections()
        self.collections.look(busy)
        return full_collections() > before


class Cycle:
    """Garbage that only the collector frees."""

    def __init__(self) -> None:
        self.itself = self


def full_collections() -> int:
    return int(gc.get_stats()[2]["collections"])


def collect_younger(times: int) -> None:
    for _ in range(times):
        gc.collect(1)


@pytest.fixture(autouse=True)
def no_other_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_without_work_it_collects_as_often_as_python_would() -> None:
    process = Process()
    collect_younger(YOUNGER_IF_IDLE - 1)
    assert not process.collects(busy=False)
    collect_younger(1)
    assert process.collects(busy=False)
    assert not process.collects(busy=False)


def test_work_is_not_held_up() -> None:
    process = Process()
    collect_younger(10 * YOUNGER_IF_IDLE)
    process.now_s, process.peak_bytes = LONGEST_S - 1, process.peak_bytes + GROWN_IF_BUSY - 1
    assert not process.collects(busy=True)


def test_with_work_it_collects_when_memory_has_grown() -> None:
    process = Process()
    for _ in range(2):
        process.peak_bytes += GROWN_IF_BUSY
        assert process.collects(busy=True)
        assert not process.collects(busy=True)


def test_with_work_it_collects_once_an_hour() -> None:
    process = Process()
    for _ in range(2):
        process.now_s += LONGEST_S
        assert process.collects(busy=True)
        assert not process.collects(busy=True)


async def test_python_makes_no_full_collection_meanwhile_and_does_again_afterwards() -> None:
    before = gc.get_threshold()
    task = asyncio.create_task(FullCollections().run(lambda: True))
    await asyncio.sleep(0)
    gc.enable()
    made = full_collections()
    # Old objects grow by much more than a quarter.
    kept = [[Cycle() for _ in range(2_000)] for _ in range(100)]
    assert len(kept) == 100
    assert full_collections() == made
    assert gc.get_threshold()[:2] == before[:2]
    task.cancel()
    await asyncio.wait([task])
    assert gc.get_threshold() == before
