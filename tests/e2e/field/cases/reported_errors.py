"""Public reports about error answers, about other models than asked for, and about caches that warm-up filled."""

from tests.e2e.field.case import Answer, Case, one_of, refusal
from tests.e2e.field.wire import DONE, HI, chunk, last, usage

_MINI = "gpt-4o-mini-2024-07-18"
_GPT_5 = "gpt-5-2025-08-07"

CASES = (
    Case(
        "detail-list-names-stream-options",
        refusal(
            "422 Unprocessable Entity",
            (
                b'{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],'
                b'"msg":"Extra inputs are not permitted"}]}'
            ),
        ),
        {
            "outcome": "errored",
            "error_kind": "invalid_request",
            "message_has": ("stream_options", "not permitted"),
            "mended": True,
        },
        run="mend-list",
    ),
    Case(
        "detail-text",
        refusal("503 Service Unavailable", b'{"detail":"Model is still loading"}'),
        {"outcome": "errored", "error_kind": "server_error", "message_has": "still loading", "http_status": 503},
    ),
    Case(
        "list-around-the-error-with-its-delay",
        refusal(
            "429 Too Many Requests",
            (
                b'[{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":'
                b'[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}]}}]'
            ),
        ),
        {"outcome": "errored", "error_kind": "rate_limited", "message": "Quota exceeded", "retry_after_s": 34.4},
    ),
    # 1,000 x 0.15 + 1,000 x 0.6
    Case(
        "another-model",
        Answer(
            (200, chunk({"content": "a"}, model=_MINI)),
            (300, chunk({"content": "b"}, "stop", model=_MINI) + usage(1000, 1000, of={"model": _MINI}) + DONE),
        ),
        {
            "outcome": "succeeded",
            "served_model": _MINI,
            "cost": one_of(None, 0.00075),
            "flags": "served_model_differs",
        },
        model="gpt-4o",
        price="openai",
    ),
    # Half of 1,000 x 1.25 + 1,000 x 10.
    Case(
        "the-same-model-by-its-date-in-another-tier",
        Answer(
            (200, chunk({"content": "a"}, model=_GPT_5, service_tier="flex")),
            (
                300,
                chunk({"content": "b"}, "stop", model=_GPT_5, service_tier="flex")
                + usage(1000, 1000, of={"model": _GPT_5, "service_tier": "flex"})
                + DONE,
            ),
        ),
        {
            "outcome": "succeeded",
            "served_model": _GPT_5,
            "service_tier": "flex",
            "cost": one_of(None, 0.005625),
            "flags": "service_tier_differs",
            "no_flags": "served_model_differs",
        },
        model="gpt-5",
        price="openai",
    ),
    # One of five repetitions after a warm-up; see `test_runs`.
    Case(
        "prompt-from-a-cache",
        Answer(
            (60, HI),
            (80, last(" you", 8112, 2, prompt_tokens_details={"cached_tokens": 8111})),
        ),
        {"outcome": "succeeded", "cache_read_tokens": 8111, "flags": "prompt_cached"},
        run="cache",
        transports=("auto",),
    ),
)
