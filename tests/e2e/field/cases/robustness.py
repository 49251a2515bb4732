"""Answers that no decoder may stumble over: each ends its own request, and no other of its run."""

from tests.e2e.field.case import Answer, Case, other_than, refusal
from tests.e2e.field.wire import DONE, HI, STOP, answer, chunk, text, usage

_LIMIT = "429 Too Many Requests"
_BODY = b'{"error":{"message":"Slow down","type":"rate_limit_error"}}'
_LIMITED = {"outcome": "errored", "error_kind": "rate_limited", "message": "Slow down"}
_ENDED = {"outcome": other_than("cancelled")}


def _wait(name: str, **headers: str) -> Case:
    return Case(f"strange-wait-{name}", refusal(_LIMIT, _BODY, **headers), _LIMITED, run="robust")


def _code(name: str, code: bytes) -> Case:
    body = b'{"error":{"message":"Bad code","code":' + code + b"}}"
    return Case(
        f"strange-code-{name}",
        refusal("400 Bad Request", body),
        {"outcome": "errored", "error_kind": "invalid_request"},
        run="robust",
    )


def _in_stream(name: str, event: bytes) -> Case:
    """After the first text: what it means is not decided here, only that it harms no other."""
    return Case(f"strange-event-{name}", Answer((50, HI), (90, event + STOP + DONE)), _ENDED, run="robust")


CASES = (
    _wait("of-an-unknown-zone", retry_after="Wed, 21 Oct 2026 07:28:00 -0000"),
    _wait("with-a-naive-date", retry_after="Wed, 21 Oct 2026 07:28:00 GMT", date="Wed, 21 Oct 2026 07:28:00"),
    _wait(
        "with-a-date-of-an-unknown-zone",
        retry_after="Wed, 21 Oct 2026 07:28:00 GMT",
        date="Wed, 21 Oct 2026 07:28:00 -0000",
    ),
    _wait("of-400-digits", retry_after="9" * 400),
    _wait("in-400-digits-of-milliseconds", retry_after_ms="9" * 400),
    _wait("that-is-infinite", retry_after="inf"),
    _wait("that-is-no-number", retry_after="nan"),
    _wait("in-other-digits", retry_after="1.2.3"),
    _wait("of-the-year-99999", retry_after="Wed, 21 Oct 99999 07:28:00 GMT"),
    _wait("of-month-13", retry_after="Wed, 32 Foo 2026 27:28:00 GMT"),
    _code("of-5000-digits", b"9" * 5_000),
    _code("of-5000-digits-as-text", b'"' + b"9" * 5_000 + b'"'),
    _code("negative", b"-1"),
    _code("float", b"1e999"),
    _code("list", b"[[[]]]"),
    _code("object", b'{"a":{}}'),
    _code("of-other-digits", '"²٣"'.encode()),
    Case(
        "switching-protocols",
        Answer(
            (50, b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n\x81\x05hello"),
            ending="close",
            raw=True,
        ),
        {"outcome": "errored", "error_kind": other_than("truncated")},
        run="robust",
    ),
    Case(
        "continue-before-the-answer",
        Answer((50, b"HTTP/1.1 100 Continue\r\n\r\n" + Answer().head), (60, b""), raw=True, ending="close"),
        {"outcome": other_than("cancelled", "succeeded")},
        run="robust",
    ),
    Case(
        "no-content",
        Answer((50, b"HTTP/1.1 204 No Content\r\n\r\n"), raw=True, ending="close"),
        {"outcome": "errored", "error_kind": other_than("truncated")},
        run="robust",
    ),
    *[
        Case(
            f"strange-status-{status}",
            Answer((50, f"HTTP/1.1 {status} Odd\r\ncontent-length: 2\r\n\r\n{{}}".encode()), raw=True, ending="close"),
            {"outcome": "errored", "error_kind": other_than("truncated")},
            run="robust",
        )
        for status in (299, 399, 418, 451, 599)
    ],
    _in_stream("deep", b"data: " + b"[" * 100_000 + b"\n\n"),
    _in_stream("deep-object", b"data: " + b'{"a":' * 100_000 + b"\n\n"),
    _in_stream("lone-surrogate", b'data: {"choices":[{"index":0,"delta":{"content":"\\ud800"}}]}\n\n'),
    _in_stream("nul-in-a-name", text("x").replace(b'"m"', b'"m\\u0000"')),
    _in_stream("number-as-text", chunk({"content": 5})),
    _in_stream("choices-of-numbers", b'data: {"choices":[1,null,"x",[]]}\n\n'),
    _in_stream("text-in-place-of-a-chunk", b'data: "hello"\n\n'),
    _in_stream("boolean-in-place-of-a-chunk", b"data: true\n\n"),
    _in_stream("finish-reason-of-a-kind", chunk({"content": "x"}, {"reason": "stop"})),  # type: ignore[arg-type]
    _in_stream("finish-reason-of-100-kb", chunk({"content": "x"}, "s" * 100_000)),
    _in_stream("id-of-100-kb", b'data: {"id":"' + b"i" * 100_000 + b'","choices":[]}\n\n'),
    _in_stream("calls-of-a-kind", chunk({"tool_calls": {"function": 7}, "function_call": [1]})),
    _in_stream("nan", b'data: {"choices":[],"usage":{"prompt_tokens":NaN}}\n\n'),
    _in_stream("error-of-numbers", b'data: {"error":{"message":5,"code":{"a":1},"type":[]}}\n\n'),
    Case(
        "request-id-of-10-kb",
        Answer((50, answer("Hi", usage=usage(10, 5))), headers={"x-request-id": "r" * 10_000}),
        {"outcome": "succeeded", "response": "Hi"},
        run="robust",
    ),
    *[
        Case(
            f"good-neighbour-{number}",
            Answer((50, HI), (300, text("!") + STOP + usage(10, 5) + DONE)),
            {"outcome": "succeeded", "response": "Hi!", "output_tokens": 5},
            run="robust",
        )
        for number in range(3)
    ],
)
