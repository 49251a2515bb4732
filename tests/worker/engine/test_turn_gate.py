"""At most one turn of a conversation waits to be stored when its next turn is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.benchmark.load.load import Load, Phase
from shared.benchmark.load.pace import ClosedLoop
from shared.benchmark.load.stop import ForTime
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.record import ResultRecord
from simulator.server import Simulator
from tests.support.waiting import PATIENCE_S
from tests.worker.engine.running import collecting, engine_at, until
from tests.worker.engine.test_loads import Conversations
from worker.engine.children import Children
from worker.engine.engine import Engine


@dataclass
class Talk:
    """A run whose results nobody stores before the test says so."""

    engine: Engine
    records: list[ResultRecord]
    running: "asyncio.Task[None]"

    @property
    def ids(self) -> list[RequestId]:
        return [record.id for record in self.records]

    async def over(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.shield(self.running)


@asynccontextmanager
async def talk(children: Children, simulator: Simulator, work: Load) -> AsyncIterator[Talk]:
    async with engine_at(children, simulator.base_url, "openai") as engine:
        engine.allow(1_000)
        async with collecting(engine, work) as (records, running):
            yield Talk(engine, records, running)


async def test_a_turn_waits_until_only_the_turn_before_it_is_not_stored(
    children: Children, simulator: Simulator
) -> None:
    async with talk(children, simulator, Load(Conversations(2), [Phase(ClosedLoop(1))])) as run:
        await until(lambda: len(run.records) == 2)
        assert [record.holds_next_turn for record in run.records] == [False, True]
        await asyncio.wait([run.running], timeout=0.2)
        assert run.ids == [(0, 0), (0, 1)], "the next conversation does not begin in the room of the held turn"
        run.engine.stored([RequestId(0, 0)])
        await until(lambda: len(run.records) == 5)
        assert run.ids[2:] == [(0, 2), (1, 0), (1, 1)]
        run.engine.stored(run.ids[1:])
        await run.over()
        assert run.ids[5:] == [(1, 2)]
        assert run.engine.exhausted
    assert len(simulator.requests) == 6


async def test_a_stopped_run_leaves_the_turns_that_are_held(children: Children, simulator: Simulator) -> None:
    async with talk(children, simulator, Load(Conversations(1), [Phase(ClosedLoop(1))])) as run:
        await until(lambda: len(run.records) == 2)
        run.engine.drain()
        await run.over()
        run.engine.stored(run.ids)
        assert not run.engine.exhausted
    assert len(simulator.requests) == 2


async def test_a_phase_that_is_over_waits_for_no_turn_that_is_held(children: Children, simulator: Simulator) -> None:
    phase = Phase(ClosedLoop(1), stop=ForTime(0.5))
    async with talk(children, simulator, Load(Conversations(1), [phase])) as run:
        await run.over()
        assert run.engine.exhausted, "its stop rule has ended it"
        assert run.engine.phase_ended_by == "duration"
    assert len(simulator.requests) == len(run.records)
    assert not any(record.id.turn == 2 for record in run.records)
