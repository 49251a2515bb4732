"""Which endpoints count as the same."""

from typing import Any

import pytest

from shared.providers.built_in import BUILT_IN, simulator_endpoints
from shared.providers.endpoints import Endpoint
from shared.providers.identity import HeldEndpoint, Holdings, Identities

PLAIN = {"name": "mine", "protocol": "openai", "base_url": "http://127.0.0.1:9001/v1"}


def fingerprint(**changes: Any) -> str:
    return Identities().of(Endpoint.model_validate({**PLAIN, **changes})).fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "yours"},
        {"protocol": "anthropic"},
        {"base_url": "http://127.0.0.1:9002/v1"},
        {"query": {"api-version": "2024-10-21"}},
        {"query": {"api-version": "2025-01-01"}},
        {"headers": {"X-Route": "canary"}},
        {"headers": {"X-Token": {"env": "T"}}},
        {"api_key_env": "K"},
        {"api_key_env": "K", "key_header": "api-key"},
        {"extra_body": {"ignore_eos": True}},
        {"transport": "sdk"},
        {"max_tokens_field": "max_completion_tokens"},
        {"base_url": "https://127.0.0.1:9001/v1", "tls": {"verify": False}},
        {"base_url": "https://127.0.0.1:9001/v1", "tls": {"ca_file": "/ca.pem"}},
    ],
)
def test_what_decides_what_is_measured_makes_another_endpoint(changes: dict[str, Any]) -> None:
    assert fingerprint(**changes) != fingerprint()


def test_each_of_these_differs_from_each_other() -> None:
    assert len({Identities().of(item).key for item in BUILT_IN}) == len(BUILT_IN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"prices": {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}, "models": ["m-*"]}),
        ({}, {"base_url": "http://127.0.0.1:9001/v1/"}),
        ({"api_key_env": "OLD"}, {"api_key_env": "NEW"}),
        ({"headers": {"X-Route": "a"}}, {"headers": {"x-route": "a"}}),
        ({"headers": {"api-key": "secret-one"}}, {"headers": {"api-key": "secret-two"}}),
        ({"extra_body": {"api_key": "secret-one"}}, {"extra_body": {"api_key": "secret-two"}}),
        ({"base_url": "https://h/v1"}, {"base_url": "https://h/v1", "tls": {}}),
        ({}, {"metrics_urls": ["http://127.0.0.1:9001/metrics"]}),
        ({"max_streams": 8}, {"max_streams": 16}),
    ],
)
def test_prices_names_of_variables_and_secrets_do_not_count(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert fingerprint(**one) == fingerprint(**other)


def test_a_fingerprint_is_the_same_in_every_process_and_version() -> None:
    """A change of this value fails the pending benchmarks of a rolling upgrade."""
    assert fingerprint() == "1fe7d08876faff87eb3e604a4dc310bd"


def test_a_simulator_that_is_known_by_a_name_stays_the_same_on_another_port() -> None:
    def key(url: str, known_as: tuple[str, str] | None) -> str:
        return Identities(known_as=known_as).of(simulator_endpoints(url)[0]).key

    one, two = "http://127.0.0.1:1111", "http://127.0.0.1:11112"
    assert key(one, (one, "embedded")) == key(two, (two, "embedded"))
    assert key(one, None) != key(two, None)
    assert key(two, (one, "embedded")) == key(two, None), "it begins with the same text and is another URL"


def test_a_stack_of_its_own_shares_no_key_but_the_fingerprint() -> None:
    endpoint = Endpoint.model_validate(PLAIN)
    shared, own = Identities().of(endpoint), Identities(stack="a1").of(endpoint)
    assert shared.fingerprint == own.fingerprint
    assert shared.key != own.key


def test_a_worker_claims_what_it_can_use() -> None:
    identity = Identities().of(Endpoint.model_validate(PLAIN))
    other = Identities().of(Endpoint.model_validate({**PLAIN, "name": "other"}))
    holdings = Holdings.of([HeldEndpoint(identity), HeldEndpoint(other, "missing_key", ["K is not set"])])
    keys = [f"{identity.key}{ending}" for ending in ("", "+load", "+owned", "+owned+load")]
    assert (list(holdings.keys), list(holdings.names)) == (keys, ["mine"])


def test_each_ending_of_a_key_is_one_that_workers_hold() -> None:
    identity = Identities(stack="a1").of(Endpoint.model_validate(PLAIN))
    made = [identity.key_for(loads=loads, owned=owned) for owned in (False, True) for loads in (False, True)]
    assert sorted(made) == sorted(Holdings.of([HeldEndpoint(identity)]).keys)
    assert len(set(made)) == 4
