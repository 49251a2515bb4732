"""A header or query parameter of an endpoint: a text, or the name of the variable that holds it."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from shared.scrubber import MASK, looks_secret

MAX_VALUES = 50
_LONGEST = 4_096
# RFC 9110's token.
_HEADER_NAME = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")
# The engine writes these itself, or they would change what a connection carries.
ENGINE_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Value(BaseModel):
    """`text`, or the value of the variable `env` after `prefix`. A value from a variable is a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    text: str | None = Field(default=None, max_length=_LONGEST)
    env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")
    prefix: str = Field(default="", max_length=100)

    @model_validator(mode="after")
    def _one_source(self) -> "Value":
        if (self.text is None) == (self.env is None) or (self.prefix and self.env is None):
            raise ValueError('must be a text, or {"env": "NAME"}, optionally with a "prefix"')
        return self

    def resolved(self, variables: Mapping[str, str]) -> str:
        """The value to send. Raises KeyError if its variable is not among these."""
        return self.text if self.env is None else f"{self.prefix}{variables[self.env]}"  # type: ignore[return-value]

    def shown(self, name: str) -> str:
        """The value as everybody may see it. `name` is that of the header or parameter."""
        if self.text is None:
            return f"{self.prefix}{MASK}"
        return MASK if looks_secret(name, self.text) else self.text


def _from_config(value: Any) -> Any:
    """A plain text, and what YAML makes of a text without quotes: `2024-10-21` is a date, `1` a number."""
    if isinstance(value, datetime | float):
        raise ValueError("must be written in quotes: YAML reads it as something else than a text")
    if isinstance(value, date):
        value = value.isoformat()
    elif isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int):
        value = str(value)
    return {"text": value} if isinstance(value, str) else value


def unfit_for_a_header(text: str) -> str | None:
    """Why a header cannot carry this text; None if it can."""
    if "\r" in text or "\n" in text:
        return "holds a line break, which a header cannot carry"
    if not text.isascii() or not text.isprintable():
        return "holds a character that a header cannot carry"
    return None if text == text.strip() else "begins or ends with a space"


def check_header_name(name: str) -> str:
    """Raises ValueError for a name that no header has, and for headers that the engine writes itself."""
    if not _HEADER_NAME.match(name):
        raise ValueError("is not the name of a header")
    if name.lower() in ENGINE_HEADERS:
        raise ValueError(f"the header {name.lower()} is the engine's own and cannot be set")
    return name


def _check_header(value: Value) -> Value:
    for text in (value.text, value.prefix.rstrip(" ")):
        if text is not None and (problem := unfit_for_a_header(text)):
            raise ValueError(problem)
    return value


def _check_headers(headers: dict[str, Value]) -> dict[str, Value]:
    seen = [name.lower() for name in headers]
    if twice := sorted({name for name in seen if seen.count(name) > 1}):
        raise ValueError(f"names a header twice: {', '.join(twice)}")
    return headers


ConfiguredValue = Annotated[Value, BeforeValidator(_from_config)]
HeaderName = Annotated[str, AfterValidator(check_header_name)]
Query = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=100)], ConfiguredValue], Field(max_length=MAX_VALUES)
]
Headers = Annotated[
    dict[HeaderName, Annotated[ConfiguredValue, AfterValidator(_check_header)]],
    Field(max_length=MAX_VALUES),
    AfterValidator(_check_headers),
]
