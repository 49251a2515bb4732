"""How long the answer of each request should be. Used by all workloads that have an `output_tokens`."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from shared.benchmark.prompt import Parameters
from shared.benchmark.workload_spec import WorkloadSpec
from shared.workloads.lengths import Lengths

_KEPT = 4_096


class AnswerLengths:
    """`max_tokens` of each place, and the fields that make a server keep to it."""

    def __init__(self, spec: WorkloadSpec) -> None:
        self._lengths = None if spec.output_tokens is None else Lengths(spec.output_tokens, spec.seed or 0, "output")
        self._exact = spec.ignore_eos
        # Copies of parameters cost more than all else of a request, and there are few different ones.
        self._limited = lru_cache(maxsize=_KEPT)(_limited)

    def of(self, place: int, parameters: Parameters, turn: int = 0) -> tuple[Parameters, Mapping[str, Any]]:
        """(parameters with `max_tokens`, further fields of the body)."""
        if self._lengths is None:
            return parameters, {}
        tokens = self._lengths.at(place, turn)
        return self._limited(parameters, tokens), {"ignore_eos": True, "min_tokens": tokens} if self._exact else {}


def _limited(parameters: Parameters, tokens: int) -> Parameters:
    return parameters.model_copy(update={"max_tokens": tokens})
