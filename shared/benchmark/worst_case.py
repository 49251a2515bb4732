"""The most tokens that requests can take, before they are sent. With the dearest prices it is their worst case.

The API asks at submit, the worker before it marks requests as about to be sent.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from shared.benchmark.extra_body import CHOICES, NO_EXTRA, ExtraFields
from shared.benchmark.workload.workload import WorkItem, Workload

# What chat templates may put around a request and around each of its messages, in tokens.
AROUND_A_REQUEST, AROUND_A_MESSAGE = 128, 16
# A named tokenizer may be another one than the model's, by this factor.
TOKENIZER_MARGIN = 1.2
# No conversation has more turns.
_MOST_TURNS = 100_000

# The most that a request with these input and output tokens costs, in micro-dollars.
MostCost = Callable[[int, int], int]


class MostTokens(NamedTuple):
    """Of one request. `output` None: it has no `max_tokens`, so there is no bound."""

    input: int
    output: int | None


class WorstCase:
    """The worst cases of a benchmark's requests."""

    def __init__(
        self,
        workload: Workload,
        cost: MostCost,
        extra: ExtraFields = NO_EXTRA,
        *,
        token_factor: float | None = None,
    ) -> None:
        """`extra`: what endpoint and benchmark add to each body.

        `token_factor`: the provider's tokens for each one of the tokenizer that the benchmark names. None: it names
        none. Then a token is taken for a byte, since none is shorter.
        """
        self._workload = workload
        self._cost = cost
        self._extra = extra
        self._token_factor = token_factor

    def of_place(self, place: int, first: int = 0, answers: Sequence[str] = ()) -> list[int] | None:
        """The worst case of each request of a place, from turn `first` on, in micro-dollars. None: without a bound.

        `answers`: those of the turns before. A place that is no conversation has one request.
        """
        costs: list[int] = []
        for most in self.tokens(place, first, answers):
            if most.output is None:
                return None
            costs.append(self._cost(most.input, most.output))
        return costs

    def of_request(self, place: int, turn: int) -> int:
        """The worst case of one request, in micro-dollars, whatever the answers before it were; 0 without a bound."""
        costs = self.of_place(place)
        return costs[turn] if costs is not None and turn < len(costs) else 0

    def tokens(self, place: int, first: int = 0, answers: Sequence[str] = ()) -> Iterator[MostTokens]:
        """The most tokens of each request of a place, from turn `first` on. Later turns carry the answers before."""
        known, answered = [*answers][:first], 0
        turns = range(first, _MOST_TURNS) if self._workload.has_turns else range(first, first + 1)
        for turn in turns:
            item = self._workload.item(place, turn, [*known, *[""] * (turn - len(known))])
            if item is None:
                return
            most = self._of_item(item, place)
            yield MostTokens(most.input + answered, most.output)
            # It is read again by each later turn, with what a template puts around it.
            answered += (most.output or 0) + AROUND_A_MESSAGE

    def _of_item(self, item: WorkItem, place: int) -> MostTokens:
        fields = {**self._extra.merged, **item.extra_body}
        most = item.parameters.max_tokens
        output = None if most is None else most * _choices(fields)
        return MostTokens(self._input(item, place, fields), output)

    def _input(self, item: WorkItem, place: int, fields: dict[str, Any]) -> int:
        around = AROUND_A_REQUEST + AROUND_A_MESSAGE * (len(item.messages) + 1)
        if fields:
            # Tools and schemas are read as text.
            around += len(orjson.dumps(fields))
        estimated = None if self._token_factor is None else self._workload.estimated_tokens(place)
        if estimated is not None:
            return around + math.ceil(estimated * TOKENIZER_MARGIN * max(1.0, self._token_factor or 1.0))
        texts = [message["content"] for message in item.messages]
        if item.system is not None:
            texts.append(item.system)
        return around + sum(len(text.encode()) for text in texts)


def _choices(fields: dict[str, Any]) -> int:
    asked = [value for name in CHOICES if isinstance(value := fields.get(name), int) and not isinstance(value, bool)]
    return max(1, *asked) if asked else 1
