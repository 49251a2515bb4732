"""Costs: the list's exact prices, each token once, and never a price for a model that has none."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.providers.prices import PriceList, PriceSnapshot, TokenCounts, override

NOW = datetime(2025, 6, 15, tzinfo=UTC)
MILLION = 1_000_000


@pytest.fixture(scope="module")
def prices() -> PriceList:
    return PriceList()


def snapshot(prices: PriceList, model: str, provider: str | None = None) -> PriceSnapshot:
    found = prices.snapshot(model, provider, NOW)
    assert found is not None
    return found


@pytest.mark.parametrize("provider", ["anthropic", None])
@pytest.mark.parametrize(
    ("model", "input_price", "output_price"),
    [
        ("claude-3-haiku-20240307", "0.25", "1.25"),
        ("claude-3-5-haiku-20241022", "0.80", "4.00"),
        ("claude-3-5-sonnet-20241022", "3.00", "15.00"),
        ("claude-3-opus-20240229", "15.00", "75.00"),
    ],
)
def test_a_million_tokens_cost_the_published_price(
    prices: PriceList, model: str, provider: str | None, input_price: str, output_price: str
) -> None:
    price = snapshot(prices, model, provider)
    assert price.cost_usd(TokenCounts(MILLION, 0)) == Decimal(input_price)
    assert price.cost_usd(TokenCounts(0, MILLION)) == Decimal(output_price)


def test_a_small_request_costs_an_exact_decimal(prices: PriceList) -> None:
    """18 tokens in and 5 out on Haiku: 18 x 0.25 + 5 x 1.25 millionths of a dollar."""
    assert snapshot(prices, "claude-3-haiku-20240307").cost_usd(TokenCounts(18, 5)) == Decimal("0.00001075")


@pytest.mark.parametrize(
    "model",
    ["foo-1", "gpt-4o-foo", "gpt-4ox", "claude-3-haiku-foo", "claude-3-haikux", "claude-3-5-sonnet-mini", "sim", ""],
)
@pytest.mark.parametrize("provider", [None, "anthropic", "openai"])
def test_a_model_that_nobody_priced_has_no_price_even_beside_a_priced_one(
    prices: PriceList, model: str, provider: str | None
) -> None:
    assert prices.snapshot(model, provider, NOW) is None
    assert prices.provider_of(model) is None


@pytest.mark.parametrize(
    "model", ["claude-3-5-sonnet-latest", "gpt-4o-mini-2024-07-18", "GPT-4o", "claude-3-haiku-20240307"]
)
def test_a_dated_or_latest_name_is_the_same_model(prices: PriceList, model: str) -> None:
    assert prices.provider_of(model) in {"anthropic", "openai"}
    assert prices.snapshot(model, None, NOW) is not None


def test_an_unknown_provider_has_no_price(prices: PriceList) -> None:
    assert prices.snapshot("claude-3-haiku-20240307", "nobody", NOW) is None


def test_each_cache_class_is_billed_once_at_its_own_price(prices: PriceList) -> None:
    """Usage of 3 in, 12,304 cache write, 0 cache read, 550 out."""
    price = snapshot(prices, "claude-3-5-sonnet-20241022", "anthropic")
    expected = (3 * Decimal(3) + 12_304 * Decimal("3.75") + 550 * Decimal(15)) / MILLION
    assert price.cost_usd(TokenCounts(3, 550, cache_write=12_304)) == expected
    expected = (3 * Decimal(3) + 12_304 * Decimal("0.30") + 550 * Decimal(15)) / MILLION
    assert price.cost_usd(TokenCounts(3, 550, cache_read=12_304)) == expected


def test_cached_tokens_cost_the_input_price_where_the_model_has_no_cache_price(prices: PriceList) -> None:
    price = snapshot(prices, "gpt-4", "openai")
    assert price.cost_usd(TokenCounts(100, 0, cache_read=200, cache_write=300)) == price.cost_usd(TokenCounts(600, 0))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (TokenCounts(200_000, 1_000), (200_000 * 3 + 1_000 * 15)),
        (TokenCounts(200_001, 1_000), (200_001 * 6 + 1_000 * Decimal("22.5"))),
        (
            TokenCounts(1_000, 1_000, cache_read=200_000),
            (1_000 * 6 + 200_000 * Decimal("0.6") + 1_000 * Decimal("22.5")),
        ),
    ],
)
def test_a_prompt_above_200k_tokens_pays_the_tiers_price_for_all_its_tokens(
    prices: PriceList, counts: TokenCounts, expected: Decimal
) -> None:
    """Cached tokens count towards the size of the prompt."""
    assert snapshot(prices, "claude-sonnet-4-5", "anthropic").cost_usd(counts) == Decimal(expected) / MILLION


def test_a_fee_for_each_request_is_part_of_the_cost(prices: PriceList) -> None:
    """Perplexity: 14 USD for a thousand requests, beside 3 and 15 for the tokens."""
    price = snapshot(prices, "sonar-pro", "perplexity")
    assert price.cost_usd(TokenCounts(1_000, 1_000)) == Decimal("0.014") + Decimal("0.003") + Decimal("0.015")


@pytest.mark.parametrize(
    "model", ["claude-3-haiku-20240307", "claude-3-5-sonnet-20241022", "claude-sonnet-4-5", "gpt-4o", "gpt-4"]
)
@pytest.mark.parametrize("counts", [TokenCounts(18, 5), TokenCounts(3, 550, 7, 12_304), TokenCounts(250_000, 9, 1, 2)])
def test_a_snapshot_that_went_through_json_gives_the_same_cost(
    prices: PriceList, model: str, counts: TokenCounts
) -> None:
    price = snapshot(prices, model)
    again = PriceSnapshot(json.loads(json.dumps(price.document)))
    assert again.cost_usd(counts) == price.cost_usd(counts) > 0


def test_a_snapshot_says_whose_price_it_is(prices: PriceList) -> None:
    document = snapshot(prices, "claude-3-haiku-20240307").document
    assert document["provider"] == "anthropic"
    assert document["model"] == "claude-3-haiku"
    assert document["source"].startswith("genai-prices ")


def test_configured_prices_are_used_as_they_are() -> None:
    configured = {"input_usd_per_mtok": Decimal("1.5"), "output_usd_per_mtok": Decimal("2.25")}
    price = override(configured, "llama-3", "home")
    assert price.cost_usd(TokenCounts(2 * MILLION, MILLION)) == Decimal("5.25")
    assert price.document == {
        "source": "configured",
        "provider": "home",
        "model": "llama-3",
        "input_usd_per_mtok": "1.5",
        "output_usd_per_mtok": "2.25",
    }


def test_a_configured_price_of_zero_costs_zero() -> None:
    """Zero that somebody configured is a value, not the absence of one."""
    free = override({"input_usd_per_mtok": Decimal(0), "output_usd_per_mtok": Decimal(0)}, "llama-3", "home")
    assert free.cost_usd(TokenCounts(5, 5)) == 0


def test_the_list_is_in_order_and_holds_each_model_once(prices: PriceList) -> None:
    keys = [(item.provider, item.model) for item in prices.models]
    assert keys == sorted(set(keys))
    assert len(keys) > 1_000


def test_a_date_that_the_list_cuts_in_two_is_a_date(prices: PriceList) -> None:
    """The list names this model by the prefix `claude-sonnet-4-2025`."""
    assert snapshot(prices, "claude-sonnet-4-20250514", "anthropic").document["model"] == "claude-sonnet-4-0"
    assert prices.snapshot("claude-sonnet-4-2025-foo", "anthropic", NOW) is None


def test_tokens_cached_for_an_hour_cost_the_input_price_where_no_cache_price_is_known() -> None:
    configured = {"input_usd_per_mtok": Decimal(1), "output_usd_per_mtok": Decimal(2)}
    hour = TokenCounts(0, 0, cache_write=MILLION, cache_write_1h=MILLION)
    assert override(configured, "m", "home").cost_usd(hour) == 1
    assert override({**configured, "cache_write_1h_usd_per_mtok": Decimal(5)}, "m", "home").cost_usd(hour) == 5
    only_minutes = {**configured, "cache_write_usd_per_mtok": Decimal("1.25")}
    assert override(only_minutes, "m", "home").cost_usd(hour) is None


def test_a_service_tier_without_a_price_has_none(prices: PriceList) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    flex = prices.snapshot("gpt-5", "openai", now, "flex")
    assert flex is not None
    assert flex.document["input_usd_per_mtok"] == "0.625"
    assert prices.snapshot("gpt-5", "openai", now, "scale") is None
    # Azure takes the standard prices of OpenAI, not those of its tiers.
    assert prices.snapshot("gpt-5", "azure", now, "flex") is None
    # The list knows the prices of tiers only from this day on.
    assert prices.snapshot("gpt-5", "openai", datetime(2026, 10, 11, tzinfo=UTC), "flex") is None
