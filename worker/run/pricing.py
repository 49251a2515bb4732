"""What a run's requests cost, by the prices in force at its start. Those that were used are stored with the benchmark.

An answer is priced as what it is. If it names another model or service tier than was asked for, it costs what that
costs. If that price is unknown, so is the cost. Prices that the operator configured for an endpoint always apply.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.benchmark.results.record import ResultRecord, Usage
from shared.benchmark.spec import BenchmarkSpec
from shared.providers.base_price import base_price
from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceList, PriceSnapshot, TokenCounts
from shared.providers.served_prices import Served, ServedPrices

# Words of providers for the tier that everyone gets.
STANDARD_TIERS = {"", "auto", "default", "on_demand", "standard", "standard_only"}
# Whoever asks for this tier lets the provider choose.
ANY_TIER = "auto"
# How many served models and tiers are remembered. Servers choose their names, so there may be many.
MOST_SERVED = 50


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether the served model is the one that was asked for, and its price."""

    is_asked_model: bool
    price: PriceSnapshot | None


class RunPrice:
    """The prices of a run. Without a price every cost is unknown."""

    def __init__(
        self,
        base: PriceSnapshot | None,
        served: ServedPrices,
        *,
        fixed: bool,
        asked_tier: Callable[[int], str | None] = lambda index: None,
        nothing: dict[str, Any] | None = None,
        stored: Iterable[dict[str, Any]] = (),
    ) -> None:
        """`fixed`: `base` prices every answer. `asked_tier`: what the prompt with this index asks for.

        `nothing`: the document of a model without a price, beside which served ones are stored. `stored`: the served
        prices of a resumed run.
        """
        self._base = base
        self._served = served
        self._fixed = fixed
        self._asked_tier = asked_tier
        self._nothing = nothing or {}
        self._others = {Served(item["served_model"], item["service_tier"]): PriceSnapshot(item) for item in stored}
        self._judged: dict[Served, Judged] = {}

    @property
    def base(self) -> PriceSnapshot | None:
        """The price of the model that was asked for, in the standard tier."""
        return self._base

    @property
    def document(self) -> dict[str, Any] | None:
        """The prices as stored with the benchmark. It grows when an answer needs another price."""
        base = None if self._base is None else self._base.document
        if not self._others:
            return base
        return {**(base or self._nothing), "served": [other.document for other in self._others.values()]}

    def settle(self, record: ResultRecord) -> bool:
        """Sets the cost of a result, and flags another model or tier than was asked for. True if `document` has grown.

        The cost is None, never zero, if the price or the token counts are unknown.
        """
        asked, tier = _lower(self._asked_tier(record.prompt_index)), _lower(record.service_tier)
        # An answer that does not say its tier counts as served in the one that was asked for.
        judged, grown = self._judge(Served(record.served_model or None, _special(tier or asked)))
        flags = set(record.flags)
        if not judged.is_asked_model:
            flags.add("served_model_differs")
        if tier and asked != ANY_TIER and _special(tier) != _special(asked):
            flags.add("service_tier_differs")
        record.flags = sorted(flags)
        counts = _counts(record.usage)
        if judged.price is not None and counts is not None:
            record.cost_usd = judged.price.cost_usd(counts)
        return grown

    def _judge(self, served: Served) -> tuple[Judged, bool]:
        """The judgement, and whether `document` has grown by it."""
        if served in self._judged:
            return self._judged[served], False
        is_asked_model = served.model is None or self._served.is_asked_model(served.model)
        price = self._base if self._fixed else self._others.get(served) or self._served.of(served)
        if len(self._judged) >= MOST_SERVED:
            self._judged.clear()
        self._judged[served] = judged = Judged(is_asked_model, price)
        if price is None or price is self._base or served in self._others or len(self._others) >= MOST_SERVED:
            return judged, False
        place = {"served_model": served.model, "service_tier": served.tier}
        self._others[served] = PriceSnapshot({**place, **price.document})
        return judged, True


def find_price(
    endpoint: Endpoint, spec: BenchmarkSpec, stored: dict[str, Any] | None, price_list: PriceList, at: datetime
) -> RunPrice:
    """The `stored` prices of a resumed run; else the endpoint's own; else the list's prices as of `at`."""
    provider_id = None if endpoint.price_provider == "*" else endpoint.price_provider
    base: PriceSnapshot | None = None
    fixed, others = endpoint.price_provider is None, []
    if stored is not None:
        others = stored.get("served", [])
        # A model without a price has a document too if served ones have a price.
        if "input_usd_per_mtok" in stored:
            base = PriceSnapshot({name: value for name, value in stored.items() if name != "served"})
        fixed = fixed or stored["source"] == "configured"
    else:
        base = base_price(endpoint, spec.model, price_list, at)
        fixed = fixed or endpoint.prices is not None
    return RunPrice(
        base,
        ServedPrices(spec.model, provider_id, base, price_list, at),
        fixed=fixed,
        asked_tier=lambda prompt_index: _asked_tier(spec, endpoint, prompt_index),
        nothing={"source": price_list.source, "provider": provider_id or endpoint.name, "model": spec.model},
        stored=others,
    )


def _asked_tier(spec: BenchmarkSpec, endpoint: Endpoint, prompt_index: int) -> str | None:
    """The service tier that this prompt asks for; None if it asks for none."""
    parameters = spec.parameters_at(prompt_index)
    for asked in (
        spec.extra_body.get("service_tier"),
        parameters.service_tier,
        endpoint.extra_body.get("service_tier"),
    ):
        if isinstance(asked, str):
            return asked
    return None


def _lower(tier: str | None) -> str:
    return "" if tier is None else tier.strip().lower()


def _special(tier: str) -> str | None:
    """The tier if it is not the standard one."""
    return None if tier in STANDARD_TIERS else tier


def _counts(usage: Usage) -> TokenCounts | None:
    """The tokens to price; None if they are unknown. A class of which the provider says nothing has no tokens."""
    uncached, output = usage.uncached_input_tokens, usage.output_tokens
    if uncached is None or output is None or usage.cache_unknown or usage.reasoning_unknown:
        return None
    read, write, write_1h = usage.cache_read_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens
    return TokenCounts(uncached, output, read or 0, write or 0, write_1h or 0)
