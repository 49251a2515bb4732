"""What servers say about a failure, in the shapes in which they say it."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocols.error_shapes import MAX_CODE, MAX_MESSAGE, failure_of, find_error, stated_failure
from shared.protocols.events import Failure

# Names that mean something in an error, so that random documents reach the code behind them.
NAMES = ["error", "errors", "detail", "details", "message", "msg", "code", "type", "status", "loc", "param", "metadata"]
NAMES += ["raw", "base_resp", "status_code", "status_msg", "reason", "object", "success", "fault", "title", "choices"]

SHAPES: list[tuple[str, str, str, str | None]] = [
    # The document, and the kind, the words and the code that it states.
    ('{"error":{"message":"no","type":"rate_limit_error"}}', "rate_limited", "no", "rate_limit_error"),
    (
        '{"error":{"message":"no","type":"x","code":"insufficient_quota","param":null}}',
        "billing",
        "no",
        "insufficient_quota",
    ),
    (
        '{"error":{"message":"no","code":"rate_limit_exceeded","type":"insufficient_quota"}}',
        "billing",
        "no",
        "rate_limit_exceeded",
    ),
    (
        '{"error":{"message":"bad","code":null,"type":null,"param":"top_p"}}',
        "provider_error",
        "bad (param: top_p)",
        None,
    ),
    (
        '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
        "overloaded",
        "Overloaded",
        "overloaded_error",
    ),
    (
        '{"type":"error","code":"server_error","message":"broken","param":null}',
        "server_error",
        "broken",
        "server_error",
    ),
    ('{"error":"model not loaded"}', "provider_error", "model not loaded", None),
    ('{"error":"Model is overloaded","error_type":"overloaded"}', "overloaded", "Model is overloaded", "overloaded"),
    ('{"error":true,"message":"boom"}', "provider_error", "boom", None),
    ('{"error":["one","two"]}', "provider_error", "one; two", None),
    ('{"error":{"code":502,"message":"bad gateway"}}', "server_error", "bad gateway", "502"),
    ('{"error":{"code":"1301","message":"unsafe"}}', "provider_error", "unsafe", "1301"),
    ('{"error":{"odd":1}}', "provider_error", '{"error":{"odd":1}}', None),
    (
        '{"object":"error","message":"no","type":"BadRequestError","code":400}',
        "invalid_request",
        "no",
        "BadRequestError",
    ),
    (
        '{"object":"error","message":{"detail":[{"loc":["body","model"],"msg":"Field required"}]}}',
        "provider_error",
        "body.model: Field required",
        None,
    ),
    ('{"detail":"Model is still loading"}', "provider_error", "Model is still loading", None),
    (
        '{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra"}]}',
        "invalid_request",
        "body.stream_options: Extra",
        "extra_forbidden",
    ),
    ('{"detail":{"error":{"message":"deep"}}}', "provider_error", "deep", None),
    (
        '[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}]',
        "rate_limited",
        "Quota",
        "RESOURCE_EXHAUSTED",
    ),
    (
        '[{"error":{"message":"bad","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]',
        "authentication",
        "bad",
        "INVALID_ARGUMENT",
    ),
    (
        '{"error":{"message":"Provider error","code":429,"metadata":{"raw":"{\\"error\\":\\"slow down\\"}"}}}',
        "rate_limited",
        "Provider error: slow down",
        "429",
    ),
    (
        '{"success":false,"errors":[{"code":7003,"message":"No route"}],"messages":[]}',
        "provider_error",
        "No route",
        "7003",
    ),
    (
        '{"type":"about:blank","title":"Invalid","status":400,"errors":{"stream_options":["not allowed"]}}',
        "invalid_request",
        "Invalid: stream_options: not allowed",
        "400",
    ),
    ('{"base_resp":{"status_code":1008,"status_msg":"no balance"},"choices":null}', "billing", "no balance", "1008"),
    ('{"error_code":336003,"error_msg":"bad"}', "provider_error", "bad", "336003"),
    ('{"code":"InvalidApiKey","message":"no key","request_id":"r"}', "authentication", "no key", "InvalidApiKey"),
    ('{"code":"Throttling.RateQuota","message":"slow"}', "rate_limited", "slow", "Throttling.RateQuota"),
    (
        '{"__type":"com.amazon.coral#AccessDeniedException","Message":"no"}',
        "permission",
        "no",
        "com.amazon.coral#AccessDeniedException",
    ),
    ('{"message":"Internal server error"}', "provider_error", "Internal server error", None),
    (
        '{"fault":{"faultstring":"over","detail":{"errorcode":"policies.ratelimit.QuotaViolation"}}}',
        "rate_limited",
        "over",
        "policies.ratelimit.QuotaViolation",
    ),
    ('{"status":"error","message":"boom"}', "provider_error", "boom", None),
    ('{"statusCode":400,"message":["a","b"],"error":"Bad Request"}', "invalid_request", "Bad Request: a; b", "400"),
    ('{"error":500}', "provider_error", '{"error":500}', None),
    # In a server's own object beside the answer, as Groq's.
    (
        '{"choices":[{"delta":{},"finish_reason":null}],"x_groq":{"id":"r","error":"Internal server error"}}',
        "provider_error",
        "Internal server error",
        None,
    ),
    (
        '{"choices":[],"x_lb":{"error":{"code":"rate_limit_exceeded","message":"slow down"}}}',
        "rate_limited",
        "slow down",
        "rate_limit_exceeded",
    ),
    # Servers that write fields without a value.
    ('{"code":500,"message":"upstream reset","data":null}', "server_error", "upstream reset", "500"),
    ('{"code":401,"msg":"Invalid token","data":{}}', "authentication", "Invalid token", "401"),
    ('{"code":429,"msg":"quota exceeded","data":[]}', "rate_limited", "quota exceeded", "429"),
    ('{"choices":null,"code":429,"message":"slow","usage":null}', "rate_limited", "slow", "429"),
    ('{"message":"Internal server error","data":null,"code":null}', "provider_error", "Internal server error", None),
    ('{"success":false,"data":null,"message":"no"}', "provider_error", "no", None),
    ('{"status":"error","message":"boom","output":""}', "provider_error", "boom", None),
    # The status or the type alone says that it is an error.
    ('{"status":429,"message":"slow","data":null}', "rate_limited", "slow", "429"),
    ('{"title":"Too many requests","status":429}', "rate_limited", "Too many requests", "429"),
    ('{"type":"overloaded_error","message":"full"}', "overloaded", "full", "overloaded_error"),
]

# Parts of good answers, some of which have fields that errors have too.
GOOD = [
    '{"id":"c","object":"chat.completion.chunk","choices":[{"delta":{"content":"error"}}],"usage":null}',
    '{"choices":[],"error":null,"code":5,"message":"x"}',
    '{"choices":[{"delta":{}}],"error":{},"detail":"high","status":"error"}',
    '{"choices":[],"base_resp":{"status_code":0,"status_msg":""}}',
    '{"object":"response","status":"completed","error":null,"output":[]}',
    '{"type":"message","content":[],"usage":{}}',
    '{"type":"ping"}',
    '{"success":true,"errors":[],"code":0,"message":"ok"}',
    '{"code":200,"message":"success"}',
    '{"error":"","detail":null}',
    '{"message":{"role":"assistant","content":"x"},"done":false}',
    '{"error":{"code":null,"message":""}}',
    '{"error":{"code":0,"message":"","details":[{"reason":""}]}}',
    '{"error":{"code":200,"message":"success"}}',
    '{"error":"null"}',
    '{"error":0,"errors":[null]}',
    '{"choices":[],"error":-1}',
    '{"choices":[],"x_stats":{"errors":{"total":3,"window":"5m"}}}',
    '{"choices":null,"usage":null,"message":"warming","model":null}',
    '{"delta":{},"message":"assistant","type":"chunk","code":"chunk"}',
    '{"choices":[{"delta":{}}],"x_groq":{"id":"r","error":null,"usage":{}}}',
    '{"choices":[],"x_groq":{"message":"x","code":5,"error":{"code":0}}}',
    '{"choices":[],"provider":{"error":"the first one failed"}}',
    '{"code":0,"message":"success","data":null}',
    '{"code":20000,"message":"success","data":null}',
    '{"code":500,"message":"x","data":{"text":"Hi"}}',
    '{"status":"in_progress","message":"busy","data":null}',
    '"error"',
    "null",
    "[]",
    "17",
]


@pytest.mark.parametrize(("text", "kind", "message", "code"), SHAPES, ids=[shape[0][:60] for shape in SHAPES])
def test_a_failure_is_found_in_the_shapes_that_servers_send(
    text: str, kind: str, message: str, code: str | None
) -> None:
    assert find_error(orjson.loads(text)) == Failure(kind, message, code)


@pytest.mark.parametrize("text", GOOD)
def test_a_part_of_a_good_answer_states_no_failure(text: str) -> None:
    assert find_error(orjson.loads(text)) is None


@pytest.mark.parametrize(
    ("text", "status", "kind"),
    [
        ('{"detail":"Model is still loading"}', 503, "server_error"),
        ('{"error":{"message":"no","type":"invalid_request_error"}}', 401, "authentication"),
        ('{"error":{"message":"no","code":"context_length_exceeded"}}', 500, "invalid_request"),
        ('{"error":{"message":"no","code":"insufficient_quota"}}', 429, "billing"),
        ('{"error":{"message":"no","status":"DEADLINE_EXCEEDED"}}', 500, "provider_timeout"),
        ('{"error":{"message":"no","status":"UNAVAILABLE"}}', 503, "server_error"),
        ('{"error":{"message":"no","status":"UNAUTHENTICATED"}}', 400, "authentication"),
        ('"busy"', 429, "rate_limited"),
        ('{"error":{"message":"flex capacity exceeded","code":"capacity_exceeded"}}', 498, "overloaded"),
        ('{"error":{"message":"no","code":"insufficient_user_quota"}}', 403, "billing"),
    ],
)
def test_the_status_decides_where_the_words_say_less(text: str, status: int, kind: str) -> None:
    assert stated_failure(orjson.loads(text), status).kind == kind


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.", 400),
        ("Your team has either used all available credits or reached its monthly spending limit.", 403),
        ("Insufficient account balance", 429),
        ("You have run out of free credits", 500),
        ("You don't have enough credits", 403),
        ("Your prepaid funds are depleted", 429),
        ("账户余额不足，请充值后重试", 429),
    ],
)
def test_missing_money_is_known_by_the_words_alone(message: str, status: int) -> None:
    error = {"type": "invalid_request_error", "message": message}
    assert stated_failure({"type": "error", "error": error}, status).kind == "billing"


@pytest.mark.parametrize(
    "message",
    [
        "You exceeded your current quota, please check your plan and billing details.",
        "Rate limit reached. Add a payment method at https://platform.openai.com/account/billing.",
        "There are not enough replicas behind the load balancer",
        "Rate limit reached: 20 out of 100 credits used this minute",
        "You've used 5 out of your 10 free credits per minute, try again in 5s",
        "insufficient resources to balance load",
        "not enough workers to load balance",
    ],
)
def test_a_limit_is_none_of_money_if_its_words_only_mention_billing(message: str) -> None:
    assert stated_failure({"error": {"message": message}}, 429).kind == "rate_limited"


@pytest.mark.parametrize(
    ("document", "wait_s"),
    [
        ([{"error": {"code": 429, "message": "no", "details": [{"retryDelay": "34.4s"}]}}], 34.4),
        ({"choices": [], "x_groq": {"error": {"message": "Please try again in 7.66s."}}}, 7.66),
        ({"error": {"message": "no"}}, None),
    ],
)
def test_a_failure_inside_a_200_says_how_long_to_wait(document: Any, wait_s: float | None) -> None:
    failure = find_error(document)
    assert failure is not None
    assert failure.retry_after_s == wait_s


def test_a_code_of_thousands_of_digits_is_cut() -> None:
    failure = find_error({"error": {"code": "1" * 5_000, "type": 10**4_000, "message": "m" * 5_000}})
    assert failure is not None
    assert failure.provider_code == "1" * MAX_CODE
    assert (failure.kind, len(failure.message)) == ("provider_error", MAX_MESSAGE)


def test_a_failure_that_stands_very_deep_is_an_error_without_words() -> None:
    document: Any = {"message": "deep"}
    for _ in range(500):
        document = {"error": document}
    failure = find_error(document)
    assert failure is not None
    assert failure.kind == "provider_error"


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["error", "429", "{", "[1]"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(documents, st.none() | st.integers(300, 999))
def test_no_document_raises_and_what_it_says_can_be_stored(document: Any, status: int | None) -> None:
    for failure in (find_error(document), failure_of(document), stated_failure(document, status)):
        if failure is not None:
            assert failure.kind
            assert len(failure.message) <= MAX_MESSAGE
            assert len(failure.provider_code or "") <= MAX_CODE
            stored = failure.message + (failure.provider_code or "")
            assert "\x00" not in stored
            stored.encode("utf-8")
