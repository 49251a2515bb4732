"""What a benchmark may be: every bound, every wrong field by its name."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.benchmark.spec import BenchmarkSpec

MINIMAL: dict[str, Any] = {"name": "test", "model": "m", "prompts": ["one"]}


def spec_of(**changes: Any) -> BenchmarkSpec:
    return BenchmarkSpec.model_validate({**MINIMAL, **changes})


def wrong_fields(**changes: Any) -> dict[str, str]:
    """Path → type of each error."""
    with pytest.raises(ValidationError) as caught:
        spec_of(**changes)
    return {".".join(str(part) for part in error["loc"]): error["type"] for error in caught.value.errors()}


@pytest.mark.parametrize(
    ("changes", "path", "kind"),
    [
        ({"promts": []}, "promts", "extra_forbidden"),
        ({"parameters": {"max_token": 1}}, "parameters.max_token", "extra_forbidden"),
        ({"timeouts": {"total": 1}}, "timeouts.total", "extra_forbidden"),
        (
            {"prompts": [{"messages": [{"role": "user", "content": "x", "id": 1}]}]},
            "prompts.0.messages.0.id",
            "extra_forbidden",
        ),
        ({"name": ""}, "name", "string_too_short"),
        ({"name": "   "}, "name", "string_too_short"),
        ({"name": "x" * 201}, "name", "string_too_long"),
        ({"name": "a\x00"}, "name", "value_error"),
        ({"model": ""}, "model", "string_too_short"),
        ({"model": 7}, "model", "string_type"),
        ({"provider": ""}, "provider", "string_too_short"),
        ({"prompts": []}, "prompts", "too_short"),
        ({"prompts": "one"}, "prompts", "tuple_type"),
        ({"prompts": [""]}, "prompts.0.messages.0.content", "too_short"),
        ({"prompts": ["ok", "a\x00"]}, "prompts.1.messages.0.content", "value_error"),
        ({"prompts": ["ok", 7]}, "prompts.1", "model_type"),
        ({"prompts": ["x"] * 10_001}, "prompts", "too_long"),
        ({"prompts": [{"messages": []}]}, "prompts.0.messages", "too_short"),
        (
            {"prompts": [{"messages": [{"role": "system", "content": "x"}]}]},
            "prompts.0.messages.0.role",
            "literal_error",
        ),
        ({"prompts": [{"messages": [{"role": "assistant", "content": "x"}]}]}, "prompts.0", "value_error"),
        ({"system": ""}, "system", "too_short"),
        ({"repetitions": 0}, "repetitions", "greater_than_equal"),
        ({"repetitions": 10_001}, "repetitions", "less_than_equal"),
        ({"repetitions": 1.0}, "repetitions", "int_type"),
        ({"repetitions": True}, "repetitions", "int_type"),
        ({"repetitions": "3"}, "repetitions", "int_type"),
        ({"warmup": -1}, "warmup", "greater_than_equal"),
        ({"warmup": 1_001}, "warmup", "less_than_equal"),
        ({"concurrency": 0}, "concurrency", "greater_than_equal"),
        ({"concurrency": 1_025}, "concurrency", "less_than_equal"),
        ({"parameters": {"temperature": float("nan")}}, "parameters.temperature", "finite_number"),
        ({"parameters": {"temperature": 2.1}}, "parameters.temperature", "less_than_equal"),
        ({"parameters": {"top_p": 0}}, "parameters.top_p", "greater_than"),
        ({"parameters": {"max_tokens": 0}}, "parameters.max_tokens", "greater_than_equal"),
        ({"parameters": {"seed": 2**63}}, "parameters.seed", "less_than_equal"),
        ({"parameters": {"stop": []}}, "parameters.stop", "value_error"),
        ({"parameters": {"stop": ["x"] * 17}}, "parameters.stop", "value_error"),
        ({"timeouts": {"ttft_s": 0}}, "timeouts.ttft_s", "greater_than"),
        ({"timeouts": {"total_s": float("inf")}}, "timeouts.total_s", "finite_number"),
        ({"metadata": {"a": float("nan")}}, "metadata.a.float", "finite_number"),
        ({"metadata": {"a\x00": 1}}, "metadata", "value_error"),
        ({"metadata": {"a": "x" * 16_384}}, "metadata", "value_error"),
        ({"metadata": {"a": 2**64}}, "metadata", "value_error"),
        ({"metadata": []}, "metadata", "dict_type"),
    ],
)
def test_a_wrong_value_is_refused_by_its_own_field(changes: dict[str, Any], path: str, kind: str) -> None:
    assert wrong_fields(**changes)[path] == kind


@pytest.mark.parametrize("rate", [0, -1, 10_001, float("inf"), "5"])
def test_a_rate_is_a_positive_number(rate: object) -> None:
    assert "request_rate" in wrong_fields(request_rate=rate)


def test_arrivals_need_a_rate() -> None:
    with pytest.raises(ValidationError, match="set request_rate as well"):
        spec_of(arrival="poisson")


@pytest.mark.parametrize(
    ("changes", "slots"),
    [
        ({"request_rate": 2}, 20),
        ({"request_rate": 0.01}, 1),
        ({"request_rate": 500}, 1_000),
        ({"request_rate": 500, "repetitions": 2_000}, 1_024),
        ({"request_rate": 500, "concurrency": 3}, 3),
    ],
)
def test_an_open_loop_has_room_for_the_requests_of_ten_seconds(changes: dict[str, Any], slots: int) -> None:
    assert spec_of(**{"repetitions": 1_000, **changes}).with_defaults().concurrency == slots


@pytest.mark.parametrize(
    ("changes", "concurrency"),
    [
        ({}, 1),
        ({"prompts": ["a", "b"]}, 2),
        ({"prompts": ["a", "b"], "repetitions": 3}, 6),
        ({"prompts": ["a", "b"], "repetitions": 4}, 8),
        ({"prompts": ["a"] * 5, "repetitions": 2}, 8),
        ({"prompts": ["a", "b"], "warmup": 5}, 2),
        ({"prompts": ["a", "b"], "concurrency": 1}, 1),
        ({"prompts": ["a"], "concurrency": 9}, 9),
    ],
)
def test_a_closed_loop_sends_all_its_requests_at_once_up_to_eight(changes: dict[str, Any], concurrency: int) -> None:
    """Warm-up does not count. A number that the caller gave stays, 1 included."""
    stored = spec_of(**changes).with_defaults()
    assert stored.concurrency == concurrency
    assert stored.with_defaults() == stored


@pytest.mark.parametrize(
    "field", ["name", "model", "system", "prompts", "metadata key", "metadata value", "stop", "prompt system"]
)
def test_a_lone_surrogate_is_refused_in_every_text(field: str) -> None:
    text = json.loads('"a\\ud800"')
    changes: dict[str, Any] = {
        "name": {"name": text},
        "model": {"model": text},
        "system": {"system": text},
        "prompts": {"prompts": [text]},
        "metadata key": {"metadata": {text: 1}},
        "metadata value": {"metadata": {"a": [text]}},
        "stop": {"parameters": {"stop": [text]}},
        "prompt system": {"prompts": [{"system": text, "messages": [{"role": "user", "content": "x"}]}]},
    }[field]
    found = wrong_fields(**changes)
    assert {path.split(".")[0] for path in found} == set(changes)
    assert set(found.values()) & {"value_error", "string_unicode"}


@pytest.mark.parametrize(
    ("changes", "planned"),
    [
        ({}, 1),
        ({"prompts": ["a", "b"], "repetitions": 3, "warmup": 4}, 10),
        ({"prompts": ["a"] * 100, "repetitions": 10_000}, 1_000_000),
    ],
)
def test_the_plan_is_prompts_times_repetitions_and_warm_up(changes: dict[str, Any], planned: int) -> None:
    assert spec_of(**changes).planned_requests == planned


def test_a_plan_of_more_than_a_million_requests_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"at most 1,000,000, is 1,000,001"):
        spec_of(prompts=["a"] * 100, repetitions=10_000, warmup=1)


def test_a_text_is_a_prompt_of_one_user_turn() -> None:
    texts = spec_of(prompts=["Say hello"]).prompts
    objects = spec_of(prompts=[{"messages": [{"role": "user", "content": "Say hello"}]}]).prompts
    assert texts == objects
    assert texts[0].text == "Say hello"


def test_the_text_of_a_conversation_is_its_last_turn() -> None:
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", "How are you?")]
    prompt = {"messages": [{"role": role, "content": content} for role, content in turns]}
    assert spec_of(prompts=[prompt]).prompts[0].text == "How are you?"


def test_names_lose_the_space_around_them_and_prompts_keep_it() -> None:
    spec = spec_of(name="  a b ", prompts=["  x "])
    assert spec.name == "a b"
    assert spec.prompts[0].text == "  x "


def test_what_is_stored_is_read_back_as_the_same_spec() -> None:
    spec = spec_of(
        prompts=["a", {"system": "s", "messages": [{"role": "user", "content": "b"}], "parameters": {"top_k": 3}}],
        parameters={"stop": ["x", "y"], "temperature": 0, "seed": 5},
        metadata={"a": None, "b": [1, 2.5, {"c": True}], "größe": "ü"},
    ).with_defaults()
    document = json.loads(json.dumps(spec.model_dump(mode="json", exclude_none=True)))
    assert BenchmarkSpec.model_validate(document) == spec
    assert document["metadata"] == {"a": None, "b": [1, 2.5, {"c": True}], "größe": "ü"}


def test_a_prompts_parameters_go_over_the_benchmarks_field_by_field() -> None:
    spec = spec_of(
        prompts=[{"messages": [{"role": "user", "content": "x"}], "parameters": {"max_tokens": 20}}],
        parameters={"max_tokens": 200, "temperature": 0.5},
    )
    merged = spec.effective_parameters(spec.prompts[0])
    assert (merged.max_tokens, merged.temperature) == (20, 0.5)


@pytest.mark.parametrize(("given", "stored"), [(None, 1_024), (7, 7)])
def test_the_output_limit_is_written_down(given: int | None, stored: int) -> None:
    """It matters to every number, so that a stored benchmark must not depend on a later default."""
    assert spec_of(parameters={"max_tokens": given}).with_defaults().parameters.max_tokens == stored
