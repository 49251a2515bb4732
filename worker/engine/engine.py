"""Runs a plan in measuring processes: feeds them bodies ahead of need, decodes what they send, yields records.

Closed loop: one request ends, the next is sent. Open loop: each is sent when it is due, as far as slots are free.
Warm-up ends before the first measured request is due.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

import orjson

from shared.benchmark.record import ResultRecord
from shared.clock import Clock
from worker.engine.children import Child
from worker.engine.decoding import Concluded, DecodingThread
from worker.engine.grade import Disturbance
from worker.engine.measurer import MeasureContext, Measurement, PhaseStart, PlannedRequest
from worker.engine.messages import (
    Abort,
    Alive,
    Begin,
    Command,
    Drain,
    Dropped,
    Finish,
    Go,
    Health,
    Hold,
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
# Bodies of this size go to a process in one message.
TOGETHER_BYTES = 256_000
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
    """A measuring process, its share of the load, and the requests that it has and that have not ended."""

    child: Child
    slots: int
    heard_ns: int
    opened: bool = False
    finished: bool = False
    live: set[int] = field(default_factory=set)
    # Bodies that go to it together.
    outgoing: list[Request] = field(default_factory=list)
    outgoing_bytes: int = 0


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
        self._lane_of: dict[int, _Lane] = {}
        self._decoding = DecodingThread(self)
        self._waiting: deque[PlannedRequest] = deque()
        # A record, or the word that something has changed.
        self._news: asyncio.Queue[ResultRecord | None] = asyncio.Queue()
        self._start = PhaseStart()
        self._next_id = 0
        # Requests of the plan that processes have got, and how many they may get; None: all.
        self._handed = 0
        self._limit: int | None = None
        self._stopping = False
        # Until the server has taken a request, none waits in a process: it may have to be mended first.
        self._accepted = False
        # Why the run ended early: a measuring process died. What it had begun has been yielded as errored.
        self.failure: str | None = None
        self._broken: Exception | None = None
        self.disturbance = Disturbance("sdk" if isinstance(target, SdkTarget) else "socket")

    @property
    def in_flight(self) -> int:
        """Requests that processes have, sent or about to be."""
        return sum(len(lane.live) for lane in self._lanes)

    async def run(self, plan: Plan) -> AsyncGenerator[ResultRecord, None]:
        """Yields a record for each request as it ends. Leaving early closes every stream. `failure` says more."""
        if self._stopping:
            return
        self._decoding.start()
        self._begin(plan.concurrency)
        watch = asyncio.create_task(self._watch())
        try:
            for phase in (plan.warmup, plan.measured):
                await self._start_phase(phase, min(plan.concurrency, len(phase)))
                while self._waiting or any(lane.live for lane in self._lanes) or not self._news.empty():
                    if (record := await self._news.get()) is not None:
                        yield record
            await self._finish()
            if self._broken is not None:
                raise self._broken
        finally:
            self._decoding.stop()
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            for lane in self._lanes:
                if not lane.finished:
                    lane.child.end()

    async def _start_phase(self, phase: Sequence[PlannedRequest], wave: int) -> None:
        """The processes get the first bodies while they connect, or while they are idle, then send them all at once."""
        self._start = PhaseStart()
        self._say(Hold())
        self._waiting.extend(() if self._stopping else phase)
        self._feed()
        while not self._stopping and not (all(lane.opened for lane in self._lanes) and self.in_flight >= wave):
            await self._news.get()
        self._start.ns = self._clock.monotonic_ns()
        self._say(Go(self._start.ns))

    def limit(self, requests: int) -> None:
        """Sends no more than the first so many requests of the plan, until the limit is raised."""
        self._limit = requests
        self._feed()
        self._news.put_nowait(None)

    def drain(self) -> None:
        """Sends nothing more; requests in flight go on and are yielded."""
        self._stop_with(Drain())

    def cancel(self) -> None:
        """Sends nothing more and closes the streams in flight; their records come with the outcome `cancelled`."""
        self._stop_with(Stop())

    def _stop_with(self, command: Command) -> None:
        self._stopping = True
        self._waiting.clear()
        self._say(command)
        self._news.put_nowait(None)

    def _say(self, command: Command) -> None:
        for lane in self._lanes:
            lane.child.send(command)

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
        self._say(Finish())
        try:
            async with asyncio.timeout(FINISH_S):
                while not all(lane.finished for lane in self._lanes) and self.failure is None:
                    await self._news.get()
        except TimeoutError:
            pass  # what was measured is here; the process is ended instead of used again

    def _feed(self) -> None:
        """A body for each free slot, the emptiest process first, and one more for each ahead of need.

        Not ahead in an open loop: there a request must not wait for a busy slot while another is free elsewhere.
        """
        while self._waiting and self.failure is None and (self._limit is None or self._handed < self._limit):
            ahead = self._accepted and self._waiting[0].offset_ns is None
            lane = min(self._lanes, key=lambda lane: len(lane.live) / lane.slots)
            if len(lane.live) >= lane.slots * (2 if ahead else 1):
                break
            self._handed += 1
            self._give(lane, self._waiting.popleft())
        for lane in self._lanes:
            self._send(lane)

    def _give(self, lane: _Lane, request: PlannedRequest, *, first: bool = False) -> None:
        request = replace(request, body=self._context.adapter.current_body(request.body))
        self._next_id += 1
        lane.live.add(self._next_id)
        self._lane_of[self._next_id] = lane
        self._decoding.begin(self._next_id, Measurement(request, self._context, self._start))
        body = orjson.dumps(request.body)
        lane.outgoing.append(Request(self._next_id, body, first, request.offset_ns))
        lane.outgoing_bytes += len(body)
        if lane.outgoing_bytes > TOGETHER_BYTES:
            self._send(lane)

    def _send(self, lane: _Lane) -> None:
        """Bodies travel together: each message costs both sides a turn."""
        if lane.outgoing:
            lane.child.send(Requests(lane.outgoing))
            lane.outgoing, lane.outgoing_bytes = [], 0

    def _hear(self, lane: _Lane, report: Report) -> None:
        lane.heard_ns = self._clock.monotonic_ns()
        match report:
            case Slice():
                self._decoding.take(report)
                if self._decoding.behind:
                    # It keeps what it has to say, and begins no more requests once that is much.
                    lane.child.pause()
            case Watermark(stamp_ns):
                self._decoding.expire(list(lane.live), stamp_ns)
            case Dropped(ids):
                self.lost(ids)
            case Opened():
                lane.opened = True
                self._news.put_nowait(None)
            case Health():
                lane.finished = True
                self.disturbance.add(report)
                self._news.put_nowait(None)

    # What the decoding thread tells.

    def accepted(self) -> None:
        """The server takes requests as they are: from now on the next ones may wait in the processes."""
        self._accepted = True
        self._feed()

    def concluded(self, concluded: Concluded) -> None:
        """A request has ended: the next may be sent."""
        lane = self._forget(concluded.request_id)
        if lane is None:
            return None
        if not concluded.closed:
            lane.child.send(Abort(concluded.request_id))
        mended = self._mended(concluded.measurement)
        if mended is not None:
            # The server knew a field not: that attempt measured nothing. What is sent now is measured alone.
            self._give(lane, mended, first=True)
            return self._send(lane)
        self._observe(concluded.measurement)
        self._news.put_nowait(concluded.record)
        return self._feed()

    def caught_up(self) -> None:
        """Decoding has come after: the processes are heard again."""
        for lane in self._lanes:
            lane.child.resume()

    def lost(self, request_ids: list[int]) -> None:
        """Of these nothing more will be heard."""
        for request_id in request_ids:
            self._forget(request_id)
        self._news.put_nowait(None)

    def broke(self, exc: Exception) -> None:
        """Decoding ended by an error of ours: so does the run."""
        self._broken = exc
        self._stopping = True
        self._waiting.clear()
        self.lost(list(self._lane_of))

    def _forget(self, request_id: int) -> _Lane | None:
        lane = self._lane_of.pop(request_id, None)
        if lane is not None:
            lane.live.discard(request_id)
        return lane

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
        self._decoding.lose(list(lane.live), message)
        self._say(Stop())
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
                if now_ns - last_ns > 2 * pause_s * 1e9 or not lane.child.reading:
                    lane.heard_ns = now_ns  # it was the worker that slept, or that would not listen
                elif now_ns - lane.heard_ns > CHILD_SILENCE_S * 1e9 and self.failure is None:
                    lane.child.end()
                    self._bury(lane, f"a measuring process has not answered for {CHILD_SILENCE_S} s")
            last_ns = now_ns
