"""A run's measuring processes, each with its share of the load and its requests."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from worker.engine.children import Child
from worker.engine.messages import Begin, Command, Report, Request, Requests, SdkTarget, SocketTarget

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
    # Ids of the requests that it has and that have not ended.
    live: set[int] = field(default_factory=set)
    _outgoing: list[Request] = field(default_factory=list)
    _outgoing_bytes: int = 0

    def add(self, request: Request) -> None:
        """Adds a request to the next message. Bodies go together, because each message costs both sides a loop turn."""
        self.live.add(request.id)
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
        connections: int,
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
            child.send(Begin(target, lane.slots, share(connections, number, len(children)), silence_s))

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
    def in_flight(self) -> int:
        return len(self._lane_of)

    @property
    def opened(self) -> bool:
        return all(lane.opened for lane in self._lanes)

    @property
    def finished(self) -> bool:
        return all(lane.finished for lane in self._lanes)

    def say(self, command: Command) -> None:
        for lane in self._lanes:
            lane.child.send(command)

    def make_room(self, room: Sequence[int]) -> None:
        """A phase begins. `room`: the most requests in flight in each of its steps."""
        for lane in self._lanes:
            lane.room = max(share(size, lane.number, len(self._lanes)) for size in room)

    def emptiest(self) -> Lane:
        """The process that uses the smallest part of its room. One without room in this phase would send nothing."""
        return min((lane for lane in self._lanes if lane.room), key=lambda lane: len(lane.live) / lane.room)

    def give(self, lane: Lane, request: Request) -> None:
        self._lane_of[request.id] = lane
        lane.add(request)

    def flush(self) -> None:
        for lane in self._lanes:
            lane.flush()

    def forget(self, request_id: int) -> Lane | None:
        """Forgets a request that has ended. Returns its lane; None if the request is not known."""
        lane = self._lane_of.pop(request_id, None)
        if lane is not None:
            lane.live.discard(request_id)
        return lane
