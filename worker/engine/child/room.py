"""Room: how many requests may be in flight, over time."""

import heapq
from collections.abc import Sequence


class Room:
    """The room of a phase. Each free unit carries the stamp since when it has been free (monotonic ns).

    A stamp in the future means that the unit rests until then.
    """

    def __init__(self) -> None:
        self._free: list[int] = []
        self._steps: list[tuple[int, int]] = []
        self._size = 0
        self._taken = 0

    def begin(self, start_ns: int, room: Sequence[tuple[int, int]]) -> None:
        """A phase starts. `room`: (ns after its start, requests in flight), rising in time."""
        self._steps = [(start_ns + from_ns, count) for from_ns, count in room]
        self._size = 0
        self._free = []
        self._advance(start_ns)

    def next_change_ns(self, now_ns: int) -> int | None:
        """When the room changes next, or the next unit has rested; None if nothing is known to change."""
        moments = [at_ns for at_ns, _ in self._steps[:1]] + self._free[:1]
        return min((at_ns for at_ns in moments if at_ns > now_ns), default=None)

    def take(self, now_ns: int) -> int | None:
        """Takes the unit that has been free longest and returns since when. None if there is no room."""
        self._advance(now_ns)
        if not self._free or self._free[0] > now_ns:
            return None
        self._taken += 1
        return heapq.heappop(self._free)

    def give_back(self, free_ns: int) -> None:
        """Returns a unit that was not used."""
        self._taken -= 1
        heapq.heappush(self._free, free_ns)

    def free(self, from_ns: int) -> None:
        """A request has ended: its unit is free again from this stamp on, unless there is less room by now."""
        self._taken -= 1
        if self._taken + len(self._free) < self._size:
            heapq.heappush(self._free, from_ns)

    def _advance(self, now_ns: int) -> None:
        while self._steps and self._steps[0][0] <= now_ns:
            at_ns, self._size = self._steps.pop(0)
            missing = self._size - self._taken - len(self._free)
            for _ in range(missing):
                heapq.heappush(self._free, at_ns)
            while self._free and self._taken + len(self._free) > self._size:
                heapq.heappop(self._free)
