"""Public reports about the shape of a stream: separators, labels, keep-alives, thinking, bursts."""

from tests.e2e.field.case import Answer, Case, at_most, null_or
from tests.e2e.field.wire import (
    DONE,
    HI,
    ROLE,
    STOP,
    TEXT_BLOCK,
    block_delta,
    block_start,
    block_stop,
    block_text,
    chunk,
    counts,
    last,
    message_end,
    message_start,
    text,
    usage,
    whole,
)


def _line(event: bytes) -> bytes:
    """The event with a single newline after it."""
    return event.removesuffix(b"\n")


_W = text("w ")
_EIGHT = "w w w w w w w w "
_THINKING = {"type": "thinking", "thinking": "", "signature": ""}

CASES = (
    Case(
        "events-separated-by-one-newline",
        Answer(
            (100, _line(ROLE)),
            (150, _line(text("Hi"))),
            (200, _line(text(" you"))),
            (250, _line(STOP)),
            (300, _line(usage(3, 2))),
            (360, _line(DONE)),
        ),
        {
            "outcome": "succeeded",
            "response": "Hi you",
            "ttft_ms": 150,
            "latency_ms": 200,
            "output_tokens": 2,
            "flags": "events_unseparated",
        },
    ),
    # Body and content type disagree.
    Case(
        "stream-labelled-json",
        Answer(
            (100, HI),
            (200, last(" you", 3, 2)),
            content_type="application/json",
        ),
        {
            "outcome": "succeeded",
            "response": "Hi you",
            "ttft_ms": 100,
            "latency_ms": 200,
            "flags": "mislabelled",
            "no_flags": "not_streamed",
        },
    ),
    Case(
        "json-labelled-stream",
        Answer((100, whole({"role": "assistant", "content": "Hello"}, usage=counts(3, 2)))),
        {
            "outcome": "succeeded",
            "response": "Hello",
            "output_tokens": 2,
            "flags": ("not_streamed", "mislabelled"),
            "ttft_ms": 100,
            "tokens_per_second": None,
        },
    ),
    Case(
        "json-error-labelled-text",
        Answer(
            (
                100,
                (
                    b'{"error":{"message":"You exceeded your quota","type":"insufficient_quota",'
                    b'"code":"insufficient_quota"}}'
                ),
            ),
            content_type="text/plain",
        ),
        {"outcome": "errored", "error_kind": "billing", "message_has": "quota"},
    ),
    # Keep-alives wrapped into data.
    Case(
        "keep-alive-comment-as-data",
        Answer(
            (1000, b"data: : OPENROUTER PROCESSING\n\n"),
            (2000, b"data: : OPENROUTER PROCESSING\n\n"),
            (2500, HI),
            (2600, chunk({"content": " you"}, "stop") + DONE),
        ),
        {
            "outcome": "succeeded",
            "ttft_ms": 2500,
            "latency_ms": 2600,
            "response": "Hi you",
            "flags": "keep_alive_data",
        },
    ),
    Case(
        "keep-alive-with-a-name",
        Answer(
            (1000, b"event: heartbeat\ndata: ping\n\n"),
            (2500, HI),
            (2600, chunk({"content": " you"}, "stop") + DONE),
        ),
        {"outcome": "succeeded", "ttft_ms": 2500, "response": "Hi you", "flags": "keep_alive_data"},
    ),
    Case(
        "keep-alive-null",
        Answer(
            (1000, b"data: null\n\n"),
            (2500, HI),
            (2600, chunk({"content": " you"}, "stop") + DONE),
        ),
        {"outcome": "succeeded", "ttft_ms": 2500, "response": "Hi you", "flags": "keep_alive_data"},
    ),
    # Thinking that is billed but not shown.
    Case(
        "thinking-omitted-and-not-counted",
        Answer(
            (300, message_start(input_tokens=25, output_tokens=1)),
            (350, block_start(_THINKING) + block_delta({"type": "thinking_delta", "thinking": ""})),
            (
                9000,
                block_delta({"type": "signature_delta", "signature": "c2ln"})
                + block_stop()
                + block_start(TEXT_BLOCK, 1),
            ),
            (9050, block_text("Yes", 1)),
            (9150, block_text(", 17.", 1)),
            (9160, message_end(index=1, output_tokens=1800)),
        ),
        {
            "outcome": "succeeded",
            "ttfat_ms": 9050,
            "latency_ms": 9150,
            "output_tokens": 1800,
            "tokens_per_second": None,
            "tpot_ms": None,
            "flags": "reasoning_hidden",
        },
        protocol="anthropic",
    ),
    Case(
        "thinking-redacted-and-counted",
        Answer(
            (300, message_start(input_tokens=25, output_tokens=1)),
            (350, block_start({"type": "redacted_thinking", "data": "RW5j"}) + block_stop()),
            (9000, block_start(TEXT_BLOCK, 1)),
            (9050, block_text("Yes", 1)),
            (9150, block_text(", 17.", 1)),
            (
                9160,
                message_end(index=1, output_tokens=1800, output_tokens_details={"thinking_tokens": 1790}),
            ),
        ),
        {
            "outcome": "succeeded",
            "ttfat_ms": 9050,
            "output_tokens": 1800,
            "reasoning_tokens": 1790,
            "speed_tokens": 10,
            "flags": "reasoning_hidden",
        },
        protocol="anthropic",
    ),
    # Many tokens in an event, and bursts.
    Case(
        "eight-tokens-an-event",
        Answer(
            (90, ROLE),
            *[
                (at, chunk({"content": _EIGHT}, usage=counts(10, output)))
                for at, output in [(200, 8), (280, 16), (360, 24), (440, 32)]
            ],
            (441, chunk({}, "stop", usage=counts(10, 32)) + DONE),
        ),
        {"ttft_ms": 200, "latency_ms": 440, "output_tokens": 32, "tpot_tokens": 24, "speed_tokens": 32},
    ),
    Case(
        "burst-of-three-reads",
        Answer(
            (5000, ROLE + 30 * _W),
            (5001, 30 * _W),
            (5002.5, 20 * _W + STOP + usage(9, 80) + DONE),
        ),
        {
            "outcome": "succeeded",
            "ttft_ms": 5000,
            "output_tokens": 80,
            "tokens_per_second": null_or(at_most(2000)),
            "flags": "buffered",
        },
    ),
)
