"""What a run's requests cost, by the price in force at its start. That price is stored with the benchmark."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.benchmark.record import Usage
from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceList, PriceSnapshot, TokenCounts, override


class RunPrice:
    """The price of a run's model. Without a price (`snapshot` is None) every cost is unknown."""

    def __init__(self, snapshot: PriceSnapshot | None) -> None:
        self._snapshot = snapshot

    @property
    def document(self) -> dict[str, Any] | None:
        """The price as stored with the benchmark."""
        return None if self._snapshot is None else self._snapshot.document

    def cost_usd(self, usage: Usage) -> Decimal | None:
        """The cost of one request; None, never zero, if the price or the token counts are unknown."""
        uncached, output = usage.uncached_input_tokens, usage.output_tokens
        if self._snapshot is None or uncached is None or output is None:
            return None
        read, write = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
        return self._snapshot.cost_usd(TokenCounts(uncached, output, read, write))


def find_price(
    endpoint: Endpoint, model: str, stored: dict[str, Any] | None, price_list: PriceList, at: datetime
) -> RunPrice:
    """The `stored` price of a resumed run; else the endpoint's own; else the list's price as of `at`."""
    if stored is not None:
        return RunPrice(PriceSnapshot(stored))
    if endpoint.prices is not None:
        prices: dict[str, Decimal] = endpoint.prices.model_dump(exclude_none=True)
        return RunPrice(override(prices, model, endpoint.name))
    if endpoint.price_provider is not None:
        provider = None if endpoint.price_provider == "*" else endpoint.price_provider
        return RunPrice(price_list.snapshot(model, provider, at))
    return RunPrice(None)
