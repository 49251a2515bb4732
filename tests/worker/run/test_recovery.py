"""Which requests may have been sent by a worker that died."""

from shared.benchmark.request_id import RequestId
from tests.worker.engine.running import Models
from tests.worker.engine.test_loads import Conversations
from worker.engine.recorded import Recorded
from worker.run.recovery import without_result


def test_every_marked_request_without_a_result_may_have_been_sent() -> None:
    recorded = Recorded([RequestId(0), RequestId(2)])
    assert without_result(Models(*["m"] * 9), recorded, 4) == [(1, 0), (3, 0)]
    assert without_result(Models(*["m"] * 9), recorded, 0) == []


def test_of_a_conversation_two_turns_may_have_been_sent_and_not_stored() -> None:
    """The next turn is sent before the one before it is stored."""
    recorded = Recorded()
    for turn in range(3):
        recorded.add_turn(RequestId(0, turn), "answer")
    recorded.add_turn(RequestId(1, 0), "answer")
    recorded.add_turn(RequestId(2, 0), "answer")
    recorded.add_turn(RequestId(2, 1), "answer")
    recorded.add_turn(RequestId(3, 0), None)
    # The first is over, of the third only the last turn is left, the fourth has failed.
    assert without_result(Conversations(9), recorded, 5) == [(1, 1), (1, 2), (2, 2), (4, 0), (4, 1)]
