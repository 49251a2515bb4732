"""Workers that are killed in the middle of a stage. All workers together send exactly the sequence of the seed."""

import signal
from collections import Counter
from collections.abc import Sequence
from itertools import islice, pairwise

import orjson
import pytest

from shared.benchmark.load.places import ordinal_of, place_at
from shared.benchmark.load.plan import FixedPlan, PlannedLoad
from shared.benchmark.spec import BenchmarkSpec
from shared.benchmark.workload.workload import Workload
from shared.workloads.loads import load_of
from shared.workloads.rows import Row, Turn
from simulator.text import input_tokens
from tests.chaos.conftest import Scenario
from tests.chaos.history import results_of
from tests.chaos.stack import Json
from tests.support.dates import instant

# The queueing mode logs the input tokens of a request. 4 bytes are a token, so each prompt can be told by them.
MODEL = "sim-ttft150-gap10-n6-slots64"
PROMPTS = ["word" * (number + 1) for number in range(30)]
SEED = 7
CLOSED: Json = {"concurrency": 4, "requests": 30}
OPEN: Json = {
    "request_rate": 20,
    "arrival": "poisson",
    "max_concurrency": 16,
    "requests": 45,
}
TURNS, CONVERSATIONS = 3, 12
# A date has microseconds.
ROUNDING_S = 1e-5


@pytest.mark.parametrize(("first", "second"), [(CLOSED, OPEN), (OPEN, CLOSED)], ids=["closed", "open"])
async def test_kill_in_the_middle_of_a_stage(scenario: Scenario, first: Json, second: Json) -> None:
    """kill -9 a worker in the middle of the second stage, a closed loop or a Poisson open loop"""
    chaos = scenario.chaos
    load = {"seed": SEED, "stages": [{"name": "first", **first}, {"name": "second", **second}]}
    spec = {
        "model": MODEL,
        "prompts": PROMPTS,
        "load": load,
        "workload": {"order": "shuffled", "seed": SEED},
    }
    before = chaos.mark()
    number = await scenario.submit_load(planned=75, **spec)
    await chaos.under_way(number, first["requests"] + 4)
    (await chaos.worker_of(number)).signal(signal.SIGKILL)
    document = await chaos.ended(number)
    assert document["interrupted"]
    whole = BenchmarkSpec.model_validate({"name": "chaos", **spec})
    _check_union(_planned(whole), chaos.simulator.requests()[before:], document)
    measured = await results_of(chaos, number)
    _check_stages(document, measured, [first["requests"], second["requests"]])
    stage = (first, second).index(OPEN)
    mine = [result for result in measured if result["stage"] == stage]
    _check_offsets(load_of(whole), stage, mine, workers=1 if stage == 0 else 2)
    # In flight, and one more for each slot, or the requests of a second of an open loop.
    room = second.get("concurrency") or second["max_concurrency"]
    bound = room + max(room, second.get("request_rate", 0))
    assert document["summary"]["possible_duplicates"]["requests"] <= bound
    await scenario.survived("the requests of both workers are the sequence of the seed")


