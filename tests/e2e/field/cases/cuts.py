"""Where reads and connections are cut."""

from tests.e2e.field.case import Answer, Case, Ending, Protocol
from tests.e2e.field.wire import DONE, HI, ROLE, STOP, answer, message, text, usage
from tests.support.servers.scripted import cut

_STREAM = answer("Hello", " grüße 🚀", usage=usage(3, 2))
_MESSAGE = message("Hello", " grüße 🚀")
_SIZES = (1, 3, 7, 64)
_WHOLE: tuple[tuple[Protocol, bytes, int], ...] = (("openai", _STREAM, 2), ("anthropic", _MESSAGE, 15))


def _pieces(stream: bytes, size: int) -> Answer:
    return Answer(*[(50 + index / 4, piece) for index, piece in enumerate(cut(stream, size))])


def _broken(ending: Ending) -> Answer:
    return Answer((50, ROLE + text("a")), *[(60 + 10 * index, text("b")) for index in range(4)], ending=ending)


_BROKEN = {"outcome": "truncated", "error_kind": "truncated", "phase": "mid_stream", "response": "abbbb"}

CASES = (
    *[
        Case(
            f"{protocol}-in-pieces-of-{size}",
            _pieces(stream, size),
            {"outcome": "succeeded", "response": "Hello grüße 🚀", "output_tokens": output, "flags": ()},
            protocol=protocol,
        )
        for protocol, stream, output in _WHOLE
        for size in _SIZES
    ],
    Case(
        "event-in-halves",
        Answer((50, HI[:100]), (70, HI[100:]), (150, text(" you")[:20]), (170, text(" you")[20:] + STOP + DONE)),
        {"outcome": "succeeded", "response": "Hi you", "latency_ms": 170},
    ),
    Case("closed-in-mid-stream", _broken("close"), _BROKEN),
    Case("chunks-without-their-end", _broken("cut"), _BROKEN),
    Case("reset-in-mid-stream", _broken("reset"), _BROKEN),
    Case(
        "closed-within-an-event",
        Answer((50, HI), (100, b'data: {"id":"c1","object":"chat.comp'), ending="close"),
        {"outcome": "truncated", "error_kind": "truncated", "response": "Hi"},
    ),
    Case(
        "closed-within-a-character",
        Answer((50, HI), (100, text("🚀")[:100]), ending="close"),
        {"outcome": "truncated", "error_kind": "truncated", "response": "Hi"},
    ),
    Case(
        "finished-without-done",
        Answer((50, HI), (100, STOP), ending="close"),
        {"outcome": "succeeded", "response": "Hi", "flags": "no_terminal_event"},
    ),
    Case(
        "last-line-without-its-newline",
        Answer((50, HI), (100, text("!") + STOP + usage(3, 2) + b"data: [DONE]"), ending="close"),
        {"outcome": "succeeded", "response": "Hi!", "output_tokens": 2, "no_flags": "no_terminal_event"},
    ),
    Case(
        "done-and-nothing-else",
        Answer((50, ROLE + DONE)),
        {"outcome": "errored", "error_kind": "empty_answer"},
    ),
)
