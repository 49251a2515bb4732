"""Which parameters each protocol takes. What it does not take is refused at submit, by name."""

from typing import Any

import pytest

from shared.benchmark.spec import BenchmarkSpec
from shared.errors import InvalidRequest
from shared.protocols.parameters import check_parameters
from shared.protocols.registry import protocol_named

MINIMAL: dict[str, Any] = {"name": "test", "model": "m", "prompts": ["one"]}


def spec_of(**changes: Any) -> BenchmarkSpec:
    return BenchmarkSpec.model_validate({**MINIMAL, **changes}).with_defaults()


@pytest.mark.parametrize(
    ("protocol", "parameters", "code"),
    [
        ("anthropic", {"seed": 1}, "unsupported_parameter"),
        ("anthropic", {"frequency_penalty": 0.0}, "unsupported_parameter"),
        ("anthropic", {"presence_penalty": 0.0}, "unsupported_parameter"),
        ("anthropic", {"reasoning_effort": "low"}, "unsupported_parameter"),
        ("anthropic", {"temperature": 1.5}, "out_of_range"),
        ("openai", {"thinking_budget_tokens": 2_048}, "unsupported_parameter"),
        ("openai-responses", {"stop": "x"}, "unsupported_parameter"),
        ("openai-responses", {"presence_penalty": 0.5}, "unsupported_parameter"),
    ],
)
@pytest.mark.parametrize("in_prompt", [True, False])
def test_a_parameter_that_the_protocol_lacks_is_refused_and_named(
    protocol: str, parameters: dict[str, Any], code: str, in_prompt: bool
) -> None:
    own = {"messages": [{"role": "user", "content": "x"}], "parameters": parameters}
    spec = spec_of(prompts=["ok", own]) if in_prompt else spec_of(parameters=parameters)
    with pytest.raises(InvalidRequest) as caught:
        check_parameters(spec, protocol_named(protocol))
    base = "prompts[1].parameters" if in_prompt else "parameters"
    assert [(error.field, error.code) for error in caught.value.errors] == [(f"{base}.{next(iter(parameters))}", code)]


@pytest.mark.parametrize(
    ("protocol", "parameters"),
    [
        ("anthropic", {"temperature": 1.0, "top_k": 5, "stop": "x"}),
        ("anthropic", {"thinking_budget_tokens": 2_048, "max_tokens": 4_096}),
        ("openai", {"temperature": 2.0, "seed": 1, "reasoning_effort": "low", "frequency_penalty": -2}),
    ],
)
def test_a_parameter_that_the_protocol_has_is_taken(protocol: str, parameters: dict[str, Any]) -> None:
    spec = spec_of(parameters=parameters)
    check_parameters(spec, protocol_named(protocol))
    assert spec.parameters.model_dump(exclude_none=True).items() >= parameters.items()


@pytest.mark.parametrize("budget", [2_048, 4_000])
def test_a_thinking_budget_must_leave_room_for_an_answer(budget: int) -> None:
    spec = spec_of(parameters={"max_tokens": 2_048, "thinking_budget_tokens": budget})
    with pytest.raises(InvalidRequest, match="must be below max_tokens"):
        check_parameters(spec, protocol_named("anthropic"))


def test_the_budget_is_compared_with_the_limit_that_the_prompt_is_sent_with() -> None:
    small = {"messages": [{"role": "user", "content": "x"}], "parameters": {"max_tokens": 2_000}}
    spec = spec_of(prompts=["ok", small], parameters={"max_tokens": 4_096, "thinking_budget_tokens": 2_048})
    with pytest.raises(InvalidRequest) as caught:
        check_parameters(spec, protocol_named("anthropic"))
    assert [error.field for error in caught.value.errors] == ["prompts[1].parameters.thinking_budget_tokens"]


def test_no_more_than_twenty_errors_are_listed() -> None:
    prompt = {"messages": [{"role": "user", "content": "x"}], "parameters": {"seed": 1}}
    with pytest.raises(InvalidRequest) as caught:
        check_parameters(spec_of(prompts=[prompt] * 50), protocol_named("anthropic"))
    assert len(caught.value.errors) == 20


@pytest.mark.parametrize("protocol", ["anthropic", "openai", "openai-responses"])
def test_answers_of_fixed_length_are_for_protocols_with_such_servers(protocol: str) -> None:
    spec = spec_of(workload={"output_tokens": 50, "ignore_eos": True})
    if protocol != "anthropic":
        return check_parameters(spec, protocol_named(protocol))
    with pytest.raises(InvalidRequest) as caught:
        check_parameters(spec, protocol_named(protocol))
    assert [(error.field, error.code) for error in caught.value.errors] == [
        ("workload.ignore_eos", "unsupported_parameter")
    ]
    return None
