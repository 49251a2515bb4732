"""Times at which a server stands still. Deadlines step over them, so that a stall delays every answer in progress."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stalls:
    """The first stall begins at `first_ns` and takes `for_ns`. The next one begins `work_ns` after its end.

    `for_ns` 0: there are none. `work_ns` 0: there is only one.
    """

    first_ns: int = 0
    for_ns: int = 0
    work_ns: int = 0

    def after(self, start_ns: int, work_ns: int) -> int:
        """When work of this length is done that begins at `start_ns`, or at the end of the stall then."""
        if not self.for_ns:
            return start_ns + work_ns
        at_ns = self._awake(start_ns)
        while True:
            stall_ns = self._next(at_ns)
            if stall_ns is None or at_ns + work_ns <= stall_ns:
                return at_ns + work_ns
            work_ns -= stall_ns - at_ns
            at_ns = stall_ns + self.for_ns

    def _awake(self, at_ns: int) -> int:
        """`at_ns`, or the end of the stall that it lies in."""
        since_ns = at_ns - self.first_ns
        if since_ns < 0:
            return at_ns
        if self.work_ns:
            since_ns %= self.for_ns + self.work_ns
        return at_ns if since_ns >= self.for_ns else at_ns - since_ns + self.for_ns

    def _next(self, at_ns: int) -> int | None:
        """When the next stall begins. `at_ns` lies in none."""
        if at_ns <= self.first_ns:
            return self.first_ns
        if not self.work_ns:
            return None
        period_ns = self.for_ns + self.work_ns
        return self.first_ns + -(-(at_ns - self.first_ns) // period_ns) * period_ns
