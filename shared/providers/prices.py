"""What a token costs: the price list (package `genai-prices`), prices of an endpoint, and the snapshot kept with a run.

A snapshot is plain JSON and is all that is needed to price a request again later. A model without a price has no
snapshot. Its cost is unknown (null), never zero, and never that of a similar model.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

# The price classes of the list that this service's requests can use, by the name that we give them.
PRICE_CLASSES = {
    "input_usd_per_mtok": "input_mtok",
    "output_usd_per_mtok": "output_mtok",
    "cache_read_usd_per_mtok": "cache_read_mtok",
    "cache_write_usd_per_mtok": "cache_write_mtok",
    "cache_write_1h_usd_per_mtok": "cache_write_1h_mtok",
    # A fee for each request, beside its tokens (Perplexity).
    "requests_usd_per_thousand": "requests_kcount",
}

# What may follow a prefix of the list if it is to remain the same model: a date, a version, "latest".
_VERSION_SUFFIX = re.compile(
    r"^(?:[-@:](?:\d{8}|\d{4}-\d{2}-\d{2}|\d{2}-\d{2}|\d{4}|latest|v\d+(?::\d+)?|\d{3}))*$", re.IGNORECASE
)

# The end of a part of an id that the list cuts inside a version.
_CUT_VERSION = re.compile(r"[-@:]\d+$")

_CUT_DATE = re.compile(r"[-@]20\d{2}\d{0,3}$")


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """What one request used, each token once: `uncached_input` leaves cached tokens out; output includes reasoning.

    `cache_write_1h`: the part of `cache_write` that lives for an hour.
    """

    uncached_input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0


@dataclass(frozen=True, slots=True)
class PricedModel:
    """A model of the price list, as `GET /models` shows it. `aliases`: other ids that the list names exactly."""

    model: str
    name: str | None
    provider: str
    aliases: tuple[str, ...]
    context_window: int | None
    deprecated: bool
    entry: "ModelInfo"
    # In lower case: its ids, and the text in which words are searched.
    ids: frozenset[str]
    text: str

    def prices(self, at: datetime) -> dict[str, Any]:
        """The prices at this time, by our names, in USD per million tokens."""
        return _to_document(self.entry.get_prices(at))


class PriceSnapshot:
    """The price in force when a run started. `document` is its JSON: prices as decimal strings, tiers, source."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._price = _to_model_price(document)

    def cost_usd(self, counts: TokenCounts) -> Decimal | None:
        """USD for one request: each token class once at its own price. The library does the arithmetic.

        A cache class without a price of its own costs the input price, as providers without cache discounts bill.
        None if tokens were written for an hour, and only the lower price of five minutes is known.
        """
        from genai_prices import Usage

        hour = min(counts.cache_write_1h, counts.cache_write)
        if hour and "cache_write_usd_per_mtok" in self.document and "cache_write_1h_usd_per_mtok" not in self.document:
            return None

        cache_read, cache_write = counts.cache_read, counts.cache_write
        uncached = counts.uncached_input
        usage: dict[str, int] = {"output_tokens": counts.output}
        usage["input_tokens"] = uncached + cache_read + cache_write
        if cache_read and "cache_read_usd_per_mtok" in self.document:
            usage["cache_read_tokens"] = cache_read
        if cache_write and self._price.cache_write_mtok is not None:
            usage["cache_write_tokens"] = cache_write
            if hour:
                usage["cache_write_1h_tokens"] = hour
        return Decimal(self._price.calc_price(Usage(**usage))["total_price"])


class PriceList:
    """The bundled list of `genai-prices`. It is loaded when it is first used, and that takes 0.2 s."""

    def __init__(self) -> None:
        self._loaded = False

    async def loaded(self) -> None:
        """Returns when the list is loaded. The event loop is not blocked."""
        if not self._loaded:
            await asyncio.to_thread(self._providers)
            self._loaded = True

    def provider_of(self, model: str) -> str | None:
        """The price list's provider id for a model that it knows, e.g. `anthropic`; else None."""
        found = self._find(model, None)
        return found[0].id if found else None

    def snapshot(
        self, model: str, provider_id: str | None, at: datetime, tier: str | None = None
    ) -> PriceSnapshot | None:
        """The price at this time; None if unknown. `provider_id` None: the provider that the list infers.

        `tier`: a service tier in lower case; None is the standard one. Few models have prices for others.
        """
        found = self._find(model, provider_id)
        if found is None:
            return None
        provider, info = found
        if tier is not None and not _has_tier(provider, info, tier, at):
            return None
        document = _to_document(info.get_prices(at, None if tier is None else _tier_context(tier)))
        if "input_usd_per_mtok" not in document or "output_usd_per_mtok" not in document:
            return None
        return PriceSnapshot({"source": self.source, "provider": provider.id, "model": info.id, **document})

    @property
    def source(self) -> str:
        """Name and version of the list, as stored with prices."""
        return f"genai-prices {version('genai-prices')}"

    def has_same_entry(self, model: str, other: str, provider_id: str | None) -> bool:
        """Whether the list has one entry for both names."""
        found, found_other = self._find(model, provider_id), self._find(other, provider_id)
        return found is not None and found_other is not None and found[1] is found_other[1]

    @cached_property
    def models(self) -> tuple[PricedModel, ...]:
        """Every model of the list, by provider and id."""
        return tuple(
            _priced_model(provider.id, info)
            for provider in sorted(self._providers(), key=lambda item: item.id)
            for info in sorted(provider.models, key=lambda item: item.id)
        )

    def listed(self, model: str, provider_id: str | None) -> tuple[str, str] | None:
        """(provider, id) of the entry of the list that prices this model, as `snapshot` finds it; else None."""
        found = self._find(model, provider_id)
        if found is None:
            return None
        provider, info = found
        # A cloud may take its price from the entry of the model's own provider.
        owners = [
            provider,
            *(item for item in self._providers() if item.id in (provider.fallback_model_providers or ())),
        ]
        return next((owner.id, info.id) for owner in owners if any(item is info for item in owner.models))

    def _providers(self) -> "list[Provider]":
        from genai_prices import data_snapshot

        return data_snapshot.get_snapshot().providers

    def _find(self, model: str, provider_id: str | None) -> "tuple[Provider, ModelInfo] | None":
        from genai_prices.data_snapshot import DataSnapshot

        # A new snapshot each time: the shared one keeps every id that was ever looked up in it.
        snapshot = DataSnapshot(self._providers(), from_auto_update=False)
        try:
            provider, info = snapshot.find_provider_model(model, None, provider_id, None)
        except LookupError:
            return None
        return (provider, info) if _is_same_model(model, info) else None


