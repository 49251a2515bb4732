"""The money of one worker's part of a run: what its marked requests may cost, and what those that ended did cost.

Where a cap counts, places are marked only as far as their worst cases were reserved. The transactions are in
`shared.db.money.reservations`; each is told here what stays reserved, in absolute amounts.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Protocol

from shared.benchmark.request_id import RequestId
from shared.benchmark.results.record import ResultRecord
from shared.benchmark.worst_case import WorstCase
from shared.db.money.reservations import Bill, Held, Paid, Refusal, Wanted, added_up
from shared.db.money.spend import Charge
from shared.money import MOST_MICROS
from worker.engine.recorded import Recorded
from worker.run.charges import charge_of

# Runs the transaction, and says what it could pay.
Store = Callable[[Bill], Awaitable[Paid | None]]


@dataclass(slots=True)
class _Place:
    """A place that is marked, or is to be. `amounts`: the worst case of each of its requests without a result."""

    number: int
    amounts: dict[int, int]
    day: date | None = None

    @property
    def held(self) -> Held:
        return Held(sum(self.amounts.values()), len(self.amounts))

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.number + 1, self.held.amount, self.held.requests)


class Beside(Protocol):
    """Money of requests that stand beside the load."""

    def held(self) -> Iterable[tuple[date, Held]]:
        """What they may cost that are marked and not settled."""

    def left(self) -> list[tuple[date | None, Charge]]:
        """What those cost that have ended and are in no transaction yet."""


class Purse:
    """One for a lease. Without a cap it only says what results cost."""

    def __init__(
        self,
        worst: WorstCase | None,
        recorded: Recorded | None = None,
        *,
        capped: bool = False,
        whole_loads: bool = False,
    ) -> None:
        """`worst` None: no price is known. Then requests cost nothing, and are counted as unpriced.

        `recorded`: the requests that have a result of earlier workers. `capped`: a cap counts. `whole_loads`: what
        comes next depends on how the server carries a load, so it starves as soon as it cannot send all of it.
        """
        self.whole_loads = whole_loads
        self.capped = capped
        self.beside: Beside | None = None
        # Why it could not pay for the next places. None: it could.
        self.refusal: Refusal | None = None
        # How many results came while it could not pay for as many requests at a time as the load asks for.
        self.short_results = 0
        self.starving = asyncio.Event()
        self._worst = worst
        self._recorded = recorded or Recorded()
        self._in_flight = 0
        self._mark = 0
        self._open: dict[int, _Place] = {}
        self._held: dict[date, Held] = {}
        self._unpaid: deque[_Place] = deque()
        # One transaction after another: each says what stays reserved.
        self._paying = asyncio.Lock()

    @property
    def unpaid(self) -> int:
        """How many places wait for money."""
        return len(self._unpaid)

    async def enter(self, in_flight: int) -> None:
        """A phase begins that may have so many requests in flight. What the one before has not sent comes back."""
        # A transaction that is under way pays for places of the phase before.
        async with self._paying:
            self._in_flight = in_flight
            self._unpaid.clear()
            self._open.clear()
            self._held.clear()
            self.starving.clear()

    async def pay(
        self, store: Store, *, ended: Sequence[ResultRecord] = (), places: Iterable[int] = (), mark: int = 0
    ) -> int:
        """Settles what has ended and reserves for places. Places below the mark that it returns may be sent.

        `mark`: the one that the transaction stores without a cap.
        """
        async with self._paying:
            if self.capped and self._unpaid and len(self._open) < self._in_flight:
                self.short_results += len(ended)
            charges = {(record.prompt_index, record.repetition): self._settle(record) for record in ended}
            if not self.capped:
                await store(Bill(charges))
                return mark
            self._unpaid.extend(map(self._place, places))
            wanted = [place.wanted for place in self._unpaid]
            self._take(await store(Bill(charges, self.held(), wanted)))
        return self._mark

    async def pay_beside(
        self,
        store: Callable[[Bill], Awaitable[object]],
        wanted: Sequence[Wanted] = (),
        settle: Callable[[], Sequence[tuple[date | None, Charge]]] = list,
    ) -> None:
        """Reserves and settles for requests that stand beside the load. `settle` is asked once for what they cost."""
        async with self._paying:
            charges = added_up(settle())
            held = self.held() if self.capped else None
            await store(Bill(held=held, wanted=wanted, beside=charges))

    def held(self) -> dict[date, Held]:
        """What marked requests may cost that have no result, by day."""
        held = dict(self._held)
        for day, more in self.beside.held() if self.beside is not None else ():
            held[day] = held.get(day, Held()) + more
        return held

    def left(self, unanswered: Sequence[RequestId]) -> dict[date | None, Charge]:
        """What the end of a segment settles: these requests, which may have been sent, and what stands beside."""
        charges = [self._unanswered(request_id) for request_id in unanswered]
        return added_up([*charges, *(self.beside.left() if self.beside is not None else ())])

    def _unanswered(self, request_id: RequestId) -> tuple[date | None, Charge]:
        place = self._open.get(request_id.place)
        if self._worst is None:
            return None if place is None else place.day, Charge(requests=1, unpriced=1)
        amount = None if place is None else place.amounts.get(request_id.turn)
        if amount is None:
            amount = self._worst.of_request(*request_id)
        return None if place is None else place.day, Charge(amount, amount, 1)

    def _place(self, number: int) -> _Place:
        """With the worst case of each turn that has no result yet."""
        first = self._recorded.turns(number)
        if self._worst is None:
            return _Place(number, {first: 0})
        costs = self._worst.of_place(number, first, self._recorded.answers(number))
        # What has no bound is more than any cap pays.
        amounts = [MOST_MICROS] if costs is None else costs
        return _Place(number, dict(enumerate(amounts, first)))

    def _settle(self, record: ResultRecord) -> tuple[date | None, Charge]:
        """The charge of a result. Its worst case is no longer held; nor is what follows in a place that has ended."""
        number, turn = record.id
        place = self._open.get(number)
        reserved = None if place is None else place.amounts.get(turn)
        charge = charge_of(record, self._bound(record.id, reserved))
        if place is None:
            return None, charge
        before = place.held
        if record.ends_place:
            place.amounts.clear()
            del self._open[number]
        else:
            place.amounts.pop(turn, None)
        if place.day is not None:
            self._held[place.day] += place.held - before
        return place.day, charge

    def _bound(self, request_id: RequestId, reserved: int | None) -> Callable[[], int] | None:
        """Gives the worst case of a request, which is seldom needed. None: no price is known."""
        if self._worst is None:
            return None
        return partial(self._worst.of_request, *request_id) if reserved is None else lambda: reserved

    def _take(self, paid: Paid | None) -> None:
        if paid is None:
            return
        for _ in range(paid.count):
            place = self._unpaid.popleft()
            place.day = paid.day
            self._open[place.number] = place
            self._held[paid.day] = self._held.get(paid.day, Held()) + place.held
        self._mark = self._mark if paid.mark is None else paid.mark
        self.refusal = paid.refusal
        if self._unpaid and len(self._open) < (self._in_flight if self.whole_loads else 1):
            self.starving.set()
        else:
            self.starving.clear()
