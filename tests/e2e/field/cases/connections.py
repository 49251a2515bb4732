"""Connections that end before an answer, and requests on kept ones."""

from tests.e2e.field.case import Answer, Case, at_most, other_than
from tests.e2e.field.wire import HI, answer, usage

_GOOD = Answer((50, answer("Hi", usage=usage(10, 5))))
_LOST = {
    "outcome": "errored",
    "error_kind": other_than("truncated"),
    "phase": "before_first_token",
    "response": None,
    "requests": 1,
}

# The cases of `kept` are sent one after the other, in this order, over one connection as long as it lasts.
CASES = (
    Case("reset-before-any-byte", Answer((300, b""), ending="reset", raw=True), _LOST),
    Case("closed-before-any-byte", Answer((300, b""), ending="close", raw=True), _LOST),
    Case(
        "closed-within-the-head",
        Answer((300, b"HTTP/1.1 200 OK\r\ncontent-ty"), ending="close", raw=True),
        {**_LOST, "error_kind": other_than("truncated", "empty_answer")},
    ),
    Case("closed-after-the-head", Answer((300, b""), ending="cut"), _LOST),
    Case("no-http-at-all", Answer((50, b"SSH-2.0-OpenSSH_9.2\r\n"), ending="close", raw=True), _LOST),
    Case("kept-1-good", _GOOD, {"outcome": "succeeded", "connection_reused": False}, run="kept"),
    Case("kept-2-good", _GOOD, {"outcome": "succeeded", "connection_reused": True}, run="kept"),
    # The race that keep-alive has: closed at once, nothing received.
    Case(
        "kept-3-closed-at-once",
        [Answer(ending="close", raw=True), _GOOD],
        {"outcome": "succeeded", "requests": 2, "flags": ("connection_renewed",), "connection_reused": False},
        run="kept",
    ),
    Case("kept-4-good", _GOOD, {"outcome": "succeeded", "connection_reused": True}, run="kept"),
    # The server has worked on it, and may have billed it.
    Case(
        "kept-5-closed-after-work",
        [Answer((1500, b""), ending="close", raw=True), _GOOD],
        {"outcome": "errored", "requests": 1, "error_kind": other_than("truncated"), "ended_ms": 1500},
        run="kept",
    ),
    Case("kept-6-good", _GOOD, {"outcome": "succeeded", "connection_reused": False}, run="kept"),
    Case(
        "kept-7-closed-within-the-answer",
        [Answer((50, HI), (90, b""), ending="cut"), _GOOD],
        {"outcome": "truncated", "requests": 1, "response": "Hi", "ended_ms": 90},
        run="kept",
    ),
    # Deadlines have an end too.
    Case(
        "no-answer-in-time",
        Answer(ending="open", raw=True),
        {"outcome": "timed_out", "error_kind": "ttft_timeout", "ended_ms": at_most(3_500), "requests": 1},
        run="impatient",
    ),
)
