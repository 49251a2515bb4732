"""`/models` and `/providers`: the models with prices, and the configured endpoints."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access.needs import needs
from api.lists.cursor import decode_cursor, encode_cursor
from api.routes.benchmarks import INVALID
from api.schemas.prices import MAX_ALIASES, MetricsUrlOut, ModelOut, ModelPage, Prices, ProviderList, ProviderOut
from api.state import Parts
from shared.providers.model_search import ModelSearch
from shared.scrubber import without_secrets

router = APIRouter(tags=["models"], dependencies=[needs("read")])


class ModelQuery(BaseModel):
    """Which models."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[str, Field(max_length=200)] | None = Field(
        default=None,
        description="Words that id, aliases, name or provider must contain; upper and lower case are the same. A whole "
        "model id, as `POST /benchmarks` takes it, finds the model that sets its price, even if the list has no such "
        "id, as for a dated one. That model comes first.",
        examples=["haiku"],
    )
    provider: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="Only this provider of the price list, exactly.", examples=["anthropic"]
    )
    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the previous page."
    )
    limit: int = Field(default=50, ge=1, le=500, description="Models on a page.")


@router.get("/models", operation_id="listModels", summary="List the price list's models", responses=INVALID)
async def list_models(query: Annotated[ModelQuery, Query()], parts: Parts) -> ModelPage:
    """The models of the price list, best match first. Other models can be measured too; their cost is unknown."""
    after = decode_cursor(query.cursor, int, str, str) if query.cursor else None
    search = ModelSearch(parts.price_list, parts.endpoints)
    # In a thread, because the first search waits until the list is loaded.
    found = await asyncio.to_thread(search.find, query.q or "", query.provider)
    now = parts.clock.wall_now()
    rest = [item for item in found if after is None or item.key > after]
    page = rest[: query.limit]
    return ModelPage(
        items=[
            ModelOut(
                model=item.model.model,
                name=item.model.name,
                provider=item.model.provider,
                aliases=list(item.aliases[:MAX_ALIASES]),
                endpoint=item.endpoint,
                prices=Prices.model_validate(item.model.prices(now)),
                context_window=item.model.context_window,
                deprecated=item.model.deprecated,
            )
            for item in page
        ],
        total=len(found),
        next_cursor=encode_cursor(*page[-1].key) if len(rest) > len(page) else None,
    )


@router.get("/providers", operation_id="listProviders", summary="List the configured endpoints")
async def list_providers(parts: Parts) -> ProviderList:
    """The endpoints that benchmarks can use. Shows which variables hold secrets and whether they are set, no secret."""
    has_key = await parts.submitter.key_holders()
    return ProviderList(
        items=[
            ProviderOut(
                name=endpoint.name,
                protocol=endpoint.protocol,
                base_url=endpoint.base_url,
                fingerprint=parts.identities.of(endpoint).fingerprint,
                api_key_env=endpoint.api_key_env,
                ready=has_key(endpoint),
                models=list(endpoint.models),
                price_provider=endpoint.price_provider,
                prices=Prices.model_validate(endpoint.prices.model_dump()) if endpoint.prices else None,
                max_streams=endpoint.max_streams,
                stand_in=endpoint.stand_in,
                variables=list(endpoint.variables),
                query=endpoint.shown_query,
                headers=endpoint.shown_headers,
                key_header=endpoint.key_header,
                extra_body=without_secrets(endpoint.extra_body),
                tls=endpoint.tls.model_dump(mode="json") if endpoint.tls else None,
                metrics_urls=[MetricsUrlOut.model_validate(url.shown()) for url in endpoint.metrics_urls],
                transport=endpoint.transport,
            )
            for endpoint in sorted(parts.endpoints, key=lambda item: item.name)
        ]
    )
