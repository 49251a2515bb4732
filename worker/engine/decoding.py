"""Decodes what measuring processes send, in a thread of lower priority: if cores are few, stamping comes first."""

import asyncio
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from shared.benchmark.results.record import ResultRecord
from shared.clock import monotonic_ns
from worker.engine.measurer import Measurement
from worker.engine.messages import Slice

log = structlog.get_logger(__name__)

# With more undecoded bytes than this, the thread is `behind`.
MOST_WAITING_BYTES = 64_000_000
# Decoding may wait, measuring may not: at niceness 10 the thread has a tenth of the normal weight. At 19 it has a
# seventieth, and hardly anything was decoded on a host that was busy with other programs.
NICENESS = 10
# While there is more to decode, the listener is told of this many things together, and not later than after this time.
MOST_CALLS, CALLS_WAIT_NS = 16, 5_000_000


@dataclass(frozen=True, slots=True)
class Concluded:
    """A request that has ended. If its stream is not `closed`, the listener must have it closed."""

    request_id: int
    measurement: Measurement
    record: ResultRecord
    closed: bool


class Listener(Protocol):
    """What the thread calls, on the loop."""

    def accepted(self) -> None:
        """For the first time, the server has begun to answer a request with a 2xx."""
        ...

    def concluded(self, concluded: Concluded) -> None: ...

    def caught_up(self) -> None:
        """The thread is no longer behind: more may be given."""
        ...

    def lost(self, request_ids: list[int]) -> None:
        """Nothing more will be reported of these requests."""
        ...

    def broke(self, exc: Exception) -> None:
        """An error in our own code has ended the thread."""
        ...


class DecodingThread:
    """A thread that does its work in the order in which it is given."""

    def __init__(self, listener: Listener, *, most_waiting_bytes: int = MOST_WAITING_BYTES) -> None:
        self._listener = listener
        self._most_waiting_bytes = most_waiting_bytes
        self._loop = asyncio.get_running_loop()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._live: dict[int, Measurement] = {}
        self._accepted = False
        self._thread = threading.Thread(target=self._run, name="decoding", daemon=True)
        # Their difference is the bytes that wait. The loop writes only the first, the thread only the second.
        self._given_bytes = self._decoded_bytes = 0
        # What the listener is to be told, and since when the first of it waits.
        self._calls: list[Callable[[], None]] = []
        self._oldest_call_ns = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the work that was given."""
        self._work.put(None)

    @property
    def behind(self) -> bool:
        """Nothing more should be given until `caught_up` is called."""
        return self._given_bytes - self._decoded_bytes > self._most_waiting_bytes

    # Called on the loop.

    def begin(self, request_id: int, measurement: Measurement) -> None:
        """Must be called before the request is sent to a process."""
        self._work.put(lambda: self._live.__setitem__(request_id, measurement))

    def take(self, part: Slice) -> None:
        """Decodes a slice. Slices of a request that has ended are ignored."""
        self._given_bytes += len(part.body)
        self._work.put(lambda: self._take(part))

    def expire(self, request_ids: list[int], watermark_ns: int) -> None:
        """Times out requests whose deadline is before the watermark: their slices up to it have been given."""
        self._work.put(lambda: self._expire(request_ids, watermark_ns))

    def drop(self, request_ids: list[int], at_ns: int) -> None:
        """Ends requests that were not sent, because by this stamp it was too late for them."""
        self._work.put(lambda: self._drop(request_ids, at_ns))

    def lose(self, request_ids: list[int], message: str) -> None:
        """Ends requests of a dead process: those that were sent are concluded, the others were never sent."""
        self._work.put(lambda: self._lose(request_ids, message))

    # In the thread.

    def _run(self) -> None:
        if sys.platform == "linux":
            # On Linux each thread has a priority of its own.
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            while (work := self._work.get()) is not None:
                work()
                self._pass_on()
        except Exception as exc:  # noqa: BLE001 - the listener raises it in the run
            broken = exc
            self._call(lambda: self._listener.broke(broken))
        self._pass_on(at_once=True)
        # The listener has this thread. Together they would wait for the garbage collector, with all that a run holds.
        del self._listener

    def _take(self, part: Slice) -> None:
        measurement = self._live.get(part.id)
        if measurement is not None:
            try:
                measurement.take(part)
            except Exception as exc:  # noqa: BLE001 - one answer must not end the run
                self._give_up(measurement, exc)
            if measurement.accepted and not self._accepted:
                self._accepted = True
                self._call(self._listener.accepted)
            self._conclude(part.id, measurement, closed=part.end is not None)
        # Called whenever the waiting bytes fall below half of the limit, even if no process seems paused: the loop may
        # have found the thread behind just now.
        half = self._most_waiting_bytes // 2
        was_above = self._given_bytes - self._decoded_bytes > half
        self._decoded_bytes += len(part.body)
        if was_above and self._given_bytes - self._decoded_bytes <= half:
            self._call(self._listener.caught_up)

    def _expire(self, request_ids: list[int], watermark_ns: int) -> None:
        for request_id in request_ids:
            if (measurement := self._live.get(request_id)) is not None:
                measurement.expire(watermark_ns)
                self._conclude(request_id, measurement, closed=False)

    def _drop(self, request_ids: list[int], at_ns: int) -> None:
        for request_id in request_ids:
            if (measurement := self._live.get(request_id)) is not None:
                measurement.drop(at_ns)
                self._conclude(request_id, measurement, closed=True)

    def _lose(self, request_ids: list[int], message: str) -> None:
        for request_id in request_ids:
            measurement = self._live.pop(request_id, None)
            if measurement is not None and measurement.begun:
                measurement.lose(message)
                self._conclude(request_id, measurement, closed=True)
        self._call(lambda: self._listener.lost(request_ids))

    def _conclude(self, request_id: int, measurement: Measurement, *, closed: bool) -> None:
        if measurement.outcome is None:
            return
        self._live.pop(request_id, None)
        try:
            record = measurement.record()
        except Exception as exc:  # noqa: BLE001 - one answer must not end the run
            self._give_up(measurement, exc)
            record = measurement.record()
        concluded = Concluded(request_id, measurement, record, closed)
        self._call(lambda: self._listener.concluded(concluded))

    def _give_up(self, measurement: Measurement, exc: Exception) -> None:
        """Ends a request whose answer our code cannot read. That is a fault of ours, so it is logged."""
        log.error("answer_unreadable", error=f"{type(exc).__name__}: {exc}"[:300], exc_info=exc)
        measurement.break_off(exc)

    def _call(self, function: Callable[[], None]) -> None:
        if not self._calls:
            self._oldest_call_ns = monotonic_ns()
        self._calls.append(function)

    def _pass_on(self, *, at_once: bool = False) -> None:
        """Passes the calls on to the loop. While there is more to decode, several together: each wakes the loop."""
        if not self._calls:
            return
        may_wait = len(self._calls) < MOST_CALLS and monotonic_ns() - self._oldest_call_ns < CALLS_WAIT_NS
        if may_wait and not at_once and not self._work.empty():
            return
        calls, self._calls = self._calls, []
        # Raised if the loop has been closed: then nobody needs the calls.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._make, calls)

    def _make(self, calls: list[Callable[[], None]]) -> None:
        for call in calls:
            # Each by itself: an error of one does not stop the others.
            self._loop.call_soon(call)
