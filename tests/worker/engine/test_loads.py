"""What workloads, paces and stop rules can express without a change to the engine: each is a few lines of its own."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from itertools import count

import pytest

from shared.benchmark.load.load import Load, Phase
from shared.benchmark.load.pace import ClosedLoop, Pace, Room
from shared.benchmark.load.stop import StopRule, Tally
from shared.benchmark.prompt import Parameters
from shared.benchmark.request_id import RequestId
from shared.benchmark.results.record import ResultRecord
from shared.benchmark.workload.workload import WorkItem, Workload
from simulator.server import Simulator
from tests.worker.engine.running import engine_at, load
from worker.engine.children import Children
from worker.engine.recorded import Recorded

FAST = "sim-ttft5-gap1-n2"


class Times(Pace):
    """Requests at given times: gamma arrivals, bursts and the replay of a trace are lists of times."""

    def __init__(self, times_s: Iterator[float], in_flight: int = 50) -> None:
        self._times_s = list(times_s)
        self._in_flight = in_flight

    def due_ns(self) -> Iterator[int | None]:
        return (int(at_s * 1e9) for at_s in self._times_s)

    def room(self) -> Sequence[Room]:
        return [Room(0, self._in_flight)]


class Steps(ClosedLoop):
    """A closed loop whose concurrency changes with time: ramps and stages are lists of steps."""

    def __init__(self, *steps: Room) -> None:
        super().__init__(1)
        self._steps = steps

    def room(self) -> Sequence[Room]:
        return self._steps


class ForSeconds(StopRule):
    def __init__(self, seconds: float, grace_s: float | None = None) -> None:
        self.send_for_ns = int(seconds * 1e9)
        self.grace_ns = None if grace_s is None else int(grace_s * 1e9)


class AfterErrors(StopRule):
    def stops(self, tally: Tally) -> bool:
        return tally.outcomes["errored"] >= 3


class Endless(Workload):
    """Prompts drawn at random for ever, the same for the same seed."""

    def __init__(self, model: str, seed: int = 0) -> None:
        self._model = model
        self._seed = seed

    @property
    def length(self) -> None:
        return None

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        if turn:
            return None
        index = random.Random(f"{self._seed}:{place}").randrange(1_000)
        messages = [{"role": "user", "content": f"prompt {index}"}]
        return WorkItem(RequestId(place), index, place, self._model, messages, None, Parameters(max_tokens=100))

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return RequestId(repetition)


class Conversations(Workload):
    """Each place is a conversation of three turns that carries its answers."""

    has_turns = True

    def __init__(self, places: int, think_s: float = 0, model: str = "sim-ttft20-gap1-n2") -> None:
        self._places = places
        self._think_s = think_s
        self._model = model

    @property
    def length(self) -> int:
        return self._places

    def item(self, place: int, turn: int = 0, answers: Sequence[str] = ()) -> WorkItem | None:
        if turn >= 3 or place >= self._places:
            return None
        messages = [{"role": "user", "content": f"question 0 of {place}"}]
        for number, answer in enumerate(answers, 1):
            messages += [
                {"role": "assistant", "content": answer},
                {"role": "user", "content": f"question {number} of {place}"},
            ]
        request_id, parameters = RequestId(place, turn), Parameters(max_tokens=100)
        return WorkItem(request_id, place, 0, self._model, messages, None, parameters, self._think_s)

    def id_of(self, prompt_index: int, repetition: int) -> RequestId:
        return RequestId(prompt_index)


async def run(
    children: Children, simulator: Simulator, work: Load, recorded: Recorded | None = None, processes: int = 1
) -> list[ResultRecord]:
    async with engine_at(children, simulator.base_url, "openai", processes=processes) as engine:
        return [record async for record in engine.run(work, recorded)]


def sent_ms(simulator: Simulator) -> list[float]:
    """When the server got each request, after the first."""
    stamps = sorted(request.received_ns for request in simulator.requests)
    return [(stamp - stamps[0]) / 1e6 for stamp in stamps]


async def test_a_burst_goes_out_together(children: Children, simulator: Simulator) -> None:
    pace = Times(iter([0.0] * 6 + [2.0] * 6))
    await run(children, simulator, load(*["sim-ttft500-gap1-n2"] * 12, pace=pace), processes=2)
    first, second = sent_ms(simulator)[5], sent_ms(simulator)[6]
    assert second - first > 1_000
    assert simulator.peak_in_flight >= 4


async def test_a_trace_is_replayed_at_its_times(children: Children, simulator: Simulator) -> None:
    times = [0.0, 0.05, 0.3, 0.31, 0.7]
    records = await run(children, simulator, load(*[FAST] * 5, pace=Times(iter(times))))
    begin = min(record.scheduled_at for record in records)
    due_s = sorted((record.scheduled_at - begin).total_seconds() for record in records)
    assert due_s == pytest.approx(times, abs=0.001)


async def test_a_ramp_raises_the_concurrency_with_time_and_lowers_it_again(
    children: Children, simulator: Simulator
) -> None:
    pace = Steps(Room(0, 1), Room(int(1e9), 4), Room(int(2e9), 2))
    work = Load(Endless("sim-ttft100-gap1-n2"), [Phase(pace, stop=ForSeconds(3))])
    assert work.concurrency == 4
    records = await run(children, simulator, work, processes=2)
    begin = min(record.scheduled_at for record in records)
    edges = sorted(
        edge
        for record in records
        for edge in (
            ((record.sent_at - begin).total_seconds(), 1),
            ((record.sent_at - begin).total_seconds() + (record.metrics["stream_close_ms"] or 0) / 1e3, -1),
        )
    )
    level, peaks = 0, [0, 0, 0]
    for at_s, change in edges:
        level += change
        # The last stage begins once what the one before had sent has ended, on a busy machine too.
        stage = 0 if at_s < 1 else 1 if at_s < 2.5 else 2
        peaks[stage] = max(peaks[stage], level)
    assert (peaks[0], peaks[1]) == (1, 4)
    assert peaks[2] <= 2
    # What waited for the ramp was not sent late: it could not have been sent before.
    assert {record.outcome for record in records} == {"succeeded"}


async def test_a_run_lasts_as_long_as_it_is_told_and_counts_what_it_sent(
    children: Children, simulator: Simulator
) -> None:
    work = Load(Endless(FAST), [Phase(ClosedLoop(3), stop=ForSeconds(0.6))])
    async with engine_at(children, simulator.base_url, "openai") as engine:
        records = [record async for record in engine.run(work)]
    begin = min(record.scheduled_at for record in records)
    # What was due before the end may leave a busy machine a little after it.
    assert max((record.sent_at - begin).total_seconds() for record in records) < 2
    assert {record.outcome for record in records} == {"succeeded"}
    assert len(records) == len(simulator.requests)
    assert sorted(record.id.place for record in records) == list(range(len(records)))
    assert engine.exhausted, "the rule ended the phase, and nothing was left undone"


async def test_what_goes_on_after_the_grace_of_a_timed_phase_is_cut(children: Children, simulator: Simulator) -> None:
    work = Load(Endless("sim-ttft5-gap5-endless"), [Phase(ClosedLoop(2), stop=ForSeconds(1, grace_s=0.3))])
    records = await run(children, simulator, work)
    assert [record.outcome for record in records] == ["incomplete"] * 2
    await simulator.wait_for(lambda server: server.in_flight == 0)


async def test_a_rule_may_end_a_phase_by_what_it_has_seen(children: Children, simulator: Simulator) -> None:
    work = Load(Endless("sim-ttft5-gap1-n2-err500"), [Phase(ClosedLoop(1), stop=AfterErrors())])
    records = await run(children, simulator, work)
    assert 3 <= len(records) <= 5
    assert {record.outcome for record in records} == {"errored"}


async def test_phases_follow_each_other_each_at_its_own_pace(children: Children, simulator: Simulator) -> None:
    phases = [Phase(ClosedLoop(1), end=2), Phase(ClosedLoop(4), first=2, end=10), Phase(ClosedLoop(2), first=10)]
    records = await run(children, simulator, Load(load(*["sim-ttft300-gap1-n2"] * 12).workload, phases))
    assert [record.id.place < 2 for record in records] == [True] * 2 + [False] * 10
    assert max(r.sent_at for r in records if r.id.place < 2) < min(r.sent_at for r in records if r.id.place >= 2)
    assert simulator.peak_in_flight == 4


async def test_a_turn_carries_the_answers_before_it(children: Children, simulator: Simulator) -> None:
    records = await run(children, simulator, Load(Conversations(4), [Phase(ClosedLoop(2))]), processes=2)
    assert sorted(record.id for record in records) == [
        RequestId(place, turn) for place in range(4) for turn in range(3)
    ]
    assert simulator.peak_in_flight <= 2
    answers = {record.id: record.response for record in records}
    for request in simulator.requests:
        messages = request.body["messages"]
        place, turn = int(messages[0]["content"].rpartition(" ")[2]), len(messages) // 2
        told = [message["content"] for message in messages if message["role"] == "assistant"]
        assert told == [answers[RequestId(place, number)] for number in range(turn)]
    assert [record.ends_place for record in sorted(records, key=lambda record: record.id)] == [False, False, True] * 4


async def test_a_conversation_goes_on_where_it_was_left(children: Children, simulator: Simulator) -> None:
    """The first turn of place 1 has a result; a turn that was sent is not sent again, and its answer is known."""
    recorded = Recorded([RequestId(1, 0)], {RequestId(1, 0): "as before"})
    records = await run(children, simulator, Load(Conversations(2), [Phase(ClosedLoop(1))]), recorded)
    assert sorted(record.id for record in records) == [*((0, turn) for turn in range(3)), (1, 1), (1, 2)]
    resumed = next(request for request in simulator.requests if "of 1" in request.body["messages"][0]["content"])
    assert resumed.body["messages"][1]["content"] == "as before"


async def test_people_think_before_they_answer(children: Children, simulator: Simulator) -> None:
    await run(children, simulator, Load(Conversations(1, think_s=0.3), [Phase(ClosedLoop(1))]))
    gaps = [later - earlier for earlier, later in zip(sent_ms(simulator), sent_ms(simulator)[1:], strict=False)]
    assert len(gaps) == 2
    assert min(gaps) >= 300


async def test_two_halves_of_a_seeded_workload_are_the_whole(children: Children, simulator: Simulator) -> None:
    """Whoever goes on sends exactly what is missing of the sequence."""

    class Thirty(Endless):
        @property
        def length(self) -> int:  # type: ignore[override]
            return 30

    work = Load(Thirty(FAST, seed=7), [Phase(ClosedLoop(3))])
    async with engine_at(children, simulator.base_url, "openai") as engine:
        first: list[ResultRecord] = []
        async for record in engine.run(work):
            first.append(record)
            if len(first) == 11:
                engine.drain()
    assert not engine.exhausted
    second = await run(children, simulator, work, Recorded(record.id for record in first))
    assert sorted(record.id.place for record in (*first, *second)) == list(range(30))
    expected = [work.workload.item(place) for place in range(30)]
    assert sorted(request.body["messages"][0]["content"] for request in simulator.requests) == sorted(
        item.messages[0]["content"] for item in expected if item is not None
    )


async def test_a_cancel_after_the_end_does_not_reach_the_next_run(children: Children, simulator: Simulator) -> None:
    """Measuring processes are lent again at once; who has given them back must not speak to them."""
    async with engine_at(children, simulator.base_url, "openai") as ended:
        assert len([record async for record in ended.run(load(FAST))]) == 1
    async with engine_at(children, simulator.base_url, "openai") as engine:
        running = asyncio.create_task(_all(engine.run(load(*["sim-ttft100-gap1-n2"] * 4))))
        await simulator.wait_for(lambda server: server.in_flight == 1)
        for number in count():
            ended.cancel()
            if number > 3:
                break
            await asyncio.sleep(0)
        records = await running
    assert [record.outcome for record in records] == ["succeeded"] * 4


async def _all(records: object) -> list[ResultRecord]:
    return [record async for record in records]  # type: ignore[attr-defined]


async def test_a_conversation_that_is_drained_is_left(children: Children, simulator: Simulator) -> None:
    """Its first turn ends, its second is not sent: another worker goes on with it."""
    async with engine_at(children, simulator.base_url, "openai") as engine:
        slow = Conversations(1, model="sim-ttft1000-gap1-n2")
        running = asyncio.create_task(_all(engine.run(Load(slow, [Phase(ClosedLoop(1))]))))
        await simulator.wait_for(lambda server: server.in_flight == 1)
        engine.drain()
        (record,) = await running
    assert (record.outcome, record.id) == ("succeeded", RequestId(0, 0))
    assert not record.ends_place
    assert not engine.exhausted


async def test_only_so_many_requests_wait_for_their_first_token(children: Children, simulator: Simulator) -> None:
    """Each waits 100 ms for it, so eight of them, two at a time, take four times as long."""
    work = Load(load(*["sim-ttft100-gap1-n2"] * 8).workload, [Phase(ClosedLoop(8), max_prefill=2)])
    records = await run(children, simulator, work, processes=2)
    assert {record.outcome for record in records} == {"succeeded"}
    assert sent_ms(simulator)[-1] >= 290


async def test_streams_think_between_their_requests(children: Children, simulator: Simulator) -> None:
    work = Load(load(*[FAST] * 6).workload, [Phase(ClosedLoop(2, think_s=0.2))])
    records = await run(children, simulator, work, processes=2)
    assert len(records) == 6
    assert sent_ms(simulator)[-1] >= 400
    assert simulator.peak_in_flight <= 2


async def test_a_request_that_finds_no_room_in_time_is_dropped_and_recorded(
    children: Children, simulator: Simulator
) -> None:
    pace = Times(iter([0.0, 0.01, 0.02, 1.5]), in_flight=1)
    work = Load(load(*["sim-ttft700-gap1-n2"] * 4).workload, [Phase(pace, drop_after_ns=int(2e8))])
    records = await run(children, simulator, work)
    outcomes = {record.id.place: record.outcome for record in records}
    assert outcomes == {0: "succeeded", 1: "dropped", 2: "dropped", 3: "succeeded"}
    assert len(simulator.requests) == 2
