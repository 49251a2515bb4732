"""Pulls the requests of one phase from the workload, one by one. Each body is made shortly before it is sent."""

from collections.abc import Iterator

from shared.benchmark.extra_body import NO_EXTRA, ExtraFields
from shared.benchmark.load.load import Phase
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.protocols.base import Adapter
from worker.engine.planned import PlannedRequest
from worker.engine.recorded import Recorded


class Source:
    """Gives each request of the phase that has no result, once and in order."""

    def __init__(
        self, workload: Workload, phase: Phase, recorded: Recorded, adapter: Adapter, extra: ExtraFields = NO_EXTRA
    ) -> None:
        """`extra`: further fields of each body."""
        self._extra = extra
        self._workload = workload
        self._phase = phase
        self._recorded = recorded
        self._adapter = adapter
        # How much of the schedule was over before the first request; None: it has no schedule.
        self.skipped_ns: int | None = None
        # Whether the workload has ended before the phase.
        self.is_dry = False
        # After the end of the phase: only requests that were due before this are given. None: it has not ended.
        self._due_before_ns: int | None = None
        self._requests = self._pull()
        self._next = next(self._requests, None)
        # Answers of the conversations in progress, by place.
        self._answers: dict[int, list[str]] = {}

    @property
    def next_place(self) -> int | None:
        """The place of the next request; None if none is left (turns of conversations in progress do not count)."""
        return None if self._next is None else self._next.id.place

    @property
    def next_due_ns(self) -> int | None:
        """When the next request is due after the start of the phase; None: as soon as there is room."""
        return None if self._next is None else self._next.offset_ns

    def take(self) -> PlannedRequest:
        """The next request. Raises RuntimeError if there is none."""
        taken = self._next
        if taken is None:
            raise RuntimeError("the phase has no request left")
        if self._workload.has_turns:
            self._answers[taken.id.place] = list(self._recorded.answers(taken.id.place))
        self._next = next(self._requests, None)
        self._end_if_over()
        return taken

    def keep_overdue(self, before_ns: int) -> None:
        """The phase has ended: gives only those requests that were due before this time of it, because they count."""
        self._due_before_ns = before_ns
        self._end_if_over()

    def _end_if_over(self) -> None:
        before_ns, due_ns = self._due_before_ns, self.next_due_ns
        if before_ns is not None and (due_ns is None or due_ns >= before_ns):
            self.close()

    def close(self) -> None:
        """Gives no more requests."""
        self._requests = iter(())
        self._next = None

    def turn_after(self, request: PlannedRequest, answer: str | None) -> PlannedRequest | None:
        """The turn that follows `request` and its `answer`; None if the conversation is over.

        `answer` is None if the request did not succeed, which ends the conversation.
        """
        answers = self._answers.get(request.id.place)
        if answers is None or answer is None:
            self._answers.pop(request.id.place, None)
            return None
        answers.append(answer)
        item = self._workload.item(request.id.place, request.id.turn + 1, answers)
        if item is None:
            del self._answers[request.id.place]
            return None
        # Counted from the end of the answer. The engine turns it into an offset from the start of the phase.
        return self._planned(item, round(item.think_s * 1e9))

    def _pull(self) -> Iterator[PlannedRequest]:
        phase, place = self._phase, self._phase.first
        for due_ns in phase.pace.due_ns():
            if phase.end is not None and place >= phase.end:
                return
            if self._workload.length is not None and place >= self._workload.length:
                self.is_dry = phase.end is not None
                return
            turns, is_open = self._recorded.turns(place), self._recorded.is_open(self._workload, place)
            item = (
                self._workload.item(place, turns, self._recorded.answers(place) if turns else ()) if is_open else None
            )
            place += 1
            if item is None:
                if not turns:
                    self.is_dry = True  # a sequence of unknown length has ended
                    return
                continue
            if due_ns is not None:
                # The rest of an interrupted schedule begins at once and keeps its gaps.
                if self.skipped_ns is None:
                    # A new schedule may begin with a pause.
                    self.skipped_ns = 0 if item.id.place == phase.first else due_ns
                due_ns -= self.skipped_ns
            yield self._planned(item, due_ns)

    def _planned(self, item: WorkItem, offset_ns: int | None) -> PlannedRequest:
        body = self._extra.added_to(self._adapter.body(item.model, item.messages, item.system, item.parameters))
        return PlannedRequest(
            id=item.id,
            prompt_index=item.prompt_index,
            repetition=item.repetition,
            warmup=item.warmup,
            body={**body, **item.extra_body} if item.extra_body else body,
            max_tokens=item.parameters.max_tokens,
            offset_ns=offset_ns,
        )
