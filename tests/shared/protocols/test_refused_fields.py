"""A field that a server refuses is left out for that model, and for no other."""

from typing import Any

import orjson
import pytest

from shared.benchmark.results.record import RequestError
from shared.protocols.refused_fields import MAX_MODELS, RefusedField
from tests.shared.protocols.test_error_answers import error_of

OPTIONS = {"stream_options": {"include_usage": True}}


def field() -> RefusedField:
    return RefusedField("stream_options", "include_usage")


def body_of(model: str = "m", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [], **OPTIONS, **more}


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (422, '{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs"}]}'),
        (400, '{"error":{"message":"Unrecognized request argument supplied: stream_options"}}'),
        (400, '{"error":{"message":"Invalid JSON payload received. Unknown name \\"streamOptions\\""}}'),
        (400, '{"error":"include_usage is not supported"}'),
        (500, '{"error":"create() got an unexpected keyword argument \'stream_options\'"}'),
        (501, "stream_options: not implemented"),
        (404, '{"detail":"stream_options"}'),
        (422, '{"detail":[{"type":"extra_forbidden","msg":"Extra inputs are not permitted"}]}'),
        (400, '{"message":"Additional properties are not allowed"}'),
        (400, '[{"error":{"message":"Unknown field in request","status":"INVALID_ARGUMENT"}}]'),
        (422, '{"type":"about:blank","title":"Invalid","errors":{"stream_options":["unknown"]}}'),
    ],
)
def test_a_refusal_in_any_words_is_mended(status: int, text: str) -> None:
    refused = field()
    assert refused.retry(body_of(), error_of(text, status)) == {"model": "m", "messages": []}
    assert refused.current(body_of()) == {"model": "m", "messages": []}
    assert refused.current(body_of("other")) == body_of("other")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, '{"error":{"message":"max_tokens is too large"}}'),
        (429, '{"error":{"message":"slow down: stream_options"}}'),
        (500, '{"error":"unknown field"}'),
        (422, '{"detail":[{"type":"extra_forbidden","loc":["body","top_k"],"msg":"Extra inputs"}]}'),
        (400, '{"error":{"message":"unknown field","param":"top_k"}}'),
        (401, '{"error":{"message":"unexpected keyword"}}'),
    ],
)
def test_another_refusal_is_not(status: int, text: str) -> None:
    refused = field()
    assert refused.retry(body_of(top_k=1), error_of(text, status)) is None
    assert refused.current(body_of()) == body_of()


def test_a_field_that_was_suspected_wrongly_is_sent_again() -> None:
    refused, error = field(), error_of('{"detail":"Extra inputs are not permitted"}', 422)
    mended = refused.retry(body_of(), error)
    assert mended is not None
    assert refused.retry(mended, error) is None
    assert refused.current(body_of()) == body_of()
    assert refused.retry(body_of(), error) is None
    named = error_of('{"detail":"stream_options"}', 422)
    assert refused.retry(body_of(), named) is not None


def test_a_request_that_was_already_under_way_is_mended_too() -> None:
    """Whatever the server says to it."""
    refused = field()
    assert refused.retry(body_of(), error_of('{"error":"stream_options"}')) is not None
    assert refused.retry(body_of(), error_of('{"error":"bad"}')) == {"model": "m", "messages": []}
    assert refused.retry({"model": "m", "messages": []}, error_of('{"error":"stream_options"}')) is None


def test_only_so_many_models_are_remembered() -> None:
    refused = field()
    error = RequestError("invalid_request", orjson.dumps(OPTIONS).decode(), "before_first_token", 400)
    for number in range(MAX_MODELS + 1):
        refused.retry(body_of(f"m{number}"), error)
    assert refused.current(body_of("m0")) == body_of("m0")
    assert refused.current(body_of("m1")) != body_of("m1")
