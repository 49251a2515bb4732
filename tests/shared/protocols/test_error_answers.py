"""An error answer as a whole: kind, words and wait, whatever the server wrote."""

import gzip
import tracemalloc
import zlib
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.benchmark.results.record import RequestError
from shared.protocols.error_answers import refusal, status_error
from shared.protocols.refusal_limits import MAX_REFUSAL_BYTES
from shared.protocols.retry_after import MAX_S, retry_after_s
from shared.scrubber import MASK, Scrubber

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
WAIT_NAMES = ["retryDelay", "retry_after", "retry-after-ms", "retryAfter", "error", "details", "seconds"]


def error_of(text: str, status: int = 400, headers: dict[str, str] | None = None) -> RequestError:
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        body = None
    return status_error(status, headers or {}, body, text, Scrubber(["secret-key"]), NOW)


@pytest.mark.parametrize(
    ("text", "status", "kind", "message"),
    [
        ('"Model busy"', 503, "server_error", "Model busy"),
        ("Model busy", 503, "server_error", "HTTP 503: Model busy"),
        ("", 502, "server_error", "HTTP 502: no words"),
        ("null", 500, "server_error", "HTTP 500: null"),
        ("{}", 429, "rate_limited", "HTTP 429: {}"),
        ("17", 404, "not_found", "HTTP 404: 17"),
        ("{broken", 400, "invalid_request", "HTTP 400: {broken"),
        (
            "<html><title>502 Bad\n Gateway</title><body>x</body></html>",
            502,
            "server_error",
            "HTTP 502: 502 Bad Gateway",
        ),
        ("<html><TITLE lang='tr'>İİİ\nfull</TITLE ></html>", 503, "server_error", "HTTP 503: İİİ full"),
        ("<html><title>cut off<h1>Too <b>busy</b></h1></html>", 503, "server_error", "HTTP 503: Too busy"),
        ("<!DOCTYPE html><body><p>Gone &amp; away</p></body>", 404, "not_found", "HTTP 404: Gone & away"),
        ('data: {"error":{"message":"slow","type":"rate_limit_error"}}\n\n', 400, "rate_limited", "slow"),
        (
            'event: error\r\ndata: {"error":{"type":"overloaded_error","message":"full"}}\r\n\r\n',
            200,
            "overloaded",
            "full",
        ),
        ('\ufeff{"error":"marked"}', 400, "invalid_request", "marked"),
        ('{"message":"sent secret-key"}', 400, "invalid_request", f"sent {MASK}"),
    ],
)
def test_an_answer_without_an_error_object_has_its_words_too(text: str, status: int, kind: str, message: str) -> None:
    error = error_of(text, status)
    assert (error.kind, error.message, error.http_status) == (kind, message, status)


@pytest.mark.parametrize(
    "text",
    [
        f"{'word ' * 58}to secret-key",
        f"<html><title>{'word ' * 58}to secret-key</title></html>",
        orjson.dumps({"message": f"{'word ' * 398}to secret-key"}).decode(),
        orjson.dumps({"message": ["m " * 900, f"{'word ' * 38}secret-key"]}).decode(),
        orjson.dumps({"message": "no", "code": f"{'c' * 92}-secret-key"}).decode(),
        orjson.dumps({"message": "no", "param": f"{'word ' * 18}to secret-key"}).decode(),
    ],
    ids=["words", "page", "message", "messages", "code", "param"],
)
def test_no_part_of_a_key_is_left_where_words_are_cut(text: str) -> None:
    error = error_of(text)
    assert "secret" not in f"{error.message} {error.provider_code}"


