"""The simulator's own bill: what it counted, whatever its clients believe."""

import asyncio
import json
from typing import Any

from shared.program.tasks import end
from simulator.bill import Bill
from simulator.record import RequestRecord
from simulator.server import Simulator
from tests.simulator.raw import FAST, anthropic_request, exchange, openai_request, request_bytes, stream

CLOSE = {"connection": "close"}


async def bill_of(sim: Simulator) -> dict[str, dict[str, Any]]:
    answer = await exchange(sim, request_bytes("/bill", b"", CLOSE, method="GET"))
    return {item.pop("model"): item for item in json.loads(answer.body)["models"]}


async def test_each_model_has_its_requests_and_tokens(sim: Simulator) -> None:
    model = f"sim-{FAST}-n3"
    for _ in range(2):
        await stream(sim, openai_request(model))
    await stream(sim, anthropic_request(f"sim-{FAST}-n5"))
    await sim.wait_for(lambda sim: sim.in_flight == 0)
    bill = await bill_of(sim)
    # "hello" is two tokens.
    assert bill[model] == {
        "requests": 2, "answered": 2, "broken_off": 0, "refused": 0, "input_tokens": 4, "output_tokens": 6,
    }  # fmt: skip
    assert bill[f"sim-{FAST}-n5"]["output_tokens"] == 5


async def test_what_was_refused_costs_nothing_and_what_broke_off_what_was_written(sim: Simulator) -> None:
    await exchange(sim, openai_request("sim-err429", CLOSE))
    await stream(sim, openai_request(f"sim-{FAST}-n9-fin3"))
    await exchange(sim, openai_request("sim-ttft1-gap5-n1000"), until=b"numbers ")
    await sim.wait_for(lambda sim: sim.in_flight == 0)
    bill = await bill_of(sim)
    assert bill["sim-err429"] == {
        "requests": 1, "answered": 0, "broken_off": 0, "refused": 1, "input_tokens": 0, "output_tokens": 0,
    }  # fmt: skip
    cut = bill[f"sim-{FAST}-n9-fin3"]
    assert (cut["answered"], cut["broken_off"], cut["input_tokens"], cut["output_tokens"]) == (0, 1, 2, 3)
    left = bill["sim-ttft1-gap5-n1000"]
    assert (left["answered"], left["broken_off"]) == (0, 1)
    assert 2 <= left["output_tokens"] < 1_000


async def test_a_request_in_flight_is_only_counted(sim: Simulator) -> None:
    reading = asyncio.create_task(exchange(sim, openai_request("sim-ttft1-gap1-endless"), until=b"no such text"))
    await sim.wait_for(lambda sim: sim.in_flight == 1)
    item = (await bill_of(sim))["sim-ttft1-gap1-endless"]
    assert (item["requests"], item["answered"], item["broken_off"], item["output_tokens"]) == (1, 0, 0, 0)
    await end(reading)


def test_a_client_that_invents_models_does_not_fill_the_memory() -> None:
    bill = Bill()
    for number in range(10_050):
        bill.begin(f"m{number}")
    bill.end(RequestRecord(1, "openai", "m10049", 0, {}, {}, 1, prompt_tokens=2), whole=True)
    assert len(bill.items) == 10_001
    assert (bill.items["other models"].requests, bill.items["other models"].input_tokens) == (50, 2)
