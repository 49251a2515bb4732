"""Sends the requests of a trace again, with texts of the lengths that they had."""

from collections.abc import Sequence

from shared.benchmark.load.places import ordinal_of
from shared.benchmark.prompt import Parameters
from shared.benchmark.request_id import RequestId
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.workloads.numbering import Rounds
from shared.workloads.rows import DatasetRows, TraceRow
from shared.workloads.traces.schedule import TraceSchedule
from shared.workloads.traces.texts import TraceTexts


class TraceWorkload(Workload):
    """Each part of a run sends the schedule from its beginning, and ends with it.

    `prompt_index` of a result is the number of the row in the dataset.
    """

    def __init__(
        self,
        rows: DatasetRows[TraceRow],
        schedule: TraceSchedule,
        texts: TraceTexts,
        model: str,
        system: str | None,
        parameters: Parameters,
    ) -> None:
        self._rows = rows
        self._schedule = schedule
        self._texts = texts
        self._model = model
        self._system = system
        self._parameters = parameters
        # A part never has a second round, so its rounds are numbered by stages alone.
        self._rounds = Rounds(max(len(schedule), 1))

    @property
    def length(self) -> int | None:
        """None: it ends with each part's places, not with the first ones."""
        return None

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        if turn or ordinal_of(place) >= len(self._schedule):
            return None
        position, repetition = self._rounds.named(place)
        number = self._schedule.number(position)
        row = self._rows.row(number)
        return WorkItem(
            id=RequestId(place),
            prompt_index=number,
            repetition=repetition,
            model=self._model,
            messages=[{"role": "user", "content": self._texts.prompt(row, f"{number} {repetition}")}],
            system=self._system,
            parameters=self._parameters.model_copy(update={"max_tokens": row.output_tokens}),
        )

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return RequestId(self._rounds.place_of(self._schedule.position(prompt_index), repetition))
