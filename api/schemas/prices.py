"""Prices, models and endpoints."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from shared.protocols.registry import ProtocolName


class Tier(BaseModel):
    """A price for large prompts."""

    above_input_tokens: int = Field(
        description="The price applies to all tokens of a request with more input tokens than this.", examples=[200000]
    )
    price: float = Field(description="Unit: USD per million tokens.", examples=[6.0])


class TieredPrice(BaseModel):
    """A price that depends on the size of the prompt."""

    base: float = Field(description="Below the first tier. Unit: USD per million tokens.", examples=[3.0])
    tiers: list[Tier] = Field(description="Prices for larger prompts.")


class Prices(BaseModel):
    """Prices by token class, in USD per million tokens. Null if a class has no price of its own."""

    input_usd_per_mtok: float | TieredPrice | None = Field(
        default=None, description="Input tokens. Unit: USD per million tokens.", examples=[0.25]
    )
    output_usd_per_mtok: float | TieredPrice | None = Field(
        default=None, description="Output tokens, reasoning included. Unit: USD per million tokens.", examples=[1.25]
    )
    cache_read_usd_per_mtok: float | TieredPrice | None = Field(
        default=None, description="Input tokens read from a cache. Unit: USD per million tokens.", examples=[0.03]
    )
    cache_write_usd_per_mtok: float | TieredPrice | None = Field(
        default=None, description="Input tokens written to a cache. Unit: USD per million tokens.", examples=[0.3]
    )
    cache_write_1h_usd_per_mtok: float | TieredPrice | None = Field(
        default=None,
        description="Input tokens written to a cache that keeps them for an hour. Unit: USD per million tokens.",
        examples=[0.5],
    )
    requests_usd_per_thousand: float | TieredPrice | None = Field(
        default=None,
        description="Fee of each request, in addition to its tokens. Unit: USD per thousand requests.",
        examples=[None],
    )


class ServedPrice(Prices):
    """The price of answers that came from another model or service tier than was asked for."""

    served_model: str | None = Field(
        description="The model as the answers name it. Null: they name none.", examples=["gpt-4o-mini-2024-07-18"]
    )
    service_tier: str | None = Field(
        description="The tier as the answers name it. Null: the standard one.", examples=["flex"]
    )
    source: str = Field(description="Price list that it comes from.", examples=["genai-prices 0.2.3"])
    provider: str = Field(description="Whose price it is.", examples=["openai"])
    model: str = Field(description="The price list's name of the model.", examples=["gpt-4o-mini"])


class PriceOut(Prices):
    """The price that a run's costs were computed with."""

    source: str = Field(
        description="Price list, or configuration, that it comes from.", examples=["genai-prices 0.2.3"]
    )
    provider: str = Field(description="Whose price it is.", examples=["anthropic"])
    model: str = Field(description="The price list's name of the model.", examples=["claude-3-haiku"])
    served: list[ServedPrice] = Field(
        default=[],
        description="Prices of answers that came from another model or service tier than was asked for. Their results "
        "are priced with these.",
    )


# The list has at most 12 for a model today.
MAX_ALIASES = 50


class ModelOut(BaseModel):
    """A model of the price list."""

    model: str = Field(description="The price list's id of the model.", examples=["claude-3-haiku"])
    name: str | None = Field(
        description="Its name for people. Null when the list has none.", examples=["Claude Haiku 3"]
    )
    provider: str = Field(description="The price list's id of the provider.", examples=["anthropic"])
    aliases: list[str] = Field(
        default=[],
        max_length=MAX_ALIASES,
        description="Other ids of the model in the list. A searched id that is the model only by a rule of the list, "
        "such as a dated or `-latest` one, comes first.",
        examples=[["claude-3-haiku-20240307"]],
    )
    endpoint: str | None = Field(
        description="Configured endpoint that this provider's models go to. Null when there is none.",
        examples=["anthropic"],
    )
    prices: Prices = Field(description="Prices in force today. Empty if the list has none.")
    context_window: int | None = Field(description="Unit: tokens. Null when unknown.", examples=[200000])
    deprecated: bool = Field(description="Whether the provider has announced its end.", examples=[False])


