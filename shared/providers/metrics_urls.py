"""The Prometheus endpoints of a server under test. Only the operator names them: workers fetch what they say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from shared.network import http_url
from shared.providers.values import Headers, Query, Value

MAX_URLS = 16


@dataclass(frozen=True, slots=True)
class MetricsRequest:
    """What to send to read the metrics. It holds the secrets."""

    url: str
    headers: tuple[tuple[str, str], ...]


class MetricsUrl(BaseModel):
    """A URL with what its requests need."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(max_length=2_000)
    query: Query = Field(default_factory=dict)
    headers: Headers = Field(default_factory=dict)

    @field_validator("url")
    @classmethod
    def _http_without_credentials(cls, value: str) -> str:
        if not value.isascii():
            raise ValueError("must be ASCII")
        return http_url.check(value, "put parameters into `query` and `headers`")

    @property
    def values(self) -> tuple[Value, ...]:
        """The values of its query and headers."""
        return (*self.query.values(), *self.headers.values())

    def request(self, variables: Mapping[str, str]) -> MetricsRequest:
        """Raises KeyError if a variable is not among these."""
        pairs = [(name, value.resolved(variables)) for name, value in self.query.items()]
        query = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs)
        headers = tuple((name, value.resolved(variables)) for name, value in self.headers.items())
        return MetricsRequest(f"{self.url}?{query}" if query else self.url, headers)

    def shown(self) -> dict[str, Any]:
        """As everybody may see it: secrets are masked."""
        return {
            "url": self.url,
            "query": {name: value.shown(name) for name, value in self.query.items()},
            "headers": {name: value.shown(name) for name, value in self.headers.items()},
        }


def _from_text(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


MetricsUrls = Annotated[
    tuple[Annotated[MetricsUrl, BeforeValidator(_from_text)], ...],
    Field(max_length=MAX_URLS),
]
