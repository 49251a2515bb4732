"""The search in the price list: an id finds what a benchmark of it would be priced by, and that comes first."""

from datetime import UTC, datetime

import pytest

from shared.errors import UnknownModel
from shared.providers.built_in import BUILT_IN, simulator_endpoints
from shared.providers.endpoints import Endpoint, EndpointRegistry
from shared.providers.model_search import FoundModel, ModelSearch, Rank
from shared.providers.prices import PriceList

NOW = datetime(2025, 6, 15, tzinfo=UTC)
PRICES = PriceList()
SIMULATORS = simulator_endpoints("http://127.0.0.1:9")
Entry = tuple[str, str]


def registry(*more: Endpoint) -> EndpointRegistry:
    return EndpointRegistry([*BUILT_IN, *more], PRICES)


def find(query: str, *more: Endpoint, provider: str | None = None) -> list[FoundModel]:
    return ModelSearch(PRICES, registry(*more)).find(query, provider)


def entries(found: list[FoundModel]) -> list[Entry]:
    return [(item.model.provider, item.model.model) for item in found]


@pytest.mark.parametrize(
    ("model", "entry", "input_price"),
    [
        ("claude-3-haiku-20240307", ("anthropic", "claude-3-haiku"), "0.25"),
        ("claude-3-5-haiku-20241022", ("anthropic", "claude-3-5-haiku-latest"), "0.8"),
        ("claude-3-5-haiku-latest", ("anthropic", "claude-3-5-haiku-latest"), "0.8"),
        ("claude-3-5-sonnet-20240620", ("anthropic", "claude-3-5-sonnet"), "3"),
        ("claude-3-5-sonnet-20241022", ("anthropic", "claude-3-5-sonnet"), "3"),
        ("claude-3-5-sonnet-latest", ("anthropic", "claude-3-5-sonnet"), "3"),
        ("claude-3-opus-20240229", ("anthropic", "claude-3-opus-latest"), "15"),
        ("gpt-4o", ("openai", "gpt-4o"), "2.5"),
        ("gpt-4o-2024-08-06", ("openai", "gpt-4o"), "2.5"),
        ("gpt-4o-mini", ("openai", "gpt-4o-mini"), "0.15"),
        ("gpt-4o-mini-2024-07-18", ("openai", "gpt-4o-mini"), "0.15"),
        ("GPT-4o-mini", ("openai", "gpt-4o-mini"), "0.15"),
        ("llama-3.1-8b-instant", ("groq", "llama-3.1-8b-instant"), "0.05"),
    ],
)
def test_the_ids_that_people_use_find_their_model_first(model: str, entry: Entry, input_price: str) -> None:
    first = find(model)[0]
    assert entries([first]) == [entry]
    assert first.endpoint == entry[0]
    assert first.model.prices(NOW)["input_usd_per_mtok"] == input_price
    assert model.lower() in {name.lower() for name in (first.model.model, *first.aliases)}


def ids_of(provider: str) -> list[str]:
    """Every id and alias of a provider in the list, plain, dated and latest."""
    plain = [
        name
        for item in PRICES.models
        if item.provider == provider
        for name in (item.model, *item.aliases)
        if " " not in name
    ]
    return [*plain, *(f"{name}-20250615" for name in plain), *(f"{name}-latest" for name in plain)]


@pytest.mark.heavy
@pytest.mark.parametrize("provider", ["anthropic", "openai", "mistral", "deepseek", "x-ai", "google"])
def test_every_id_that_a_benchmark_may_name_finds_first_what_it_is_priced_by(provider: str) -> None:
    """The simulator stands in, so that models of providers without an endpoint are accepted as well."""
    endpoints, priced = registry(*SIMULATORS), 0
    for model in ids_of(provider):
        try:
            endpoint = endpoints.resolve(model, None, lambda endpoint: True)
        except UnknownModel:
            continue
        price = PRICES.snapshot(model, None if endpoint.price_provider == "*" else endpoint.price_provider, NOW)
        if price is None:
            continue
        first = find(model, *SIMULATORS)[0]
        assert (first.rank, first.model.provider, first.model.model) == (
            Rank.BENCHMARK,
            price.document["provider"],
            price.document["model"],
        )
        priced += 1
    assert priced >= 10


