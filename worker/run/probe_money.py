"""The money of probes, which are sent beside a load: they are marked in chunks, as far as the caps pay."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import date

from shared.benchmark.results.record import ResultRecord
from shared.db.money.reservations import Bill, Held, Paid, Wanted
from shared.db.money.spend import Charge
from worker.run.charges import charge_of
from worker.run.purse import Purse, Store


class ProbeMoney:
    """Of one run on one worker. Every probe has the same worst case."""

    def __init__(self, purse: Purse, worst: int | None, store: Store) -> None:
        """`worst`: in micro-dollars; None: no price is known. `store` runs the transaction that reserves."""
        self._purse = purse
        self._worst = worst
        self._store = store
        # Probes below this place may be sent.
        self._mark = 0
        # The days of those that are marked and have not ended, by place.
        self._open: dict[int, date] = {}
        self._ended: list[tuple[date | None, Charge]] = []
        purse.beside = self

    @property
    def capped(self) -> bool:
        return self._purse.capped

    async def mark_to(self, place: int) -> int:
        """Reserves for probes below this place. Those below the mark that it returns may be sent. Raises LeaseLost."""
        wanted = [Wanted(None, self._worst or 0) for _ in range(self._mark, place)]
        if wanted:
            # Taken within the transaction's turn: the next one must know what this one has reserved.
            await self._purse.pay_beside(self._pay, wanted)
        return self._mark

    async def _pay(self, bill: Bill) -> Paid | None:
        paid = await self._store(bill)
        if paid is not None:
            self._open.update(dict.fromkeys(range(self._mark, self._mark + paid.count), paid.day))
            self._mark += paid.count
        return paid

    def ended(self, record: ResultRecord) -> None:
        """A probe has ended, and has its cost if that is known."""
        worst = self._worst
        charge = charge_of(record, None if worst is None else lambda: worst)
        self._ended.append((self._open.pop(record.id.place, None), charge))

    async def settle(self, store: Callable[[Bill], Awaitable[object]]) -> None:
        """Settles the probes that have ended, in the transaction that stores them."""
        await self._purse.pay_beside(store, settle=self._take_ended)

    def _take_ended(self) -> list[tuple[date | None, Charge]]:
        ended, self._ended = self._ended, []
        return ended

    def held(self) -> Iterator[tuple[date, Held]]:
        for day in self._open.values():
            yield day, Held(self._worst or 0, 1)
        for ended, charge in self._ended:
            if ended is not None:
                yield ended, Held(charge.amount, 1)

    def left(self) -> list[tuple[date | None, Charge]]:
        return list(self._ended)
