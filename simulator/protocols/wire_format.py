"""What the simulator needs to speak one protocol. Each protocol has one wire format, in a file of its own."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import orjson

from simulator.answer import Answer
from simulator.profile import Profile
from simulator.protocols.call import Call, Event, Problem

# 2024-03-07 in Unix seconds; the models here have no birthday of their own.
_CREATED = 1_709_769_600


class WireFormat(ABC):
    """Requests, events, bodies and errors of one protocol. What is not abstract is what most servers do."""

    # The name that the protocol has in `shared.protocols.registry`.
    name: ClassVar[str]
    # Where requests for an answer go.
    path: ClassVar[str]
    stream_type: ClassVar[str] = "text/event-stream; charset=utf-8"
    # Bytes that keep a stream alive and are no event.
    keep_alive: ClassVar[bytes] = b": keep-alive\n\n"
    # Status of an answer that does not stream and fails half-way.
    failed_status: ClassVar[int] = 500

    def is_for(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a client that sends this expects errors and model lists in this format."""
        return path.startswith(self.path)

    def key_of(self, headers: Mapping[str, str]) -> str:
        """The key that a request carries; empty without one."""
        return headers.get("authorization", "").removeprefix("Bearer ")

    def response_headers(self, number: int) -> dict[str, str]:
        """Headers of the answer to request `number`."""
        return {"x-request-id": f"req_{number:08d}"}

    @abstractmethod
    def parse(self, number: int, body: Any, headers: Mapping[str, str], created: int) -> Call:
        """Raises Refused with the message that the real API gives."""

    def adapt(self, profile: Profile, call: Call) -> Profile:
        """The profile without the faults that servers of this protocol do not have. Raises Refused."""
        return replace(profile, no_usage=False, no_done=False, no_stream_options=False)

    @abstractmethod
    def events(self, call: Call, answer: Answer, profile: Profile) -> Iterator[Event]:
        """The whole stream, lazily, as an answer may be endless."""

    @abstractmethod
    def body(self, call: Call, answer: Answer, profile: Profile) -> bytes:
        """The answer of a request that does not stream."""

    @abstractmethod
    def problem(self, status: int, model: str, reason: str | None = None) -> Problem:
        """The error of a fault, as the real API words it."""

    @abstractmethod
    def error_body(self, problem: Problem, number: int) -> bytes:
        """The body of an error answer to request `number`."""

    @abstractmethod
    def error_event(self, call: Call) -> bytes:
        """What a stream says when the answer to this request fails."""

    def no_such_path(self, method: str, path: str) -> Problem:
        return Problem(404, "Not Found")

    def no_such_method(self, method: str, path: str) -> Problem:
        return Problem(405, "Method Not Allowed")

    def model(self, model: str) -> dict[str, Any]:
        """One entry of the model list."""
        return {"id": model, "object": "model", "created": _CREATED, "owned_by": "simulator"}

    def model_list(self, models: Sequence[str]) -> bytes:
        return orjson.dumps({"object": "list", "data": [self.model(model) for model in models]})