class ModelPage(BaseModel):
    """A page of models."""

    items: list[ModelOut] = Field(
        description="The models of this page: first those that a searched id names, then others, by provider and id."
    )
    total: int = Field(description="Models that match the search, on all pages.", examples=[2330])
    next_cursor: str | None = Field(
        description="Pass as `cursor` for the next page. Null on the last one.", examples=["WyJhbnRocm9waWMiXQ"]
    )


class MetricsUrlOut(BaseModel):
    """A Prometheus endpoint of the server under test."""

    url: str = Field(description="Where it is.", examples=["http://10.0.0.5:8000/metrics"])
    query: dict[str, str] = Field(description="Parameters of the URL.", examples=[{}])
    headers: dict[str, str] = Field(description="Headers.", examples=[{"authorization": "Bearer [redacted]"}])


class ProviderOut(BaseModel):
    """A configured endpoint. It shows the variable of the key, never the key."""

    name: str = Field(description="What `provider` of a benchmark refers to.", examples=["anthropic"])
    protocol: ProtocolName = Field(description="Wire protocol that it speaks.", examples=["anthropic"])
    base_url: str = Field(description="Where requests go.", examples=["https://api.anthropic.com"])
    fingerprint: str = Field(
        default="",
        description="Hash of name, protocol, base URL and all that decides what is measured (query, headers, options, "
        "`extra_body`, transport, TLS). No secret and no price is part of it.",
        examples=["9b0f6a52c1de4e7784c2f6a1d3b55e08"],
    )
    api_key_env: str | None = Field(
        description="Environment variable that holds its key. Null when it needs none.", examples=["ANTHROPIC_API_KEY"]
    )
    ready: bool = Field(description="Whether it needs no key, or a worker has its key.", examples=[True])
    models: list[str] = Field(
        description="Patterns of models that go to this endpoint if a benchmark names no provider.",
        examples=[["llama-*"]],
    )
    price_provider: str | None = Field(
        description="Provider of the price list whose prices apply; `*`: any that lists the model. Null: none.",
        examples=["anthropic"],
    )
    prices: Prices | None = Field(
        description="Prices configured in place of the price list's. Null: none.", examples=[None]
    )
    max_streams: int | None = Field(
        default=None,
        description="The most requests that all benchmarks together have in flight there, over all workers. Null: no "
        "bound.",
        examples=[64],
    )
    stand_in: bool = Field(description="Answers for models whose own provider has no key.", examples=[False])
    variables: list[str] = Field(
        default=[],
        description="Every environment variable that it needs where the workers run: that of the key, and those that "
        "`query`, `headers` and `metrics_urls` name.",
        examples=[["ANTHROPIC_API_KEY"]],
    )
    query: dict[str, str] = Field(
        default={}, description="Parameters of the URL, secrets masked.", examples=[{"api-version": "2024-10-21"}]
    )
    headers: dict[str, str] = Field(
        default={}, description="Configured headers, secrets masked.", examples=[{"x-team": "search"}]
    )
    key_header: str | None = Field(
        default=None, description="Header that carries the key. Null: that of the protocol.", examples=["api-key"]
    )
    extra_body: dict[str, Any] = Field(
        default={}, description="Further fields of each body, secrets masked.", examples=[{"ignore_eos": True}]
    )
    tls: dict[str, Any] | None = Field(
        default=None,
        description="Own CA, client certificate, and whether certificates are verified. Null: the defaults.",
        examples=[{"verify": True, "ca_file": "/etc/ssl/own-ca.pem"}],
    )
    metrics_urls: list[MetricsUrlOut] = Field(
        default=[], description="Prometheus endpoints that workers read during a run. Secrets are masked."
    )
    transport: Literal["auto", "sdk"] = Field(
        default="auto", description="`auto`: own sockets, or the SDK's client through a proxy.", examples=["auto"]
    )


class ProviderList(BaseModel):
    """All configured endpoints."""

    items: list[ProviderOut] = Field(description="The endpoints, sorted by name.")
