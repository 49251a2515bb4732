"""One phase of a load on its way through the measuring processes: its source, its start, its stop rule."""

import asyncio
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from shared.benchmark.load.load import Phase
from shared.benchmark.load.pace import Pace, Room
from shared.benchmark.load.stop import Tally
from shared.benchmark.load.trend import Trend
from shared.benchmark.results.record import ResultRecord
from worker.engine.lanes import Lanes, share
from worker.engine.messages import Cease, Cut, Go
from worker.engine.planned import PhaseStart, PlannedRequest, RunClock
from worker.engine.source import Source

# Connections for the requests of this time are opened ahead. The others are made when they are needed.
OPENED_AHEAD_S = 1


class PhaseRun:
    """A phase from its first body to its last answer. The engine asks it what to do after each request."""

    def __init__(
        self, phase: Phase, source: Source, lanes: Lanes, clock: RunClock, changed: Callable[[], None]
    ) -> None:
        """`changed` is called when requests of the source may be overdue: it ends by its stop rule, or `look_again`."""
        self.source = source
        # Set by `go`; every request of the phase shares it.
        self.start = PhaseStart()
        self._phase = phase
        self._lanes = lanes
        self._clock = clock.clock
        self._run_clock = clock
        self._changed = changed
        self._ended: Counter[str] = Counter()
        # How the load and the time to first token develop, for stop rules.
        self._in_flight = Trend(phase.stop.trend_from_s)
        self._ttft_ms = Trend(phase.stop.trend_from_s)
        self._schedule = phase.pace.due_ns() if phase.pace.rate is not None else iter(())
        self._next_due_ns = next(self._schedule, None)
        self._due = 0
        self._ceased = False
        # Whether its grace is over and its streams were closed.
        self._cut = False
        # A word of `StageResult.ended_by`.
        self._ended_by: str | None = None
        self._send_for_ns = math.inf
        lanes.make_room([step.in_flight for step in phase.pace.room()])
        self._timers: list[asyncio.TimerHandle] = []

    @property
    def ready(self) -> bool:
        """Whether all connections stand and the processes have the first wave."""
        wave = self._phase.pace.room()[0].in_flight
        return self._lanes.opened and (self._lanes.count >= wave or self.source.next_place is None)

    @property
    def connections(self) -> int:
        """How many connections to open before it starts."""
        return connections_ahead(self._phase.pace, self._gone_ns)

    @property
    def elapsed_ns(self) -> int:
        """Since it started; below 0 before."""
        return self._clock.monotonic_ns() - self.start.ns if self.start.ns else -1

    def is_too_late(self, due_ns: int | None) -> bool:
        """Whether a request that was due then is not sent any more."""
        if self._ceased:
            return True
        drop_after_ns = self._phase.drop_after_ns
        return due_ns is not None and drop_after_ns is not None and due_ns + drop_after_ns < self.elapsed_ns

    @property
    def ceased(self) -> bool:
        """Whether its stop rule has ended it: no more turns are sent."""
        return self._ceased

    @property
    def ceases(self) -> bool:
        """Whether the phase ends by its stop rule. Then requests that were ready may stay unsent."""
        return self._ceased or self._phase.stop.send_for_ns is not None

    @property
    def _gone_ns(self) -> int:
        """How much of the phase was over before this worker began it."""
        return self._phase.gone_ns if self.source.skipped_ns is None else self.source.skipped_ns

    def go(self) -> None:
        """Makes the processes send all that they have and get, each request when it is due and there is room."""
        phase, rule, count = self._phase, self._phase.stop, len(list(self._lanes))
        room = rest_of(phase.pace.room(), self._gone_ns)
        send_for_ns = None if rule.send_for_ns is None else max(0, rule.send_for_ns - self._gone_ns)
        self.start.ns = self._clock.monotonic_ns()
        for lane in self._lanes:
            steps = [(step.from_ns, share(step.in_flight, lane.number, count)) for step in room]
            prefill = None if phase.max_prefill is None else share(phase.max_prefill, lane.number, count)
            lane.child.send(
                Go(self.start.ns, steps, send_for_ns, prefill, phase.drop_after_ns, think_ns=phase.pace.think_ns)
            )
        if send_for_ns is None:
            return
        # The processes keep `send_for_ns` exactly by themselves; here it ends the feeding.
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(send_for_ns / 1e9, self.cease, "duration"))
        self._send_for_ns = send_for_ns

    @property
    def ended_by(self) -> str:
        """Why it ended: `requests`, `workload`, `duration` or the word of its stop rule."""
        if self._ended_by is not None:
            return self._ended_by
        return "workload" if self.source.is_dry else "requests"

    def cease(self, ended_by: str) -> None:
        """Ends the phase by its stop rule; its grace begins. What stays unsent does not count as left."""
        if self._ceased:
            return
        self._ceased = True
        self._ended_by = ended_by
        self.source.keep_overdue(int(min(self.elapsed_ns, self._send_for_ns)))
        self._lanes.say(Cease())
        if (grace_ns := self._phase.stop.grace_ns) is not None:
            self._timers.append(asyncio.get_running_loop().call_later(grace_ns / 1e9, self._cut_off))
        self._changed()

    def look_again(self) -> None:
        """Calls `changed` in a step of its own, unless the phase has ended by then."""
        asyncio.get_running_loop().call_soon(lambda: self._changed())

    def _stage_of(self, request: PlannedRequest, record: ResultRecord) -> int:
        """Which of the phase's seamless stages, from 0: by when it was due, or in a closed loop by when it was sent."""
        offset_ns = request.offset_ns
        if offset_ns is None:
            offset_ns = self._offset_of(record.sent_at)
        boundaries = self._phase.boundaries_ns
        return min(bisect_right(boundaries, self._gone_ns + offset_ns), len(boundaries) - 1)

    def _offset_of(self, date: datetime) -> int:
        """How long after the start of the phase this was, in ns."""
        return round((date - self._run_clock.at(self.start.ns)).total_seconds() * 1e9)

    def _waiting_at(self, elapsed_ns: int) -> int:
        """Requests that are due and have not ended. Processes have later ones too, which must not count."""
        while self._next_due_ns is not None and self._next_due_ns <= elapsed_ns:
            self._due += 1
            self._next_due_ns = next(self._schedule, None)
        return self._due - self._ended.total()

    def _cut_off(self) -> None:
        self._cut = True
        self._lanes.say(Cut())

    def end(self) -> None:
        """Every request has ended, or the run. May be called more than once."""
        for timer in self._timers:
            timer.cancel()
        # The engine has the phase, and the phase no longer the engine: together they would wait for the collector.
        self._changed = _nothing

    def turn_after(self, request: PlannedRequest, record: ResultRecord) -> PlannedRequest | None:
        """Applies the stop rule to a request that has ended. Returns the next turn of its conversation, if any."""
        if self._cut and record.outcome == "cancelled":
            record.outcome = "incomplete"
        self._ended[record.outcome] += 1
        if self._phase.boundaries_ns:
            record.stage = self._stage_of(request, record)
        elapsed_ns = self._clock.monotonic_ns() - self.start.ns
        if record.ttft_ms is not None:
            self._in_flight.add(elapsed_ns / 1e9, self._waiting_at(elapsed_ns))
            self._ttft_ms.add(elapsed_ns / 1e9, record.ttft_ms)
        reason = self._phase.stop.reason(Tally(elapsed_ns / 1e9, self._ended, self._in_flight, self._ttft_ms))
        if reason is not None:
            self.cease(reason)
        answer = (record.response or "") if record.outcome == "succeeded" else None
        following = self.source.turn_after(request, answer)
        if self._ceased:
            following = None
        record.ends_place = following is None
        if following is None:
            return None
        # It was counted from the end of the turn before; the processes count from the start of the phase.
        ended_ns = self._offset_of(record.ended_at)
        return replace(following, offset_ns=ended_ns + (following.offset_ns or 0))


def _nothing() -> None:
    """Nobody waits for news of a phase that has ended."""


def connections_ahead(pace: Pace, gone_ns: int = 0) -> int:
    """How many connections a phase needs at its start, after `gone_ns` of it: in a closed loop one for each stream.

    On a schedule one for each request of the first second, and no more than may be in flight. Opening one for all that
    may ever be in flight would be a burst of its own.
    """
    room = rest_of(pace.room(), gone_ns)[0].in_flight
    until_ns, needed = gone_ns + OPENED_AHEAD_S * 1e9, 0
    for due_ns in pace.due_ns():
        if due_ns is None:
            return room
        if due_ns > until_ns or needed >= room:
            break
        needed += due_ns >= gone_ns
    return max(1, min(needed, room))


def rest_of(room: Sequence[Room], gone_ns: int) -> Sequence[Room]:
    """The steps of what is left of a phase after `gone_ns`, counted from there."""
    before = [step for step in room if step.from_ns <= gone_ns]
    later = [Room(step.from_ns - gone_ns, step.in_flight) for step in room if step.from_ns > gone_ns]
    return [Room(0, before[-1].in_flight), *later]
