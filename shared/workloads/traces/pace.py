"""Sends at the times of a trace."""

from collections.abc import Iterator, Sequence

from shared.benchmark.load.pace import Pace, Room
from shared.workloads.traces.schedule import TraceSchedule


class TracePace(Pace):
    """Open loop at the times of the schedule. Unlike other paces it ends, with the trace."""

    def __init__(self, schedule: TraceSchedule, concurrency: int) -> None:
        """`concurrency`: the most requests that may be in flight."""
        self._schedule = schedule
        self._concurrency = concurrency

    def due_ns(self) -> Iterator[int | None]:
        return (int(due_ns) for due_ns in self._schedule.due_ns)

    @property
    def rate(self) -> float | None:
        """The mean over the whole trace. None if all its requests are due at once."""
        span_s = self._schedule.span_s
        return (len(self._schedule) - 1) / span_s if span_s > 0 and len(self._schedule) > 1 else None

    @property
    def settled_s(self) -> None:
        """A trace changes to its end, so no part of it is steady."""
        return None

    def room(self) -> Sequence[Room]:
        return [Room(0, self._concurrency)]
