"""How long the answer of each request should be. Used by all workloads that have an `output_tokens`."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from shared.benchmark.prompt import Parameters
from shared.benchmark.workload.workload import WorkItem, Wrapped
from shared.benchmark.workload.workload_spec import WorkloadSpec
from shared.workloads.lengths import Lengths

_KEPT = 4_096


class AnswerLengths:
    """`max_tokens` of each request, if the spec draws it."""

    def __init__(self, spec: WorkloadSpec) -> None:
        self._lengths = None if spec.output_tokens is None else Lengths(spec.output_tokens, spec.seed or 0, "output")
        # Copies of parameters cost more than all else of a request, and there are few different ones.
        self._limited = lru_cache(maxsize=_KEPT)(_limited)

    def tokens(self, place: int, turn: int = 0) -> int | None:
        """None: the spec draws none."""
        return None if self._lengths is None else self._lengths.at(place, turn)

    def limit(self, parameters: Parameters, place: int) -> Parameters:
        """The parameters with the `max_tokens` of this place."""
        tokens = self.tokens(place)
        return parameters if tokens is None else self._limited(parameters, tokens)


def _limited(parameters: Parameters, tokens: int) -> Parameters:
    return parameters.model_copy(update={"max_tokens": tokens})


class ExactAnswers(Wrapped):
    """Asks servers that know `ignore_eos` to make each answer as long as its `max_tokens`."""

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        item = self._workload.item(place, turn, answers)
        if item is None:
            return None
        return replace(item, extra_body={"ignore_eos": True, "min_tokens": item.parameters.max_tokens})
