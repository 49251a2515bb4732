"""Runs a plan in measuring processes: feeds them bodies ahead of need, decodes what they send, yields records.

Closed loop: one request ends, the next is sent. Warm-up ends before the first measured request is due.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

import orjson

from shared.clock import Clock
from shared.results import ResultRecord
from worker.engine.children import Child
from worker.engine.grade import Disturbance
from worker.engine.measurer import MeasureContext, Measurement, PlannedRequest
from worker.engine.messages import (
    Abort,
    Alive,
    Begin,
    Command,
    Drain,
    Dropped,
    Finish,
    Health,
    Opened,
    Report,
    Request,
    Requests,
    SdkTarget,
    Slice,
    SocketTarget,
    Stop,
    Watermark,
)

# A process that has said nothing for so long, while the worker was awake, will not say anything any more.
CHILD_SILENCE_S = 30
# Closing connections takes no longer.
FINISH_S = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send, and how many at the same time."""

    warmup: Sequence[PlannedRequest]
    measured: Sequence[PlannedRequest]
    concurrency: int


@dataclass(slots=True)
class _Lane:
    """A measuring process and its share of the load."""

    child: Child
    slots: int
    heard_ns: int
    opened: bool = False
    finished: bool = False
    live: dict[int, Measurement] = field(default_factory=dict)


