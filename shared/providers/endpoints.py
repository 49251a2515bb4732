"""Named endpoints that can be measured, and which of them a benchmark's model belongs to."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.benchmark.extra_body import ExtraBody
from shared.errors import MissingKey, UnknownModel, UnknownProvider
from shared.network import http_url
from shared.protocols.base import Options
from shared.protocols.registry import PROTOCOLS, ProtocolName, protocol_named
from shared.providers.endpoint_tls import Tls
from shared.providers.metrics_urls import MetricsUrls
from shared.providers.prices import PriceList
from shared.providers.values import HeaderName, Headers, Query


class PriceOverride(BaseModel):
    """Prices of an endpoint that the price list does not know. USD per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    input_usd_per_mtok: Decimal = Field(ge=0)
    output_usd_per_mtok: Decimal = Field(ge=0)
    cache_read_usd_per_mtok: Decimal | None = Field(default=None, ge=0)
    cache_write_usd_per_mtok: Decimal | None = Field(default=None, ge=0)
    cache_write_1h_usd_per_mtok: Decimal | None = Field(default=None, ge=0)


class Endpoint(BaseModel):
    """One place to send requests to. It names the environment variable of its key and never holds the key.

    Further keys are options of the protocol. A key that the protocol does not know is refused.
    """

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$", description="What `provider` in a benchmark refers to.")
    protocol: ProtocolName = Field(
        description="The wire protocol that the endpoint speaks: "
        + ", ".join(f"`{name}` ({protocol.title})" for name, protocol in PROTOCOLS.items())
    )
    base_url: str = Field(
        description="As the protocol's official SDK takes it: `https://api.anthropic.com`, `http://127.0.0.1:8000/v1`."
    )
    api_key_env: str | None = Field(
        default=None, description="Environment variable that holds the key. Left out if the endpoint needs none."
    )
    models: tuple[str, ...] = Field(
        default=(), description="Patterns (`llama-*`) of models that belong here when a benchmark names no provider."
    )
    prices: PriceOverride | None = Field(default=None, description="Prices that replace those of the price list.")
    price_provider: str | None = Field(
        default=None,
        description="The provider in the price list whose prices apply; `*`: any provider that lists the model. "
        "If left out, requests have no price, unless `prices` is set.",
    )
    transport: Literal["auto", "sdk"] = Field(
        default="auto",
        description="`auto`: the measuring engine's own sockets, or the SDK's client if a proxy is set for the "
        "endpoint. `sdk`: always the SDK's client, which measures less exactly.",
    )
    query: Query = Field(
        default_factory=dict,
        description='Parameters of the URL of every request, such as `api-version`. A value is a text, or `{"env": '
        '"NAME"}` for a secret that the variable NAME holds.',
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Headers of every request; their values are like those of `query`. They replace the SDK's headers "
        "of the same name.",
    )
    key_header: HeaderName | None = Field(
        default=None,
        description="The header that carries the key, such as `api-key`. `Authorization` carries it as `Bearer`. If "
        "left out: the header of the protocol's SDK.",
    )
    extra_body: ExtraBody = Field(
        default_factory=dict,
        description="Further fields for the body of every request. Parameters and the benchmark's own `extra_body` "
        "win over them.",
    )
    tls: Tls | None = Field(default=None, description="Own CA, client certificate, or no verification.")
    metrics_urls: MetricsUrls = Field(
        default=(),
        description="Prometheus endpoints of the server and its GPUs, which workers read once a second during a run.",
    )
    max_streams: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="The most requests that all benchmarks together may have in flight there, over all workers. A "
        "benchmark waits until there is room for its own. If left out: no bound.",
    )
    stand_in: bool = Field(
        default=False,
        description="Answers for models whose own provider has no key (the simulator of the embedded stack).",
    )

    @field_validator("base_url")
    @classmethod
    def _http_without_credentials(cls, value: str) -> str:
        instead = "name the key's variable in `api_key_env`, put parameters into `query`"
        return http_url.check(value, instead).rstrip("/")

    @model_validator(mode="after")
    def _consistent(self) -> "Endpoint":
        if self.tls is not None and not self.base_url.startswith("https://"):
            raise ValueError("tls is for https:// URLs, and base_url is none")
        if self.key_header is not None:
            if self.api_key_env is None:
                raise ValueError("key_header needs a key: name its variable in api_key_env")
            if self.key_header.lower() in {name.lower() for name in self.headers}:
                raise ValueError("key_header and headers name the same header: one of them must go")
        return self

    @model_validator(mode="after")
    def _options_of_the_protocol(self) -> "Endpoint":
        """Raises what `options` raises: pydantic then names the option beside the endpoint's own fields."""
        self.options  # noqa: B018
        return self

    # An endpoint is the key of its adapter. Endpoints of one name are compared field by field.
    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def variables(self) -> tuple[str, ...]:
        """Every environment variable that it needs: that of the key, those of `query`, `headers` and `metrics_urls`."""
        of_metrics = (value for url in self.metrics_urls for value in url.values)
        values = (*self.query.values(), *self.headers.values(), *of_metrics)
        names = (self.api_key_env, *(value.env for value in values))
        return tuple(dict.fromkeys(name for name in names if name is not None))

    @property
    def shown_query(self) -> dict[str, str]:
        """The parameters of the URL with secrets masked."""
        return {name: value.shown(name) for name, value in self.query.items()}

    @property
    def shown_headers(self) -> dict[str, str]:
        """The configured headers with secrets masked."""
        return {name: value.shown(name) for name, value in self.headers.items()}

    @property
    def options(self) -> Options:
        """How this endpoint differs from others of its protocol."""
        return protocol_named(self.protocol).options.model_validate(self.model_extra)


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of endpoints that a new version of the file added, changed or removed."""

    added: Sequence[str] = ()
    changed: Sequence[str] = ()
    removed: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


class EndpointRegistry:
    """All configured endpoints by name. Those of PROVIDERS_FILE may be replaced while the program runs."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        price_list: PriceList,
        *,
        of_file: Iterable[Endpoint] = (),
        over_file: Iterable[Endpoint] = (),
    ) -> None:
        """The last endpoint of a name wins: `endpoints`, then `of_file`, then `over_file`."""
        self._below, self._above = tuple(endpoints), tuple(over_file)
        # Never changed in place, because snapshots share it.
        self._by_name = self._merged(of_file)
        self._price_list = price_list

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._by_name.values())

    def replace_file(self, of_file: Iterable[Endpoint]) -> Changes:
        """Takes these endpoints in place of those that the file had before."""
        before, after = self._by_name, self._merged(of_file)
        self._by_name = after
        return Changes(
            added=sorted(after.keys() - before.keys()),
            changed=sorted(name for name in after.keys() & before.keys() if after[name] != before[name]),
            removed=sorted(before.keys() - after.keys()),
        )

    def snapshot(self) -> "EndpointRegistry":
        """The endpoints of now: `replace_file` of this registry does not change the snapshot."""
        return copy(self)

    def _merged(self, of_file: Iterable[Endpoint]) -> dict[str, Endpoint]:
        return {endpoint.name: endpoint for endpoint in (*self._below, *of_file, *self._above)}

    def get(self, name: str) -> Endpoint | None:
        return self._by_name.get(name)

    async def loaded(self) -> None:
        """Returns when the price list is loaded, so that `resolve` does not block the event loop."""
        await self._price_list.loaded()

    def resolve(self, model: str, provider: str | None, has_key: Callable[[Endpoint], bool]) -> Endpoint:
        """The endpoint of a benchmark: the one it names, else the one its model belongs to.

        Order without a name: an endpoint whose `models` patterns match; the provider that the price list
        knows for the model, if there is a key for it; a stand-in of the same protocol.
        Raises UnknownProvider, UnknownModel or MissingKey, each naming the field and what to do.
        """
        if provider is not None:
            return self._with_key(self._named(provider), has_key, field="provider")
        for endpoint in self._by_name.values():
            if any(fnmatchcase(model, pattern) for pattern in endpoint.models):
                return self._with_key(endpoint, has_key, field="model")
        owner = self._owner(model)
        if owner is not None and has_key(owner):
            return owner
        stand_in = self._stand_in(model, owner)
        if stand_in is not None:
            return stand_in
        if owner is not None:
            return self._with_key(owner, has_key, field="model")
        raise UnknownModel.of(
            "model",
            "no configured endpoint is known to serve this model: name one in `provider` "
            f"(configured: {', '.join(sorted(self._by_name))})",
            UnknownModel.code,
        )

    def _named(self, provider: str) -> Endpoint:
        endpoint = self._by_name.get(provider)
        if endpoint is None:
            raise UnknownProvider.of(
                "provider",
                f"no endpoint has this name; configured: {', '.join(sorted(self._by_name))}",
                UnknownProvider.code,
            )
        return endpoint

    def _owner(self, model: str) -> Endpoint | None:
        provider_id = self._price_list.provider_of(model)
        if provider_id is None:
            return None
        return next((item for item in self._by_name.values() if item.price_provider == provider_id), None)

    def _stand_in(self, model: str, owner: Endpoint | None) -> Endpoint | None:
        stand_ins = [endpoint for endpoint in self._by_name.values() if endpoint.stand_in]
        if owner is None and self._price_list.provider_of(model) is None:
            return None
        protocol = owner.protocol if owner else "openai"
        return next((endpoint for endpoint in stand_ins if endpoint.protocol == protocol), None)

    @staticmethod
    def _with_key(endpoint: Endpoint, has_key: Callable[[Endpoint], bool], field: str) -> Endpoint:
        if not has_key(endpoint):
            needed = "a key" if endpoint.variables == (endpoint.api_key_env,) else "secrets"
            raise MissingKey.of(
                field,
                f"endpoint {endpoint.name!r} needs {needed}: set {' and '.join(endpoint.variables)} "
                f"(or {', '.join(f'{name}_FILE' for name in endpoint.variables)}) where the workers run",
                MissingKey.code,
            )
        return endpoint
