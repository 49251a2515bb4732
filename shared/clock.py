"""The only place that reads a clock: monotonic nanoseconds for durations, aware UTC for dates."""

import time
from datetime import UTC, datetime
from typing import Protocol


def monotonic_ns() -> int:
    """Nanoseconds of CLOCK_MONOTONIC. Only the difference of two readings has a meaning."""
    return time.monotonic_ns()


def realtime_ns() -> int:
    """Nanoseconds of CLOCK_REALTIME: the clock of the kernel's receive timestamps. Use it only to convert those."""
    return time.time_ns()


def cpu_ns() -> int:
    """CPU time of this process so far, in nanoseconds."""
    return time.process_time_ns()


def wall_now() -> datetime:
    """The date and time now, aware, in UTC. Do not measure durations with it."""
    return datetime.now(UTC)


class Clock(Protocol):
    """The clock that code takes as an argument. Tests pass a fake one, so that they need not wait."""

    def monotonic_ns(self) -> int: ...

    def wall_now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def monotonic_ns(self) -> int:
        return monotonic_ns()

    def wall_now(self) -> datetime:
        return wall_now()
