"""An endpoint keeps its adapter, with the endpoint's options and with what its server refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.benchmark.prompt import Parameters
from shared.benchmark.results.record import RequestError
from shared.protocols.base import Adapter
from shared.protocols.registry import PROTOCOLS
from shared.providers.adapters import Adapters, adapter_for
from shared.providers.endpoints import Endpoint

REFUSED = RequestError("invalid_request", "Unrecognized field: stream_options", "before_first_token", 400)


def endpoint_of(**fields: Any) -> Endpoint:
    return Endpoint.model_validate({"name": "x", "protocol": "openai", "base_url": "http://127.0.0.1:8000", **fields})


def body_of(adapter: Adapter) -> dict[str, Any]:
    return adapter.body("m", [{"role": "user", "content": "x"}], None, Parameters(max_tokens=7))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_endpoint_gets_the_adapter_of_its_protocol(protocol: str) -> None:
    assert type(adapter_for(endpoint_of(protocol=protocol))) is PROTOCOLS[protocol]


def test_what_one_endpoint_refused_is_remembered_for_it_alone() -> None:
    adapters = Adapters()
    old, new = endpoint_of(name="old"), endpoint_of(name="new")
    body = body_of(adapters.of(old))
    assert adapters.of(old).retry_body(body, REFUSED) is not None
    assert "stream_options" not in adapters.of(old).current_body(body)
    assert "stream_options" in adapters.of(new).current_body(body)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, "max_tokens"),
        ({"max_tokens_field": "max_tokens"}, "max_tokens"),
        ({"max_tokens_field": "max_completion_tokens"}, "max_completion_tokens"),
    ],
)
def test_an_endpoints_options_shape_its_requests(options: dict[str, str], field: str) -> None:
    body = body_of(adapter_for(endpoint_of(**options)))
    assert body[field] == 7
    assert len({"max_tokens", "max_completion_tokens"} & body.keys()) == 1


def test_endpoints_that_differ_in_an_option_have_adapters_of_their_own() -> None:
    adapters = Adapters()
    one, other = endpoint_of(), endpoint_of(max_tokens_field="max_completion_tokens")
    assert adapters.of(one) is not adapters.of(other)
    assert adapters.of(one) is adapters.of(endpoint_of())


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"max_tokens_field": "tokens"}, "max_tokens_field"),
        ({"max_token_field": "max_tokens"}, "max_token_field"),
        ({"protocol": "anthropic", "max_tokens_field": "max_tokens"}, "max_tokens_field"),
    ],
)
def test_an_option_that_the_protocol_does_not_have_is_refused_and_named(fields: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValidationError) as caught:
        endpoint_of(**fields)
    assert [error["loc"] for error in caught.value.errors()] == [(wrong,)]


def test_an_unknown_protocol_is_refused_with_the_known_ones_and_is_not_repeated() -> None:
    with pytest.raises(ValidationError, match=f"known protocols: {', '.join(PROTOCOLS)}") as caught:
        endpoint_of(protocol="sk-0123456789abcdef")
    assert [error["loc"] for error in caught.value.errors()] == [("protocol",)]
    assert "sk-0123" not in str(caught.value)
