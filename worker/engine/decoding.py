"""Decodes what measuring processes send, in a thread that gives way to them: where cores are few, stamps come first."""

import asyncio
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shared.benchmark.record import ResultRecord
from worker.engine.measurer import Measurement
from worker.engine.messages import Slice

# Bytes that wait to be decoded before no more should be given.
MOST_WAITING_BYTES = 64_000_000
# Decoding may wait, measuring may not: a tenth of the weight of the rest. At 19 it was a seventieth, and a host that
# was busy with other things decoded next to nothing.
NICENESS = 10


@dataclass(frozen=True, slots=True)
class Concluded:
    """A request has ended. `closed` where its stream has too; else the caller must have it closed."""

    request_id: int
    measurement: Measurement
    record: ResultRecord
    closed: bool


class Listener(Protocol):
    """Whom the thread tells, on the loop."""

    def accepted(self) -> None:
        """The server has begun to answer a request as asked."""
        ...

    def concluded(self, concluded: Concluded) -> None: ...

    def caught_up(self) -> None:
        """Most of what was given is decoded: more may come."""
        ...

    def lost(self, request_ids: list[int]) -> None:
        """Of these nothing more will be heard."""
        ...

    def broke(self, exc: Exception) -> None:
        """The thread has ended by an error of ours."""
        ...


class DecodingThread:
    """Work is done in the order in which it is given."""

    def __init__(self, listener: Listener, *, most_waiting_bytes: int = MOST_WAITING_BYTES) -> None:
        self._listener = listener
        self._most_waiting_bytes = most_waiting_bytes
        self._loop = asyncio.get_running_loop()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._live: dict[int, Measurement] = {}
        self._accepted = False
        self._thread = threading.Thread(target=self._run, name="decoding", daemon=True)
        # Bytes that wait to be decoded. Added to on the loop, taken from in the thread: each side keeps its own sum.
        self._given_bytes = self._decoded_bytes = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends after all that was given."""
        self._work.put(None)

    @property
    def behind(self) -> bool:
        """Nothing more should be given until `caught_up` is called."""
        return self._given_bytes - self._decoded_bytes > self._most_waiting_bytes

    # Called on the loop.

    def begin(self, request_id: int, measurement: Measurement) -> None:
        """Before the request can be heard of."""
        self._work.put(lambda: self._live.__setitem__(request_id, measurement))

    def take(self, part: Slice) -> None:
        """What a request has shown; of one that has ended here nothing more is heard."""
        self._given_bytes += len(part.body)
        self._work.put(lambda: self._take(part))

    def expire(self, request_ids: list[int], watermark_ns: int) -> None:
        """All that arrived before the watermark has been given."""
        self._work.put(lambda: self._expire(request_ids, watermark_ns))

    def lose(self, request_ids: list[int], message: str) -> None:
        """Nothing more will come: what had begun ends as it is, the rest never was."""
        self._work.put(lambda: self._lose(request_ids, message))

    # In the thread.

    def _run(self) -> None:
        if sys.platform == "linux":
            # There a priority belongs to a thread.
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            while (work := self._work.get()) is not None:
                work()
        except Exception as exc:  # noqa: BLE001 - the listener raises it where it is heard
            broken = exc
            self._call(lambda: self._listener.broke(broken))

    def _take(self, part: Slice) -> None:
        measurement = self._live.get(part.id)
        if measurement is not None:
            measurement.take(part)
            if measurement.accepted and not self._accepted:
                self._accepted = True
                self._call(self._listener.accepted)
            self._conclude(part.id, measurement, closed=part.end is not None)
        # Said whenever the sum falls through half of the most, whether or not anybody was told to wait: the loop may
        # have found it above the most a moment ago.
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
        concluded = Concluded(request_id, measurement, measurement.record(), closed)
        self._call(lambda: self._listener.concluded(concluded))

    def _call(self, function: Callable[[], None]) -> None:
        # A loop that has been closed meanwhile wants to hear nothing more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)
