"""Sends a load through measuring processes: has requests given and answers decoded, and yields records.

The load says what to send (workload), when (pace) and when to end (stop rule); see `load.py`. A phase
begins when every request of the phase before has ended.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence

from shared.benchmark.load.load import Load, Phase
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.record import ResultRecord
from shared.clock import Clock
from shared.numbers.disturbance import Disturbance
from worker.engine.children import Child
from worker.engine.decoding import Concluded, DecodingThread
from worker.engine.feeder import MOST_GIVEN_UP, Feeder
from worker.engine.lanes import Lane, Lanes
from worker.engine.measurer import Measurement
from worker.engine.messages import (
    Abort,
    Command,
    Drain,
    Dropped,
    Finish,
    Health,
    Late,
    Opened,
    Report,
    Returned,
    SdkTarget,
    Slice,
    SocketTarget,
    Stop,
    Watermark,
)
from worker.engine.phase_run import PhaseRun
from worker.engine.planned import MeasureContext
from worker.engine.recorded import Recorded
from worker.engine.source import Source
from worker.engine.watch import watch_lanes

# The longest time that closing the connections may take.
FINISH_S = 10


class Engine:
    """One run over measuring processes that were lent to it. `drain` and `cancel` may be called at any time.

    `silence_s`: a process that hears nothing from the worker for this long ends itself.
    """

    def __init__(
        self,
        children: Sequence[Child],
        target: SocketTarget | SdkTarget,
        context: MeasureContext,
        clock: Clock,
        *,
        silence_s: float = 30,
    ) -> None:
        self._children = children
        self._target = target
        self._context = context
        self._clock = clock
        self._silence_s = silence_s
        self._lanes = Lanes()
        self._decoding = DecodingThread(self)
        self._feeder = Feeder(self._lanes, self._decoding, context)
        # Records, and None whenever something else has changed.
        self._news: asyncio.Queue[ResultRecord | None] = asyncio.Queue()
        self._phase: PhaseRun | None = None
        self._stopping = False
        # Whether a part of the load was not sent or was cut off because the run was stopped.
        self._left = False
        # Why the run ended early: a measuring process died. Requests that it had sent are yielded as errored.
        self.failure: str | None = None
        self._broken: Exception | None = None
        self.disturbance = Disturbance("sdk" if isinstance(target, SdkTarget) else "socket")

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not ended, as far as the processes have told: with each flush."""
        return self._lanes.in_flight

    @property
    def exhausted(self) -> bool:
        """Whether the whole load was sent, and nothing of it cut off. Known once `run` has ended."""
        return not self._left

    @property
    def phase_ended_by(self) -> str:
        """What ended the phase that ran last; see `StageResult.ended_by`."""
        return "requests" if self._phase is None else self._phase.ended_by

    async def run(self, load: Load, recorded: Recorded | None = None) -> AsyncGenerator[ResultRecord, None]:
        """Yields a record for each request as it ends. Closing the generator early closes every stream.

        `recorded`: requests that have a result already and are not sent again. Afterwards `failure` says whether a
        process died. Raises whatever ended the decoding thread.
        """
        if self._stopping:
            self._left = True
            return
        recorded = recorded or Recorded()
        self._feeder.has_turns = load.workload.has_turns
        phases = load.one_by_one()
        first = await anext(phases, None)
        if first is None:
            return
        self._decoding.start()
        self._begin(load)
        watch = asyncio.create_task(watch_lanes(self._lanes, self._clock, self._silence_s, self._bury))
        try:
            phase: Phase | None = first
            while phase is not None:
                if self._stopping:
                    self._left = True
                    break
                source = Source(load.workload, phase, recorded, self._context.adapter, self._context.extra)
                self._phase = running = PhaseRun(phase, source, self._lanes, self._context.clock, self._feed)
                await self._start(running)
                while self._feeder.has_more(source) or not self._news.empty():
                    if (record := await self._news.get()) is not None:
                        yield record
                running.end()
                # A phase that was stopped before its end has not shown what the next one may depend on.
                phase = None if self._left else await anext(phases, None)
            await self._finish()
            if self._broken is not None:
                raise self._broken
        finally:
            self._decoding.stop()
            if self._phase is not None:
                self._phase.end()
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            self._lanes.leave()

    def allow(self, until_place: int, *, limited: bool = False) -> None:
        """Allows requests of places below this. Before the first call all are. `limited`: see `Feeder`."""
        self._feeder.sendable, self._feeder.limited = until_place, limited
        self._feed()

    def stored(self, request_ids: Iterable[RequestId]) -> None:
        """The results of these requests are stored. Turns that waited for this are sent: see `TurnGate`."""
        if self._phase is not None:
            self._feeder.stored(self._phase, request_ids)

    def drain(self) -> None:
        """Sends nothing more. Requests in flight go on and are yielded."""
        self._stop_with(Drain())

    def cancel(self) -> None:
        """Sends nothing more and closes the streams in flight. Their records have the outcome `cancelled`."""
        self._stop_with(Stop())

    def _stop_with(self, command: Command) -> None:
        self._stopping = True
        self._close_source()
        self._lanes.say(command)
        self._tell()

    def _close_source(self) -> None:
        if self._phase is not None:
            self._left |= self._phase.source.next_place is not None or self._feeder.holds_turns
            self._feeder.drop_turns()
            self._phase.source.close()

    def _tell(self) -> None:
        """Wakes the loop of `run`, which looks again."""
        self._news.put_nowait(None)

    def _begin(self, load: Load) -> None:
        self.disturbance.expect(len(self._children))
        self._lanes.begin(
            self._children,
            self._target,
            slots=load.concurrency,
            silence_s=self._silence_s,
            now_ns=self._clock.monotonic_ns(),
            hear=self._hear,
            bury=lambda lane: self._bury(lane, "a measuring process ended in the middle of the run"),
        )

    async def _start(self, phase: PhaseRun) -> None:
        """Gives the processes the first bodies while they connect or are idle, then makes them send all at once."""
        self._lanes.hold(phase.connections)
        self._feed()
        while not self._stopping and not phase.ready and not self._feeder.has_given_all(phase):
            await self._news.get()
        phase.go()

    async def _finish(self) -> None:
        """Makes the processes close their connections and report how undisturbed they were."""
        self._lanes.say(Finish())
        try:
            async with asyncio.timeout(FINISH_S):
                while not self._lanes.finished and self.failure is None:
                    await self._news.get()
        except TimeoutError:
            pass  # all records are here; `Lanes.leave` ends the processes that have not finished

    def _feed(self) -> None:
        phase = self._phase
        if phase is None or self.failure is not None:
            return
        if phase.ceased:
            self._feeder.drop_turns()
        late = self._feeder.give_up(phase)
        for request, record in late:
            phase.turn_after(request, record)
            self._news.put_nowait(record)
        if len(late) == MOST_GIVEN_UP:
            phase.look_again()
            return
        if self._feeder.feed(phase):
            phase.look_again()
        self._lanes.level(phase.elapsed_ns)
        self._tell()

    def _hear(self, lane: Lane, report: Report) -> None:
        lane.heard_ns = self._clock.monotonic_ns()
        match report:
            case Slice():
                lane.see(report)
                self._decoding.take(report)
                if self._decoding.behind:
                    # The process keeps its reports for now. If they grow too large, it begins no more requests.
                    lane.child.pause()
            case Watermark(stamp_ns, in_flight):
                lane.told_in_flight = in_flight
                self._decoding.expire(list(lane.live), stamp_ns)
                self._feed()
            case Dropped(ids):
                self._left |= self._stopping or self._phase is None or not self._phase.ceases
                self.lost(ids)
            case Late(ids, at_ns):
                self._decoding.drop(ids, at_ns)
            case Returned(ids):
                self._left |= bool(ids) and self._stopping
                self._feeder.take_back(lane, ids, None if self._stopping else self._phase)
                self._tell()
            case Opened():
                lane.opened = True
                self._tell()
            case Health():
                lane.finished = True
                self.disturbance.observe_process(report.lag_histogram, report.lag_max_ns / 1e6, report.cpu_share)
                self._tell()

    # The decoding thread calls these on the loop.

    def accepted(self) -> None:
        """The server accepts the bodies as they are: from now on, requests may wait in the processes."""
        self._feeder.accepted = True
        self._feed()

    def concluded(self, concluded: Concluded) -> None:
        """A request has ended: yields its record and feeds the next."""
        lane, phase = self._lanes.forget(concluded.request_id), self._phase
        if lane is None or phase is None:
            return
        if not concluded.closed:
            lane.child.send(Abort(concluded.request_id))
        mended = None if self._stopping else self._feeder.mended(concluded.measurement)
        if mended is not None:
            # The server refused a field. The request is sent again without it, and only that attempt is measured.
            self._feeder.give(phase, lane, mended, first=True)
            lane.flush()
            return
        self._observe(concluded.measurement)
        following = phase.turn_after(concluded.measurement.request, concluded.record)
        self._left |= self._stopping and concluded.record.outcome == "cancelled"
        self._feeder.turn_ended(concluded.record.id.place)
        if following is not None and self._stopping:
            self._left = True
        elif following is not None:
            concluded.record.holds_next_turn = not self._feeder.give_turn(phase, lane, following)
        self._news.put_nowait(concluded.record)
        self._feed()

    def caught_up(self) -> None:
        """Decoding has caught up: reads the reports of all processes again."""
        for lane in self._lanes:
            lane.child.resume()

    def lost(self, request_ids: list[int]) -> None:
        """Nothing more will be reported of these requests."""
        for request_id in request_ids:
            self._lanes.forget(request_id)
        self._tell()

    def broke(self, exc: Exception) -> None:
        """An error in our own code ended the decoding: ends the run."""
        self._broken = exc
        self._stopping = True
        self._close_source()
        self.lost(self._lanes.live)

    def _observe(self, measurement: Measurement) -> None:
        if measurement.begun and not measurement.request.warmup:
            self.disturbance.observe_request(
                measurement.send_delay_ns / 1e6,
                succeeded=measurement.outcome == "succeeded",
                doubtful=measurement.doubtful,
                selector_stamped=measurement.selector_stamped,
            )

    def _bury(self, lane: Lane, message: str) -> None:
        """A process died: records what is known of the requests that it had sent, and ends the run."""
        self.failure = self.failure or message
        self._stopping = self._left = True
        self._close_source()
        self._decoding.lose(list(lane.live), message)
        self._lanes.say(Stop())
        self._tell()
