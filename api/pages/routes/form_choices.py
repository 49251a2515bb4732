"""What the form for a new benchmark offers: endpoints, datasets, and models with their prices."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.access.needs import needs
from api.pages.site import page
from api.schemas.prices import Prices, TieredPrice
from api.state import Parts, State
from shared.providers.model_search import ModelSearch
from shared.workloads.formats.options import kind_of

router = APIRouter(prefix="/ui", include_in_schema=False, dependencies=[needs("read")])

MAX_MODELS = 30
MAX_DATASETS = 200

Choices = Sequence[tuple[str, str]]


@router.get("/benchmarks/new/models")
async def models(
    request: Request,
    parts: Parts,
    model: Annotated[str, Query(max_length=200)] = "",
    provider: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The models that match what was typed so far, with their prices, as options of a list."""
    search = ModelSearch(parts.price_list, parts.endpoints)
    # In a thread, because the first search waits until the list is loaded.
    found = await asyncio.to_thread(search.find, model, None)
    now = parts.clock.wall_now()
    if provider:
        # Those of the chosen endpoint first.
        found = sorted(found, key=lambda item: item.endpoint != provider)
    offers = [
        (item.model.model, f"{item.model.model}, {item.model.provider}: {price_words(item.model.prices(now))}")
        for item in found[:MAX_MODELS]
    ]
    return page(request, "new/models.html", models=offers)


def price_words(prices: object) -> str:
    """`$0.25 in, $1.25 out per million tokens`."""
    known = Prices.model_validate(prices)
    words = [
        f"from ${price.base:.4g} {direction}" if isinstance(price, TieredPrice) else f"${price:.4g} {direction}"
        for price, direction in ((known.input_usd_per_mtok, "in"), (known.output_usd_per_mtok, "out"))
        if price is not None
    ]
    return f"{', '.join(words)} per million tokens" if words else "no price by tokens"


async def providers(parts: State) -> Choices:
    """Endpoints by name. Those that no worker can use say what they need."""
    has_key = await parts.submitter.key_holders()
    found = [("", "chosen by the model")]
    for endpoint in sorted(parts.endpoints, key=lambda item: (not has_key(item), item.name)):
        words = f"{endpoint.name}: {endpoint.base_url}"
        if not has_key(endpoint):
            words = f"{endpoint.name}: no worker has {' and '.join(endpoint.variables)}"
        found.append((endpoint.name, words))
    return found


async def datasets(parts: State) -> Choices:
    """The newest datasets of prompts."""
    found = await parts.datasets.page(before_id=None, limit=MAX_DATASETS)
    return [
        (str(item.id), f"{item.id}: {item.name} ({item.rows:,} rows)")
        for item in found
        if kind_of(item.format) == "prompts"
    ]