class Engine:
    """One run over measuring processes that were lent for it. `drain` and `cancel` may be called at any time."""

    def __init__(
        self,
        children: Sequence[Child],
        target: SocketTarget | SdkTarget,
        context: MeasureContext,
        clock: Clock,
        *,
        silence_s: float = 30,
    ) -> None:
        self._children = children
        self._target = target
        self._context = context
        self._clock = clock
        self._silence_s = silence_s
        self._lanes: list[_Lane] = []
        self._waiting: deque[PlannedRequest] = deque()
        # A record, or the word that something has changed.
        self._news: asyncio.Queue[ResultRecord | None] = asyncio.Queue()
        self._scheduled_ns = 0
        self._next_id = 0
        self._stopping = False
        # Until the server has taken a request, none waits in a process: it may have to be mended first.
        self._accepted = False
        # Why the run ended early: a measuring process died. What it had begun has been yielded as errored.
        self.failure: str | None = None
        self.disturbance = Disturbance("sdk" if isinstance(target, SdkTarget) else "socket")

    async def run(self, plan: Plan) -> AsyncGenerator[ResultRecord, None]:
        """Yields a record for each request as it ends. Leaving early closes every stream. `failure` says more."""
        if self._stopping:
            return
        self._begin(plan.concurrency)
        watch = asyncio.create_task(self._watch())
        try:
            while not all(lane.opened for lane in self._lanes) and self.failure is None:
                await self._news.get()
            for phase in (plan.warmup, plan.measured):
                self._scheduled_ns = self._clock.monotonic_ns()
                self._waiting.extend(() if self._stopping else phase)
                self._feed()
                while self._waiting or any(lane.live for lane in self._lanes) or not self._news.empty():
                    if (record := await self._news.get()) is not None:
                        yield record
            await self._finish()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            for lane in self._lanes:
                if not lane.finished:
                    lane.child.end()

    def drain(self) -> None:
        """Sends nothing more; requests in flight go on and are yielded."""
        self._stop_with(Drain())

    def cancel(self) -> None:
        """Sends nothing more and closes the streams in flight; their records come with the outcome `cancelled`."""
        self._stop_with(Stop())

    def _stop_with(self, command: Command) -> None:
        self._stopping = True
        self._waiting.clear()
        for lane in self._lanes:
            lane.child.send(command)
        self._news.put_nowait(None)

    def _begin(self, concurrency: int) -> None:
        now_ns, count = self._clock.monotonic_ns(), len(self._children)
        self.disturbance.processes = count
        for number, child in enumerate(self._children):
            slots = concurrency // count + (number < concurrency % count)
            lane = _Lane(child, slots, now_ns)
            self._lanes.append(lane)
            child.on_report = lambda report, lane=lane: self._hear(lane, report)
            child.on_death = lambda lane=lane: self._bury(lane, "a measuring process ended in the middle of the run")
            child.send(Begin(self._target, slots, self._silence_s))

    async def _finish(self) -> None:
        """Connections are closed, and the processes say how undisturbed they were."""
        for lane in self._lanes:
            lane.child.send(Finish())
        try:
            async with asyncio.timeout(FINISH_S):
                while not all(lane.finished for lane in self._lanes) and self.failure is None:
                    await self._news.get()
        except TimeoutError:
            pass  # what was measured is here; the process is ended instead of used again

    def _feed(self) -> None:
        """Slots that are free come first, then a body for each slot ahead of need, so that none waits for us."""
        for ahead in (False, True):
            for lane in self._lanes:
                room = lane.slots * (2 if ahead and self._accepted else 1)
                while self._waiting and len(lane.live) < room and self.failure is None:
                    self._send(lane, self._waiting.popleft())

    def _send(self, lane: _Lane, request: PlannedRequest, *, first: bool = False) -> None:
        request = replace(request, body=self._context.adapter.current_body(request.body))
        self._next_id += 1
        lane.live[self._next_id] = Measurement(request, self._context, self._scheduled_ns)
        lane.child.send(Requests([Request(self._next_id, orjson.dumps(request.body), first)]))

    def _hear(self, lane: _Lane, report: Report) -> None:
        lane.heard_ns = self._clock.monotonic_ns()
        match report:
            case Slice():
                measurement = lane.live.get(report.id)
                if measurement is not None:
                    measurement.take(report)
                    self._note(lane, report.id, measurement, ended=report.end is not None)
            case Watermark(stamp_ns):
                for request_id, measurement in list(lane.live.items()):
                    measurement.expire(stamp_ns)
                    self._note(lane, request_id, measurement, ended=False)
            case Dropped(ids):
                for request_id in ids:
                    lane.live.pop(request_id, None)
                self._news.put_nowait(None)
            case Opened():
                lane.opened = True
                self._news.put_nowait(None)
            case Health():
                lane.finished = True
                self.disturbance.add(report)
                self._news.put_nowait(None)

    def _note(self, lane: _Lane, request_id: int, measurement: Measurement, *, ended: bool) -> None:
        """A measurement may have concluded, here or in its process."""
        if measurement.accepted and not self._accepted:
            self._accepted = True
            self._feed()
        if measurement.outcome is None:
            return
        del lane.live[request_id]
        if not ended:
            lane.child.send(Abort(request_id))
        mended = self._mended(measurement)
        if mended is not None:
            # The server knew a field not: that attempt measured nothing. What is sent now is measured alone.
            self._send(lane, mended, first=True)
            return
        self._observe(measurement)
        self._news.put_nowait(measurement.record())
        self._feed()

    def _mended(self, measurement: Measurement) -> PlannedRequest | None:
        if not measurement.refused or measurement.error is None or self._stopping:
            return None
        body = self._context.adapter.retry_body(measurement.request.body, measurement.error)
        return None if body is None else replace(measurement.request, body=body)

    def _observe(self, measurement: Measurement) -> None:
        if measurement.request.warmup or not measurement.begun:
            return
        seen = self.disturbance
        seen.send_delays_ms.append(measurement.send_delay_ns / 1e6)
        if measurement.outcome == "succeeded":
            seen.requests += 1
            seen.doubtful += measurement.doubtful
            seen.selector_stamped += measurement.selector_stamped

    def _bury(self, lane: _Lane, message: str) -> None:
        """What a dead process had begun is recorded as far as it came; the run ends."""
        self.failure = self.failure or message
        self._stopping = True
        self._waiting.clear()
        for measurement in lane.live.values():
            if measurement.begun:
                measurement.lose(message)
                self._news.put_nowait(measurement.record())
        lane.live.clear()
        for other in self._lanes:
            other.child.send(Stop())
        self._news.put_nowait(None)

    async def _watch(self) -> None:
        """Says that the worker lives, and notices a process that does not."""
        pause_s = min(1.0, self._silence_s / 3)
        last_ns = self._clock.monotonic_ns()
        while True:
            await asyncio.sleep(pause_s)
            now_ns = self._clock.monotonic_ns()
            for lane in self._lanes:
                lane.child.send(Alive())
                if now_ns - last_ns > 2 * pause_s * 1e9:
                    lane.heard_ns = now_ns  # it was the worker that slept
                elif now_ns - lane.heard_ns > CHILD_SILENCE_S * 1e9 and self.failure is None:
                    lane.child.end()
                    self._bury(lane, f"a measuring process has not answered for {CHILD_SILENCE_S} s")
            last_ns = now_ns
