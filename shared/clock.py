"""The only place that reads a clock: monotonic nanoseconds for durations, aware UTC for dates."""

import time
from datetime import UTC, datetime
from typing import Protocol


def monotonic_ns() -> int:
    """Nanoseconds of CLOCK_MONOTONIC; only differences mean something."""
    return time.monotonic_ns()


def realtime_ns() -> int:
    """Nanoseconds of CLOCK_REALTIME: the clock of the kernel's receive timestamps. Only to convert those."""
    return time.time_ns()


def cpu_ns() -> int:
    """CPU time of this process so far, in nanoseconds."""
    return time.process_time_ns()


def wall_now() -> datetime:
    """The date and time now, aware, in UTC. Never used to measure a duration."""
    return datetime.now(UTC)


class Clock(Protocol):
    """What a caller needs who wants to be tested without waiting."""

    def monotonic_ns(self) -> int: ...

    def wall_now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def monotonic_ns(self) -> int:
        return monotonic_ns()

    def wall_now(self) -> datetime:
        return wall_now()
