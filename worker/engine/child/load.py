"""The load of one process: as soon as there is room, gives the next request that is due to an idle slot."""

import asyncio
import heapq
from collections import deque
from collections.abc import Sequence
from functools import partial

from shared.clock import monotonic_ns
from worker.engine.child.outbox import Outbox, Stream
from worker.engine.child.room import Room
from worker.engine.child.slot import Slot
from worker.engine.messages import Dropped, Go, Late, Request, Returned

# A request with the stamp since when it could have been sent (monotonic ns).
Taken = tuple[Request, int]


class Load:
    """The slots of one run, and the requests that wait for a slot."""

    def __init__(self, slots: Sequence[Slot], outbox: Outbox) -> None:
        self._slots = slots
        self._outbox = outbox
        # Requests that are sent as soon as there is room, and those with a due time: (due, order, request).
        self._waiting: deque[Request] = deque()
        self._scheduled: list[tuple[int, int, Request]] = []
        self._order = 0
        # Slots without a request. The last one sends next: its connection was used last, so an open loop makes no more
        # connections than it needs.
        self._idle: list[tuple[Slot, asyncio.Future[Taken]]] = []
        self._live: dict[int, tuple[Slot, Stream]] = {}
        self._room = Room()
        # Room for requests that wait for their answer to begin; None: any number may.
        self._prefill: Room | None = None
        self._think_ns = 0
        self._drop_after_ns: int | None = None
        # When the phase began; None while it is on hold.
        self._start_ns: int | None = None
        self._last_send_ns: int | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._stopping = False

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is in flight."""
        return not self._waiting and not self._scheduled and not self._live

    @property
    def in_flight(self) -> int:
        """How many requests are in flight. One whose connection is being made counts, too."""
        return len(self._live)

    async def open(self, connections: int) -> None:
        """Connects this many slots, unless they are connected, and lets them send first."""
        chosen = sorted(self._slots, key=lambda slot: not slot.connected)[:connections]
        await asyncio.gather(*(slot.open() for slot in chosen))
        numbers = set(map(id, chosen))
        self._idle.sort(key=lambda idle: id(idle[0]) in numbers)

    async def run(self) -> None:
        """Sends until cancelled."""
        async with asyncio.TaskGroup() as group:
            for slot in self._slots:
                group.create_task(self._work(slot))

    def add(self, requests: Sequence[Request]) -> None:
        """Adds requests, to be sent in this order."""
        if self._stopping:
            return self._outbox.say(Dropped([request.id for request in requests]))
        for request in requests:
            if request.offset_ns is not None:
                self._order += 1
                heapq.heappush(self._scheduled, (request.offset_ns, self._order, request))
            else:
                (self._waiting.appendleft if request.first else self._waiting.append)(request)
        if self._last_send_ns is not None and monotonic_ns() >= self._last_send_ns:
            return self.cease()
        return self._hand_out()

    def hold(self) -> None:
        """Keeps the requests that come, until `go`. Requests in flight go on."""
        self._start_ns = self._last_send_ns = None

    def go(self, phase: Go) -> None:
        """A phase starts: sends all requests that are due, in the same turn of the loop."""
        self._start_ns = phase.start_ns
        self._last_send_ns = None if phase.send_for_ns is None else phase.start_ns + phase.send_for_ns
        self._room.begin(phase.start_ns, phase.room)
        self._prefill = None if phase.max_prefill is None else Room()
        if self._prefill is not None and phase.max_prefill is not None:
            self._prefill.begin(phase.start_ns, [(0, phase.max_prefill)])
        self._think_ns, self._drop_after_ns = phase.think_ns, phase.drop_after_ns
        self._hand_out()

    def give_back(self, most: int | None) -> None:
        """Gives back requests that were not sent; see `Recall`."""
        ids = self._take_all() if most is None else []
        while most is not None and len(ids) < most:
            if self._is_due(monotonic_ns()):
                ids.append(heapq.heappop(self._scheduled)[2].id)
            elif self._waiting:
                ids.append(self._waiting.popleft().id)
            else:
                break
        self._outbox.say(Returned(ids))

    def cease(self) -> None:
        """Sends nothing more of this phase, not even requests that are added later. Requests in flight go on.

        Requests that were due by now are reported as late: the schedule was not kept.
        """
        now_ns = monotonic_ns()
        self._last_send_ns = now_ns if self._last_send_ns is None else min(now_ns, self._last_send_ns)
        self._give_up_due_before(self._last_send_ns)
        self._drop_all()

    def _is_due(self, now_ns: int) -> bool:
        return self._start_ns is not None and bool(self._scheduled) and self._start_ns + self._scheduled[0][0] <= now_ns

    def _take_all(self) -> list[int]:
        """Removes all requests that wait, and returns their ids."""
        ids = [request.id for request in self._waiting] + [item[2].id for item in self._scheduled]
        self._waiting.clear()
        self._scheduled.clear()
        return ids

    def _drop_all(self) -> None:
        if dropped := self._take_all():
            self._outbox.say(Dropped(dropped))

    def _give_up_due_before(self, before_ns: int) -> None:
        """Reports the requests that were due before this stamp, and have not been sent, as late."""
        late = []
        while self._start_ns is not None and self._scheduled and self._start_ns + self._scheduled[0][0] < before_ns:
            late.append(heapq.heappop(self._scheduled)[2].id)
        if late:
            self._outbox.say(Late(late, monotonic_ns()))

    def _hand_out(self) -> None:
        if self._drop_after_ns is not None:
            self._give_up_due_before(monotonic_ns() - self._drop_after_ns)
        while self._idle and (taken := self._take()) is not None:
            _, idle = self._idle.pop()
            if idle.done():
                self._put_back(*taken)
            else:
                idle.set_result(taken)
        if self._late_ns is not None and not self._idle:
            # No slot looks at the requests that wait, but they may become late.
            self._wake(None)

    def _take(self) -> Taken | None:
        """The next request that may be sent now, and since when it could have been sent (monotonic ns).

        None if there is no such request; then sets a timer for the next one.
        """
        if self._start_ns is None or not (self._waiting or self._scheduled):
            return None
        now_ns = monotonic_ns()
        if self._last_send_ns is not None and now_ns >= self._last_send_ns:
            self.cease()
            return None
        due_ns = self._start_ns + self._scheduled[0][0] if self._scheduled else None
        is_due = due_ns is not None and due_ns <= now_ns
        if not is_due and not self._waiting:
            self._wake(due_ns)
            return None
        free_ns = self._take_room(now_ns)
        if free_ns is None:
            self._wake(self._room.next_change_ns(now_ns))
            return None
        if due_ns is not None and is_due:
            return heapq.heappop(self._scheduled)[2], max(due_ns, free_ns)
        if due_ns is not None:
            self._wake(due_ns)
        return self._waiting.popleft(), free_ns

    def _take_room(self, now_ns: int) -> int | None:
        """Takes a unit of room, and one for a request without an answer. Returns since when both have been free."""
        free_ns = self._room.take(now_ns)
        if free_ns is None or self._prefill is None:
            return free_ns
        answered_ns = self._prefill.take(now_ns)
        if answered_ns is None:
            self._room.give_back(free_ns)
            return None
        return max(free_ns, answered_ns)

    def _put_back(self, request: Request, free_ns: int) -> None:
        self._room.give_back(free_ns)
        if self._prefill is not None:
            self._prefill.give_back(free_ns)
        if request.offset_ns is None:
            self._waiting.appendleft(request)
        else:
            heapq.heappush(self._scheduled, (request.offset_ns, 0, request))

    def _answered(self, prefill: Room, stamp_ns: int) -> None:
        """The answer to a request begins, or it has ended without one."""
        prefill.free(stamp_ns)
        self._hand_out()

    def _wake(self, at_ns: int | None) -> None:
        """Looks again at this stamp, when sending ends, and when the next request becomes late."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        moments = [moment for moment in (at_ns, self._last_send_ns, self._late_ns) if moment is not None]
        if moments:
            wait_s = max(0, min(moments) - monotonic_ns()) / 1e9
            self._alarm = asyncio.get_running_loop().call_later(wait_s, self._hand_out)

    @property
    def _late_ns(self) -> int | None:
        """When the next request becomes late; None if it never does."""
        if self._start_ns is None or self._drop_after_ns is None or not self._scheduled:
            return None
        return self._start_ns + self._scheduled[0][0] + self._drop_after_ns + 1

    def abort(self, request_id: int) -> None:
        """Closes the stream of a request that the worker has concluded."""
        if request_id in self._live:
            slot, stream = self._live[request_id]
            stream.mute()
            slot.abort()

    def cut(self) -> None:
        """Sends nothing more of this phase and closes its streams."""
        self.cease()
        for slot, _ in list(self._live.values()):
            slot.abort()

    def drain(self) -> None:
        """Sends nothing more."""
        self._stopping = True
        self._drop_all()

    def stop(self) -> None:
        """Sends nothing more and closes every stream."""
        self.drain()
        for slot in self._slots:
            slot.abort()

    async def close(self) -> None:
        """Closes the slots. `run` must have ended."""
        await asyncio.gather(*(slot.close() for slot in self._slots))

    async def _work(self, slot: Slot) -> None:
        while True:
            request, due_ns = await self._next(slot)
            stream = Stream(request.id, self._outbox)
            self._live[request.id] = slot, stream
            stream.on_answer = None if self._prefill is None else partial(self._answered, self._prefill)
            if self._stopping:  # stopped after the request was handed out
                self._outbox.say(Dropped([request.id]))
            else:
                await slot.exchange(request.body, stream, due_ns)
            del self._live[request.id]
            await self._outbox.room()
            self._room.free((stream.ended_ns or monotonic_ns()) + self._think_ns)

    async def _next(self, slot: Slot) -> Taken:
        if not self._idle and (taken := self._take()) is not None:
            return taken
        idle: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._idle.append((slot, idle))
        self._hand_out()
        return await idle
