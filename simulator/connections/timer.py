"""Wakes the players at absolute monotonic deadlines.

An event loop's own timers have a grain of a millisecond, a timerfd has none.
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol

from shared.clock import monotonic_ns

_NS_PER_S = 1_000_000_000


class Wake:
    """A pending call; it drops its callback when cancelled, so that a far deadline holds no memory."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Timer(Protocol):
    def at(self, due_ns: int, callback: Callable[[], None]) -> Wake: ...

    def close(self) -> None: ...


def make_timer(loop: asyncio.AbstractEventLoop) -> Timer:
    """A TimerFd where there is one (Linux), else the loop's own timers."""
    if sys.platform == "linux":
        try:
            return TimerFd(loop)
        except (OSError, AttributeError, NotImplementedError):
            pass
    return LoopTimer(loop)


class LoopTimer:
    """The loop's own timers."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def at(self, due_ns: int, callback: Callable[[], None]) -> Wake:
        wake = Wake(callback)
        self._arm(due_ns, wake)
        return wake

    def _arm(self, due_ns: int, wake: Wake) -> None:
        left_ns = due_ns - monotonic_ns()
        self._loop.call_at(self._loop.time() + max(0, left_ns) / _NS_PER_S, self._fire, due_ns, wake)

    def _fire(self, due_ns: int, wake: Wake) -> None:
        if wake.callback is None:
            return
        if monotonic_ns() < due_ns:  # a loop may round down
            self._arm(due_ns, wake)
        else:
            wake.callback()

    def close(self) -> None:
        pass


class _ItimerSpec(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1


class TimerFd:
    """All deadlines in one heap, the earliest armed in one timerfd that the loop reads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._libc = ctypes.CDLL(None, use_errno=True)
        # Python 3.13 has os.timerfd_create; 3.11 must ask the C library. The flags equal those of open(2).
        self._fd: int = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._heap: list[tuple[int, int, Wake]] = []
        self._order = count()
        self._armed_ns = 0
        self._compact_at = 1024
        loop.add_reader(self._fd, self._expired)

    @property
    def pending(self) -> int:
        return len(self._heap)

    def at(self, due_ns: int, callback: Callable[[], None]) -> Wake:
        wake = Wake(callback)
        if len(self._heap) >= self._compact_at:
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapify(self._heap)
            self._compact_at = max(1024, 2 * len(self._heap))
        heappush(self._heap, (due_ns, next(self._order), wake))
        if not self._armed_ns or due_ns < self._armed_ns:
            self._arm(due_ns)
        return wake

    def _arm(self, due_ns: int) -> None:
        due_ns = max(due_ns, 1)  # zero would disarm it
        spec = _ItimerSpec(0, 0, due_ns // _NS_PER_S, due_ns % _NS_PER_S)
        if self._libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")
        self._armed_ns = due_ns

    def _expired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        # Nothing is armed while callbacks run: those that ask for a new deadline are served by the one call below.
        now = monotonic_ns()
        self._armed_ns = 1
        while self._heap and self._heap[0][0] <= now:
            wake = heappop(self._heap)[2]
            if wake.callback is None:
                continue
            try:
                wake.callback()
            except Exception as error:  # noqa: BLE001 - one stream must not stop the others
                self._loop.call_exception_handler({"message": "a simulator timer failed", "exception": error})
        self._armed_ns = 0
        if self._heap:
            self._arm(self._heap[0][0])

    def close(self) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        self._heap.clear()