def override(prices: dict[str, Decimal], model: str, provider: str) -> PriceSnapshot:
    """A snapshot from prices that the operator configured for an endpoint."""
    document = {key: str(value) for key, value in prices.items()}
    return PriceSnapshot({"source": "configured", "provider": provider, "model": model, **document})


def _is_same_model(model: str, info: "ModelInfo") -> bool:
    """False if the list matches only a part and the rest names another model (`gpt-4o` for `gpt-4o-foo`)."""
    from genai_prices.types import ClauseAnd, ClauseContains, ClauseOr, ClauseStartsWith

    def holds(clause: Any) -> bool:
        if isinstance(clause, ClauseOr):
            return any(holds(item) for item in clause.or_)
        if isinstance(clause, ClauseAnd):
            return clause.is_match(name) and any(holds(item) for item in clause.and_)
        if isinstance(clause, ClauseStartsWith) and clause.is_match(name):
            # Some prefixes end inside a date: `claude-sonnet-4-2025`.
            cut_date = _CUT_DATE.search(clause.starts_with)
            start = len(clause.starts_with) if cut_date is None else cut_date.start()
            return bool(_VERSION_SUFFIX.match(name[start:]))
        if isinstance(clause, ClauseContains) and clause.is_match(name):
            part = clause.contains.lower()
            end = name.rindex(part) + len(part)
            # Some parts end inside a version: `gemini-2.0-flash-0`.
            cut = _CUT_VERSION.search(part)
            starts = (end, end if cut is None else end - len(cut[0]))
            return any(_VERSION_SUFFIX.match(name[start:]) for start in starts)
        return bool(clause.is_match(name))

    name = model.lower()
    return name == info.id.lower() or holds(info.match)


def _tier_context(tier: str) -> dict[str, str]:
    """How the list names a service tier."""
    return {"processing": "batch"} if tier == "batch" else {"service_tier": tier}


def _has_tier(provider: "Provider", info: "ModelInfo", tier: str, at: datetime) -> bool:
    """Whether the list has prices of this tier. They are those of the model's own provider, not of a cloud."""
    return any(info is model for model in provider.models) and any(
        variant.when == _tier_context(tier) and (variant.constraint is None or variant.constraint.active(at))
        for variant in info.price_variants or ()
    )


def _priced_model(provider: str, info: "ModelInfo") -> PricedModel:
    aliases = _aliases(info)
    return PricedModel(
        model=info.id,
        name=info.name,
        provider=provider,
        aliases=aliases,
        context_window=info.context_window,
        deprecated=bool(info.deprecated),
        entry=info,
        ids=frozenset(name.lower() for name in (info.id, *aliases)),
        text=" ".join([provider, info.id, info.name or "", *aliases]).lower(),
    )


def _aliases(info: "ModelInfo") -> tuple[str, ...]:
    from genai_prices.types import ClauseEquals, ClauseOr

    def named(clause: Any) -> Iterator[str]:
        if isinstance(clause, ClauseEquals):
            yield clause.equals
        elif isinstance(clause, ClauseOr):
            for item in clause.or_:
                yield from named(item)

    return tuple(alias for alias in dict.fromkeys(named(info.match)) if alias != info.id)


def _to_document(price: "ModelPrice") -> dict[str, Any]:
    from genai_prices.types import TieredPrices

    document: dict[str, Any] = {}
    for ours, theirs in PRICE_CLASSES.items():
        value = getattr(price, theirs)
        if isinstance(value, TieredPrices):
            document[ours] = {
                "base": str(value.base),
                "tiers": [{"above_input_tokens": tier.start, "price": str(tier.price)} for tier in value.tiers],
            }
        elif value is not None:
            document[ours] = str(value)
    return document


def _to_model_price(document: dict[str, Any]) -> "ModelPrice":
    from genai_prices.types import ModelPrice, Tier, TieredPrices

    prices: dict[str, Any] = {}
    for ours, theirs in PRICE_CLASSES.items():
        value = document.get(ours)
        if isinstance(value, dict):
            tiers = [Tier(start=tier["above_input_tokens"], price=Decimal(tier["price"])) for tier in value["tiers"]]
            prices[theirs] = TieredPrices(base=Decimal(value["base"]), tiers=tiers)
        elif value is not None:
            prices[theirs] = Decimal(value)
    if "cache_write_1h_mtok" in prices:
        # The library has no price of an hour alone.
        prices.setdefault("cache_write_mtok", prices["input_mtok"])
    return ModelPrice(**prices)
