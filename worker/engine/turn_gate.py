"""Holds the next turn of a conversation back while two of its turns wait to be stored.

A place is marked once for all of its turns. So a crash leaves at most two turns of it that may have been sent and have
no result: the one in flight, and the one before it. This delays no turn, unless the database takes longer than a turn.
"""

from collections import Counter
from collections.abc import Iterable

from shared.benchmark.request_id import RequestId
from worker.engine.lanes import Lane
from worker.engine.planned import PlannedRequest

# Turns of one conversation that may wait to be stored when the next one is sent.
MOST_UNSTORED = 1


class TurnGate:
    """Of one run. A held turn keeps its room in its process: no other conversation begins there."""

    def __init__(self) -> None:
        # Turns that have ended and are not stored, by place.
        self._unstored: Counter[int] = Counter()
        # By place too: a conversation has one next turn.
        self._held: dict[int, tuple[Lane, PlannedRequest]] = {}

    @property
    def holds(self) -> bool:
        """Whether it holds a turn."""
        return bool(self._held)

    def ended(self, place: int) -> None:
        """A turn has ended, and its result waits to be stored."""
        self._unstored[place] += 1

    def hold(self, lane: Lane, following: PlannedRequest) -> bool:
        """Holds the next turn of a conversation back. False if it may be sent at once."""
        place = following.id.place
        if self._unstored[place] <= MOST_UNSTORED:
            return False
        self._held[place] = lane, following
        lane.held += 1
        return True

    def stored(self, request_ids: Iterable[RequestId]) -> list[tuple[Lane, PlannedRequest]]:
        """These results are stored. Returns the turns that may be sent now."""
        freed: list[tuple[Lane, PlannedRequest]] = []
        for place, _ in request_ids:
            self._unstored[place] -= 1
            if place in self._held and self._unstored[place] <= MOST_UNSTORED:
                lane, following = self._held.pop(place)
                lane.held -= 1
                freed.append((lane, following))
            if self._unstored[place] <= 0:
                del self._unstored[place]
        return freed

    def drop(self) -> None:
        """Forgets the turns that it holds."""
        held, self._held = self._held, {}
        for lane, _ in held.values():
            lane.held -= 1
