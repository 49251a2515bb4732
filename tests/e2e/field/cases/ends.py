"""What follows the end of an answer never turns a success into a failure."""

from tests.e2e.field.case import Answer, Case, Ending, at_most
from tests.e2e.field.wire import (
    DONE,
    HI,
    STOP,
    chunk,
    data,
    message,
    message_delta,
    text,
    usage,
)

_SAID = {"outcome": "succeeded", "response": "Hi you", "latency_ms": 100, "output_tokens": 2}
_YOU = text(" you")


def _followed(name: str, after: bytes, ending: Ending = "complete", *, done: bytes = DONE) -> Case:
    return Case(
        name,
        Answer((50, HI), (100, _YOU + STOP + usage(3, 2) + done), (200, after), ending=ending),
        _SAID,
    )


CASES = (
    # End markers of other protocols, in place of `[DONE]` and after it.
    *[
        _followed(f"{name}-in-place-of-done", marker, "close", done=b"")
        for name, marker in (
            ("message-stop", b'event: message_stop\ndata: {"type":"message_stop"}\n\n'),
            ("response-completed", b'event: response.completed\ndata: {"type":"response.completed"}\n\n'),
            ("event-done", b"event: done\ndata: {}\n\n"),
            ("event-end", b"event: end\ndata: \n\n"),
            ("word-done", b"data: DONE\n\n"),
            ("brackets-end", b"data: [END]\n\n"),
        )
    ],
    *[
        _followed(f"{name}-after-done", after)
        for name, after in (
            ("message-stop", b'event: message_stop\ndata: {"type":"message_stop"}\n\n'),
            ("second-done", DONE),
            ("words", b"data: bye\n\n"),
            ("half-an-object", b'data: {"id":\n\n'),
            ("error-object", data({"error": {"message": "too late", "type": "server_error"}})),
            ("error-event", b"event: error\ndata: {}\n\n"),
            ("html", b"<html></html>\n"),
            ("binary", b"\xff\xfe\x00\n\n"),
        )
    ],
    Case(
        "done-after-message-stop",
        Answer((50, message("Hi")), (60, DONE)),
        {"outcome": "succeeded", "response": "Hi", "output_tokens": 15},
        protocol="anthropic",
    ),
    Case(
        "usage-after-message-stop",
        Answer((50, message("Hi")), (60, message_delta(output_tokens=15))),
        {"outcome": "succeeded", "response": "Hi", "output_tokens": 15},
        protocol="anthropic",
    ),
    # Text after the end is no part of the answer's time.
    Case(
        "text-after-done",
        Answer((50, HI), (100, _YOU + STOP + usage(3, 2) + DONE), (300, text("!"))),
        {"outcome": "succeeded", "latency_ms": 100, "flags": "sent_after_end"},
    ),
    # The connection after the end.
    Case(
        "reset-after-done",
        Answer((50, HI), (100, _YOU + STOP + usage(3, 2) + DONE), (130, b""), ending="reset"),
        _SAID,
    ),
    Case(
        "reset-after-the-finish-reason",
        Answer((50, HI), (100, _YOU + STOP + usage(3, 2)), (130, b""), ending="reset"),
        {**_SAID, "flags": "no_terminal_event"},
    ),
    Case(
        "chunks-without-their-end-after-done",
        Answer((50, HI), (100, _YOU + STOP + usage(3, 2) + DONE), ending="cut"),
        _SAID,
    ),
    Case(
        "open-after-done",
        Answer((50, HI), (100, _YOU + STOP + usage(3, 2) + DONE), ending="open"),
        {**_SAID, "flags": "left_open", "stream_close_ms": None, "ended_ms": at_most(2_500)},
        run="impatient",
    ),
    Case(
        "open-after-message-stop",
        Answer((50, message("Hi")), ending="open"),
        {"outcome": "succeeded", "response": "Hi", "flags": "left_open", "ended_ms": at_most(2_500)},
        protocol="anthropic",
    ),
    Case(
        "open-after-the-finish-reason",
        Answer((50, HI), (100, _YOU + STOP + usage(3, 2)), ending="open"),
        _SAID,
        run="impatient",
    ),
    Case(
        "keep-alives-after-done",
        Answer(
            (50, HI),
            (100, _YOU + STOP + usage(3, 2) + DONE),
            *[(100 + 400 * index, b": keep-alive\n\n") for index in range(1, 10)],
            ending="open",
        ),
        {**_SAID, "ended_ms": at_most(2_500)},
        run="impatient",
    ),
    Case(
        "keep-alives-after-the-finish-reason",
        Answer(
            (50, HI),
            (100, _YOU + chunk({}, "stop") + usage(3, 2)),
            *[(100 + 400 * index, b"data: null\n\n") for index in range(1, 10)],
            ending="open",
        ),
        _SAID,
        run="impatient",
    ),
)
