"""What to send: a workload gives request n of a deterministic sequence, to any worker, as often as it is asked.

The engine pulls from it (`worker/engine/source.py`). It may be endless, and a place may be a conversation, whose next
turn carries the answers to the turns before.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from shared.benchmark.prompt import Message, Parameters, Prompt
from shared.benchmark.request_id import RequestId
from shared.benchmark.spec import BenchmarkSpec

# Prompts that are sent again and again are made once, up to this many.
_KEPT = 1_024


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One request of the sequence. `repetition` is 0, 1, 2 … for measured requests, -1, -2 … for warm-up."""

    id: RequestId
    prompt_index: int
    repetition: int
    model: str
    messages: Sequence[Mapping[str, str]]
    system: str | None
    parameters: Parameters
    # For a later turn: how long to wait after the answer to the turn before.
    think_s: float = 0
    # Fields of this body alone. They replace those of endpoint and benchmark.
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def warmup(self) -> bool:
        return self.repetition < 0


class Workload(ABC):
    """A deterministic sequence of requests. Equal arguments give equal items, in any process and in any order."""

    # Places 0 … warmup - 1 are warm-up.
    warmup: int = 0
    # Whether a place may have more than one turn.
    has_turns: bool = False

    @property
    @abstractmethod
    def length(self) -> int | None:
        """How many places there are, warm-up included. None: endless."""

    @abstractmethod
    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        """The request at this place. None: the sequence or its conversation has ended before it.

        `answers`: the texts of the answers to the earlier turns of this place, oldest first.
        """

    @abstractmethod
    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        """The request that a stored result names by prompt and repetition. The inverse of `item`."""

    def estimated_tokens(self, place: int) -> int | None:
        """How many input tokens the request should have by the offline tokenizer. None: that is not known."""
        return None

    def equal_prompts(self) -> Mapping[int, int]:
        """Prompts with the same text as an earlier one, by index, and the first of them. Sent again, a prompt may be
        answered from a cache."""
        return {}


class Wrapped(Workload):
    """Another workload whose requests are changed. Derived classes override `item`."""

    def __init__(self, workload: Workload) -> None:
        self.warmup = workload.warmup
        self.has_turns = workload.has_turns
        self._workload = workload

    @property
    def length(self) -> int | None:
        return self._workload.length

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        return self._workload.item(place, turn, answers)

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return self._workload.id_of(prompt_index, repetition)

    def estimated_tokens(self, place: int) -> int | None:
        return self._workload.estimated_tokens(place)

    def equal_prompts(self) -> Mapping[int, int]:
        return self._workload.equal_prompts()


class PromptRequests:
    """Makes requests of prompts, each when it is asked for: all at once, thousands of conversations take long."""

    def __init__(self, spec: BenchmarkSpec, prompts: Sequence[Prompt]) -> None:
        self._model = spec.model
        self._system = spec.system
        self._prompts = prompts
        # No methods of this object: a cycle would keep all prompts until a full garbage collection.
        self._messages = lru_cache(maxsize=_KEPT)(lambda index: _messages_of(prompts[index]))
        self._parameters = lru_cache(maxsize=_KEPT)(lambda index: spec.effective_parameters(prompts[index]))

    def of(self, request_id: RequestId, index: int, repetition: int) -> WorkItem:
        """The request of prompt number `index`."""
        own = self._prompts[index].system
        return WorkItem(
            id=request_id,
            prompt_index=index,
            repetition=repetition,
            model=self._model,
            messages=self._messages(index),
            system=self._system if own is None else own,
            parameters=self._parameters(index),
        )


def _messages_of(prompt: Prompt) -> list[Mapping[str, str]]:
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


class PromptsInTurn(Workload):
    """The spec's prompts, round after round: first the warm-up, then the repetitions."""

    def __init__(self, spec: BenchmarkSpec) -> None:
        self.warmup = spec.warmup
        self._spec = spec
        self._prompts = len(spec.prompts)
        self._requests = PromptRequests(spec, spec.prompts)

    @property
    def length(self) -> int:
        return self._spec.measured_requests + self.warmup

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        if turn or place >= self.length:
            return None
        if place < self.warmup:
            index, repetition = place % self._prompts, -1 - place // self._prompts
        else:
            measured = place - self.warmup
            index, repetition = measured % self._prompts, measured // self._prompts
        return self._requests.of(RequestId(place), index, repetition)

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        if repetition < 0:
            return RequestId((-1 - repetition) * self._prompts + prompt_index)
        return RequestId(self.warmup + repetition * self._prompts + prompt_index)

    def equal_prompts(self) -> Mapping[int, int]:
        return equal_prompts(self._spec.prompts, self._spec.system)


def equal_prompts(prompts: Sequence[Prompt], system: str | None) -> Mapping[int, int]:
    """Of each prompt with the text of an earlier one, the index, and that of the first with this text."""
    first: dict[tuple[str | None, tuple[Message, ...]], int] = {}
    found = {}
    for index, prompt in enumerate(prompts):
        own = system if prompt.system is None else prompt.system
        if (earlier := first.setdefault((own, prompt.messages), index)) != index:
            found[index] = earlier
    return found
