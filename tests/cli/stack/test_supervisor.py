"""Workers that die are started again, but not for ever."""

from dataclasses import dataclass
from pathlib import Path

from cli.stack.restarts import CALM_S, MOST, Restarts
from cli.stack.supervisor import Supervisor


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Worker:
    """`exit_code` is None while it runs."""

    name: str
    exit_code: int | None = None
    log: Path = Path("worker.log")


class House:
    """A supervisor of two workers, its clock, and what it said."""

    def __init__(self) -> None:
        self.clock, self.said = Clock(), list[str]()
        self.workers = {name: Worker(name) for name in ("worker-1", "worker-2")}
        self.supervisor = Supervisor(self._start, self.said.append, self.clock)  # type: ignore[arg-type]
        self.supervisor.watch(list(self.workers.values()))  # type: ignore[arg-type]

    def _start(self, name: str) -> Worker:
        self.workers[name] = Worker(name)
        return self.workers[name]

    def kill(self, name: str) -> object:
        self.workers[name].exit_code = -9
        return self.supervisor.look()


def test_a_worker_that_dies_is_started_again_after_a_moment() -> None:
    house = House()
    assert house.kill("worker-2") is None
    assert house.said[0].startswith(
        "! worker-2 ended by itself (killed by signal 9); it starts again in 1 s (death 1 of 5"
    )
    house.clock.now_s = 0.9
    house.supervisor.look()
    assert house.workers["worker-2"].exit_code == -9
    house.clock.now_s = 1.0
    house.supervisor.look()
    assert house.workers["worker-2"].exit_code is None
    assert house.said[1:] == ["worker-2 is started again"]


def test_it_gives_up_after_several_deaths_in_a_row() -> None:
    house = House()
    for _ in range(MOST - 1):
        assert house.kill("worker-1") is None
        house.clock.now_s += 30
        house.supervisor.look()
    assert house.kill("worker-1") is house.workers["worker-1"]


def test_each_wait_is_twice_as_long_as_the_one_before() -> None:
    clock = Clock()
    restarts = Restarts(clock)
    waits = []
    for _ in range(MOST - 1):
        waits.append(restarts.died())
        clock.now_s += 10
        assert restarts.is_due()
        assert not restarts.is_due()
    assert waits == [1, 2, 4, 8]


def test_a_worker_that_lived_for_long_begins_a_new_row() -> None:
    house = House()
    for _ in range(3 * MOST):
        house.clock.now_s += CALM_S
        assert house.kill("worker-1") is None
        house.clock.now_s += 1
        house.supervisor.look()
    assert "death 1 of 5" in house.said[-2]
