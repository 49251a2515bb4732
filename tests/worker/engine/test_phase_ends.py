"""How a phase ends: its grace after any rule, and when the later turns of its conversations are due."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from shared.benchmark.load.load import Load, Phase
from shared.benchmark.load.pace import ClosedLoop, ConstantRate
from shared.benchmark.load.stop import AnyOf, ForTime, OnErrorRate, StopRule, Tally, WhenSaturated
from shared.benchmark.request_id import RequestId
from shared.benchmark.workload.workload import WorkItem
from simulator.server import Simulator
from tests.support.waiting import PATIENCE_S
from tests.worker.engine.test_loads import Conversations, Endless, run
from worker.engine.children import Children


class OneHangs(Endless):
    """The first request never ends, the others are refused."""

    def __init__(self) -> None:
        super().__init__("sim-ttft5-gap1-n2-err500")
        self._hung = Endless("sim-ttft5-gap50-endless")

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        return super().item(place, turn, answers) if place else self._hung.item(place, turn, answers)


async def test_the_grace_holds_after_a_stop_by_errors(children: Children, simulator: Simulator) -> None:
    work = Load(OneHangs(), [Phase(ClosedLoop(2), stop=OnErrorRate(0.5, 3, grace_s=0.3))])
    async with asyncio.timeout(PATIENCE_S):
        records = await run(children, simulator, work)
    assert {record.outcome for record in records if record.id.place} == {"errored"}
    (hung,) = [record for record in records if not record.id.place]
    assert hung.outcome == "incomplete"
    stopped_at = sorted(record.ended_at for record in records)[2]
    assert (hung.ended_at - stopped_at).total_seconds() >= 0.3


@pytest.mark.parametrize(
    ("rules", "grace_ns"),
    [
        ([ForTime(60, 5), OnErrorRate(0.5, 10, 5)], 5_000_000_000),
        ([OnErrorRate(0.5, 10, 5), WhenSaturated(grace_s=5)], 5_000_000_000),
        ([ForTime(60), OnErrorRate(0.5, 10)], None),
    ],
)
def test_several_rules_have_the_grace_of_each(rules: Sequence[StopRule], grace_ns: int | None) -> None:
    assert AnyOf(rules).grace_ns == grace_ns


async def test_a_conversation_sends_no_turn_after_its_phase_has_ended(children: Children, simulator: Simulator) -> None:
    class AfterOne(StopRule):
        def stops(self, tally: Tally) -> bool:
            return tally.ended >= 1

    records = await run(children, simulator, Load(Conversations(1), [Phase(ClosedLoop(1), stop=AfterOne())]))
    assert [(record.id, record.ends_place) for record in records] == [(RequestId(0, 0), True)]
    assert len(simulator.requests) == 1


@pytest.mark.parametrize("think_s", [0, 0.25])
@pytest.mark.parametrize("pace", [ClosedLoop(1), ConstantRate(1, 5)], ids=["closed", "open"])
async def test_a_later_turn_is_due_when_the_turn_before_has_ended(
    children: Children, simulator: Simulator, think_s: float, pace: ClosedLoop | ConstantRate
) -> None:
    talk = Conversations(1, think_s=think_s, model="sim-ttft300-gap1-n2")
    records = sorted(await run(children, simulator, Load(talk, [Phase(pace)])), key=lambda record: record.id)
    assert len(records) == 3
    for before, record in pairwise(records):
        waited_s = (record.scheduled_at - before.ended_at).total_seconds()
        assert waited_s == pytest.approx(think_s, abs=1e-5)
        queue_ms = record.metrics["queue_ms"]
        assert queue_ms is not None
        assert queue_ms == pytest.approx((record.sent_at - record.scheduled_at).total_seconds() * 1e3, abs=0.01)
