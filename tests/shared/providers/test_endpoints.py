"""Which endpoint a benchmark goes to, branch by branch."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from shared.errors import InvalidRequest, MissingKey, UnknownModel, UnknownProvider
from shared.protocols.registry import PROTOCOLS
from shared.providers.built_in import BUILT_IN, simulator_endpoints
from shared.providers.endpoints import Endpoint, EndpointRegistry
from shared.providers.prices import PriceList

HAIKU = "claude-3-haiku-20240307"
LOCAL = Endpoint(name="local", protocol="openai", base_url="http://127.0.0.1:8000/v1", models=("llama-*",))
GATED = Endpoint(
    name="gated", protocol="openai", base_url="http://127.0.0.1:8001/v1", models=("gated-*",), api_key_env="GATED_KEY"
)
SIMULATORS = simulator_endpoints("http://127.0.0.1:8765/")


def registry(*more: Endpoint) -> EndpointRegistry:
    return EndpointRegistry([*BUILT_IN, LOCAL, GATED, *more], PriceList())


def holding(*names: str) -> Callable[[Endpoint], bool]:
    """Keys of these variables are there; endpoints without a variable need none."""
    return lambda endpoint: endpoint.api_key_env is None or endpoint.api_key_env in names


ALL = holding("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GATED_KEY")


@pytest.mark.parametrize(
    ("model", "provider", "keys", "expected"),
    [
        pytest.param("anything", "local", holding(), "local", id="a named endpoint without a key"),
        pytest.param(HAIKU, "openai", ALL, "openai", id="a name beats the model's own provider"),
        pytest.param("llama-3", None, holding(), "local", id="a pattern of an endpoint"),
        pytest.param("gated-1", None, ALL, "gated", id="a pattern of an endpoint with its key"),
        pytest.param(HAIKU, None, ALL, "anthropic", id="the price list's provider"),
        pytest.param("gpt-4o", None, ALL, "openai", id="the price list's other provider"),
        pytest.param("gemini-2.5-flash", None, holding("GEMINI_API_KEY"), "google", id="the price list's third one"),
        pytest.param("sim-ttft5", None, ALL, "simulator", id="a pattern of the simulator"),
        pytest.param(HAIKU, None, holding(), "simulator", id="a stand-in of the same protocol: anthropic"),
        pytest.param("gpt-4o", None, holding(), "simulator-openai", id="a stand-in of the same protocol: openai"),
    ],
)
def test_a_benchmark_goes_to(model: str, provider: str | None, keys: Callable[[Endpoint], bool], expected: str) -> None:
    assert registry(*SIMULATORS).resolve(model, provider, keys).name == expected


def test_a_priced_model_of_a_provider_that_is_not_configured_goes_to_the_openai_stand_in() -> None:
    """`command-r` is in the price list, its provider `cohere` is no endpoint here."""
    assert PriceList().provider_of("command-r") == "cohere"
    assert registry(*SIMULATORS).resolve("command-r", None, ALL).name == "simulator-openai"
    with pytest.raises(UnknownModel):
        registry().resolve("command-r", None, ALL)


@pytest.mark.parametrize(
    ("model", "provider", "error", "field", "words"),
    [
        pytest.param("x", "nobody", UnknownProvider, "provider", "configured: anthropic, ", id="a name nobody has"),
        pytest.param("x", "gated", MissingKey, "provider", "set GATED_KEY (or GATED_KEY_FILE)", id="a name, no key"),
        pytest.param("gated-1", None, MissingKey, "model", "set GATED_KEY", id="a pattern, no key"),
        pytest.param(HAIKU, None, MissingKey, "model", "set ANTHROPIC_API_KEY", id="the list's provider, no key"),
        pytest.param("foo-1", None, UnknownModel, "model", "name one in `provider`", id="a model nobody knows"),
        pytest.param("claude-3-haiku-foo", None, UnknownModel, "model", "name one", id="a known model's neighbour"),
    ],
)
def test_a_benchmark_without_an_endpoint_says_which_field_and_what_to_do(
    model: str, provider: str | None, error: type[InvalidRequest], field: str, words: str
) -> None:
    with pytest.raises(error) as caught:
        registry().resolve(model, provider, holding())
    (found,) = caught.value.errors
    assert found.field == field
    assert found.code == error.code
    assert words in found.message


@pytest.mark.parametrize(("model", "provider"), [("sk-ant-0123456789abcdef", None), ("x", "sk-ant-0123456789abcdef")])
def test_an_error_does_not_repeat_what_was_sent(model: str, provider: str | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        registry().resolve(model, provider, holding())
    assert "sk-ant" not in caught.value.message


def test_a_later_endpoint_of_a_name_replaces_the_earlier_one() -> None:
    mine = Endpoint(name="openai", protocol="openai", base_url="http://127.0.0.1:9000/v1")
    endpoints = registry(mine)
    assert endpoints.get("openai") == mine
    assert [item.name for item in endpoints].count("openai") == 1


def test_the_simulator_speaks_every_protocol_at_one_address() -> None:
    urls = {item.protocol: item.base_url for item in SIMULATORS}
    assert urls.keys() == PROTOCOLS.keys()
    assert urls["anthropic"] == "http://127.0.0.1:8765"
    assert urls["openai"] == "http://127.0.0.1:8765/v1"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "host",
        "http://",
        "http://user:secret-password@host",
        "http://host/?key=secret-password",
        "http://host/#secret-password",
    ],
)
def test_a_base_url_that_is_not_plain_http_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Endpoint(name="x", protocol="openai", base_url=url)
    assert "secret-password" not in str(caught.value)


def test_an_endpoint_has_no_field_for_a_key_and_does_not_repeat_one() -> None:
    with pytest.raises(ValidationError, match="api_key") as caught:
        Endpoint.model_validate(
            {"name": "x", "protocol": "openai", "base_url": "http://host", "api_key": "sk-0123456789abcdef"}
        )
    assert "sk-0123" not in str(caught.value)


@pytest.mark.parametrize("endpoint", BUILT_IN, ids=lambda endpoint: endpoint.name)
def test_a_built_in_endpoint_is_encrypted_keyed_and_priced_by_a_provider_of_the_list(endpoint: Endpoint) -> None:
    assert endpoint.base_url.startswith("https://")
    assert endpoint.api_key_env is not None
    assert endpoint.api_key_env.endswith("_API_KEY")
    assert endpoint.price_provider in {item.id for item in PriceList()._providers()}
