"""The events of an answer, the same for every protocol. Decoders produce them from a provider's bytes."""

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
    """Token counts so far; the last report counts. `final`: the provider has counted the whole output."""

    usage: Usage
    final: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """Why the model stopped, in the provider's own word."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An error inside a 2xx answer, or bytes that the protocol does not allow."""

    kind: str
    message: str
    provider_code: str | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """A sign of life that is not a token. A comment in the stream is not an event at all."""


@dataclass(frozen=True, slots=True)
class Done:
    """The event by which the provider ends the stream."""


@dataclass(frozen=True, slots=True)
class Other:
    """An event without a token: a role, the start of a block, a signature, an unknown type."""


StreamEvent = Content | Reasoning | ToolCall | UsageReport | Finish | Failure | Ping | Done | Other
