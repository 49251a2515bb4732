"""Sends the rows of a dataset: single prompts, and conversations whose turns wait for the answer before."""

from collections.abc import Callable, Sequence

from shared.benchmark.prompt import Parameters
from shared.benchmark.request_id import RequestId
from shared.benchmark.workload.dataset_spec import DatasetSource
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.workloads.conversations import OneTurnEach, TurnNumbers, messages_of
from shared.workloads.numbering import Order, Rounds
from shared.workloads.rows import DatasetRows, Row

# The most output tokens of a request, by place and turn. None: what the row or the benchmark's parameters say.
MaxTokens = Callable[[int, int], int | None]


class DatasetWorkload(Workload):
    """Endless: the rows round after round. A place is a row, and each of its turns is a request."""

    def __init__(
        self,
        rows: DatasetRows[Row],
        source: DatasetSource,
        model: str,
        system: str | None,
        parameters: Parameters,
        order: Order | None = None,
        max_tokens: MaxTokens | None = None,
    ) -> None:
        """`system`, `parameters`: the benchmark's, for rows that have none of their own. `order`: None for in turn."""
        self._rows = rows
        self._source = source
        self._model = model
        self._system = system
        self._parameters = parameters
        self._max_tokens = max_tokens
        self._order = order or Rounds(len(rows))
        self._numbers: OneTurnEach | TurnNumbers = OneTurnEach(len(rows))
        if rows.turns > len(rows) and source.max_turns != 1:
            self._numbers = TurnNumbers(self._turns(rows.row(number)) for number in range(len(rows)))
        self.has_turns = self._numbers.total > len(rows)

    @property
    def length(self) -> int | None:
        return None

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        conversation, repetition = self._order.named(place)
        if turn >= self._numbers.turns(conversation):
            return None
        row = self._rows.row(conversation)
        said = row.turns[turn]
        limit = None if self._max_tokens is None else self._max_tokens(place, turn)
        limit = said.max_tokens if limit is None else limit
        return WorkItem(
            id=RequestId(place, turn),
            prompt_index=self._numbers.number(conversation, turn),
            repetition=repetition,
            model=self._model,
            messages=messages_of(row, turn, answers),
            system=self._system if row.system is None else row.system,
            parameters=self._parameters if limit is None else self._parameters.model_copy(update={"max_tokens": limit}),
            think_s=(said.think_s or self._source.think_s) if turn else 0,
        )

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        conversation, turn = self._numbers.of_number(prompt_index)
        return RequestId(self._order.place_of(conversation, repetition), turn)

    def _turns(self, row: Row) -> int:
        most = self._source.max_turns
        return len(row.turns) if most is None else min(len(row.turns), most)
