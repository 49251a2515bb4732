"""Goes through the stages of a run: gives the engine phase after phase, and stores what each stage has shown."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from shared.benchmark.load.load import Phase
from shared.benchmark.load.plan import PlannedLoad, Stage, StageResult
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.measured_spans import MeasuredSpans
from shared.benchmark.slo.slo_spec import SloSpec
from shared.db.money.reservations import Bill, Paid
from shared.db.runs.lease import Lease
from shared.db.runs.stages import RunStages
from worker.engine.recorded import Recorded
from worker.patience import until_available
from worker.run.recorder import Recorder
from worker.run.send_window import SendWindow

# Stores a mark, or as much of it as the bill pays; then the mark is None.
StoreMark = Callable[[int | None, Bill | None], Awaitable[Paid | None]]

# An open loop may mark the requests of a second, up to this many, ahead of those in flight.
MOST_AHEAD = 1_000


class Stages:
    """The stages of one run on one worker. `results` is what the results of this worker add up to."""

    def __init__(
        self,
        repository: RunStages,
        lease: Lease,
        load: PlannedLoad,
        recorder: Recorder,
        *,
        done: Sequence[StageResult] = (),
        begun: Mapping[int, RunAggregate] = MappingProxyType({}),
        recorded: Recorded,
        stored: bool,
        summarize: Callable[[Stage, RunAggregate], dict[str, Any]],
        slos: SloSpec | None = None,
        observed: Callable[[RunAggregate], Awaitable[dict[str, Any]]] | None = None,
    ) -> None:
        """`done`: the stages that have ended. `begun`: what earlier workers have of those in progress, by number.

        `stored`: whether the run's stages are stored. A run without a `load` of its own has one, which is the run.
        `summarize` makes the summary of a stage, in a thread. `observed` gives what was observed during its results.
        """
        self.done = list(done)
        self.results = RunAggregate(load.plan.max_in_flight, slos)
        self._repository = repository
        self._lease = lease
        self._load = load
        self._recorder = recorder
        self._begun = dict(begun)
        self._recorded = recorded
        self._stored = stored
        self._summarize = summarize
        self._slos = slos
        self._observed = observed
        self._current: Stage | None = None

    async def phases(
        self, group: asyncio.TaskGroup, begin: StoreMark, ended_by: Callable[[], str]
    ) -> AsyncIterator[Phase]:
        """Each phase that has something left to send. Ask for the next when all records of one are in the recorder.

        `begin` stores the first mark before anything is sent. Meanwhile the engine may connect. `ended_by` says what
        ended the phase that ran last.
        """
        begun = False
        while (stage := self._load.plan.next(self.done)) is not None:
            why = "requests"
            self._open(stage)
            for phase in self._phases(stage):
                window = self._window(phase)
                if not window.mark:
                    continue
                self._recorder.enter(window)
                entering = self._enter(stage, window, None if begun else begin)
                if begun:
                    await entering
                else:
                    group.create_task(entering)
                begun = True
                yield phase
                await self._recorder.settled()
                why = ended_by()
            await self.leave(why)

    def _window(self, phase: Phase) -> SendWindow:
        places, pace = self._recorded.open_places(self._load.workload, phase), phase.pace
        ahead = min(MOST_AHEAD, math.ceil(pace.rate or 0))
        return SendWindow(places, pace.max_in_flight, ahead, keep_opened=self._recorder.capped)

    async def leave(self, ended_by: str) -> None:
        """The stage in progress has ended, if there is one. Stores what it has shown."""
        stage, self._current = self._current, None
        if stage is None:
            return
        # In a thread: the aggregates of a long stage hold many values.
        wholes = await asyncio.to_thread(self._wholes)
        for shown in stage.shown if self._stored else ():
            await self._store(shown, wholes[shown.number], ended_by, is_piece=len(wholes) > 1)
        # Last, because it changes one of them.
        results = await asyncio.to_thread(merged, list(wholes.values()))
        self.done.append(StageResult(stage.number, stage.label, ended_by, results))

    def pause(self) -> None:
        """This worker sends nothing more. Another one goes on with the stage in progress."""
        if self._current is not None:
            self._current = None
            for fresh in self._recorder.aggregates.values():
                self._take(fresh)

    def _wholes(self) -> dict[int | None, RunAggregate]:
        """What each stage in progress has shown, by number, also on earlier workers."""
        wholes = {}
        for number, fresh in self._recorder.aggregates.items():
            self._take(fresh)
            wholes[number] = fresh if number is None else merged([self._begun.pop(number, None), fresh])
        return wholes

    def _take(self, fresh: RunAggregate) -> None:
        """Adds what a stage has shown to the whole, which for a run without stages is the same."""
        if self._stored:
            self.results.merge(fresh)
        else:
            self.results = fresh

    def _open(self, stage: Stage) -> None:
        """Prepares the recorder for the results of a stage."""
        self._current = stage
        waves = {each.number: each.measured.pace.max_in_flight for each in stage.shown}
        if self._stored:
            self._recorder.live.announce(stage.shown)
            self._recorder.open_stage({number: RunAggregate(wave, self._slos) for number, wave in waves.items()})
        else:
            self._recorder.open_stage({None: RunAggregate(waves[stage.number], self._slos)})

    def _phases(self, stage: Stage) -> Sequence[Phase]:
        """The phases of a stage; of the measured one, what earlier workers have left."""
        gone = MeasuredSpans()
        for number, begun in self._begun.items():
            if number >= stage.number:
                gone.merge(begun.activity.spans)
        measured = replace(stage.measured, gone_ns=round(gone.seconds * 1e9))
        return [measured] if stage.warmup is None else [stage.warmup, measured]

    async def _store(self, stage: Stage, results: RunAggregate, ended_by: str, *, is_piece: bool) -> None:
        """`is_piece`: of a part that sends several stages. When each of them was is known from its requests alone."""
        times = results.activity.span if is_piece else None
        aggregate, summary = await asyncio.to_thread(lambda: (results.encode(), self._summarize(stage, results)))
        if self._observed is not None:
            summary |= await self._observed(results)
        await until_available(
            lambda: self._repository.leave(
                self._lease, stage.number, ended_by=ended_by, aggregate=aggregate, summary=summary, times=times
            ),
            "stage_waits",
        )

    async def _enter(self, stage: Stage, window: SendWindow, begin: StoreMark | None) -> None:
        named = {each.number: each.label for each in stage.shown} if self._stored else {}

        async def enter(mark: int | None, bill: Bill | None) -> Paid | None:
            return await until_available(
                lambda: self._repository.enter(self._lease, dispatched=mark, stages=named, bill=bill), "stage_waits"
            )

        mark = await self._recorder.mark(window, enter if begin is None else begin)
        if begin is not None and self._stored:
            # The mark is stored.
            await enter(None, None)
        self._recorder.allow(mark)


def merged(parts: Sequence[RunAggregate | None]) -> RunAggregate:
    """What these parts of a run add up to. Changes the first that is not None. Raises ValueError if there is none."""
    whole: RunAggregate | None = None
    for part in parts:
        if part is None:
            continue
        if whole is None:
            whole = part
        else:
            whole.merge(part)
    if whole is None:
        raise ValueError("there is nothing to merge")
    return whole
