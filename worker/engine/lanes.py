"""A run's measuring processes, each with its share of the load and its requests."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from worker.engine.children import Child
from worker.engine.messages import (
    Begin,
    Command,
    Hold,
    Recall,
    Report,
    Request,
    Requests,
    SdkTarget,
    Slice,
    SocketTarget,
)
from worker.engine.planned import PlannedRequest

# Bodies of up to this size together go to a process in one message.
TOGETHER_BYTES = 256_000


def share(total: int, number: int, count: int) -> int:
    """The part of a total that process `number` of `count` gets."""
    return total // count + (number < total % count)


@dataclass(slots=True)
class Lane:
    """One measuring process. `slots`: the most requests that it ever has in flight; `room`: in this phase."""

    child: Child
    number: int
    slots: int
    heard_ns: int
    room: int = 0
    opened: bool = False
    finished: bool = False
    # Whether it was asked to give requests back and has not answered yet.
    recalling: bool = False
    # How many requests it had in flight when it last told.
    told_in_flight: int = 0
    # Turns of its conversations that `TurnGate` holds back.
    held: int = 0
    # The requests that it has and that have not ended, by id.
    live: dict[int, PlannedRequest] = field(default_factory=dict)
    # Ids of those that are due and have not ended, and a heap of (ns after the start of the phase, id) of later ones.
    _due: set[int] = field(default_factory=set)
    _coming: list[tuple[int, int]] = field(default_factory=list)
    _outgoing: list[Request] = field(default_factory=list)
    _outgoing_bytes: int = 0

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not ended, as far as the process has told: with each flush."""
        return min(self.told_in_flight, len(self.live))

    @property
    def taken(self) -> int:
        """How much room is taken: by the requests that it has, and by turns that are held back."""
        return len(self.live) + self.held

    def due(self, elapsed_ns: int) -> int:
        """How many of its requests are due by this time of the phase and have not ended: in flight or waiting."""
        while self._coming and self._coming[0][0] <= elapsed_ns:
            request_id = heapq.heappop(self._coming)[1]
            if request_id in self.live:
                self._due.add(request_id)
        return len(self._due)

    def see(self, part: Slice) -> None:
        """The process has reported a slice. A request that ends with it needs no room, though it is not decoded yet."""
        if part.end is not None:
            self._due.discard(part.id)

    def forget(self, request_id: int) -> PlannedRequest | None:
        self._due.discard(request_id)
        return self.live.pop(request_id, None)

    def add(self, request: Request, planned: PlannedRequest) -> None:
        """Adds a request to the next message. Bodies go together, because each message costs both sides a loop turn."""
        self.live[request.id] = planned
        if request.offset_ns is None:
            self._due.add(request.id)
        else:
            heapq.heappush(self._coming, (request.offset_ns, request.id))
        self._outgoing.append(request)
        self._outgoing_bytes += len(request.body)
        if self._outgoing_bytes > TOGETHER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Sends the requests that were added."""
        if self._outgoing:
            self.child.send(Requests(self._outgoing))
            self._outgoing, self._outgoing_bytes = [], 0


class Lanes:
    """All measuring processes of a run. Empty before `begin` and after `leave`."""

    def __init__(self) -> None:
        self._lanes: list[Lane] = []
        self._lane_of: dict[int, Lane] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes)

    def begin(
        self,
        children: Sequence[Child],
        target: SocketTarget | SdkTarget,
        *,
        slots: int,
        silence_s: float,
        now_ns: int,
        hear: Callable[[Lane, Report], None],
        bury: Callable[[Lane], None],
    ) -> None:
        """Starts the run in each process. `hear` is called with its reports, `bury` when it dies."""
        for number, child in enumerate(children):
            lane = Lane(child, number, share(slots, number, len(children)), now_ns)
            self._lanes.append(lane)
            child.on_report = lambda report, lane=lane: hear(lane, report)
            child.on_death = lambda lane=lane: bury(lane)
            child.send(Begin(target, lane.slots, silence_s))

    def leave(self) -> None:
        """Ends the processes that have not finished. The finished ones may serve another run."""
        lanes, self._lanes = self._lanes, []
        for lane in lanes:
            if not lane.finished:
                lane.child.end()

    @property
    def live(self) -> list[int]:
        """Ids of all requests that a process has and that have not ended."""
        return list(self._lane_of)

    @property
    def count(self) -> int:
        """How many requests the processes have: in flight, waiting, or not due yet."""
        return len(self._lane_of)

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not ended, as far as the processes have told."""
        return sum(lane.in_flight for lane in self._lanes)

    @property
    def opened(self) -> bool:
        return all(lane.opened for lane in self._lanes)

    @property
    def finished(self) -> bool:
        return all(lane.finished for lane in self._lanes)

    def say(self, command: Command) -> None:
        for lane in self._lanes:
            lane.child.send(command)

    def hold(self, connections: int) -> None:
        """A phase is prepared: nothing is sent, and this many connections are opened. Then the lanes are `opened`."""
        for lane in self._lanes:
            lane.opened = False
            lane.child.send(Hold(share(connections, lane.number, len(self._lanes))))

    def make_room(self, room: Sequence[int]) -> None:
        """A phase begins. `room`: the most requests in flight in each of its steps."""
        for lane in self._lanes:
            lane.room = max(share(size, lane.number, len(self._lanes)) for size in room)

    def emptiest(self) -> Lane:
        """The process that uses the smallest part of its room. One without room in this phase would send nothing."""
        return min((lane for lane in self._lanes if lane.room), key=lambda lane: lane.taken / lane.room)

    def freest(self, elapsed_ns: int) -> Lane:
        """The process with the smallest part of its room in use by requests that are due."""
        return min((lane for lane in self._lanes if lane.room), key=lambda lane: lane.due(elapsed_ns) / lane.room)

    def level(self, elapsed_ns: int) -> None:
        """Asks a process in which requests wait for room for as many as another process has room for now."""
        lanes = [lane for lane in self._lanes if lane.room]
        if len(lanes) < 2:
            return
        free = sum(max(0, lane.room - lane.due(elapsed_ns)) for lane in lanes)
        for lane in lanes:
            waiting = lane.due(elapsed_ns) - lane.room
            if free and waiting > 0 and not lane.recalling:
                self._recall(lane, min(free, waiting))
                free -= min(free, waiting)

    def recall(self) -> None:
        """Asks for all requests that have not been sent."""
        for lane in self._lanes:
            self._recall(lane, None)

    def _recall(self, lane: Lane, most: int | None) -> None:
        lane.recalling = True
        lane.flush()
        lane.child.send(Recall(most))

    def give(self, lane: Lane, request: Request, planned: PlannedRequest) -> None:
        self._lane_of[request.id] = lane
        lane.add(request, planned)

    def flush(self) -> None:
        for lane in self._lanes:
            lane.flush()

    def forget(self, request_id: int) -> Lane | None:
        """Forgets a request that has ended. Returns its lane; None if the request is not known."""
        lane = self._lane_of.pop(request_id, None)
        if lane is not None:
            lane.forget(request_id)
        return lane
