"""Keep-alives in any dress are neither tokens nor errors nor signs of life."""

from tests.e2e.field.case import Answer, Case, between
from tests.e2e.field.wire import DONE, HI, STOP, TEXT_BLOCK, block_start, block_text, message_end, message_start, text

_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_DRESSES = {
    "comment": b": keep-alive\n\n",
    "empty-comment": b":\n\n",
    "empty-data": b"data:\n\n",
    "empty-object": b"data: {}\n\n",
    "null": b"data: null\n\n",
    "word": b"data: ping\n\n",
    "named": b"event: keepalive\ndata: \n\n",
    "named-with-an-object": b'event: ping\ndata: {"type":"ping"}\n\n',
    "blank-lines": b"\n\n",
    "retry": b"retry: 3000\n\n",
    "comment-as-data": b"data: : keep-alive\n\n",
    "without-choices": b'data: {"id":"c1","object":"chat.completion.chunk","choices":[]}\n\n',
}
# Those that a request waits beside, 400 ms apart, until its time is up.
_SILENT = ("comment", "empty-data", "null", "word", "comment-as-data")
_LIMIT = between(1_900, 3_500)
_DRIZZLE = [400.0 * index for index in range(1, 11)]

CASES = (
    *[
        Case(
            f"kept-alive-by-{name}",
            Answer((50, dress), (100, HI), (150, dress), (200, text(" you")), (250, dress + STOP + dress + DONE)),
            {"outcome": "succeeded", "response": "Hi you", "ttft_ms": 100, "latency_ms": 200},
        )
        for name, dress in _DRESSES.items()
    ],
    *[
        Case(
            f"nothing-but-keep-alive-{name}",
            Answer(*[(at, dress) for at in _DRIZZLE], ending="open"),
            {"outcome": "timed_out", "error_kind": "ttft_timeout", "ttft_ms": None, "ended_ms": _LIMIT},
            run="impatient",
        )
        for name, dress in _DRESSES.items()
        if name in _SILENT
    ],
    *[
        Case(
            f"text-then-nothing-but-keep-alive-{name}",
            Answer((50, HI), *[(at, dress) for at in _DRIZZLE], ending="open"),
            {"outcome": "timed_out", "error_kind": "idle_timeout", "response": "Hi", "ended_ms": _LIMIT},
            run="impatient",
        )
        for name, dress in _DRESSES.items()
        if name in _SILENT
    ],
    Case(
        "keep-alive-between-the-lines-of-an-event",
        Answer(
            (50, HI[:-1] + b": keep-alive\n\n"),
            (100, b"event: x\n: keep-alive\n" + text(" you") + STOP + DONE),
        ),
        {"outcome": "succeeded", "response": "Hi you", "ttft_ms": 50, "latency_ms": 100},
    ),
    Case(
        "pings-of-anthropic",
        Answer(
            (50, message_start(input_tokens=5, output_tokens=1) + _PING),
            (100, block_start(TEXT_BLOCK) + _PING + block_text("Hi")),
            (200, _PING + message_end(output_tokens=2)),
        ),
        {"outcome": "succeeded", "response": "Hi", "ttft_ms": 100, "latency_ms": 100},
        protocol="anthropic",
    ),
)
