"""Which requests of a run have a result already: what a resumed run does not send again."""

from array import array
from collections.abc import Iterable, Mapping, Sequence

from shared.benchmark.request_id import RequestId


class Recorded:
    """Turns of a place are sent one after the other, so their number says which. Two bytes a place."""

    def __init__(self, ids: Iterable[RequestId] = (), answers: Mapping[RequestId, str] | None = None) -> None:
        """`answers`: texts of recorded turns, where a later turn carries them."""
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
        """What the recorded turns of this place were answered with, oldest first."""
        return [self._answers.get(RequestId(place, turn), "") for turn in range(self.turns(place))]