@pytest.mark.heavy
@pytest.mark.parametrize("endpoint", [item for item in BUILT_IN if item.price_provider], ids=lambda item: item.name)
def test_every_id_of_an_endpoint_finds_what_it_is_priced_by_there(endpoint: Endpoint) -> None:
    """Of a benchmark that names the endpoint. Every third: OpenRouter has a thousand."""
    assert endpoint.price_provider is not None
    for model in ids_of(endpoint.price_provider)[::3]:
        price = PRICES.snapshot(model, endpoint.price_provider, NOW)
        if price is not None:
            # Google takes some prices from the entry of the model's own provider.
            entry = PRICES.listed(model, endpoint.price_provider)
            assert entry is not None
            first = find(model, provider=entry[0])[0]
            assert entries([first]) == [entry]
            assert entry[1] == price.document["model"]
            assert first.rank in (Rank.BENCHMARK, Rank.ENDPOINT)


@pytest.mark.parametrize("model", ["foo-1", "gpt-4o-foo", "gpt-4ox", "claude-3-haiku-foo", "claude-3-haikux", "x"])
def test_an_id_that_nobody_priced_finds_no_neighbour(model: str) -> None:
    assert all(item.rank == Rank.WORDS for item in find(model, *SIMULATORS))
    assert model == "x" or find(model, *SIMULATORS) == []


def test_an_id_at_another_provider_comes_after_the_one_that_a_benchmark_would_use() -> None:
    found = find("gpt-4o-mini")
    assert entries(found)[:2] == [("openai", "gpt-4o-mini"), ("github-copilot", "gpt-4o-mini")]
    assert [item.rank for item in found[:3]] == [Rank.BENCHMARK, Rank.NAME, Rank.WORDS]


def test_an_endpoint_decides_whose_entry_comes_first() -> None:
    """A pattern sends the model to a gateway that is priced as another provider."""
    gateway = Endpoint(
        name="gateway",
        protocol="openai",
        base_url="http://127.0.0.1:9/v1",
        models=("gpt-4o",),
        price_provider="github-copilot",
    )
    found = find("gpt-4o", gateway)
    assert [(item.rank, item.model.provider, item.endpoint) for item in found[:2]] == [
        (Rank.BENCHMARK, "github-copilot", "gateway"),
        (Rank.ENDPOINT, "openai", "openai"),
    ]


def test_an_entry_of_another_provider_that_a_cloud_takes_its_price_from_is_found() -> None:
    azure = Endpoint(name="azure", protocol="openai", base_url="http://127.0.0.1:9/v1", price_provider="azure")
    assert PRICES.listed("claude-3-haiku-20240307", "azure") == ("anthropic", "claude-3-haiku")
    assert entries(find("claude-3-haiku-20240307", azure))[0] == ("anthropic", "claude-3-haiku")


def test_an_id_is_found_among_other_words() -> None:
    assert entries(find("Haiku claude-3-haiku-20240307"))[0] == ("anthropic", "claude-3-haiku")
    assert find("nobody claude-3-haiku-20240307") == []


def test_without_words_everything_is_found_in_the_order_of_the_list() -> None:
    assert entries(find("")) == [(item.provider, item.model) for item in PRICES.models]


@pytest.mark.parametrize("query", ["", "gpt-4o", "haiku", "a b c d e f g h"])
def test_the_order_is_total(query: str) -> None:
    """So that a page can begin after any entry."""
    keys = [item.key for item in find(query)]
    assert keys == sorted(set(keys))
