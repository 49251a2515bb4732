"""The body of a request, field by field, as each protocol's documentation has it."""

from typing import Any

import pytest

from shared.benchmark.prompt import Parameters
from tests.worker.engine.measuring import adapter

MESSAGES = [{"role": "user", "content": "hi"}]


def body_of(protocol: str, system: str | None = None, **parameters: Any) -> dict[str, Any]:
    return adapter(protocol).body("m", MESSAGES, system, Parameters(**parameters))


def test_an_anthropic_body() -> None:
    given = {"max_tokens": 4_000, "temperature": 0.5, "top_p": 0.9, "top_k": 40, "thinking_budget_tokens": 2_048}
    assert body_of("anthropic", "Be brief.", **given, stop="x") == {
        "model": "m",
        "messages": MESSAGES,
        "system": "Be brief.",
        "stream": True,
        "max_tokens": 4_000,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "stop_sequences": ["x"],
        "thinking": {"type": "enabled", "budget_tokens": 2_048},
    }


def test_an_openai_body() -> None:
    same = {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "seed": 42, "reasoning_effort": "low"}
    penalties = {"frequency_penalty": 0.5, "presence_penalty": -0.5}
    assert body_of("openai", "Be brief.", max_tokens=9, stop=("x", "y"), **same, **penalties) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, *MESSAGES],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "stop": ["x", "y"],
        **same,
        **penalties,
    }


def test_a_responses_body() -> None:
    same = {"temperature": 0.5, "top_p": 0.9, "service_tier": "flex"}
    assert body_of("openai-responses", "Be brief.", max_tokens=16, reasoning_effort="low", **same) == {
        "model": "m",
        "instructions": "Be brief.",
        "input": [{"type": "message", "role": "user", "content": "hi"}],
        "stream": True,
        "store": False,
        "max_output_tokens": 16,
        "reasoning": {"effort": "low"},
        **same,
    }


@pytest.mark.parametrize(("protocol", "field"), [("anthropic", "stop_sequences"), ("openai", "stop")])
@pytest.mark.parametrize("stop", ["x", ("x",), ("x", "y")])
def test_stop_texts_are_what_the_protocol_takes(protocol: str, field: str, stop: str | tuple[str, ...]) -> None:
    sent = body_of(protocol, max_tokens=9, stop=stop)[field]
    assert ([sent] if isinstance(sent, str) else sent) == ([stop] if isinstance(stop, str) else list(stop))


def test_what_is_unset_is_not_sent() -> None:
    assert body_of("anthropic", max_tokens=9).keys() == {"model", "messages", "stream", "max_tokens"}
    assert body_of("openai-responses", max_tokens=9).keys() == {
        "model",
        "input",
        "stream",
        "store",
        "max_output_tokens",
    }
    assert body_of("openai", max_tokens=9).keys() == {"model", "messages", "stream", "max_tokens", "stream_options"}
