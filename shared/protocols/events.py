"""What a stream says, whoever speaks: the events that every adapter turns its provider's bytes into."""

from dataclasses import dataclass

from shared.benchmark.record import Usage


@dataclass(frozen=True, slots=True)
class Content:
    """Visible text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Text of the model's thinking."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Text of a tool call: a name or a piece of its arguments."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Tokens so far; the last one counts. `final` once the provider has counted the output."""

    usage: Usage
    final: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """Why the model stopped, in the provider's word."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An error inside a 2xx answer, or bytes that are not the protocol."""

    kind: str
    message: str
    provider_code: str | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """A sign of life that is not a token. Comments are none."""


@dataclass(frozen=True, slots=True)
class Done:
    """The provider's own end of stream."""


@dataclass(frozen=True, slots=True)
class Other:
    """An event that carries no token: role, block start, signature, unknown types."""


StreamEvent = Content | Reasoning | ToolCall | UsageReport | Finish | Failure | Ping | Done | Other
