"""`/models` and `/providers`: what can be measured, at what price, and never a key."""

import httpx2
import pytest

from shared.providers.built_in import simulator_endpoints
from shared.providers.prices import PriceList
from tests.api.conftest import KEYS
from tests.api.documents import KEY, pages, submit
from tests.support.service import make_settings, running_api

WITHOUT_REDIS = "redis://127.0.0.1:1/0"


async def test_paging_through_all_models_gives_each_of_the_price_list_once(empty_api: httpx2.AsyncClient) -> None:
    listed = [(item.provider, item.model) for item in PriceList().models]
    for limit in (499, 500):
        found = await pages(empty_api, "/models", limit=limit)
        assert [(item["provider"], item["model"]) for item in found] == listed
    assert (await empty_api.get("/models")).json()["total"] == len(listed)


async def test_a_model_has_its_price_and_its_endpoint(empty_api: httpx2.AsyncClient) -> None:
    (haiku,) = await pages(empty_api, "/models", q="claude-3-haiku", provider="anthropic")
    assert haiku["endpoint"] == "anthropic"
    assert haiku["context_window"] == 200_000
    assert haiku["prices"] == {
        "input_usd_per_mtok": 0.25,
        "output_usd_per_mtok": 1.25,
        "cache_read_usd_per_mtok": 0.03,
        "cache_write_usd_per_mtok": 0.3,
        "cache_write_1h_usd_per_mtok": 0.5,
        "requests_usd_per_thousand": None,
    }


async def test_a_tiered_price_shows_its_tiers(empty_api: httpx2.AsyncClient) -> None:
    found = await pages(empty_api, "/models", q="claude-sonnet-4-5", provider="anthropic")
    assert found[0]["prices"]["input_usd_per_mtok"] == {
        "base": 3.0,
        "tiers": [{"above_input_tokens": 200_000, "price": 6.0}],
    }


async def test_a_search_takes_every_word_whatever_its_case(empty_api: httpx2.AsyncClient) -> None:
    found = await pages(empty_api, "/models", q="HAIKU  anthropic 3-5", limit=1)
    assert found
    for item in found:
        text = f"{item['provider']} {item['model']} {item['name']}".lower()
        assert all(word in text for word in ("haiku", "anthropic", "3-5"))
    assert await pages(empty_api, "/models", q="haiku no-such-word") == []
    assert await pages(empty_api, "/models", provider="nobody") == []


@pytest.mark.parametrize("model", ["claude-3-haiku-20240307", "claude-3-5-sonnet-latest", "gpt-4o-mini", "GPT-4o"])
async def test_a_models_own_id_finds_it_first_with_price_and_aliases(
    sqlite_api: httpx2.AsyncClient, model: str
) -> None:
    """As the benchmark that is submitted with this id is priced."""
    first = (await sqlite_api.get("/models", params={"q": model, "limit": 1})).json()["items"][0]
    assert model.lower() in [name.lower() for name in (first["model"], *first["aliases"])]
    assert first["endpoint"] == first["provider"]
    assert first["prices"]["input_usd_per_mtok"] > 0
    assert (await submit(sqlite_api, model=model))["model"] == model


@pytest.mark.parametrize("query", ["gpt-4o-mini", "claude-3-haiku-20240307", "gpt-4o"])
async def test_pages_follow_the_order_of_the_search(empty_api: httpx2.AsyncClient, query: str) -> None:
    whole = (await empty_api.get("/models", params={"q": query, "limit": 500})).json()
    assert await pages(empty_api, "/models", q=query, limit=1) == whole["items"]
    assert len(whole["items"]) == whole["total"] > 1


async def test_an_id_that_nobody_priced_finds_nothing(empty_api: httpx2.AsyncClient) -> None:
    page = (await empty_api.get("/models", params={"q": "claude-3-haiku-foo"})).json()
    assert page == {"items": [], "total": 0, "next_cursor": None}


async def test_the_providers_are_shown_without_any_key(empty_api: httpx2.AsyncClient) -> None:
    """One of them has its key here: it is ready, and the key itself is nowhere."""
    response = await empty_api.get("/providers")
    items = {item["name"]: item for item in response.json()["items"]}
    assert list(items) == sorted(items)
    simulators = {endpoint.name for endpoint in simulator_endpoints("http://127.0.0.1")}
    assert {name for name, item in items.items() if item["ready"]} == {"groq", *simulators}
    assert items["groq"]["api_key_env"] == "GROQ_API_KEY"
    assert KEY not in response.text
    assert KEY not in str(KEYS.get) + repr(KEYS)


async def test_a_configured_endpoint_shows_its_patterns_and_prices(sqlite_url: str) -> None:
    providers = (
        '[{"name": "home", "protocol": "openai", "base_url": "http://127.0.0.1:9/v1", "models": ["llama-*"],'
        ' "prices": {"input_usd_per_mtok": "0.1", "output_usd_per_mtok": "0.2"}}]'
    )
    settings = make_settings(sqlite_url, WITHOUT_REDIS, None, providers=providers)
    async with running_api(settings, KEYS) as client:
        items = (await client.get("/providers")).json()["items"]
        (home,) = [item for item in items if item["name"] == "home"]
        assert (home["models"], home["ready"], home["stand_in"]) == (["llama-*"], True, False)
        assert home["prices"]["input_usd_per_mtok"] == 0.1
        assert home["prices"]["cache_read_usd_per_mtok"] is None
        assert (await submit(client, model="llama-3-8b"))["provider"] == "home"


async def test_the_metrics_urls_of_an_endpoint_are_shown_without_secrets(sqlite_url: str) -> None:
    providers = (
        '[{"name": "home", "protocol": "openai", "base_url": "http://127.0.0.1:9/v1", "metrics_urls": '
        '["http://127.0.0.1:9/metrics", {"url": "http://127.0.0.1:8/metrics", "query": {"token": "planted-0123"}, '
        '"headers": {"Authorization": {"env": "T", "prefix": "Bearer "}}}]}]'
    )
    settings = make_settings(sqlite_url, WITHOUT_REDIS, None, providers=providers)
    async with running_api(settings, KEYS) as client:
        answer = await client.get("/providers")
        (home,) = [item for item in answer.json()["items"] if item["name"] == "home"]
        assert home["metrics_urls"] == [
            {"url": "http://127.0.0.1:9/metrics", "query": {}, "headers": {}},
            {
                "url": "http://127.0.0.1:8/metrics",
                "query": {"token": "[redacted]"},
                "headers": {"Authorization": "Bearer [redacted]"},
            },
        ]
        assert home["variables"] == ["T"]
        assert "planted" not in answer.text
