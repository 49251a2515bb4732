"""Sends at the times of a trace."""

from collections.abc import Iterator, Sequence

from shared.benchmark.pace import Pace, Room
from shared.workloads.traces.schedule import TraceSchedule


class TracePace(Pace):
    """Open loop at the times of the schedule. Unlike other paces it ends, with the trace."""

    def __init__(self, schedule: TraceSchedule, concurrency: int) -> None:
        """`concurrency`: the most requests that may be in flight."""
        self._schedule = schedule
        self._concurrency = concurrency

    def due_ns(self) -> Iterator[int | None]:
        return (int(due_ns) for due_ns in self._schedule.due_ns)

    def room(self) -> Sequence[Room]:
        return [Room(0, self._concurrency)]
