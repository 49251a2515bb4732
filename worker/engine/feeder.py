"""Gives requests to the measuring processes ahead of need. The engine says when there is room for more."""

from collections.abc import Iterable
from dataclasses import replace

import orjson

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.record import ResultRecord
from worker.engine.decoding import DecodingThread
from worker.engine.lanes import Lane, Lanes
from worker.engine.measurer import Measurement
from worker.engine.messages import Request
from worker.engine.phase_run import PhaseRun
from worker.engine.planned import MeasureContext, PlannedRequest
from worker.engine.source import Source
from worker.engine.turn_gate import TurnGate

# On a schedule, requests that are due within this time are given to the processes, so that none waits for the worker.
AHEAD_NS = 1_000_000_000
# At most this many more than a process has room for: each waits there with its body.
MOST_AHEAD = 500
# Requests that are given, or given up, in one step of the event loop. Each takes 20 us or 40 us, and a first wave or a
# burst may have thousands.
MOST_GIVEN, MOST_GIVEN_UP = 200, 100


class Feeder:
    """Of one run. Each request that it gives to a process has a measurement that waits for what comes back.

    With several processes each request goes to the one with the most free room. If requests wait in a process for room
    while another process has room, the process gives back those that were due first, and the other gets them.
    """

    def __init__(self, lanes: Lanes, decoding: DecodingThread, context: MeasureContext) -> None:
        # Requests of places below this may be sent. None: all may.
        self.sendable: int | None = None
        # Whether no more places will be allowed before some of these have ended.
        self.limited = False
        # Whether the server has accepted a request. Until then none waits in a process: its body may have to change.
        self.accepted = False
        # Whether the load has conversations.
        self.has_turns = False
        self._turns = TurnGate()
        self._lanes = lanes
        self._decoding = decoding
        self._context = context
        self._next_id = 0
        # The fields of the bodies that were sent after a refusal.
        self._mended: set[tuple[str, ...]] = set()

    @property
    def holds_turns(self) -> bool:
        """Whether turns are held back: see `TurnGate`."""
        return self._turns.holds

    def has_more(self, source: Source) -> bool:
        """Whether requests are to be sent, or have not ended."""
        return source.next_place is not None or self._lanes.count > 0 or self.holds_turns

    def feed(self, phase: PhaseRun) -> bool:
        """Gives each free slot a request, the emptiest process first, and each slot one more ahead of need.

        Gives MOST_GIVEN at most. True if there may be room for more.

        On a schedule also what is due within a second. In a closed loop of conversations nothing is given ahead: a new
        one would begin while another waits for its next turn.
        """
        source, given = phase.source, 0
        while given < MOST_GIVEN and (place := source.next_place) is not None:
            if self.sendable is not None and place >= self.sendable:
                break
            lane = self._lanes.emptiest()
            if lane.taken >= self._limit(phase, lane):
                break
            self.give(phase, lane, source.take())
            given += 1
        self._lanes.flush()
        return given == MOST_GIVEN

    def has_given_all(self, phase: PhaseRun) -> bool:
        """Whether the processes stand ready with all that may be sent, which is less than the first wave."""
        place = phase.source.next_place
        is_all = self.limited and self.sendable is not None and place is not None and place >= self.sendable
        return is_all and self._lanes.opened and self._lanes.count > 0

    def _limit(self, phase: PhaseRun, lane: Lane) -> int:
        """How many requests the process may have, if the next one is given to it."""
        due_ns = phase.source.next_due_ns
        if due_ns is None:
            return lane.room * (2 if self.accepted and not self.has_turns else 1)
        soon = due_ns <= max(0, phase.elapsed_ns) + AHEAD_NS
        return max(2 * lane.room, lane.room + MOST_AHEAD if soon else 0)

    def give_up(self, phase: PhaseRun) -> list[tuple[PlannedRequest, ResultRecord]]:
        """Takes requests that are too late to be sent from the source, with their records: MOST_GIVEN_UP at most."""
        source = phase.source
        given_up: list[tuple[PlannedRequest, ResultRecord]] = []
        while (place := source.next_place) is not None and phase.is_too_late(source.next_due_ns):
            if len(given_up) == MOST_GIVEN_UP or (self.sendable is not None and place >= self.sendable):
                break
            request = source.take()
            measurement = Measurement(request, self._context, phase.start)
            measurement.drop(self._context.clock.clock.monotonic_ns())
            given_up.append((request, measurement.record()))
        return given_up

    def take_back(self, lane: Lane, request_ids: list[int], phase: PhaseRun | None) -> None:
        """A process gives requests back: gives them to those that have room for them. `phase` None: to nobody."""
        lane.recalling = False
        requests = [lane.live[request_id] for request_id in request_ids if request_id in lane.live]
        for request_id in request_ids:
            self._lanes.forget(request_id)
        # Each gets a new measurement, because its body may change.
        self._decoding.lose(request_ids, "")
        if phase is None:
            return
        for request in requests:
            self.give(phase, self._lanes.freest(phase.elapsed_ns), request)
        self._lanes.flush()

    def give(self, phase: PhaseRun, lane: Lane, request: PlannedRequest, *, first: bool = False) -> None:
        """Adds a request to the next message to a process. `first`: before those that wait there."""
        request = replace(request, body=self._context.adapter.current_body(request.body))
        self._next_id += 1
        self._decoding.begin(self._next_id, Measurement(request, self._context, phase.start))
        self._lanes.give(lane, Request(self._next_id, orjson.dumps(request.body), first, request.offset_ns), request)

    def turn_ended(self, place: int) -> None:
        """A request has ended, and its result is to be stored."""
        # Without a limit nobody says what is stored.
        if self.has_turns and self.sendable is not None:
            self._turns.ended(place)

    def give_turn(self, phase: PhaseRun, lane: Lane, following: PlannedRequest) -> bool:
        """Gives the next turn of a conversation. False if it is held back, until earlier turns are `stored`."""
        if self._turns.hold(lane, following):
            return False
        self.give(phase, lane, following, first=True)
        return True

    def stored(self, phase: PhaseRun, request_ids: Iterable[RequestId]) -> None:
        """The results of these requests are stored: gives the turns that waited for this."""
        if self.has_turns:
            for lane, following in self._turns.stored(request_ids):
                self.give(phase, lane, following, first=True)
                lane.flush()

    def drop_turns(self) -> None:
        """Gives none of the turns that are held back: the phase is over, or the run is stopped."""
        self._turns.drop()

    def mended(self, measurement: Measurement) -> PlannedRequest | None:
        """The request without the field that the server has refused; None if it was not refused for a field."""
        if not measurement.refused or measurement.error is None:
            return None
        body = self._context.adapter.retry_body(measurement.request.body, measurement.error)
        if body is None:
            return None
        fields = tuple(sorted(body))
        if fields not in self._mended and not self.accepted:
            # The server would refuse those that wait as well. They come back, and `give` changes their bodies.
            self._mended.add(fields)
            self._lanes.recall()
        return replace(measurement.request, body=body)
