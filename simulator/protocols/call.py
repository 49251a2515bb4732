"""One parsed request, one event of its answer, and the refusal of a request: what the wire formats exchange."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(slots=True)
class CacheRead:
    """How many input tokens came from the prefix cache. Known once the request has its slot."""

    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """`number` counts the requests of this simulator from 1; `created` is in Unix seconds."""

    number: int
    model: str
    stream: bool
    max_tokens: int | None
    stops: tuple[str, ...]
    input_tokens: int
    created: int
    has_stream_options: bool = False
    include_usage: bool = False
    tool_name: str = "lookup"
    cache: CacheRead = field(default_factory=CacheRead)


class Event(NamedTuple):
    """An SSE event ready to send. `slot` is the content event it is sent with; -1 stands before the first one."""

    slot: int
    data: bytes
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """An error, to be written in the protocol's shape; `kind` overrides the type that belongs to the status."""

    status: int
    message: str
    kind: str | None = None
    param: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A request that the real endpoint would refuse."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def count_or_none(value: Any) -> int | None:
    """An integer as JSON means it: `true` is not 1."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
