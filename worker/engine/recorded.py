"""The requests of a run that have a result already. A resumed run does not send them again."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared.benchmark.load.load import Phase
from shared.benchmark.load.places import ordinal_of, part_of
from shared.benchmark.request_id import RequestId
from shared.benchmark.workload.workload import Workload


class Recorded:
    """Which turns have a result. Turns of a place are sent in order, so one count (two bytes) per place is enough."""

    def __init__(self, ids: Iterable[RequestId] = (), answers: Mapping[RequestId, str] | None = None) -> None:
        """`answers`: the texts of recorded turns that a later turn sends along."""
        # By part, since the places of a run with stages have wide gaps.
        self._turns: dict[int, array[int]] = {}
        self._answers = dict(answers or {})
        # Conversations that a failed turn has ended.
        self._over: set[int] = set()
        self.count = 0
        for request_id in ids:
            self.add(request_id)

    def add(self, request_id: RequestId) -> None:
        turns, ordinal = self._turns.setdefault(part_of(request_id.place), array("H")), ordinal_of(request_id.place)
        missing = ordinal + 1 - len(turns)
        if missing > 0:
            turns.extend([0] * missing)
        turns[ordinal] = max(turns[ordinal], request_id.turn + 1)
        self.count += 1

    def add_turn(self, request_id: RequestId, answer: str | None) -> None:
        """Adds a turn of a conversation with its answer. None: it failed, which has ended the conversation."""
        self.add(request_id)
        if answer is None:
            self._over.add(request_id.place)
        else:
            self._answers[request_id] = answer

    def forget_if_over(self, workload: Workload, place: int) -> None:
        """Forgets the answers of a conversation that has ended: only those in progress send theirs along."""
        if not self.is_open(workload, place):
            self._over.add(place)
            for turn in range(self.turns(place)):
                self._answers.pop(RequestId(place, turn), None)

    def turns(self, place: int) -> int:
        """How many turns of this place have a result."""
        turns, ordinal = self._turns.get(part_of(place)), ordinal_of(place)
        return turns[ordinal] if turns is not None and ordinal < len(turns) else 0

    def answers(self, place: int) -> Sequence[str]:
        """The answers to the recorded turns of this place, oldest first; an empty text if not known."""
        return [self._answers.get(RequestId(place, turn), "") for turn in range(self.turns(place))]

    def is_open(self, workload: Workload, place: int) -> bool:
        """Whether this place has a request without a result."""
        turn = self.turns(place)
        if turn == 0:
            return True
        if not workload.has_turns or place in self._over:
            return False
        return workload.item(place, turn, self.answers(place)) is not None

    def open_places(self, workload: Workload, phase: Phase) -> Iterator[int]:
        """The places of this phase that are not finished, in rising order; endless if phase and workload are."""
        place, end = phase.first, phase.end
        if workload.length is not None:
            end = workload.length if end is None else min(end, workload.length)
        while end is None or place < end:
            if self.is_open(workload, place):
                yield place
            place += 1
