"""Goes through the stages of a run: gives the engine phase after phase, and stores what each stage has shown."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from shared.benchmark.aggregate import RunAggregate
from shared.benchmark.load import Phase
from shared.benchmark.plan import PlannedLoad, Stage, StageResult
from shared.benchmark.slo_spec import SloSpec
from shared.db.leases import Lease
from shared.db.stages import StageRepository
from worker.engine.recorded import Recorded
from worker.patience import until_available
from worker.run.recorder import Recorder
from worker.run.send_window import SendWindow


class Stages:
    """The stages of one run on one worker. `results` is what the results of this worker add up to."""

    def __init__(
        self,
        repository: StageRepository,
        lease: Lease,
        load: PlannedLoad,
        recorder: Recorder,
        *,
        done: Sequence[StageResult] = (),
        begun: RunAggregate | None = None,
        recorded: Recorded,
        stored: bool,
        summarize: Callable[[Stage, RunAggregate], dict[str, Any]],
        slos: SloSpec | None = None,
    ) -> None:
        """`done`: the stages that have ended. `begun`: what earlier workers have of the stage after them.

        `stored`: whether the run's stages are stored. A run without a `load` of its own has one, which is the run.
        `summarize` makes the summary of a stage, in a thread.
        """
        self.done = list(done)
        self.results = RunAggregate(load.plan.max_in_flight)
        self._repository = repository
        self._lease = lease
        self._load = load
        self._recorder = recorder
        self._begun = begun
        self._recorded = recorded
        self._stored = stored
        self._summarize = summarize
        self._slos = slos
        self._current: Stage | None = None

    async def phases(
        self, group: asyncio.TaskGroup, begin: Callable[[int], Awaitable[None]], ended_by: Callable[[], str]
    ) -> AsyncIterator[Phase]:
        """Each phase that has something left to send. Ask for the next when all records of one are in the recorder.

        `begin` is called with the first mark, which must be stored before anything is sent. Meanwhile the engine may
        connect. `ended_by` says what ended the phase that ran last.
        """
        begun = False
        while (stage := self._load.plan.next(self.done)) is not None:
            self._current, why = stage, "requests"
            self._recorder.aggregate = RunAggregate(stage.measured.pace.max_in_flight, self._slos)
            if self._stored:
                self._recorder.live.enter(stage)
            for phase in stage.phases:
                window = SendWindow(self._recorded.open_places(self._load.workload, phase), phase.pace.max_in_flight)
                if not window.mark:
                    continue
                self._recorder.enter(window)
                entering = self._enter(stage, window.mark, None if begun else begin)
                if begun:
                    await entering
                else:
                    group.create_task(entering)
                begun = True
                yield phase
                await self._recorder.settled()
                why = ended_by()
            await self.leave(why)

    async def leave(self, ended_by: str) -> None:
        """The stage in progress has ended, if there is one. Stores what it has shown."""
        stage, self._current = self._current, None
        if stage is None:
            return
        fresh, before, self._begun = self._recorder.aggregate, self._begun, None
        whole = fresh
        if before is not None:
            before.merge(fresh)
            whole = before
        self.done.append(StageResult(stage.number, stage.label, ended_by, whole))
        if self._stored:
            aggregate, summary = await asyncio.to_thread(lambda: (whole.encode(), self._summarize(stage, whole)))
            await until_available(
                lambda: self._repository.leave(
                    self._lease, stage.number, ended_by=ended_by, aggregate=aggregate, summary=summary
                ),
                "stage_waits",
            )
        self._take(fresh)

    def pause(self) -> None:
        """This worker sends nothing more. Another one goes on with the stage in progress."""
        if self._current is not None:
            self._current = None
            self._take(self._recorder.aggregate)

    def _take(self, fresh: RunAggregate) -> None:
        if self.results.count:
            self.results.merge(fresh)
        else:
            self.results = fresh

    async def _enter(self, stage: Stage, mark: int, begin: Callable[[int], Awaitable[None]] | None) -> None:
        if begin is not None:
            await begin(mark)
        if begin is None or self._stored:
            named = (stage.number, stage.label) if self._stored else None
            await until_available(
                lambda: self._repository.enter(self._lease, dispatched=mark, stage=named), "stage_waits"
            )
        self._recorder.allow(mark)
