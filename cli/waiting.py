"""Waits and deadlines without the module `time`, which only `shared.clock` may use."""

import threading

from shared.clock import monotonic_ns


def pause(seconds: float) -> None:
    """Sleeps, for callers that have no `Stop`."""
    threading.Event().wait(seconds)


class Deadline:
    """A moment on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._began_ns = monotonic_ns()
        self._seconds = seconds

    @property
    def elapsed_s(self) -> float:
        return (monotonic_ns() - self._began_ns) / 1e9

    @property
    def passed(self) -> bool:
        return self.elapsed_s >= self._seconds
