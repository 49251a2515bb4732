"""Further fields of a body: what may stand there, and which field wins."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.benchmark.extra_body import MAX_DEPTH, ExtraFields
from shared.benchmark.run_spec import RunSpec
from shared.benchmark.spec import BenchmarkSpec

MINIMAL: dict[str, Any] = {"name": "test", "model": "m", "prompts": ["one"]}


def spec_of(extra_body: Any) -> BenchmarkSpec:
    return BenchmarkSpec.model_validate({**MINIMAL, "extra_body": extra_body})


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "extra_body",
    [
        {},
        {"ignore_eos": True, "min_tokens": 256},
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"provider": {"order": ["a", "b"], "allow_fallbacks": False}},
        {"stream_options": {"continuous_usage_stats": True}, "logit_bias": None},
        {"n": 1_000, "best_of": None},
        {"prompt_cache_key": "one", "eos_token": "</s>", "max_thinking_tokens": 3},
        nested(MAX_DEPTH),
    ],
)
def test_further_fields_are_kept_as_they_are_written(extra_body: dict[str, Any]) -> None:
    spec = spec_of(extra_body)
    assert spec.extra_body == extra_body
    stored = spec.model_dump(mode="json", exclude={"prompts"}, exclude_none=True)
    assert RunSpec.of_stored(stored).extra_body == extra_body


@pytest.mark.parametrize(
    ("extra_body", "path", "words"),
    [
        ({"model": "other"}, "extra_body.model", "`model` sets it"),
        ({"messages": []}, "extra_body.messages", "`prompts` sets it"),
        ({"input": "x"}, "extra_body.input", "`prompts` sets it"),
        ({"stream": False}, "extra_body.stream", "every answer is streamed"),
        ({"max_completion_tokens": 7}, "extra_body.max_completion_tokens", "`parameters.max_tokens` sets it"),
        ({"system": "x"}, "extra_body.system", "`system` sets it"),
        ({"n": "5"}, "extra_body.n", "must be an integer from 1 to 1,000"),
        ({"n": 5.0}, "extra_body.n", "must be an integer"),
        ({"n": True}, "extra_body.n", "must be an integer"),
        ({"n": 2**62}, "extra_body.n", "from 1 to 1,000"),
        ({"best_of": 0}, "extra_body.best_of", "from 1 to 1,000"),
        ({"api_key": "abc"}, "extra_body.api_key", "looks like a secret"),
        ({"a": [{"b": "sk-0123456789abcdef"}]}, "extra_body.a.0.b", "looks like a secret"),
        ({"a": float("nan")}, "extra_body.a.float", "finite number"),
        ({"a": "x" * 16_384}, "extra_body", "must be at most 16384 bytes"),
        ({"a": 2**64}, "extra_body", "beyond 64 bits"),
        ({"a\x00": 1}, "extra_body", "NUL"),
        (nested(MAX_DEPTH + 1), "extra_body", "at most 20 levels deep"),
        ([], "extra_body", "valid dictionary"),
    ],
)
def test_a_field_that_may_not_stand_there_is_named(extra_body: Any, path: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        spec_of(extra_body)
    assert "sk-0123" not in str(caught.value)
    (error,) = caught.value.errors()
    assert ".".join(str(part) for part in error["loc"]) == path
    assert words in error["msg"]


def test_every_reserved_field_is_named_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        spec_of({"model": "a", "stream": True, "fine": 1})
    assert [error["loc"] for error in caught.value.errors()] == [("extra_body", "model"), ("extra_body", "stream")]


def test_the_endpoint_fills_gaps_and_the_benchmark_replaces() -> None:
    extra = ExtraFields(
        {"a": 1, "temperature": 0, "stream_options": {"continuous_usage_stats": True}, "o": {"x": 1, "y": 1}},
        {"o": {"y": 2, "z": 2}, "top_p": 0.5},
    )
    body = {"model": "m", "temperature": 1, "top_p": 0.9, "stream_options": {"include_usage": True}}
    assert extra.added_to(body) == {
        "model": "m",
        "a": 1,
        "temperature": 1,
        "top_p": 0.5,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        "o": {"x": 1, "y": 2, "z": 2},
    }
    assert extra.merged["o"] == {"x": 1, "y": 2, "z": 2}
    assert body["top_p"] == 0.9


def test_without_further_fields_the_body_stays_the_same_object() -> None:
    body = {"model": "m"}
    assert ExtraFields().added_to(body) is body
