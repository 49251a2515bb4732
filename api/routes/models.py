"""`/models` and `/providers`: what can be measured, where, and at what price."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.cursor import decode_cursor, encode_cursor
from api.routes.benchmarks import INVALID
from api.schemas.prices import ModelOut, ModelPage, Prices, ProviderList, ProviderOut
from api.state import Parts

router = APIRouter(tags=["models"])


class ModelQuery(BaseModel):
    """Which models."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Words that id, name or provider must contain, whatever the case.", examples=["haiku"]
    )
    provider: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="Only this provider of the price list, exactly.", examples=["anthropic"]
    )
    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the page before."
    )
    limit: int = Field(default=50, ge=1, le=500, description="Models on a page.")


@router.get("/models", summary="List the price list's models", responses=INVALID)
async def list_models(query: Annotated[ModelQuery, Query()], parts: Parts) -> ModelPage:
    """Every model that the price list knows. A model that is not listed can be measured too; its cost is unknown."""
    await parts.price_list.loaded()
    words = (query.q or "").lower().split()
    after = decode_cursor(query.cursor, str, str) if query.cursor else None
    by_price_provider = {item.price_provider: item.name for item in reversed(list(parts.endpoints))}
    found = [
        item
        for item in parts.price_list.models(parts.clock.wall_now())
        if (query.provider is None or item.provider == query.provider)
        and all(word in f"{item.provider} {item.model} {item.name or ''}".lower() for word in words)
    ]
    rest = [item for item in found if after is None or (item.provider, item.model) > after]
    page = rest[: query.limit]
    return ModelPage(
        items=[
            ModelOut(
                model=item.model,
                name=item.name,
                provider=item.provider,
                endpoint=by_price_provider.get(item.provider),
                prices=Prices.model_validate(item.prices),
                context_window=item.context_window,
                deprecated=item.deprecated,
            )
            for item in page
        ],
        total=len(found),
        next_cursor=encode_cursor(page[-1].provider, page[-1].model) if len(rest) > len(page) else None,
    )


@router.get("/providers", summary="List the configured endpoints")
async def list_providers(parts: Parts) -> ProviderList:
    """Where benchmarks can go. Shows which variable holds a key and whether somebody holds it, never the key."""
    has_key = await parts.submitter.key_holders()
    return ProviderList(
        items=[
            ProviderOut(
                name=endpoint.name,
                protocol=endpoint.protocol,
                base_url=endpoint.base_url,
                api_key_env=endpoint.api_key_env,
                ready=has_key(endpoint),
                models=list(endpoint.models),
                price_provider=endpoint.price_provider,
                prices=Prices.model_validate(endpoint.prices.model_dump()) if endpoint.prices else None,
                stand_in=endpoint.stand_in,
            )
            for endpoint in sorted(parts.endpoints, key=lambda item: item.name)
        ]
    )
