"""Gives requests to the measuring processes ahead of need. The engine says when there is room for more."""

from dataclasses import replace

import orjson

from worker.engine.decoding import DecodingThread
from worker.engine.lanes import Lane, Lanes
from worker.engine.measurer import Measurement
from worker.engine.messages import Request
from worker.engine.phase_run import PhaseRun
from worker.engine.planned import MeasureContext, PlannedRequest


class Feeder:
    """Of one run. Each request that it gives to a process has a measurement that waits for what comes back."""

    def __init__(self, lanes: Lanes, decoding: DecodingThread, context: MeasureContext) -> None:
        # Requests of places below this may be sent. None: all may.
        self.sendable: int | None = None
        # Whether the server has accepted a request. Until then none waits in a process: its body may have to change.
        self.accepted = False
        # Whether the load has conversations.
        self.has_turns = False
        self._lanes = lanes
        self._decoding = decoding
        self._context = context
        self._next_id = 0

    def feed(self, phase: PhaseRun) -> None:
        """Gives each free slot a request, the emptiest process first, and each slot one more ahead of need.

        On a schedule nothing is given ahead: a request must not wait for a busy slot while one is free in another
        process. Nor in conversations: a new one would begin while another waits for its next turn.
        """
        source = phase.source
        while (place := source.next_place) is not None:
            if self.sendable is not None and place >= self.sendable:
                break
            ahead = self.accepted and not source.scheduled and not self.has_turns
            lane = self._lanes.emptiest()
            if len(lane.live) >= lane.room * (2 if ahead else 1):
                break
            self.give(phase, lane, source.take())
        self._lanes.flush()

    def give(self, phase: PhaseRun, lane: Lane, request: PlannedRequest, *, first: bool = False) -> None:
        """Adds a request to the next message to a process. `first`: before those that wait there."""
        request = replace(request, body=self._context.adapter.current_body(request.body))
        self._next_id += 1
        self._decoding.begin(self._next_id, Measurement(request, self._context, phase.start))
        self._lanes.give(lane, Request(self._next_id, orjson.dumps(request.body), first, request.offset_ns))

    def mended(self, measurement: Measurement) -> PlannedRequest | None:
        """The request without the field that the server has refused; None if it was not refused for a field."""
        if not measurement.refused or measurement.error is None:
            return None
        body = self._context.adapter.retry_body(measurement.request.body, measurement.error)
        return None if body is None else replace(measurement.request, body=body)
