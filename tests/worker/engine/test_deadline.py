"""Until when a request waits between the events of its answer."""

import orjson
import pytest

from shared.benchmark.timeouts import Timeouts
from tests.worker.engine.measuring import BEGAN, measurement, part
from worker.engine.messages import Head

HEAD = Head(200, {"content-type": "text/event-stream"})
FIRST = {
    "anthropic": {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    "openai": {"choices": [{"index": 0, "delta": {"content": "Hi"}}]},
    "openai-responses": {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"},
}
RESULT = {"type": "web_search_tool_result", "tool_use_id": "t", "content": []}


@pytest.mark.parametrize(
    ("protocol", "event", "goes_on"),
    [
        ("anthropic", {"type": "content_block_stop", "index": 0}, True),
        ("anthropic", {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}, True),
        ("anthropic", {"type": "content_block_start", "index": 1, "content_block": RESULT}, True),
        ("anthropic", {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}}, False),
        ("anthropic", {"type": "ping"}, False),
        ("anthropic", {"type": "something_new"}, False),
        ("openai-responses", {"type": "response.web_search_call.searching", "output_index": 1}, True),
        ("openai-responses", {"type": "response.output_item.added", "item": {"type": "web_search_call"}}, True),
        ("openai-responses", {"type": "response.output_text.delta", "output_index": 0, "delta": ""}, False),
        ("openai-responses", {"type": "response.in_progress", "response": {"status": "in_progress"}}, False),
        ("openai-responses", {"type": "response.keepalive"}, False),
        ("openai", {"choices": []}, False),
        ("openai", {"choices": [{"index": 0, "delta": {}}]}, False),
        ("openai", {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}, False),
    ],
)
def test_events_by_which_the_answer_goes_on_move_the_deadline_and_keep_alives_do_not(
    protocol: str, event: dict[str, object], goes_on: bool
) -> None:
    """A tool of the server may work for longer than `idle_s`. A stream of empty events is not alive."""
    measured = measurement(protocol, Timeouts(idle_s=1))
    data = [(100, b"data: %s\n\n" % orjson.dumps(FIRST[protocol]))]
    data += [(at_ms, b"data: %s\n\n" % orjson.dumps(event)) for at_ms in (500, 900, 1_300)]
    measured.take(part(*data, began=BEGAN, head=HEAD))
    measured.expire(2_200_000_000)
    assert (measured.outcome is None) == goes_on
    measured.expire(2_400_000_000)
    assert measured.error is not None
    assert (measured.outcome, measured.error.kind) == ("timed_out", "idle_timeout")


def test_no_such_event_moves_the_deadline_of_the_first_token() -> None:
    measured = measurement("anthropic", Timeouts(ttft_s=1, idle_s=10))
    stop = b'data: {"type":"content_block_stop","index":0}\n\n'
    measured.take(part((500, stop), (900, stop), began=BEGAN, head=HEAD))
    measured.expire(1_100_000_000)
    assert measured.error is not None
    assert measured.error.kind == "ttft_timeout"