async def test_kill_in_the_middle_of_conversations(scenario: Scenario) -> None:
    """kill -9 a worker in the middle of conversations of three turns"""
    chaos = scenario.chaos
    # Each turn asks for an answer of a length of its own, so each conversation can be told by its answers.
    rows = [
        Row(tuple(Turn("word" * (10 * number + turn + 1), 2 + TURNS * number + turn) for turn in range(TURNS)))
        for number in range(CONVERSATIONS)
    ]
    content = b"\n".join(
        orjson.dumps({"turns": [{"text": turn.text, "max_tokens": turn.max_tokens} for turn in row.turns]})
        for row in rows
    )
    stored = await chaos.client.post(
        "/datasets",
        params={"name": "conversations", "format": "jsonl"},
        content=content,
        headers={"content-type": "application/x-ndjson"},
    )
    assert stored.status_code in (200, 201), stored.text
    spec = {
        "model": "sim-ttft150-gap10-n50-slots64",
        "workload": {
            "source": "dataset",
            "dataset": {"id": stored.json()["id"]},
            "order": "shuffled",
            "seed": SEED,
        },
        "load": {"concurrency": 3, "requests": CONVERSATIONS},
    }
    # The order may not depend on an interpreter's seed of `hash`, which forked programs share.
    await chaos.end_workers()
    for _ in range(2):
        chaos.start_worker(fresh=True)
    before = chaos.mark()
    number = await scenario.submit_load(planned=TURNS * CONVERSATIONS, **spec)
    await chaos.under_way(number, 7)
    (await chaos.worker_of(number)).signal(signal.SIGKILL)
    document = await chaos.ended(number)
    assert document["interrupted"]
    measured = await results_of(chaos, number)
    answers = {result["prompt_index"]: result["response"] for result in measured}
    assert [len(answers[index].split()) for index in sorted(answers)] == [
        turn.max_tokens for row in rows for turn in row.turns
    ]
    # A turn carries the answers that were stored, also those that the dead worker had stored.
    carried = {}
    for conversation, row in enumerate(rows):
        messages: list[Json] = []
        for turn, said in enumerate(row.turns):
            index = TURNS * conversation + turn
            messages.append({"content": said.text})
            carried[index] = input_tokens(messages)
            messages.append({"content": answers[index]})
    assert {result["prompt_index"]: result["input_tokens"] for result in measured} == carried
    for earlier, later in pairwise(sorted(measured, key=lambda result: result["prompt_index"])):
        if later["prompt_index"] % TURNS:
            assert instant(earlier["ended_at"]) <= instant(later["sent_at"])
    _check_union(Counter(carried.values()), chaos.simulator.requests()[before:], document)
    # Two turns of each conversation that is marked: those in flight, and one more for each slot.
    assert document["summary"]["possible_duplicates"]["requests"] <= 2 * 2 * spec["load"]["concurrency"]
    _check_stages(document, measured, [TURNS * CONVERSATIONS])
    turns = document["summary"]["turns"]
    assert [turns[str(turn)]["ttft_ms"]["count"] for turn in range(TURNS)] == [CONVERSATIONS] * TURNS
    await scenario.survived("every turn carries the stored answers")


def _planned(spec: BenchmarkSpec) -> Counter[int]:
    """How often each number of input tokens is in the sequence."""
    assert spec.load is not None
    workload = load_of(spec).workload
    return Counter(
        index + 1
        for number, stage in enumerate(spec.load.planned_stages)
        for index in _sequence(workload, number, stage.requests or 0)
    )


def _sequence(workload: Workload, stage: int, count: int) -> list[int]:
    """The prompts of a stage, in the order of the seed."""
    items = [workload.item(place_at(stage, ordinal)) for ordinal in range(count)]
    return [item.prompt_index for item in items if item is not None]


def _check_union(planned: Counter[int], seen: Sequence[Json], document: Json) -> None:
    """Every request of the sequence was sent, no other, and none more often than what the summary counts."""
    sent = Counter(request["input_tokens"] for request in seen)
    assert planned - sent == Counter(), "not sent"
    assert set(sent) == set(planned), "sent, but no part of the sequence"
    assert (sent - planned).total() <= document["summary"]["possible_duplicates"]["requests"], "sent again"


def _check_stages(document: Json, results: Sequence[Json], requests: Sequence[int]) -> None:
    """Each stage has its requests, and the run has those of all stages."""
    assert [stage["number"] for stage in document["stages"]] == list(range(len(requests)))
    for stage, wanted in zip(document["stages"], requests, strict=True):
        mine = [result for result in results if result["stage"] == stage["number"]]
        assert stage["ended_by"] == "requests"
        assert len(mine) == stage["summary"]["requests"]["succeeded"] == wanted
        for side in ("input", "output"):
            assert stage["summary"]["tokens"][f"{side}_tokens"] == sum(result[f"{side}_tokens"] for result in mine)
    summary = document["summary"]
    assert summary["requests"]["succeeded"] == len(results) == sum(requests)
    assert summary["tokens"]["output_tokens"] == sum(result["output_tokens"] for result in results)


def _check_offsets(load: PlannedLoad, stage: int, results: Sequence[Json], *, workers: int) -> None:
    """What each worker sent of an open loop stands on the schedule of the seed, moved as a whole."""
    assert isinstance(load.plan, FixedPlan)
    due_ns = list(islice(load.plan.stages[stage].measured.pace.due_ns(), len(results)))
    begins = sorted(
        instant(result["scheduled_at"]).timestamp() - (due_ns[_ordinal(load.workload, result)] or 0) / 1e9
        for result in results
    )
    assert sum(later - earlier > ROUNDING_S for earlier, later in pairwise(begins)) == workers - 1, begins


def _ordinal(workload: Workload, result: Json) -> int:
    return ordinal_of(workload.id_of(result["prompt_index"], result["repetition"]).place)
