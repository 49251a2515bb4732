"""The price of a model at an endpoint: for the worker, which prices results, and for the API, which estimates."""

from datetime import datetime
from decimal import Decimal

from shared.providers.endpoints import Endpoint
from shared.providers.prices import PriceList, PriceSnapshot, override


def base_price(endpoint: Endpoint, model: str, price_list: PriceList, at: datetime) -> PriceSnapshot | None:
    """The endpoint's own price; else the list's as of `at`, for the standard tier. None if it is unknown."""
    if endpoint.prices is not None:
        prices: dict[str, Decimal] = endpoint.prices.model_dump(exclude_none=True)
        return override(prices, model, endpoint.name)
    if endpoint.price_provider is None:
        return None
    return price_list.snapshot(model, None if endpoint.price_provider == "*" else endpoint.price_provider, at)
