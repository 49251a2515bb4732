"""Prompts of a list, round after round: those of the spec, or those that the service brings along."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.benchmark.prompt import Prompt
from shared.benchmark.request_id import RequestId
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import PromptRequests, WorkItem, Workload, equal_prompts
from shared.workloads.answers import AnswerLengths
from shared.workloads.numbering import Order


class PromptList(Workload):
    """Endless: the load says how many requests are sent."""

    def __init__(self, spec: BenchmarkSpec, prompts: Sequence[Prompt], order: Order, answers: AnswerLengths) -> None:
        """`order`: of as many entries as there are prompts."""
        self._prompts = prompts
        self._order = order
        self._answers = answers
        self._system = spec.system
        self._requests = PromptRequests(spec, prompts)

    @property
    def length(self) -> None:
        return None

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        if turn:
            return None
        index, repetition = self._order.named(place)
        item = self._requests.of(RequestId(place), index, repetition)
        return replace(item, parameters=self._answers.limit(item.parameters, place))

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return RequestId(self._order.place_of(prompt_index, repetition))

    def equal_prompts(self) -> Mapping[int, int]:
        return equal_prompts(self._prompts, self._system)
