"""The most that a request can cost by the prices of its model: what a budget must have before the request is sent.

The API asks at submit and for estimates, the worker before it sends.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.benchmark.spec import BenchmarkSpec
from shared.money import MICROS_A_USD
from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceList, PriceSnapshot

# Any of these classes may be billed for an input token.
_INPUT = ("input_usd_per_mtok", "cache_read_usd_per_mtok", "cache_write_usd_per_mtok", "cache_write_1h_usd_per_mtok")
_OUTPUT = ("output_usd_per_mtok",)
_REQUESTS = "requests_usd_per_thousand"
# The provider chooses the tier of a request that asks for this one.
_ANY_TIER = "auto"
# Tiers of the list whose prices are above the standard ones, or may be.
_DEAR_TIERS = ("priority", "fast", "flex")


class WorstPrice:
    """The dearest of the prices that may apply to a request."""

    def __init__(self, prices: Sequence[PriceSnapshot]) -> None:
        """`prices`: of each service tier that may serve it; at least one."""
        if not prices:
            raise ValueError("there must be a price")
        self._documents = [price.document for price in prices]

    def micro_usd(self, input_tokens: int, output_tokens: int) -> int:
        """For a request of at most so many tokens, in micro-dollars, rounded up."""
        return max(_cost(document, input_tokens, output_tokens) for document in self._documents)


def worst_price(
    base: PriceSnapshot | None, endpoint: Endpoint, spec: BenchmarkSpec, price_list: PriceList, at: datetime
) -> WorstPrice | None:
    """The dearest of `base`, the price of the standard tier, and of the tiers that requests may ask for.

    None if `base` is: the price of the model is not known.
    """
    if base is None:
        return None
    if endpoint.prices is not None or endpoint.price_provider is None:
        return WorstPrice([base])
    provider = None if endpoint.price_provider == "*" else endpoint.price_provider
    others = [price_list.snapshot(spec.model, provider, at, tier) for tier in sorted(_tiers(spec, endpoint))]
    return WorstPrice([base, *(price for price in others if price is not None)])


def _tiers(spec: BenchmarkSpec, endpoint: Endpoint) -> set[str]:
    """Each service tier that may serve requests of a benchmark, beside the standard one."""
    of_prompts = [prompt.parameters.service_tier for prompt in spec.prompts]
    fields = (spec.extra_body.get("service_tier"), endpoint.extra_body.get("service_tier"))
    tiers: set[str] = set()
    for asked in (spec.parameters.service_tier, *of_prompts, *fields):
        if asked and isinstance(asked, str):
            tier = asked.strip().lower()
            tiers |= set(_DEAR_TIERS) if tier == _ANY_TIER else {tier}
    return tiers


def _cost(document: dict[str, Any], input_tokens: int, output_tokens: int) -> int:
    # USD for a million tokens are micro-dollars for one.
    micros = input_tokens * _dearest(document, _INPUT, input_tokens)
    micros += output_tokens * _dearest(document, _OUTPUT, input_tokens)
    micros += Decimal(document.get(_REQUESTS) or 0) * MICROS_A_USD / 1_000
    return math.ceil(micros)


def _dearest(document: dict[str, Any], classes: Sequence[str], input_tokens: int) -> Decimal:
    """The dearest price of a token in USD per million, of these classes and of the tiers that may be reached."""
    dearest = Decimal(0)
    for name in classes:
        price = document.get(name)
        if isinstance(price, dict):
            reached = [tier["price"] for tier in price["tiers"] if tier["above_input_tokens"] < input_tokens]
            dearest = max(dearest, *map(Decimal, (price["base"], *reached)))
        elif price is not None:
            dearest = max(dearest, Decimal(price))
    return dearest
