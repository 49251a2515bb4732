"""A result costs what was served, and says so where that is not what was asked for."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.benchmark.results.record import ResultRecord, Usage
from shared.benchmark.spec import BenchmarkSpec
from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceList
from tests.support.streams import anthropic_stream
from tests.worker.engine.measuring import measure
from worker.run.pricing import RunPrice, find_price

NOW = datetime(2026, 11, 20, tzinfo=UTC)
# 1,000 tokens in and 1,000 out.
THOUSAND = Usage(1_000, 1_000, cache_in_input=True)
LIST = PriceList()
MINE = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}


def endpoint(price_provider: str | None, **changes: Any) -> Endpoint:
    return Endpoint(
        name="mine", protocol="openai", base_url="http://127.0.0.1", price_provider=price_provider, **changes
    )


def price_of(model: str, where: Endpoint, stored: dict[str, Any] | None = None) -> RunPrice:
    spec = BenchmarkSpec.model_validate({"name": "n", "model": model, "prompts": ["x"]})
    return find_price(where, spec, stored, LIST, NOW)


def asking_for(tier: str, model: str) -> RunPrice:
    """A run that asks for a service tier."""
    spec = BenchmarkSpec.model_validate({"name": "n", "model": model, "prompts": ["x"]})
    extended = spec.model_copy(update={"extra_body": {"service_tier": tier}})
    return find_price(endpoint("openai"), extended, None, LIST, NOW)


def answer(served: str | None = None, tier: str | None = None, usage: Usage = THOUSAND) -> ResultRecord:
    record = measure("anthropic", [(10, anthropic_stream("Hi"))])
    return replace(record, served_model=served, service_tier=tier, usage=usage, flags=[], cost_usd=None)


def settled(price: RunPrice, *told: Any, **more: Any) -> tuple[Decimal | None, list[str]]:
    record = answer(*told, **more)
    price.settle(record)
    return record.cost_usd, record.flags


@pytest.mark.parametrize(
    ("asked", "provider", "served", "cost", "flags"),
    [
        # Nothing said, the same name, a date, an alias.
        ("gpt-4o", "openai", None, "0.0125", []),
        ("gpt-4o", "openai", "gpt-4o", "0.0125", []),
        ("gpt-4o", "openai", "gpt-4o-2024-08-06", "0.0125", []),
        ("grok-4", "x-ai", "grok-4-0709", "0.018", []),
        ("gemini-flash-latest", "google", "gemini-3.8-flash", "0.0045", []),
        # A release that has a price of its own.
        ("gpt-4o", "openai", "gpt-4o-2024-05-13", "0.02", []),
        # Another model that the list knows; one that it does not know; no model at all.
        ("gpt-4o", "openai", "gpt-4o-mini-2024-07-18", "0.00075", ["served_model_differs"]),
        ("openrouter/auto", "openrouter", "anthropic/claude-sonnet-4.5", "0.018", ["served_model_differs"]),
        ("gpt-4o", "openai", "gpt-4o-foo", None, ["served_model_differs"]),
        ("gpt-4o", "openai", "claude-sonnet-4-5", None, ["served_model_differs"]),
        ("gpt-4o", "openai", "m", "0.0125", ["served_model_differs"]),
        ("gpt-4o", "openai", "/models/llama-3-8b.gguf", "0.0125", ["served_model_differs"]),
        # A free offer is never priced as the paid one, nor the other way round.
        ("deepseek/deepseek-r1", "openrouter", "deepseek/deepseek-r1:free", None, ["served_model_differs"]),
        ("deepseek/deepseek-r1:free", "openrouter", "deepseek/deepseek-r1", None, []),
        # A deployment's name has no price, the model behind it has one.
        ("my-deployment", "azure", "gpt-4o-mini-2024-07-18", "0.00075", ["served_model_differs"]),
        # No list, no price.
        ("gpt-4o", None, "gpt-4o-mini", None, ["served_model_differs"]),
        ("gpt-4o", None, "gpt-4o-2024-08-06", None, []),
    ],
)
def test_what_was_served_is_priced(
    asked: str, provider: str | None, served: str | None, cost: str | None, flags: list[str]
) -> None:
    expected = None if cost is None else Decimal(cost)
    assert settled(price_of(asked, endpoint(provider)), served) == (expected, flags)


@pytest.mark.parametrize(
    ("tier", "cost", "flags"),
    [
        *((tier, "0.01125", []) for tier in (None, "", "default", "standard", "auto", "on_demand", "Default")),
        ("flex", "0.005625", ["service_tier_differs"]),
        ("priority", "0.0225", ["service_tier_differs"]),
        ("batch", "0.005625", ["service_tier_differs"]),
        ("scale", None, ["service_tier_differs"]),
    ],
)
def test_a_tier_has_its_own_price_or_none(tier: str | None, cost: str | None, flags: list[str]) -> None:
    expected = None if cost is None else Decimal(cost)
    assert settled(price_of("gpt-5", endpoint("openai")), "gpt-5-2025-08-07", tier) == (expected, flags)


@pytest.mark.parametrize(
    ("asked", "served", "cost", "flags"),
    [
        ("flex", "flex", "0.005625", []),
        ("flex", "default", "0.01125", ["service_tier_differs"]),
        # The answer does not say: then it is what was asked for.
        ("flex", None, "0.005625", []),
        ("auto", "flex", "0.005625", []),
        ("auto", None, "0.01125", []),
        ("default", "priority", "0.0225", ["service_tier_differs"]),
    ],
)
def test_a_tier_that_was_asked_for_is_no_surprise(asked: str, served: str | None, cost: str, flags: list[str]) -> None:
    assert settled(asking_for(asked, "gpt-5"), "gpt-5", served) == (Decimal(cost), flags)


def test_configured_prices_stay_whatever_was_served() -> None:
    price = price_of("gpt-4o", endpoint("openai", prices=MINE))
    both = ["served_model_differs", "service_tier_differs"]
    assert settled(price, "gpt-4o-mini", "flex") == (Decimal("0.003"), both)
    assert settled(price_of("gpt-4o", endpoint("openai"), price.document), "gpt-4o-mini", "flex")[0] == Decimal("0.003")


def test_prices_of_what_was_served_are_stored_with_the_run_and_used_again() -> None:
    price = price_of("gpt-5", endpoint("openai"))
    assert not price.settle(answer("gpt-5-2025-08-07"))
    before = price.document
    assert before is not None
    assert "served" not in before
    assert price.settle(answer("gpt-4o-mini"))
    assert not price.settle(answer("gpt-4o-mini"))
    assert price.settle(answer("gpt-5-2025-08-07", "flex"))
    document = price.document
    assert document is not None
    places = [(item["served_model"], item["service_tier"], item["model"]) for item in document["served"]]
    assert places == [("gpt-4o-mini", None, "gpt-4o-mini"), ("gpt-5-2025-08-07", "flex", "gpt-5")]
    # A resumed run prices by what is stored, whatever the list says by then.
    document["served"][0]["input_usd_per_mtok"] = "1000"
    resumed = price_of("gpt-5", endpoint("openai"), document)
    assert settled(resumed, "gpt-4o-mini")[0] == Decimal("1.0006")
    assert not resumed.settle(answer("gpt-4o-mini"))


def test_a_run_of_a_deployment_stores_the_price_of_the_model_behind_it() -> None:
    price = price_of("my-deployment", endpoint("azure"))
    assert price.document is None
    assert price.settle(answer("gpt-4o-mini"))
    stored = price.document
    assert stored is not None
    assert (stored["model"], "input_usd_per_mtok" in stored) == ("my-deployment", False)
    resumed = price_of("my-deployment", endpoint("azure"), stored)
    assert settled(resumed, None)[0] is None
    assert settled(resumed, "gpt-4o-mini")[0] == Decimal("0.00075")


def test_servers_that_name_a_new_model_each_time_fill_no_memory() -> None:
    price = price_of("gpt-5", endpoint("openai"))
    for number in range(200):
        assert settled(price, f"m{number}") == (Decimal("0.01125"), ["served_model_differs"])
    assert len(price._judged) <= 50


HOUR = Usage(3, 2, cache_read_tokens=0, cache_write_tokens=100_000, cache_write_1h_tokens=100_000)


def test_tokens_that_are_cached_for_an_hour_have_a_price_of_their_own() -> None:
    price = price_of("claude-sonnet-4-5", endpoint("anthropic"))
    assert settled(price, usage=HOUR)[0] == Decimal("0.600039")
    assert settled(price, usage=replace(HOUR, cache_write_1h_tokens=40_000))[0] == Decimal("0.465039")
    assert settled(price, usage=replace(HOUR, cache_write_1h_tokens=None))[0] == Decimal("0.375039")


def test_a_price_that_an_older_version_stored_has_none_for_an_hour() -> None:
    stored = dict(price_of("claude-sonnet-4-5", endpoint("anthropic")).document or {})
    del stored["cache_write_1h_usd_per_mtok"]
    price = price_of("claude-sonnet-4-5", endpoint("anthropic"), stored)
    assert settled(price, usage=HOUR)[0] is None
    assert settled(price, usage=replace(HOUR, cache_write_1h_tokens=0))[0] == Decimal("0.375039")


def test_unknown_counts_have_no_cost() -> None:
    price = price_of("gpt-4o", endpoint("openai"))
    assert settled(price, usage=Usage())[0] is None
    assert settled(price, usage=replace(THOUSAND, output_tokens=None))[0] is None
    # A count of cached tokens was wrong, so it is unknown how many there were.
    assert settled(price, usage=replace(THOUSAND, cache_unknown=True))[0] is None
    # A count of reasoning contradicts the output, so it is unknown whether that includes it.
    assert settled(price, usage=replace(THOUSAND, reasoning_unknown=True))[0] is None


def test_cache_writes_inside_the_prompt_are_priced_once() -> None:
    usage = Usage(25_612, 100, cache_read_tokens=0, cache_write_tokens=25_600, cache_in_input=True)
    assert settled(price_of("anthropic/claude-haiku-4.5", endpoint("openrouter")), usage=usage)[0] == Decimal(
        "0.032512"
    )
