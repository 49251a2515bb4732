"""The purse: what a run holds, what it gives back, and when it is short."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from shared.benchmark.prompt import Parameters
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.record import ResultRecord
from shared.benchmark.workload.workload import WorkItem, Workload
from shared.benchmark.worst_case import WorstCase
from shared.clock import SystemClock
from shared.db.money.caps import CapState
from shared.db.money.reservations import Bill, Held, Paid, Refusal
from shared.db.money.spend import Charge
from shared.money import MOST_MICROS
from tests.shared.db.rows import make_record
from tests.support.waiting import PATIENCE_S
from worker.engine.recorded import Recorded
from worker.run.budget import short_notice, stop_notice, wait_for_money
from worker.run.probe_money import ProbeMoney
from worker.run.purse import Purse

DAY = date(2026, 11, 27)
NEXT_DAY = DAY + timedelta(days=1)


class Talks(Workload):
    """Conversations of two turns; each request costs 100 at most."""

    has_turns = True
    length = None

    def __init__(self, max_tokens: int | None = 1) -> None:
        self._parameters = Parameters(max_tokens=max_tokens)

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        message = {"role": "user", "content": "x"}
        return (
            None if turn > 1 else WorkItem(RequestId(place, turn), turn, place, "m", [message], None, self._parameters)
        )

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return RequestId(repetition, prompt_index)


def worst(max_tokens: int | None = 1) -> WorstCase:
    return WorstCase(Talks(max_tokens), lambda _read, _written: 100)


class Caps:
    """Stands for the database: pays for so many micro-dollars."""

    def __init__(self, left: int, day: date = DAY) -> None:
        self.left = left
        self.day = day
        self.bills: list[Bill] = []
        self._held = 0

    async def __call__(self, bill: Bill) -> Paid:
        self.bills.append(bill)
        held = sum(item.amount for item in (bill.held or {}).values())
        self.left += self._held - held
        count = amount = 0
        for item in bill.wanted:
            if amount + item.amount > self.left:
                break
            count, amount = count + 1, amount + item.amount
        self.left -= amount
        self._held = held + amount
        refusal = None
        if count < len(bill.wanted):
            cap = CapState("benchmark:1", "default", 1_000, spent=0, reserved=1_000 - self.left)
            refusal = Refusal(cap, bill.wanted[count].amount)
        return Paid(self.day, count, bill.wanted[count - 1].mark if count else None, refusal)


def ended(place: int, turn: int = 0, *, over: bool = False) -> ResultRecord:
    record = make_record(turn, place, cost_usd=Decimal("0.00001"), ends_place=over)
    return replace(record, id=RequestId(place, turn))


async def test_a_conversation_is_paid_as_a_whole_and_given_back_turn_by_turn() -> None:
    purse, caps = Purse(worst(), capped=True), Caps(500)
    await purse.enter(2)
    assert await purse.pay(caps, places=[0, 1, 2]) == 2
    assert caps.bills[0].wanted[0].amount == 200
    assert purse.held() == {DAY: Held(400, 4)}
    assert purse.unpaid == 1
    await purse.pay(caps, ended=[ended(0)])
    assert caps.bills[-1].charges == {(0, 0): (DAY, Charge(10, 0, 1))}
    # It had no second turn, because the first one failed.
    assert await purse.pay(caps, ended=[ended(1, over=True)]) == 3
    assert purse.held() == {DAY: Held(300, 3)}
    assert purse.unpaid == 0


async def test_a_resumed_conversation_costs_only_what_is_left_of_it() -> None:
    purse, caps = Purse(worst(), Recorded([RequestId(0)]), capped=True), Caps(500)
    await purse.enter(1)
    await purse.pay(caps, places=[0])
    assert purse.held() == {DAY: Held(100, 1)}


async def test_each_place_belongs_to_the_day_that_paid_for_it() -> None:
    purse, caps = Purse(worst(), capped=True), Caps(1_000)
    await purse.enter(2)
    await purse.pay(caps, places=[0])
    caps.day = NEXT_DAY
    await purse.pay(caps, places=[1])
    assert purse.held() == {DAY: Held(200, 2), NEXT_DAY: Held(200, 2)}
    await purse.pay(caps, ended=[ended(0), ended(1)])
    assert [day for day, _ in caps.bills[-1].charges.values()] == [DAY, NEXT_DAY]
    assert purse.left([RequestId(0, 1), RequestId(1, 1)]) == {DAY: Charge(100, 100, 1), NEXT_DAY: Charge(100, 100, 1)}


async def test_the_next_phase_gives_back_what_the_one_before_has_not_sent() -> None:
    purse, caps = Purse(worst(), capped=True), Caps(500)
    await purse.enter(2)
    await purse.pay(caps, places=[0, 1, 2])
    await purse.enter(2)
    assert purse.held() == {}
    assert await purse.pay(caps, places=[10]) == 11
    assert caps.bills[-1].held == {}
    assert caps.left == 300


async def test_it_starves_when_nothing_is_in_flight_and_the_next_place_is_not_paid() -> None:
    purse, caps = Purse(worst(), capped=True), Caps(300)
    await purse.enter(1)
    await purse.pay(caps, places=[0, 1])
    assert not purse.starving.is_set()
    caps.left = -300
    await purse.pay(caps, ended=[ended(0, over=True)])
    assert purse.starving.is_set()
    caps.left = 500
    await purse.pay(caps)
    assert not purse.starving.is_set()
    assert purse.refusal is None


async def test_results_that_came_with_too_few_requests_in_flight_are_counted() -> None:
    purse, caps = Purse(worst(), capped=True), Caps(200)
    await purse.enter(2)
    await purse.pay(caps, places=[0, 1])
    await purse.pay(caps, ended=[ended(0)])
    assert purse.short_results == 1
    notice = short_notice(purse.short_results)
    assert notice is not None
    assert "than the load asks for: 1." in notice
    assert short_notice(0) is None


async def test_without_a_cap_it_reserves_nothing_and_knows_what_results_cost() -> None:
    purse, caps = Purse(worst()), Caps(0)
    unknown = replace(ended(1), cost_usd=None)
    assert await purse.pay(caps, ended=[ended(0), unknown], mark=7) == 7
    [bill] = caps.bills
    assert (bill.held, bill.wanted) == (None, ())
    assert bill.charges == {(0, 0): (None, Charge(10, 0, 1)), (0, 1): (None, Charge(100, 100, 1))}
    assert purse.left([RequestId(3)]) == {None: Charge(100, 100, 1)}


async def test_without_a_price_all_is_paid_and_nothing_counts() -> None:
    purse, caps = Purse(None, capped=True), Caps(0)
    await purse.enter(1)
    assert await purse.pay(caps, places=[0, 1]) == 2
    await purse.pay(caps, ended=[replace(ended(0), cost_usd=None)])
    assert caps.bills[-1].charges == {(0, 0): (DAY, Charge(requests=1, unpriced=1))}
    assert purse.left([RequestId(1)]) == {DAY: Charge(requests=1, unpriced=1)}


async def test_no_cap_pays_for_what_has_no_bound() -> None:
    purse, caps = Purse(worst(None), capped=True), Caps(10**9)
    await purse.enter(1)
    await purse.pay(caps, places=[0])
    assert purse.starving.is_set()
    assert purse.refusal is not None
    assert purse.refusal.needed == MOST_MICROS
    assert "max_tokens" in stop_notice(purse.refusal)


async def test_probes_are_paid_in_chunks_and_settled_once() -> None:
    purse, caps = Purse(worst(), capped=True), Caps(250)
    probes = ProbeMoney(purse, 50, caps)
    assert await probes.mark_to(4) == 4
    assert purse.held() == {DAY: Held(200, 4)}
    # Those of the load and of the probes are held side by side.
    await purse.enter(1)
    await purse.pay(caps, places=[0])
    assert purse.starving.is_set(), "50 are left"
    probes.ended(replace(ended(0), cost_usd=Decimal("0.000001")))
    assert purse.held() == {DAY: Held(151, 4)}, "until it is settled, what it cost is held"
    await probes.settle(caps)
    assert caps.bills[-1].beside == {DAY: Charge(1, 0, 1)}
    assert caps.bills[-1].held == {DAY: Held(150, 3)}
    await probes.settle(caps)
    assert caps.bills[-1].beside == {}
    # Cut off at the end of the run: nobody knows what it costs.
    probes.ended(replace(ended(1), outcome="cancelled", cost_usd=None))
    assert purse.left([]) == {DAY: Charge(50, 50, 1)}
    assert await probes.mark_to(9) == 6


async def starve(purse: Purse, caps: Caps) -> None:
    await purse.enter(1)
    await purse.pay(caps, places=[0])
    assert purse.starving.is_set()


async def test_a_run_goes_on_when_others_give_money_back() -> None:
    purse, caps = Purse(worst(), capped=True), Caps(0)
    await starve(purse, caps)
    allowed: list[int] = []
    gave_up: list[Refusal] = []
    waiting = asyncio.create_task(
        wait_for_money(purse, caps, SystemClock(), allowed.append, gave_up.append, look_every_s=0.001)
    )
    async with asyncio.timeout(PATIENCE_S):
        while len(caps.bills) < 4:
            await asyncio.sleep(0.001)
        caps.left = 200
        while not allowed:
            await asyncio.sleep(0.001)
    assert (allowed, gave_up) == ([1], [])
    waiting.cancel()


async def test_a_phase_that_begins_while_money_is_asked_for_waits_for_the_answer() -> None:
    """A phase that ends by its duration may end while the run waits for money of others."""
    purse, caps = Purse(worst(), capped=True), Caps(0)
    await starve(purse, caps)
    caps.left = 200
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slow(bill: Bill) -> Paid:
        asked.set()
        await answered.wait()
        return await caps(bill)

    asking = asyncio.create_task(purse.pay(slow))
    await asked.wait()
    entering = asyncio.create_task(purse.enter(1))
    answered.set()
    await asyncio.gather(asking, entering)
    assert purse.held() == {}
    assert await purse.pay(caps, places=[5]) == 6
    assert purse.held() == {DAY: Held(200, 2)}


async def test_a_run_gives_up_after_a_while_and_at_once_if_nothing_can_come_back() -> None:
    for wait_s, spent in ((0.02, 0), (600.0, 900)):
        purse, caps = Purse(worst(), capped=True), Caps(0)
        await starve(purse, caps)
        assert purse.refusal is not None
        purse.refusal = Refusal(replace(purse.refusal.cap, spent=spent), 200)
        gave_up: list[Refusal] = []
        async with asyncio.timeout(PATIENCE_S):
            await wait_for_money(
                purse, caps, SystemClock(), lambda _: None, gave_up.append, wait_s=wait_s, look_every_s=0.001
            )
        assert len(gave_up) == 1
        assert "the budget of benchmark 1 (benchmark:1): of 0.001 USD" in stop_notice(gave_up[0])
