"""Stores results as requests end: each transaction takes what has ended since the last one."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.aggregate import RunAggregate
from shared.benchmark.results.observe import of_record
from shared.benchmark.results.record import ResultRecord
from shared.clock import Clock
from shared.db.money.reservations import Bill, Paid
from shared.db.runs.lease import Lease
from shared.db.runs.results import ResultRepository
from worker.patience import until_available
from worker.run.live import LiveNumbers
from worker.run.purse import Purse
from worker.run.send_window import FAST_S, SendWindow

# Rows in one INSERT; SQLite and PostgreSQL bound the parameters of a statement.
MAX_BATCH = 200
# The pause after a transaction is as long as the transaction took, within these bounds. So others get half of the time.
# It ends when the window becomes short.
MIN_PAUSE_S, MAX_PAUSE_S = 0.02, 0.25
# Results folded into the aggregate in one turn of the loop, so that heartbeats and bells wait a few ms at most.
FOLDED_A_TURN = 10
# How often the live numbers are stored.
LIVE_EVERY_S = 1.0


class Recorder:
    """A queue in front of the database: measuring never waits for a commit, and the first result is stored at once."""

    def __init__(
        self,
        repository: ResultRepository,
        lease: Lease,
        clock: Clock,
        allow: Callable[..., None],
        sent_in_vain: Counter[RequestId],
        in_flight: Callable[[], int] = lambda: 0,
        purse: Purse | None = None,
        stored: Callable[[Sequence[RequestId]], None] = lambda request_ids: None,
    ) -> None:
        """`allow` is called with each new mark after its commit: requests of places below it may be sent. If others
        wait for money, with `limited=True` too.

        `sent_in_vain`: how often earlier segments may have sent a request without its answer being stored.
        `in_flight`: how many requests are in flight now. `purse` None: nobody asks what results cost. `stored` is
        called with the requests of each transaction. Call `open_stage` and `enter` before the first record of a stage
        and of a phase.
        """
        self.window = SendWindow(iter(()), 0)
        self.live = LiveNumbers()
        self._in_flight = in_flight
        # What the results of each stage in progress add up to; each is added after its commit.
        self.aggregates: Mapping[int | None, RunAggregate] = {None: RunAggregate(1)}
        self._latest: int | None = None
        self._allow = allow
        self._stored = stored
        self._purse = purse
        self._repository = repository
        self._lease = lease
        self._clock = clock
        self._sent_in_vain = sent_in_vain
        self._waiting: deque[ResultRecord] = deque()
        self._more = asyncio.Event()
        # How many records were added and are not in the aggregate yet.
        self._unsettled = 0
        self._settled = asyncio.Event()
        self._settling = False
        self._closed = False
        self._hurry = asyncio.Event()
        self._live_ns = clock.monotonic_ns()

    def open_stage(self, aggregates: Mapping[int | None, RunAggregate]) -> None:
        """A stage begins. Each result is added to the aggregate of its `stage`."""
        self.aggregates = aggregates
        self._latest = next(iter(aggregates))

    def enter(self, window: SendWindow) -> None:
        """A phase begins. All records of the phase before must be `settled`."""
        self.window = window

    @property
    def capped(self) -> bool:
        """Whether places must be paid before they are sent."""
        return self._purse is not None and self._purse.capped

    async def mark(self, window: SendWindow, store: Callable[[int | None, Bill | None], Awaitable[Paid | None]]) -> int:
        """The first mark of a phase, as it may be allowed. `store` stores it, or as much of it as the bill pays."""
        if self._purse is None or not self._purse.capped:
            await store(window.mark, None)
            return window.mark
        await self._purse.enter(window.concurrency)
        return await self._purse.pay(lambda bill: store(None, bill), places=window.take_opened())

    def allow(self, mark: int) -> None:
        """Requests of places below this mark may be sent: it is stored."""
        self.window.unpaid = 0 if self._purse is None else self._purse.unpaid
        if self.window.unpaid:
            self._hurry.set()
            self._allow(mark, limited=True)
        else:
            self._allow(mark)

    def add(self, record: ResultRecord) -> None:
        self._waiting.append(record)
        if record.stage != self._latest:
            self._latest = record.stage
            self.live.enter(record.stage)
        self.live.add(record)
        self._unsettled += 1
        self._settled.clear()
        if record.ends_place:
            self.window.ended()
            if self.window.short:
                self._hurry.set()
        elif record.holds_next_turn:
            self._hurry.set()
        self._more.set()

    def close(self) -> None:
        """No more records will be added; `run` ends once all are stored."""
        self._closed = True
        self._hurry.set()
        self._more.set()

    async def settled(self) -> None:
        """Returns when every record that was added is stored and in the aggregate."""
        self._settling = True
        self._hurry.set()
        if self._unsettled:
            await self._settled.wait()
        self._settling = False

    async def run(self) -> None:
        """Stores until closed. Raises LeaseLost if this worker no longer holds the benchmark."""
        while True:
            await self._more.wait()
            if not self._waiting:
                return
            batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
            if not self._waiting and not self._closed:
                self._more.clear()
            begin_ns = self._clock.monotonic_ns()
            await self._store(batch)
            took_s = (self._clock.monotonic_ns() - begin_ns) / 1e9
            await self._fold(batch)
            self._unsettled -= len(batch)
            if not self._unsettled:
                self._settled.set()
            await self._pause(min(max(took_s, MIN_PAUSE_S), MAX_PAUSE_S))

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            pass

    async def _store(self, batch: list[ResultRecord]) -> None:
        finished = sum(record.ends_place for record in batch)
        self.window.advance(finished)
        mark = await self._record(batch, self.window.mark, self._live())
        self.window.stored(finished, fast=all(_took_s(record) < FAST_S for record in batch))
        if not (self._closed or self._settling or self._urgent):
            self._hurry.clear()
        self._stored([record.id for record in batch])
        self.allow(mark)

    @property
    def _urgent(self) -> bool:
        """Whether a request waits for results to be stored."""
        return self.window.short or any(record.holds_next_turn for record in self._waiting)

    async def _record(self, batch: list[ResultRecord], mark: int, live: dict[str, object] | None) -> int:
        """Returns the mark that was stored."""
        record = partial(self._repository.record, self._lease, batch, dispatched=mark, live=live)
        if self._purse is None:
            await until_available(record, "results_wait")
            return mark
        return await self._purse.pay(
            lambda bill: until_available(lambda: record(bill=bill), "results_wait"),
            ended=batch,
            places=self.window.take_opened(),
            mark=mark,
        )

    async def _fold(self, batch: list[ResultRecord]) -> None:
        """Called after the commit, so that the aggregate holds exactly what the database holds."""
        for number, record in enumerate(batch, 1):
            aggregate, sent_in_vain = self.aggregates[record.stage], self._sent_in_vain[record.id]
            aggregate.add(of_record(record), sent_in_vain=sent_in_vain, segment=self._lease.fence)
            if number % FOLDED_A_TURN == 0:
                await asyncio.sleep(0)

    def _live(self) -> dict[str, object] | None:
        """The live numbers to store with the results; None if they were stored less than LIVE_EVERY_S ago."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._live_ns < LIVE_EVERY_S * 1e9:
            return None
        self._live_ns = now_ns
        return self.live.document(self.aggregates[self._latest], self._in_flight(), self._clock.wall_now())


def _took_s(record: ResultRecord) -> float:
    return (record.ended_at - record.sent_at).total_seconds()
