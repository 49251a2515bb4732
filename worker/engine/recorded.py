"""The requests of a run that have a result already. A resumed run does not send them again."""

from array import array
from collections.abc import Iterable, Mapping, Sequence

from shared.benchmark.request_id import RequestId


class Recorded:
    """Which turns have a result. Turns of a place are sent in order, so one count (two bytes) per place is enough."""

    def __init__(self, ids: Iterable[RequestId] = (), answers: Mapping[RequestId, str] | None = None) -> None:
        """`answers`: the texts of recorded turns that a later turn sends along."""
        self._turns = array("H")
        self._answers = dict(answers or {})
        self.count = 0
        for request_id in ids:
            self.add(request_id)

    def add(self, request_id: RequestId) -> None:
        missing = request_id.place + 1 - len(self._turns)
        if missing > 0:
            self._turns.extend([0] * missing)
        self._turns[request_id.place] = max(self._turns[request_id.place], request_id.turn + 1)
        self.count += 1

    def turns(self, place: int) -> int:
        """How many turns of this place have a result."""
        return self._turns[place] if place < len(self._turns) else 0

    def answers(self, place: int) -> Sequence[str]:
        """The answers to the recorded turns of this place, oldest first; an empty text if not known."""
        return [self._answers.get(RequestId(place, turn), "") for turn in range(self.turns(place))]
