"""Starts workers of the stack again if they die, for `llmbench up`."""

from collections.abc import Callable, Sequence

from cli.stack.process import Child
from cli.stack.restarts import MOST, Restarts
from cli.waiting import Deadline


class Supervisor:
    """Looks after workers. Another one goes on with what a dead one was running, or it does itself when it is back.

    `start` starts a worker by its name; `say` prints a line.
    """

    def __init__(
        self, start: Callable[[str], Child], say: Callable[[str], None], now_s: Callable[[], float] | None = None
    ) -> None:
        self._start = start
        self._say = say
        self._now_s = now_s or _clock()
        self._workers: dict[str, tuple[Child, Restarts]] = {}

    def watch(self, workers: Sequence[Child]) -> None:
        """From now on, these are started again."""
        self._workers = {worker.name: (worker, Restarts(self._now_s)) for worker in workers}

    def look(self) -> Child | None:
        """Starts what is due. Returns a worker that has died too often in a row; None if there is none."""
        for name, (worker, restarts) in self._workers.items():
            if not restarts.is_waiting and worker.exit_code is not None:
                wait_s = restarts.died()
                if wait_s is None:
                    return worker
                self._say(
                    f"! {name} ended by itself ({how(worker.exit_code)}); it starts again in {wait_s:g} s "
                    f"(death {restarts.deaths} of {MOST} in a row). Its log: {worker.log}"
                )
            if restarts.is_due():
                self._workers[name] = (self._start(name), restarts)
                self._say(f"{name} is started again")
        return None

    def is_watched(self, child: Child) -> bool:
        """Whether its end is dealt with here."""
        return child.name in self._workers


def how(exit_code: int) -> str:
    """How a program ended, in words."""
    return f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"


def _clock() -> Callable[[], float]:
    watch = Deadline(0)
    return lambda: watch.elapsed_s
