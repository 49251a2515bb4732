"""Error answers in the shapes that servers really send, and how long they ask to wait."""

import orjson

from tests.e2e.field.case import Answer, Case, between, one_of, other_than, refusal
from tests.e2e.field.wire import answer

_LIMIT = "429 Too Many Requests"
_BODY = b'{"error":{"message":"Slow down","type":"rate_limit_error"}}'


def _shape(name: str, body: bytes, words: str, status: str = "400 Bad Request", **must: object) -> Case:
    kind = {"400": "invalid_request", "429": "rate_limited", "500": "server_error", "422": "invalid_request"}
    expected = {
        "outcome": "errored",
        "error_kind": kind.get(status[:3], other_than("truncated")),
        "message_has": words,
        "phase": "before_first_token",
        "http_status": int(status[:3]),
        "requests": 1,
        "ended_ms": 50,
    }
    return Case(name, refusal(status, body), expected | must)


def _wait(name: str, seconds: object, **headers: str) -> Case:
    return Case(
        f"wait-{name}",
        refusal(_LIMIT, _BODY, **headers),
        {"outcome": "errored", "error_kind": "rate_limited", "retry_after_s": seconds},
    )


def _mended(name: str, body: bytes, status: str = "400 Bad Request") -> Case:
    """Refused for `stream_options`, then answered. Each has an endpoint of its own."""
    return Case(
        f"mended-{name}",
        [refusal(status, body), Answer((50, answer("Hi", usage=b"")))],
        {"outcome": "succeeded", "response": "Hi", "mended": True, "flags": "usage_missing", "ttft_ms": 50},
        run=f"mended-{name}",
        transports=("auto",),
    )


CASES = (
    _shape("detail-list", b'{"detail":[{"type":"missing","loc":["body","model"],"msg":"Field required"}]}', "required"),
    _shape("detail-object", b'{"detail":{"message":"No such route","code":"x"}}', "no such route"),
    _shape("detail-in-the-error", b'{"error":{"detail":"No such route"}}', "no such route"),
    _shape("message-alone", b'{"message":"No such route"}', "no such route"),
    _shape("message-beside-an-error-word", b'{"error":"bad_request","message":"No such route"}', "no such route"),
    _shape("error-text", b'{"error":"No such route"}', "no such route"),
    _shape("error-msg", b'{"error":{"msg":"No such route"}}', "no such route"),
    _shape("errors-list", b'{"errors":[{"message":"No such route"}]}', "no such route"),
    _shape("list-with-a-text", b'["No such route"]', "no such route"),
    _shape("bare-text-as-json", b'"No such route"', "no such route"),
    _shape("bare-text", b"No such route", "no such route"),
    _shape("html", b"<html><body><h1>502 Bad Gateway</h1></body></html>", "bad gateway", "502 Bad Gateway"),
    _shape("empty", b"", "500", "500 Internal Server Error"),
    _shape("null", b"null", "500", "500 Internal Server Error"),
    _shape("number", b"17", "500", "500 Internal Server Error"),
    _shape(
        "vllm",
        b'{"object":"error","message":"max_tokens is too large","type":"BadRequestError","param":null,"code":400}',
        "max_tokens is too large",
    ),
    _shape("error-in-an-error", b'{"error":{"error":{"message":"No such route"}}}', "no such route"),
    _shape("json-in-the-message", orjson.dumps({"error": {"message": '{"message":"No such route"}'}}), "no such route"),
    _shape("message-object", b'{"error":{"message":{"text":"No such route"}}}', "no such route"),
    _shape("quota", b'{"error":{"code":"insufficient_quota","message":"Pay"}}', "pay", _LIMIT, error_kind="billing"),
    _shape("redirect", b"", "307", "307 Temporary Redirect"),
    Case(
        "anthropic-detail",
        refusal("422 Unprocessable Entity", b'{"detail":"No such route"}'),
        {"outcome": "errored", "error_kind": "invalid_request", "message_has": "no such route"},
        protocol="anthropic",
    ),
    # How long to wait.
    _wait("in-seconds", 12.0, retry_after="12"),
    _wait("in-parts-of-a-second", 0.5, retry_after="0.5"),
    _wait("in-milliseconds", 1.5, retry_after_ms="1500"),
    _wait("with-a-unit", one_of(None, 20.0), retry_after="20s"),
    _wait("until-a-date", 10.0, retry_after="Wed, 21 Oct 2026 07:28:10 GMT", date="Wed, 21 Oct 2026 07:28:00 GMT"),
    _wait("until-a-date-of-the-past", 0.0, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    _wait("negative", one_of(None, 0.0), retry_after="-5"),
    _wait("in-words", None, retry_after="soon"),
    _wait("of-a-year", other_than(-1), retry_after="31536000"),
    *[
        Case(
            f"wait-in-the-body-{name}",
            refusal(_LIMIT, body),
            {"outcome": "errored", "error_kind": "rate_limited", "retry_after_s": seconds},
        )
        for name, body, seconds in (
            (
                "retry-delay",
                b'{"error":{"code":429,"message":"Quota","details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":"7s"}]}}',
                7.0,
            ),
            (
                "nanoseconds",
                b'{"error":{"code":429,"message":"Quota","details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":"0.250000000s"}]}}',
                0.25,
            ),
        )
    ],
    Case(
        "busy-in-anthropic-words",
        refusal(
            "529 Site Overloaded",
            b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}',
            request_id="req_1",
        ),
        {"outcome": "errored", "error_kind": "overloaded", "message": "Overloaded", "provider_request_id": "req_1"},
        protocol="anthropic",
    ),
    # `stream_options` refused in any words.
    _mended("in-openai-words", b'{"error":{"message":"Unrecognized request argument supplied: stream_options"}}'),
    _mended("as-param", b'{"error":{"message":"Unknown parameter","param":"stream_options"}}'),
    _mended("as-param-path", b'{"error":{"message":"Extra inputs","param":"stream_options.include_usage"}}'),
    _mended("as-detail-text", b'{"detail":"stream_options is not supported"}'),
    _mended("as-text", b"unknown field `stream_options`"),
    _mended(
        "as-detail-list",
        b'{"detail":[{"type":"extra_forbidden","loc":["body","stream_options","include_usage"],"msg":"Extra inputs"}]}',
        "422 Unprocessable Entity",
    ),
    _mended("as-list", b'[{"error":{"code":400,"message":"Unknown name \\"stream_options\\": Cannot find field."}}]'),
    # Refused for one model alone: another model of the same endpoint is still asked with it, see `test_runs`.
    Case(
        "refused-for-one-model",
        [
            refusal("400 Bad Request", b'{"error":{"message":"stream_options is not supported by old"}}'),
            Answer((50, answer("Hi", usage=b""))),
        ],
        {"outcome": "succeeded", "mended": True},
        model="old",
        run="one-model",
        transports=("auto",),
    ),
    Case(
        "asked-for-another-model",
        Answer((50, answer("Hi"))),
        {"outcome": "succeeded", "requests": 1, "output_tokens": 2},
        model="new",
        run="other-model",
        transports=("auto",),
    ),
    Case(
        "another-refusal-is-not-mended",
        refusal("400 Bad Request", b'{"error":{"message":"max_tokens is too large"}}'),
        {"outcome": "errored", "requests": 1},
    ),
    Case(
        "rate-limit-is-not-sent-again",
        refusal(_LIMIT, _BODY, retry_after="0"),
        {"outcome": "errored", "requests": 1, "retry_after_s": 0.0, "ended_ms": between(40, 1_000)},
    ),
)
