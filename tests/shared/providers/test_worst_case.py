"""The dearest price that may apply to a request."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.benchmark.spec import BenchmarkSpec
from shared.money import micro_usd
from shared.providers.base_price import base_price
from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceList, PriceSnapshot, TokenCounts
from shared.providers.worst_case import WorstPrice, worst_price

NOW = datetime(2026, 11, 15, tzinfo=UTC)
TIERED = {"base": "1", "tiers": [{"above_input_tokens": 1_000, "price": "3"}]}


def price(**prices: Any) -> WorstPrice:
    return WorstPrice([PriceSnapshot(prices)])


def endpoint(**fields: Any) -> Endpoint:
    return Endpoint(name="one", base_url="https://api.example.com", protocol="openai", **fields)


def dearest(endpoint: Endpoint, model: str, **fields: Any) -> WorstPrice | None:
    spec = BenchmarkSpec.model_validate({"name": "n", "model": model, "prompts": ["x"], **fields})
    price_list = PriceList()
    return worst_price(base_price(endpoint, model, price_list, NOW), endpoint, spec, price_list, NOW)


def test_input_costs_the_dearest_class_and_output_its_own() -> None:
    dear = price(
        input_usd_per_mtok="3",
        output_usd_per_mtok="15",
        cache_read_usd_per_mtok="0.30",
        cache_write_usd_per_mtok="3.75",
        cache_write_1h_usd_per_mtok="6",
    )
    assert dear.micro_usd(100, 10) == 100 * 6 + 10 * 15


def test_a_part_of_a_micro_dollar_counts_as_one() -> None:
    assert price(input_usd_per_mtok="0.15", output_usd_per_mtok="0.60").micro_usd(1, 1) == 1


def test_a_fee_for_each_request_is_added() -> None:
    fee = price(input_usd_per_mtok="1", output_usd_per_mtok="1", requests_usd_per_thousand="5")
    assert fee.micro_usd(10, 10) == 20 + 5_000


@pytest.mark.parametrize(("tokens", "micros"), [(1_000, 1_000 + 10), (1_001, 3 * 1_001 + 30)])
def test_a_tier_counts_as_soon_as_it_may_be_reached(tokens: int, micros: int) -> None:
    assert price(input_usd_per_mtok=TIERED, output_usd_per_mtok=TIERED).micro_usd(tokens, 10) == micros


@pytest.mark.parametrize("input_tokens", [1, 18, 199_999, 250_000])
@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "gpt-4o", "gemini-2.5-pro"])
def test_no_request_within_the_bound_costs_more(model: str, input_tokens: int) -> None:
    """Whatever classes its tokens are billed in."""
    found = PriceList().snapshot(model, None, NOW)
    assert found is not None
    worst = WorstPrice([found]).micro_usd(input_tokens, 500)
    for counts in (
        TokenCounts(input_tokens, 500),
        TokenCounts(0, 500, cache_read=input_tokens),
        TokenCounts(0, 500, cache_write=input_tokens),
        TokenCounts(0, 500, cache_write=input_tokens, cache_write_1h=input_tokens),
    ):
        cost = found.cost_usd(counts)
        assert cost is None or micro_usd(cost) <= worst


def test_the_tier_that_is_asked_for_counts_if_it_is_dearer() -> None:
    openai = endpoint(price_provider="openai")
    costs = {}
    for tier in (None, "default", "priority", "flex", "auto"):
        found = dearest(openai, "gpt-5", parameters={"service_tier": tier})
        assert found is not None
        costs[tier] = found.micro_usd(1_000, 1_000)
    assert costs[None] == costs["default"] == costs["flex"] < costs["priority"] <= costs["auto"]


@pytest.mark.parametrize(
    ("of_endpoint", "fields"),
    [
        ({"extra_body": {"service_tier": "priority"}}, {}),
        ({}, {"extra_body": {"service_tier": "Priority"}}),
        (
            {},
            {
                "prompts": [
                    "x",
                    {"messages": [{"role": "user", "content": "y"}], "parameters": {"service_tier": "priority"}},
                ]
            },
        ),
    ],
)
def test_a_tier_counts_wherever_it_is_asked_for(of_endpoint: dict[str, Any], fields: dict[str, Any]) -> None:
    plain = dearest(endpoint(price_provider="openai"), "gpt-5")
    found = dearest(endpoint(price_provider="openai", **of_endpoint), "gpt-5", **fields)
    assert plain is not None
    assert found is not None
    assert found.micro_usd(1_000, 1_000) > plain.micro_usd(1_000, 1_000)


def test_prices_of_the_operator_are_the_only_ones() -> None:
    own = endpoint(prices={"input_usd_per_mtok": Decimal(1), "output_usd_per_mtok": Decimal(2)})
    found = dearest(own, "gpt-5", parameters={"service_tier": "priority"})
    assert found is not None
    assert found.micro_usd(10, 10) == 30


def test_a_model_without_a_price_has_no_worst_case() -> None:
    assert dearest(endpoint(price_provider="openai"), "nobody-1") is None
    assert dearest(endpoint(), "gpt-5") is None