def test_amazon_names_the_error_in_a_header() -> None:
    error = error_of('{"message":"no"}', 400, {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/"})
    assert (error.kind, error.message) == ("rate_limited", "no")


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "34.4s"}, 34.4),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "oops", "retry-after": "1"}, 1),
        ({"retry-after": "Thu, 26 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Thu, 26 Nov 2026 12:00:30 -0000"}, 30),
        ({"retry-after": "Thu, 26 Nov 2026 12:00:30"}, 30),
        ({"retry-after": "Thu, 26 Nov 2026 13:00:30 +0100"}, 30),
        ({"retry-after": "Thu, 26 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "Thu, 26 Nov 2026 12:00:30 GMT", "date": "Thu, 26 Nov 2026 12:00:10 -0000"}, 20),
        ({"retry-after": "Thu, 26 Nov 2026 12:00:30 -0000", "date": "Thu, 26 Nov 2026 12:00:10 GMT"}, 20),
        ({"retry-after": "Thu, 26 Nov 2026 12:00:30 GMT", "date": "yesterday"}, 30),
        ({"retry-after": "Wed, 21 Oct 9999 07:28:00 -0000"}, None),
        ({"retry-after": str(MAX_S + 1)}, None),
        *[({"retry-after": text}, None) for text in ("9" * 400, "1e400", "nan", "inf", "-1", "-inf", "", "²", "1_000")],
        *[({"retry-after-ms": text}, None) for text in ("9" * 400, "1e400", "nan", "inf", "-1")],
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_wait_of_the_headers(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers, None, NOW) == (wait_s if wait_s is None else pytest.approx(wait_s))


@pytest.mark.parametrize(
    ("body", "wait_s"),
    [
        ({"error": {"details": [{"@type": "google.rpc.RetryInfo", "retryDelay": "34.4s"}]}}, 34.4),
        ([{"error": {"details": [{"retryDelay": {"seconds": 3, "nanos": 0}}]}}], 3),
        ({"retry_after": 12}, 12),
        ({"error": {"retry_after_ms": 1_500}}, 1.5),
        ({"retryAfter": "2"}, 2),
        ({"retry_after": "1m30s"}, 90),
        ({"retry_after": "250ms"}, 0.25),
        ({"retry_after_seconds": 0.5}, 0.5),
        ({"error": "loading", "estimated_time": 20.0}, 20),
        ({"retry_after": -1}, None),
        ({"retry_after": 1e300}, None),
        ({"retry_after": float("nan")}, None),
        ({"retry_after": float("inf")}, None),
        ({"retry_after": True}, None),
        ({"retry_after": 10**4_000}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": ""}, None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_wait_of_the_body(body: Any, wait_s: float | None) -> None:
    assert retry_after_s({}, body, NOW) == (wait_s if wait_s is None else pytest.approx(wait_s))
    assert retry_after_s({"retry-after": "5"}, body, NOW) == 5


@pytest.mark.parametrize(
    ("words", "wait_s"),
    [
        ("Rate limit reached for model m. Please try again in 7.66s. Need more tokens?", 7.66),
        ("Please try again in 2m59.56s.", 179.56),
        ("Please try again in 6ms.", 0.006),
        ("Please retry in 34.074824224s.", 34.074824224),
        ("Please retry after 26 seconds.", 26),
        ("Try again in 1 minute 30 seconds", 90),
        ("Do not retry after a ban. Try again in 1h", 3_600),
        ("Please try again later", None),
        ("Please try again in 5 models", None),
        ("Please retry after 5", None),
    ],
)
def test_the_wait_of_the_words(words: str, wait_s: float | None) -> None:
    expected = wait_s if wait_s is None else pytest.approx(wait_s)
    assert error_of(orjson.dumps({"error": {"message": words}}).decode(), 429).retry_after_s == expected
    assert error_of(words, 429).retry_after_s == expected
    assert error_of(words, 429, {"retry-after": "5"}).retry_after_s == 5


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("https://eu.example.com/v1/chat", "HTTP 307: no words (leads to https://eu.example.com/v1/chat)"),
        ("/v2/chat", "HTTP 307: no words (leads to /v2/chat)"),
        ("https://me:pass@x.com/v1?token=abc#id=abc", "HTTP 307: no words (leads to https://x.com/v1)"),
        ("", "HTTP 307: no words"),
    ],
)
def test_a_redirect_says_where_it_leads_without_what_may_be_secret(location: str, message: str) -> None:
    assert error_of("", 307, {"location": location}).message == message


BILLING = orjson.dumps({"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}})


def refused(body: bytes, encoding: str = "") -> tuple[str, str]:
    error = refusal(429, {"content-encoding": encoding}, body, Scrubber([]), NOW)
    return error.kind, error.message


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (BILLING, ""),
        (gzip.compress(BILLING), "gzip"),
        (gzip.compress(BILLING), ""),
        (zlib.compress(BILLING), "deflate"),
        # The SDK's client decompresses and keeps the label.
        (BILLING, "br"),
    ],
)
def test_a_compressed_error_answer_has_its_words(body: bytes, encoding: str) -> None:
    assert refused(body, encoding) == ("billing", "You exceeded your current quota")


def test_an_error_answer_that_cannot_be_decompressed_says_so() -> None:
    assert refused(b"\x8b\x08\x80\xff\xfe", "br")[1] == (
        "HTTP 429: the server compressed its answer (br), although it was asked not to"
    )
    assert refused("余额".encode(), "br")[1] == "HTTP 429: 余额"
    assert refused(gzip.compress(b"words " * 10_000)[:-20], "gzip")[1].startswith("HTTP 429: words words")


def test_a_few_bytes_of_an_error_answer_do_not_become_very_many() -> None:
    bomb = gzip.compress(b"words " * 20_000_000)
    tracemalloc.start()
    _, message = refused(bomb, "gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message.startswith("HTTP 429: words words")
    assert peak < 20 * MAX_REFUSAL_BYTES


values = st.text(max_size=20) | st.sampled_from(["Wed, 21 Oct 2026 07:28:00 -0000", "9" * 400, "1e400", "34.4s", "nan"])
dates = st.builds(
    lambda day, year, zone: f"Wed, {day} Oct {year} 07:28:00 {zone}",
    st.integers(0, 40),
    st.integers(0, 99_999),
    st.sampled_from(["GMT", "-0000", "+2359", "-2359", "+9999", ""]),
)
bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WAIT_NAMES), inner, max_size=4),
    max_leaves=20,
)
headers = st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), values | dates)


@given(headers, bodies, values, st.integers(100, 999))
def test_no_answer_raises_and_no_wait_is_out_of_range(
    headers: dict[str, str], body: Any, text: str, status: int
) -> None:
    error = status_error(status, headers, body, text, Scrubber([]), NOW)
    assert error.retry_after_s is None or 0 <= error.retry_after_s <= MAX_S
    assert 0 < len(error.message) <= 2_000
    assert len(error.provider_code or "") <= 100
