"""Benchmarks whose requests are not a list of prompts: what the server gets, and what cannot be sent."""

from typing import Any

import pytest

from shared.benchmark.load.places import place_at
from shared.benchmark.spec import BenchmarkSpec
from shared.db.connection.database import Database
from shared.providers.key_ring import KeyRing
from shared.workloads.of_spec import workload_of
from simulator.server import Simulator
from tests.shared.db.rows import Tables
from tests.support.service import Service, make_context, make_settings
from worker.engine.children import Children
from worker.run.control import BenchmarkRun

GENERATED: dict[str, Any] = {
    "source": "generated",
    "input_tokens": {"distribution": "uniform", "min": 20, "max": 90},
    "output_tokens": 7,
    "cache": "bust",
    "seed": 5,
}


async def test_generated_texts_are_sent_and_their_results_stored(service: Service, simulator: Simulator) -> None:
    model = "sim-ttft1-gap1-n2"
    done = await service.run(model=model, workload=GENERATED, repetitions=6, warmup=2, warmup_prefix=False)
    assert (done["status"], done["summary"]["requests"]["succeeded"]) == ("completed", 6)
    spec = {"name": "n", "model": model, "workload": GENERATED}
    workload = workload_of(BenchmarkSpec.model_validate(spec))
    places = [place_at(0, number, warmup=True) for number in range(2)] + [place_at(0, number) for number in range(6)]
    items = [item for place in places if (item := workload.item(place)) is not None]
    assert sorted(text_of(request.body) for request in simulator.requests) == sorted(
        item.messages[0]["content"] for item in items
    )
    assert {request.body["max_tokens"] for request in simulator.requests} == {7}
    assert [result["prompt_index"] for result in done["results"]] == places[2:]


def text_of(body: Any) -> str:
    content: str = body["messages"][0]["content"]
    return content


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_tokenizer_that_this_worker_lacks_fails_the_run_with_a_reason_unless_it_was_cancelled(
    database: Database, database_url: str, children: Children, cancelled: bool
) -> None:
    tables = Tables(database)
    number = await tables.add(
        workload={"output_tokens": 5, "cache": {"shared_prefix": {"tokens": 9}}, "tokenizer": "a.json"}
    )
    lease = await tables.claimed()
    if cancelled:
        await tables.benchmarks.cancel(number)
    benchmark = await tables.benchmarks.get(number)
    settings = make_settings(database_url, "redis://127.0.0.1:1/0", "http://127.0.0.1:9")
    context = make_context(settings, database, KeyRing({}), children)
    await BenchmarkRun(context, lease, benchmark).run()
    ended = await tables.benchmarks.get(number)
    if cancelled:
        assert (ended.status, ended.error) == ("cancelled", None)
        return
    error = ended.error
    assert error is not None
    assert error["kind"] == "workload_unusable"
    assert error["message"] == "workload.tokenizer: no folder of tokenizers is configured"


async def test_a_run_learns_how_the_provider_counts_and_the_next_one_uses_it(
    service: Service, simulator: Simulator
) -> None:
    """The simulator counts tokens in its own way, as each provider does."""
    wanted = {"source": "generated", "input_tokens": 300, "output_tokens": 5, "seed": 3}
    first = await service.run(model="sim-ttft1-gap1-n2", workload=wanted, repetitions=5)
    reported = [result["input_tokens"] for result in first["results"]]
    factor = first["summary"]["tokens"]["per_estimate"]
    assert factor == pytest.approx(sum(reported) / 5 / 300, abs=1e-6)
    second = await service.run(model="sim-ttft1-gap1-n2", workload={**wanted, "token_factor": factor}, repetitions=5)
    mean = sum(result["input_tokens"] for result in second["results"]) / 5
    assert abs(mean - 300) <= max(3, abs(sum(reported) / 5 - 300) / 2)
    plain = await service.run(model="sim-ttft1-gap1-n2", prompts=["Hello"])
    assert plain["summary"]["tokens"].get("per_estimate") is None
