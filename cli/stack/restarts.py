"""Decides whether and when a program of the stack that died is started again."""

from collections.abc import Callable

# So many deaths in a row are a fault that another start does not mend.
MOST = 5
# A program that lived this long had no trouble starting: the next death is the first of a row again.
CALM_S = 60.0
_LONGEST_S = 30.0


class Restarts:
    """The deaths of one program. The wait before each start doubles: 1, 2, 4, 8 s."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._started_s = now_s()
        self._due_s: float | None = None
        self.deaths = 0

    def died(self) -> float | None:
        """Seconds until it is to be started again; None if it has died too often in a row."""
        lived_s = self._now_s() - self._started_s
        self.deaths = 1 if lived_s >= CALM_S else self.deaths + 1
        if self.deaths >= MOST:
            return None
        wait_s = min(2.0 ** (self.deaths - 1), _LONGEST_S)
        self._due_s = self._now_s() + wait_s
        return wait_s

    @property
    def is_waiting(self) -> bool:
        """Whether it is dead and to be started again."""
        return self._due_s is not None

    def is_due(self) -> bool:
        """Whether the wait is over. True once: the caller starts it."""
        if self._due_s is None or self._now_s() < self._due_s:
            return False
        self._due_s, self._started_s = None, self._now_s()
        return True
