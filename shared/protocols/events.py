"""The events of an answer, the same for every protocol. Decoders make them, and `worker.engine.answer` takes them."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from shared.benchmark.results.record import Usage


@dataclass(frozen=True, slots=True)
class Content:
    """Visible text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Text of the model's thinking. It is empty if the event has only a tag around it: a token that is not shown."""

    text: str


@dataclass(frozen=True, slots=True)
class WasReasoning:
    """The content so far was reasoning, and no answer. Its last characters, so many, belong to a tag."""

    tag: int


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Text of a tool call: a name or a piece of its arguments."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Token counts so far. Each report replaces the one before."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finish:
    """Why the model stopped, in the provider's own word."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An error inside a 2xx answer, or bytes that the protocol does not allow.

    `retry_after_s`: how long the provider asks to wait (s), as far as the error itself says it.
    """

    kind: str
    message: str
    provider_code: str | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """A keep-alive that was sent as an event. It is no token and extends no deadline. Comments make no event."""


@dataclass(frozen=True, slots=True)
class Done:
    """The event by which the provider ends the stream."""


@dataclass(frozen=True, slots=True)
class Step:
    """The answer goes on without a token: a block or an item begins or ends, or a tool of the server works."""


@dataclass(frozen=True, slots=True)
class Other:
    """Any other event without a token: a role, an empty piece, a signature, an unknown type.

    Some servers send them as keep-alives, so they extend no deadline either.
    """


class HiddenReasoning(Enum):
    """What an answer shows of its reasoning, as far as the events tell.

    `BEFORE`: hidden reasoning came before all text. `WITHIN`: some of it came after the first text, or only a summary
    was shown, so nobody knows how much was generated within the visible span. `SUMMARY`: what was shown is called a
    summary; it is that of hidden reasoning if reasoning was billed.
    """

    NONE = 0
    BEFORE = 1
    WITHIN = 2
    SUMMARY = 3


@dataclass(slots=True)
class AnswerFacts:
    """What an answer says about itself beside its events. The decoder fills it while it reads.

    `id`: the answer's own, such as `chatcmpl-…`. `flags`: names in `shared.benchmark.results.flags`.
    """

    id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    provider_cost_usd: Decimal | None = None
    hidden_reasoning: HiddenReasoning = HiddenReasoning.NONE
    flags: set[str] = field(default_factory=set)


StreamEvent = (
    Content | Reasoning | WasReasoning | ToolCall | UsageReport | Finish | Failure | Ping | Done | Step | Other
)
